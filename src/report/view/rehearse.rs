use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{
    execute::PartialFailure,
    lint::{Size, Work, WorkKind},
    ops::{Hold, RehearseReport, RehearsedRevision, RehearsedStatement, Reverted},
    report::{
        Diagnostic, Style, Weight, count, duration,
        error::{rehearsed_failure, rehearsed_finding},
        format::bytes,
    },
};

/// The result of `rehearse`.
#[derive(Debug)]
pub struct RehearseView {
    /// The report.
    pub report: RehearseReport,
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

/// The statements that are shown of a revision without `-v`: those that took longest.
const SHOWN: usize = 5;

impl View for RehearseView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        for revision in &self.report.revisions {
            self.revision(&mut page, revision, paint, verbosity);
        }
        for found in self.found() {
            page.append(found.human(paint.0, Weight::Error, self.columns));
            page.blank();
        }
        if verbosity > Verbosity::Quiet {
            page.sentence(self.summary(paint));
        }
        page
    }

    fn json(&self) -> Json {
        let report = &self.report;
        let revisions: Vec<Value> = report.revisions.iter().map(revision_json).collect();
        let reverted = match &report.reverted {
            Reverted::Not => "not",
            Reverted::NoDown(_) => "no_down",
            Reverted::Failed(..) => "failed",
            Reverted::Done(findings) if findings.is_empty() => "restored",
            Reverted::Done(_) => "not_restored",
        };
        let found: Vec<Value> = self.found().iter().map(Diagnostic::json).collect();
        object(json!({
            "database": report.database,
            "from": report.from,
            "backup": report.backup,
            "passed": report.passed(),
            "revisions": revisions,
            "not_run": report.not_run.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
            "reverted": reverted,
            "findings": found,
            "copy_ms": report.copying.as_millis(),
            "duration_ms": report.elapsed.as_millis(),
        }))
    }

    fn markdown(&self, _: &dyn Fn(&str) -> String) -> Option<String> {
        let mut text = format!("### Rehearsal\n\n{}\n", self.summary(Paint(false)));
        if !self.report.revisions.is_empty() {
            text.push_str(
                "\n| revision | time | longest lock | work | growth |\n|---|---|---|---|---|\n",
            );
        }
        for revision in &self.report.revisions {
            let hold = revision.holds.first();
            let hold = hold.map_or_else(String::new, |hold| {
                format!(
                    "{} on `{}` for {}",
                    hold.mode,
                    hold.table,
                    duration(hold.writes)
                )
            });
            let works = revision.statements.iter().flat_map(|it| &it.works);
            let mut works: Vec<String> = works.map(work_sentence).collect();
            works.dedup();
            let failed = if revision.failure.is_some() {
                " ❌"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "| `{}` {}{failed} | {} | {hold} | {} | {} |",
                revision.revision,
                revision.message.replace('|', "\\|"),
                duration(revision.elapsed),
                works.join("; ").replace('|', "\\|"),
                growth(revision.growth)
            );
        }
        for found in self.found() {
            let _ = write!(text, "\n❌ {}: {}\n", found.code, found.message);
        }
        Some(text)
    }
}

impl RehearseView {
    fn revision(
        &self,
        page: &mut Page,
        revision: &RehearsedRevision,
        paint: Paint,
        verbosity: Verbosity,
    ) {
        let (style, sign) = match revision.failure {
            None => (Style::Good, "✓"),
            Some(_) => (Style::Bad, "✗"),
        };
        page.row(format!(
            "{} {}  {}  {}{}",
            paint.paint(style, sign),
            paint.paint(Style::Id, revision.revision.as_str()),
            revision.message,
            duration(revision.elapsed),
            match revision.growth {
                0 => String::new(),
                other => format!(", {}", growth(other)),
            }
        ));
        if verbosity == Verbosity::Quiet {
            return;
        }
        for hold in &revision.holds {
            page.row(format!(
                "    {}",
                paint.paint(Style::Warning, hold_sentence(hold))
            ));
        }
        for statement in shown(revision, verbosity) {
            page.row(format!("    {}", statement_sentence(statement)));
        }
        for (table, before, after) in &revision.rows {
            page.row(format!("    {table}: {}", rows_sentence(*before, *after)));
        }
    }

    /// What failed or was not restored.
    fn found(&self) -> Vec<Diagnostic> {
        let failures = self
            .report
            .revisions
            .iter()
            .filter_map(|it| it.failure.as_deref());
        let mut found: Vec<Diagnostic> = failures.map(|it| failure(it, "up")).collect();
        match &self.report.reverted {
            Reverted::Failed(_, failed) => found.push(failure(failed, "down")),
            Reverted::Done(findings) => found.extend(findings.iter().filter_map(rehearsed_finding)),
            Reverted::Not | Reverted::NoDown(_) => {}
        }
        found
    }

    fn summary(&self, paint: Paint) -> String {
        let report = &self.report;
        let (style, result) = match report.passed() {
            true => (Style::Good, "nothing failed"),
            false => (
                Style::Bad,
                "a deployment would fail or could not be reverted",
            ),
        };
        let reverted = match &report.reverted {
            Reverted::Not => "not reverted".to_owned(),
            Reverted::NoDown(id) => format!("reverted down to {id}, which has no down script"),
            Reverted::Failed(id, _) => format!("the down script of {id} failed"),
            Reverted::Done(found) if found.is_empty() => {
                "reverted, everything as before".to_owned()
            }
            Reverted::Done(_) => "reverted, not as before".to_owned(),
        };
        let revisions = count(report.revisions.len(), "revision");
        let not_run = match report.not_run.len() {
            0 => String::new(),
            more => format!(", {more} not run"),
        };
        format!(
            "Rehearsed on a copy of {} from {}: {revisions}{not_run}; {}; {reverted}. The copy took {}, all {}.",
            report.database,
            report.from,
            paint.paint(style, result),
            duration(report.copying),
            duration(report.elapsed),
        )
    }
}

fn failure(failed: &PartialFailure, script: &str) -> Diagnostic {
    let mut found = rehearsed_failure(failed);
    found
        .notes
        .push(format!("in the {script} script, on the copy"));
    found
}

/// The statements that took longest, in their order.
fn shown(revision: &RehearsedRevision, verbosity: Verbosity) -> Vec<&RehearsedStatement> {
    let mut statements: Vec<&RehearsedStatement> = revision.statements.iter().collect();
    if verbosity < Verbosity::Verbose {
        statements.sort_by_key(|it| std::cmp::Reverse(it.elapsed));
        statements.truncate(SHOWN);
        statements.sort_by_key(|it| it.line);
    }
    statements
}

fn statement_sentence(statement: &RehearsedStatement) -> String {
    let words: Vec<&str> = statement.sql.split_whitespace().take(8).collect();
    let times = match statement.times {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    let works: Vec<String> = statement.works.iter().map(work_sentence).collect();
    let works = match works.is_empty() {
        true => String::new(),
        false => format!(": {}", works.join(", ")),
    };
    format!(
        "{:>4}  {}  {}{times}{works}",
        statement.line,
        words.join(" "),
        duration(statement.elapsed)
    )
}

fn hold_sentence(hold: &Hold) -> String {
    let size = hold
        .size
        .map_or_else(String::new, |size| format!(" ({})", size_sentence(size)));
    let wait = match (hold.reads.is_zero(), hold.reads == hold.writes) {
        (true, _) => format!(
            "writes of {}{size} wait for {}",
            hold.table,
            duration(hold.writes)
        ),
        (false, true) => format!(
            "reads and writes of {}{size} wait for {}",
            hold.table,
            duration(hold.writes)
        ),
        (false, false) => format!(
            "writes of {}{size} wait for {}, reads for {}",
            hold.table,
            duration(hold.writes),
            duration(hold.reads)
        ),
    };
    format!("{wait}: {} from line {}", hold.mode, hold.line)
}

fn size_sentence(size: Size) -> String {
    let rows = count(usize::try_from(size.rows).unwrap_or(usize::MAX), "row");
    match size.pages {
        0 => rows,
        pages => format!("{rows}, {}", bytes(pages * 8192)),
    }
}

fn work_sentence(work: &Work) -> String {
    let table = &work.relation;
    match &work.kind {
        WorkKind::Rewrite => format!("rewrites {table}"),
        WorkKind::Build { index } => format!("builds {} on {table}", index.name),
        WorkKind::Scan => format!("reads {table}"),
        WorkKind::Change { .. } => format!("changes rows of {table}"),
    }
}

fn rows_sentence(before: Option<u64>, after: Option<u64>) -> String {
    let rows = |rows: u64| count(usize::try_from(rows).unwrap_or(usize::MAX), "row");
    match (before, after) {
        (None, Some(after)) => format!("new, {}", rows(after)),
        (Some(before), None) => format!("gone, {}", rows(before)),
        (Some(before), Some(after)) => format!("{before} → {}", rows(after)),
        (None, None) => String::new(),
    }
}

fn growth(change: i64) -> String {
    let size = bytes(change.unsigned_abs());
    match change {
        0 => String::new(),
        1.. => format!("+{size}"),
        _ => format!("-{size}"),
    }
}

fn revision_json(revision: &RehearsedRevision) -> Value {
    let statements = revision.statements.iter().map(|it| {
        json!({
            "line": it.line,
            "sql": it.sql,
            "duration_ms": it.elapsed.as_secs_f64() * 1000.0,
            "times": it.times,
            "works": it.works.iter().map(work_sentence).collect::<Vec<_>>(),
        })
    });
    let locks = revision.holds.iter().map(|it| {
        json!({
            "relation": it.table,
            "mode": it.mode.name(),
            "writes_wait_ms": it.writes.as_secs_f64() * 1000.0,
            "reads_wait_ms": it.reads.as_secs_f64() * 1000.0,
            "rows": it.size.map(|size| size.rows),
            "pages": it.size.map(|size| size.pages),
            "line": it.line,
        })
    });
    let rows = revision.rows.iter();
    let rows = rows.map(
        |(table, before, after)| json!({ "relation": table, "before": before, "after": after }),
    );
    json!({
        "revision": revision.revision.as_str(),
        "message": revision.message,
        "file": revision.file,
        "failed": revision.failure.is_some(),
        "statements": statements.collect::<Vec<_>>(),
        "locks": locks.collect::<Vec<_>>(),
        "growth_bytes": revision.growth,
        "rows": rows.collect::<Vec<_>>(),
        "duration_ms": revision.elapsed.as_secs_f64() * 1000.0,
    })
}
