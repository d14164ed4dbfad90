//! What statements do, as the rules see it.

use serde_json::{Value, json};

use crate::{
    lint::{Effects, Statement, WorkKind},
    ops::LintReport,
    report::{Page, Paint, Style},
};

/// A line a statement, under the name of its file.
pub(super) fn show(page: &mut Page, report: &LintReport, paint: Paint) {
    for revision in &report.revisions {
        page.row(paint.paint(Style::Strong, &revision.file));
        for statement in &revision.statements {
            let place = format!("{:>5}:{:<3}", statement.line, statement.column);
            let words: Vec<&str> = statement.sql.split_whitespace().take(6).collect();
            let words = words.join(" ");
            page.row(format!(
                "{} {words}  {}",
                paint.paint(Style::Dim, place),
                paint.paint(Style::Warning, sentence(&statement.effects))
            ));
        }
        page.blank();
    }
}

/// The effects in one line.
fn sentence(effects: &Effects) -> String {
    let locks = effects.locks.iter().map(|lock| {
        let held = if lock.is_held { " (held)" } else { "" };
        format!("{} on {}{held}", lock.mode, lock.relation)
    });
    let works = effects.works.iter().map(|work| {
        let table = &work.relation;
        match &work.kind {
            WorkKind::Rewrite => format!("rewrites {table}"),
            WorkKind::Build { index } => format!("builds {} on {table}", index.name),
            WorkKind::Scan => format!("scans {table}"),
            WorkKind::Change { rows: Some(rows) } => format!("changes {rows} rows of {table}"),
            WorkKind::Change { rows: None } => format!("changes rows of {table}"),
        }
    });
    locks.chain(works).collect::<Vec<_>>().join(", ")
}

/// A statement as JSON.
pub(super) fn json(statement: &Statement) -> Value {
    let effects = &statement.effects;
    let locks = effects.locks.iter().map(
        |lock| json!({ "relation": lock.relation, "mode": lock.mode.name(), "held": lock.is_held }),
    );
    let works = effects.works.iter().map(|work| {
        let (kind, index, rows) = match &work.kind {
            WorkKind::Rewrite => ("rewrite", None, None),
            WorkKind::Build { index } => ("build", Some(index), None),
            WorkKind::Scan => ("scan", None, None),
            WorkKind::Change { rows } => ("change", None, *rows),
        };
        json!({ "relation": work.relation, "kind": kind, "index": index, "rows": rows })
    });
    json!({
        "line": statement.line,
        "column": statement.column,
        "start": statement.span.start,
        "end": statement.span.end,
        "level": effects.level.name(),
        "in_transaction": statement.in_transaction,
        "locks": locks.collect::<Vec<_>>(),
        "works": works.collect::<Vec<_>>(),
        "created": effects.created,
        "dropped": effects.dropped,
        "error": statement.error,
    })
}
