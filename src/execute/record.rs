use std::time::Duration;

use super::SlowStatement;
use crate::{
    database::{Database, DatabaseError},
    layout::{ExternalChoice, ExternalRecords},
    plan::{Adoption, Repair, RowExchange, StampPlan},
    revision::{LogEntry, LogEvent, RecordChange, Subject},
};

/// Writes a stamp in one transaction, with a log entry for each change. The lock must be held.
///
/// # Errors
/// Fails when the database refuses; nothing is changed then.
pub async fn write_stamp(
    database: &mut dyn Database,
    plan: StampPlan,
) -> Result<(), DatabaseError> {
    let entry = |subject: &Subject, message: Option<&str>, detail: &str| LogEntry {
        elapsed: Duration::ZERO,
        event: LogEvent::Stamp,
        subject: Some(subject.clone()),
        message: message.map(str::to_owned),
        error: None,
        detail: Some(detail.to_owned()),
    };
    let (mut changes, mut log) = exchanged(&plan.exchanges);
    for revision in plan.delete {
        let subject = Subject::from(revision);
        log.push(entry(&subject, None, "removed"));
        changes.push(RecordChange::Delete(subject));
    }
    for row in plan.insert {
        log.push(entry(&row.subject, Some(&row.message), "recorded"));
        changes.push(RecordChange::Insert(row.into()));
    }
    database.prepare().await?;
    database.record(&changes, &log).await
}

/// Writes the records of another database into an empty version table, without log entries. The lock must
/// be held.
///
/// # Errors
/// Fails when the database refuses; nothing is changed then.
#[cfg(feature = "cli")]
pub async fn write_copied(
    database: &mut dyn Database,
    records: &[RecordChange],
) -> Result<(), DatabaseError> {
    database.prepare().await?;
    database.record(records, &[]).await
}

/// Replaces records with those of baselines in one transaction, with their log entries. The lock
/// must be held. Call this before running the plan that includes the exchanges.
///
/// # Errors
/// Fails when the database refuses; nothing is changed then.
pub async fn exchange(
    database: &mut dyn Database,
    exchanges: &[RowExchange],
) -> Result<(), DatabaseError> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let (changes, log) = exchanged(exchanges);
    database.prepare().await?;
    database.record(&changes, &log).await
}

/// The changes and log entries of exchanges.
pub(super) fn exchanged(exchanges: &[RowExchange]) -> (Vec<RecordChange>, Vec<LogEntry>) {
    let changes = exchanges.iter().flat_map(RowExchange::changes);
    let log = exchanges.iter().flat_map(RowExchange::log_entries);
    (changes.collect(), log.collect())
}

/// Whether the other tool's records changed during the adoption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// The records are unchanged.
    Unchanged,
    /// The records have changed, since that tool does not use the lock, or they can no longer be
    /// read.
    Outdated,
}

/// Writes what is adopted of `records`, which were wanted as `wanted` says: all of it in one transaction, with what the log says of
/// it. Then looks at the other tool's records again. Call it with the lock held.
///
/// # Errors
/// Fails when the database refuses; nothing is changed then.
pub async fn write_adoption(
    database: &mut dyn Database,
    adoption: &Adoption,
    (wanted, records): (&ExternalChoice, &ExternalRecords),
) -> Result<Adopted, DatabaseError> {
    let rows = adoption.rows.iter();
    let changes: Vec<_> = rows
        .map(|(row, past)| RecordChange::Adopt(row.clone().into(), *past))
        .collect();
    database.prepare().await?;
    database.record(&changes, &adoption.log_entries()).await?;
    let wanted = ExternalChoice {
        tool: Some(adoption.tool),
        table: wanted.table.clone(),
    };
    let now = database.external_records(&wanted).await;
    let is_still = now.is_ok_and(|now| now == *records);
    Ok(if is_still {
        Adopted::Unchanged
    } else {
        Adopted::Outdated
    })
}

/// Writes repairs, and the exchanges planned with them, in one transaction, with a log entry for
/// each. The lock must be held.
///
/// # Errors
/// Fails when the database refuses; nothing is changed then.
pub async fn write_repairs(
    database: &mut dyn Database,
    exchanges: &[RowExchange],
    repairs: &[Repair],
) -> Result<(), DatabaseError> {
    let (mut changes, mut log) = exchanged(exchanges);
    for change in repairs.iter().flat_map(|repair| &repair.changes) {
        // One change accepts both scripts of a revision, which follow each other.
        if changes.last() != Some(change) {
            changes.push(change.clone());
        }
    }
    log.extend(repairs.iter().map(Repair::log_entry));
    database.prepare().await?;
    database.record(&changes, &log).await
}

/// The maximum number of slow statements of a revision in the log.
const KEPT: usize = 5;

/// A log entry for each revision with slow statements, which must be sorted slowest first.
pub(super) fn slow(statements: Vec<SlowStatement>) -> Vec<LogEntry> {
    let mut rows: Vec<(Subject, Vec<String>)> = Vec::new();
    for slow in statements {
        let subject = &slow.statement.subject;
        let row = rows.iter_mut().find(|(other, _)| other == subject);
        match row {
            Some((_, kept)) if kept.len() == KEPT => {}
            Some((_, kept)) => kept.push(json(&slow)),
            None => rows.push((subject.clone(), vec![json(&slow)])),
        }
    }
    let entries = rows.into_iter().map(|(subject, kept)| LogEntry {
        elapsed: Duration::ZERO,
        event: LogEvent::Slow,
        subject: Some(subject),
        message: None,
        error: None,
        detail: Some(format!("[{}]", kept.join(","))),
    });
    entries.collect()
}

/// A slow statement as the JSON object in the log.
fn json(slow: &SlowStatement) -> String {
    serde_json::to_string(slow).unwrap_or_default()
}
