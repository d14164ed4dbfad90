use std::time::Duration;

use serde_json::{Value, json};

use super::{super::object, Json, found, words::work_sentence};
use crate::{
    ops::{
        CopySource, Hold, LockSpan, RehearseReport, RehearsedRevision, RehearsedStatement, Reverted,
    },
    report::Diagnostic,
};

/// The report as JSON.
pub(super) fn fields(report: &RehearseReport) -> Json {
    let has_rows = report.has_rows();
    let revisions = report.revisions.iter().map(|it| revision(it, has_rows));
    let locks = report.locks.iter().map(|it| lock_time(it, report));
    let reverted = match &report.reverted {
        Reverted::Not => "not",
        Reverted::NoDown(_) => "no_down",
        Reverted::Failed(..) => "failed",
        Reverted::Done(findings) if findings.is_empty() => "restored",
        Reverted::Done(_) => "not_restored",
    };
    let (copied, backup, lacks) = match &report.copied {
        CopySource::Database => ("database", None, &[][..]),
        CopySource::Backup(file) => ("backup", Some(file), &[][..]),
        CopySource::Schema { lacks } => ("schema", None, &lacks[..]),
    };
    let found: Vec<Value> = found(report).iter().map(Diagnostic::json).collect();
    object(json!({
        "database": report.database,
        "from": report.from,
        "copied": copied,
        "backup": backup,
        "lacks": lacks,
        "passed": report.passed(),
        "revisions": revisions.collect::<Vec<_>>(),
        "lock_times": locks.collect::<Vec<_>>(),
        "not_run": report.not_run.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
        "reverted": reverted,
        "findings": found,
        "copy_ms": report.copying.as_millis(),
        "duration_ms": report.elapsed.as_millis(),
    }))
}

fn revision(revision: &RehearsedRevision, has_rows: bool) -> Value {
    let statements = revision.statements.iter().map(|it| statement(it, has_rows));
    let locks = revision.holds.iter().map(|it| hold(it, has_rows));
    let rows = revision
        .rows
        .iter()
        .map(|it| json!({ "relation": it.table, "before": it.before, "after": it.after }));
    json!({
        "revision": revision.subject.as_str(),
        "message": revision.message,
        "file": revision.file,
        "failed": revision.failure.is_some(),
        "statements": statements.collect::<Vec<_>>(),
        "locks": locks.collect::<Vec<_>>(),
        "growth_bytes": has_rows.then_some(revision.growth),
        "wal_bytes": revision.wal.filter(|_| has_rows),
        "rows": rows.collect::<Vec<_>>(),
        "duration_ms": has_rows.then(|| millis(revision.elapsed)),
    })
}

fn statement(statement: &RehearsedStatement, has_rows: bool) -> Value {
    let works = statement.works.iter().map(work_sentence);
    json!({
        "line": statement.line,
        "sql": statement.sql,
        "failed": statement.has_failed,
        "begin_ms": has_rows.then(|| millis(statement.begin)),
        "duration_ms": has_rows.then(|| millis(statement.elapsed)),
        "times": statement.times,
        "wal_bytes": statement.wal.filter(|_| has_rows),
        "works": works.collect::<Vec<_>>(),
    })
}

fn hold(hold: &Hold, has_rows: bool) -> Value {
    json!({
        "relation": hold.table,
        "mode": hold.mode.map(|it| it.name()),
        "blocks": if hold.reads.is_zero() { "writes" } else { "reads_and_writes" },
        "writes_wait_ms": has_rows.then(|| millis(hold.writes)),
        "reads_wait_ms": has_rows.then(|| millis(hold.reads)),
        "rows": hold.size.map(|size| size.rows),
        "pages": hold.size.map(|size| size.pages),
        "line": hold.line,
    })
}

fn lock_time(span: &LockSpan, report: &RehearseReport) -> Value {
    let has_rows = report.has_rows();
    let revision = &report.revisions[span.revision];
    json!({
        "relation": span.table,
        "mode": span.mode.map(|it| it.name()),
        "blocks": span.blocks.name(),
        "revision": revision.subject.as_str(),
        "line": revision.statements[span.statement].line,
        "from_ms": has_rows.then(|| millis(span.from)),
        "until_ms": has_rows.then(|| millis(span.until)),
    })
}

/// Milliseconds, rounded to microseconds.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
