//! Writing to the version table and its log.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};

use super::{super::DatabaseError, connect::Connection, handle::Bind, version_table::VersionTable};
use crate::revision::{LogEntry, NewRow, Partial, RecordChange, RevisionId};

/// When what is recorded began, and who did it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion<'a> {
    pub started_at: DateTime<Utc>,
    pub clock: Instant,
    pub actor: &'a str,
}

impl<'a> Occasion<'a> {
    /// It begins now.
    pub fn begin(actor: &'a str) -> Self {
        Self {
            started_at: Utc::now(),
            clock: Instant::now(),
            actor,
        }
    }
}

/// As the tables write a time.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes changes and log into the transaction that is open.
///
/// # Errors
/// [`DatabaseError::StateChanged`] when a change does not hit exactly one row.
pub(super) fn write(
    connection: &mut Connection,
    table: &VersionTable,
    occasion: Occasion<'_>,
    changes: &[RecordChange],
    log: &[LogEntry],
) -> Result<(), DatabaseError> {
    let mut writer = Writer {
        connection,
        table,
        started_at: time(occasion.started_at),
        now: time(Utc::now()),
        duration: i64::try_from(occasion.clock.elapsed().as_millis()).unwrap_or(i64::MAX),
        actor: occasion.actor,
    };
    changes
        .iter()
        .try_for_each(|change| writer.change(change))?;
    log.iter().try_for_each(|entry| writer.log(entry))
}

struct Writer<'a> {
    connection: &'a mut Connection,
    table: &'a VersionTable,
    started_at: String,
    now: String,
    duration: i64,
    actor: &'a str,
}

const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

impl Writer<'_> {
    fn change(&mut self, change: &RecordChange) -> Result<(), DatabaseError> {
        match change {
            RecordChange::Insert(row) => self.insert(row, None),
            RecordChange::Begin(row, partial) => self.insert(row, Some(partial)),
            RecordChange::Delete(revision) => self.delete(revision),
            RecordChange::Progress { revision, from, to } => self.progress(revision, *from, to),
            RecordChange::Accept {
                revision,
                up_checksum,
                down_checksum,
                down_script,
            } => {
                let down_checksum = down_checksum.as_ref().map(ToString::to_string);
                let up_checksum = up_checksum.to_string();
                let binds = [
                    revision.as_str().into(),
                    up_checksum.as_str().into(),
                    down_checksum.as_deref().into(),
                    down_script.as_deref().into(),
                ];
                self.accept(revision, &binds)
            }
            RecordChange::Finish { revision, from } => self.finish(revision, *from),
        }
    }

    fn insert(&mut self, row: &NewRow, partial: Option<&Partial>) -> Result<(), DatabaseError> {
        let sql = format!(
            "INSERT INTO {} (sequence, revision, kind, message, parents, depends_on, up_checksum,
                down_checksum, down_script, state, direction, script, statements_done,
                statements_total, statement_checksums, error, started_at, applied_at, duration_ms,
                applied_by, tool_version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18, ?19, ?20, ?21)",
            self.table.table
        );
        let (parents, depends_on) = (list(&row.parents), list(&row.depends_on));
        let up_checksum = row.up_checksum.to_string();
        let down_checksum = row.down_checksum.as_ref().map(ToString::to_string);
        let checksums = partial.map(|partial| list(&partial.statement_checksums));
        let interruption = partial.and_then(interruption);
        let (started_at, now) = (self.started_at.clone(), self.now.clone());
        let binds = [
            row.sequence.into(),
            row.revision.as_str().into(),
            row.kind.as_str().into(),
            row.message.as_str().into(),
            parents.as_str().into(),
            depends_on.as_str().into(),
            up_checksum.as_str().into(),
            down_checksum.as_deref().into(),
            row.down_script.as_deref().into(),
            partial.map_or("applied", |_| "partial").into(),
            partial.map(|partial| partial.direction.as_str()).into(),
            partial.map(|partial| partial.script.as_str()).into(),
            count(partial.map(|partial| partial.statements_done)),
            count(partial.map(|partial| partial.statements_total)),
            checksums.as_deref().into(),
            interruption.as_deref().into(),
            started_at.as_str().into(),
            partial.map_or(Some(now.as_str()), |_| None).into(),
            self.duration.into(),
            self.actor.into(),
            TOOL_VERSION.into(),
        ];
        self.exactly_one(&sql, &binds, &row.revision, "is already there")
    }

    fn delete(&mut self, revision: &RevisionId) -> Result<(), DatabaseError> {
        let sql = format!("DELETE FROM {} WHERE revision = ?1", self.table.table);
        self.exactly_one(&sql, &[revision.as_str().into()], revision, "is not there")
    }

    /// The times of an up script add up over its parts; a down script's do not count.
    fn progress(
        &mut self,
        revision: &RevisionId,
        from: Option<usize>,
        to: &Partial,
    ) -> Result<(), DatabaseError> {
        let sql = format!(
            "UPDATE {} SET state = 'partial', direction = ?3, script = ?4, statements_done = ?5,
                statements_total = ?6, statement_checksums = ?7, error = ?8,
                duration_ms = duration_ms + CASE ?3 WHEN 'up' THEN ?9 ELSE 0 END
             WHERE revision = ?1 AND {}",
            self.table.table,
            match from {
                Some(_) => "state = 'partial' AND statements_done = ?2",
                None => "state = 'applied' AND ?2 IS NULL",
            }
        );
        let checksums = list(&to.statement_checksums);
        let interruption = interruption(to);
        let binds = [
            revision.as_str().into(),
            count(from),
            to.direction.as_str().into(),
            to.script.as_str().into(),
            count(Some(to.statements_done)),
            count(Some(to.statements_total)),
            checksums.as_str().into(),
            interruption.as_deref().into(),
            self.duration.into(),
        ];
        self.exactly_one(&sql, &binds, revision, "is not as far as it should be")
    }

    fn accept(&mut self, revision: &RevisionId, binds: &[Bind<'_>]) -> Result<(), DatabaseError> {
        let sql = format!(
            "UPDATE {} SET up_checksum = ?2, down_checksum = ?3, down_script = ?4
             WHERE revision = ?1",
            self.table.table
        );
        self.exactly_one(&sql, binds, revision, "is not there")
    }

    /// A row that was applied before (its down script was given up) keeps what it says of that.
    fn finish(&mut self, revision: &RevisionId, from: usize) -> Result<(), DatabaseError> {
        let sql = format!(
            "UPDATE {} SET state = 'applied', direction = NULL, script = NULL,
                statements_done = NULL, statements_total = NULL, statement_checksums = NULL,
                error = NULL, applied_at = coalesce(applied_at, ?3),
                duration_ms = duration_ms + CASE direction WHEN 'up' THEN ?4 ELSE 0 END,
                applied_by = CASE direction WHEN 'up' THEN ?5 ELSE applied_by END,
                tool_version = CASE direction WHEN 'up' THEN ?6 ELSE tool_version END
             WHERE revision = ?1 AND state = 'partial' AND statements_done = ?2",
            self.table.table
        );
        let now = self.now.clone();
        let binds = [
            revision.as_str().into(),
            count(Some(from)),
            now.as_str().into(),
            self.duration.into(),
            self.actor.into(),
            TOOL_VERSION.into(),
        ];
        self.exactly_one(&sql, &binds, revision, "is not as far as it should be")
    }

    fn log(&mut self, entry: &LogEntry) -> Result<(), DatabaseError> {
        let sql = format!(
            "INSERT INTO {log} (sequence, at, event, revision, message, outcome, duration_ms, actor,
                tool_version, error, detail)
             VALUES ((SELECT coalesce(max(sequence), 0) + 1 FROM {log}), ?1, ?2, ?3, ?4, ?5, ?6,
                ?7, ?8, ?9, ?10)",
            log = self.table.log
        );
        let now = self.now.clone();
        let binds = [
            now.as_str().into(),
            entry.event.as_str().into(),
            entry.revision.as_ref().map(RevisionId::as_str).into(),
            entry.message.as_deref().into(),
            entry.error.as_ref().map_or("ok", |_| "failed").into(),
            self.duration.into(),
            self.actor.into(),
            TOOL_VERSION.into(),
            entry.error.as_deref().into(),
            entry.detail.as_deref().into(),
        ];
        match self.connection.write(&sql, &binds)? {
            1 => Ok(()),
            count => Err(DatabaseError::StateChanged {
                reason: format!("writing to the log changed {count} rows instead of one"),
            }),
        }
    }

    fn exactly_one(
        &mut self,
        sql: &str,
        binds: &[Bind<'_>],
        revision: &RevisionId,
        otherwise: &str,
    ) -> Result<(), DatabaseError> {
        let reason = match self.connection.write(sql, binds) {
            Ok(1) => return Ok(()),
            Ok(0) => format!("the row of revision {revision} {otherwise}"),
            Ok(count) => format!("the record of revision {revision} hit {count} rows"),
            Err(DatabaseError::Sql(failure))
                if matches!(
                    failure.code.as_deref(),
                    Some("SQLITE_CONSTRAINT_UNIQUE" | "SQLITE_CONSTRAINT_PRIMARYKEY")
                ) =>
            {
                format!("the row of revision {revision} {otherwise}, or its sequence is taken")
            }
            Err(error) => return Err(error),
        };
        Err(DatabaseError::StateChanged { reason })
    }
}

fn interruption(partial: &Partial) -> Option<String> {
    partial.interruption.as_ref().map(ToString::to_string)
}

fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    items.join(",")
}

fn count(value: Option<usize>) -> Bind<'static> {
    value.map_or(Bind::Null, |value| {
        Bind::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    })
}
