//! The statements that change the version table and its log.

use std::{borrow::Cow, time::Duration};

use super::{
    super::DatabaseError,
    connect::Writer,
    record::{Times, time},
    value::Bind,
    version_table::VersionTable,
};
use crate::revision::{
    BatchProgress, LAYOUT, LogEntry, LogEvent, NewRow, Partial, Past, RecordChange, Subject,
    UnitProgress,
};

/// A value of a command.
pub(super) enum Field<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
    /// The start of the recorded work.
    Began,
    /// The time of recording.
    Now,
    /// The milliseconds between both.
    Duration,
    /// The milliseconds of the transaction, plus the time spent before.
    DurationAfter(Duration),
}

impl Field<'_> {
    fn bind<'b>(&'b self, times: &'b Times) -> Bind<'b> {
        match self {
            Self::Null => Bind::Null,
            Self::Integer(value) => Bind::Integer(*value),
            Self::Text(text) => Bind::Text(text),
            Self::Began => Bind::Text(&times.began),
            Self::Now => Bind::Text(&times.now),
            Self::Duration => Bind::Integer(times.duration(times.carried)),
            Self::DurationAfter(carried) => Bind::Integer(times.duration(*carried)),
        }
    }
}

impl From<i64> for Field<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<String> for Field<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a, T: Into<Field<'a>>> From<Option<T>> for Field<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A statement on migrator's own tables with the values of its parameters, to be run or written to
/// a script.
pub(super) struct Command<'a> {
    pub sql: String,
    /// The values of `?1`, `?2` and so on.
    pub fields: Vec<Field<'a>>,
    /// The subject of the statement, for the error when it changes no row or several.
    target: Written<'a>,
}

enum Written<'a> {
    /// A row that must be the only one changed, and the problem if it is not found.
    Row(&'a Subject, &'static str),
    /// One row of the log.
    Log,
    /// Any number of rows may change.
    Any,
}

/// The placeholder for the digest in the version table while the progress is in its own table.
const KEPT_APART: &str = "progress";

/// The problem of a row whose progress differs from the expected one.
const BEHIND: &str = "is not as far as it should be";

const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

impl<'a> Command<'a> {
    /// The commands for one change of the version table, in order.
    pub fn of(table: &VersionTable, actor: &'a str, change: &'a RecordChange) -> Vec<Self> {
        match change {
            RecordChange::Insert(row) => vec![Self::insert(table, actor, row, None)],
            RecordChange::Adopt(row, past) => vec![Self::adopt(table, actor, row, *past)],
            RecordChange::Begin(row, partial) => vec![
                Self::insert(table, actor, row, Some(partial)),
                Self::progress_row(table, &row.subject, partial),
            ],
            RecordChange::Delete(subject) => vec![
                Self {
                    sql: format!("DELETE FROM {} WHERE revision = ?1", table.table),
                    fields: vec![subject.as_str().into()],
                    target: Written::Row(subject, "is not there"),
                },
                Self::no_progress(table, subject),
            ],
            RecordChange::DeleteApplied(subject) => vec![Self {
                sql: format!(
                    "DELETE FROM {} WHERE revision = ?1 AND state = 'applied'",
                    table.table
                ),
                fields: vec![subject.as_str().into()],
                target: Written::Row(subject, "is not there, or is partially applied"),
            }],
            RecordChange::Enter { subject, from, to } => vec![
                Self::enter(table, subject, *from, to),
                Self::progress_row(table, subject, to),
            ],
            RecordChange::Progress { subject, from, to } => {
                vec![Self::progress(table, subject, *from, to)]
            }
            RecordChange::Batch {
                subject,
                done,
                from,
                to,
            } => vec![Self::batch(table, subject, *done, from.as_ref(), to)],
            RecordChange::Accept {
                subject,
                up_checksum,
                down_checksum,
                down_script,
                up_script,
            } => vec![Self {
                sql: format!(
                    "UPDATE {} SET up_checksum = ?2, down_checksum = ?3, down_script = ?4,
                up_script = ?5
             WHERE revision = ?1",
                    table.table
                ),
                fields: vec![
                    subject.as_str().into(),
                    up_checksum.to_string().into(),
                    down_checksum.as_ref().map(ToString::to_string).into(),
                    down_script.as_deref().into(),
                    up_script.as_deref().into(),
                ],
                target: Written::Row(subject, "is not there"),
            }],
            RecordChange::Finish {
                subject,
                from,
                whole,
            } => vec![
                Self::finish(table, actor, subject, *from, *whole),
                Self::no_progress(table, subject),
            ],
        }
    }

    /// Whether exactly one row must change.
    pub fn must_change_one(&self) -> bool {
        !matches!(self.target, Written::Any)
    }

    fn insert(
        table: &VersionTable,
        actor: &'a str,
        row: &'a NewRow,
        partial: Option<&'a Partial>,
    ) -> Self {
        // Preparing takes a fifth less time if the remaining columns stay NULL.
        let (columns, places) = match partial {
            None => ("", ""),
            Some(_) => (
                ",
                direction, script, statements_done, statements_total, statement_checksums, error,
                batch",
                ", ?17, ?18, ?19, ?20, ?21, ?22, ?23",
            ),
        };
        let sql = format!(
            "INSERT INTO {} (sequence, revision, kind, message, parents, depends_on, up_checksum,
                down_checksum, down_script, state, started_at, applied_at, duration_ms, applied_by,
                tool_version, up_script{columns})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16{places})",
            table.table
        );
        let mut fields = vec![
            row.sequence.into(),
            row.subject.as_str().into(),
            row.subject.kind().into(),
            row.message.as_str().into(),
            list(&row.parents).into(),
            list(&row.depends_on).into(),
            row.up_checksum.to_string().into(),
            row.down_checksum.as_ref().map(ToString::to_string).into(),
            row.down_script.as_deref().into(),
            partial.map_or("applied", |_| "partial").into(),
            Field::Began,
            partial.map_or(Field::Now, |_| Field::Null),
            Field::Duration,
            actor.into(),
            TOOL_VERSION.into(),
            row.up_script.as_deref().into(),
        ];
        if let Some(partial) = partial {
            fields.extend([
                partial.direction.as_str().into(),
                partial.script.as_str().into(),
                count(Some(partial.statements_done)),
                count(Some(partial.statements_total)),
                KEPT_APART.into(),
                Field::Null,
                Field::Null,
            ]);
        }
        Self {
            sql,
            fields,
            target: Written::Row(&row.subject, "is already there"),
        }
    }

    /// Like [`Self::insert`], with times of the past if they are known.
    fn adopt(table: &VersionTable, actor: &'a str, row: &'a NewRow, past: Past) -> Self {
        let mut command = Self::insert(table, actor, row, None);
        for field in &mut command.fields {
            let known = match field {
                Field::Duration => Some(past.duration_ms.into()),
                Field::Began => past.started_at().map(|at| time(at).into()),
                Field::Now => past.applied_at.map(|at| time(at).into()),
                _ => None,
            };
            if let Some(known) = known {
                *field = known;
            }
        }
        command
    }

    /// Records that a script starts or continues, with its text. This replaces earlier progress in
    /// the row or of an earlier run.
    fn enter(
        table: &VersionTable,
        subject: &'a Subject,
        from: Option<usize>,
        to: &'a Partial,
    ) -> Self {
        let sql = format!(
            "UPDATE {} SET state = 'partial', direction = ?3, script = ?4, statements_done = ?5,
                statements_total = ?6, statement_checksums = ?7, error = NULL, batch = NULL,
                duration_ms = duration_ms + {} + CASE ?3 WHEN 'up' THEN ?8 ELSE 0 END
             WHERE revision = ?1 AND {}",
            table.table,
            kept(table, "duration_ms", "0"),
            match from {
                Some(_) => format!("state = 'partial' AND {} = ?2", done(table)),
                None => "state = 'applied' AND ?2 IS NULL".to_owned(),
            }
        );
        let fields = vec![
            subject.as_str().into(),
            count(from),
            to.direction.as_str().into(),
            to.script.as_str().into(),
            count(Some(to.statements_done)),
            count(Some(to.statements_total)),
            KEPT_APART.into(),
            Field::Duration,
        ];
        Self {
            sql,
            fields,
            target: Written::Row(subject, BEHIND),
        }
    }

    /// The row of progress of a script that starts or continues.
    fn progress_row(table: &VersionTable, subject: &'a Subject, to: &'a Partial) -> Self {
        let sql = format!(
            "INSERT OR REPLACE INTO {} (revision, direction, statements_done, statement_checksums,
                error, batch, duration_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
            table.progress
        );
        let fields = vec![
            subject.as_str().into(),
            to.direction.as_str().into(),
            count(Some(to.statements_done)),
            to.statements_digest.to_string().into(),
            to.interruption.as_ref().map(ToString::to_string).into(),
            to.batch.as_ref().map(ToString::to_string).into(),
        ];
        Self {
            sql,
            fields,
            target: Written::Row(subject, BEHIND),
        }
    }

    fn no_progress(table: &VersionTable, subject: &'a Subject) -> Self {
        Self {
            sql: format!("DELETE FROM {} WHERE revision = ?1", table.progress),
            fields: vec![subject.as_str().into()],
            target: Written::Any,
        }
    }

    /// The times of an up script's parts are added; those of a down script do not count.
    fn progress(
        table: &VersionTable,
        subject: &'a Subject,
        from: usize,
        to: &'a UnitProgress,
    ) -> Self {
        let sql = format!(
            "UPDATE {} SET statements_done = ?3, statement_checksums = ?4, error = ?5, batch = ?6,
                duration_ms = duration_ms + CASE direction WHEN 'up' THEN ?7 ELSE 0 END
             WHERE revision = ?1 AND statements_done = ?2",
            table.progress
        );
        let fields = vec![
            subject.as_str().into(),
            count(Some(from)),
            count(Some(to.statements_done)),
            to.statements_digest.to_string().into(),
            to.interruption.as_ref().map(ToString::to_string).into(),
            to.batch.as_ref().map(ToString::to_string).into(),
            Field::Duration,
        ];
        Self {
            sql,
            fields,
            target: Written::Row(subject, BEHIND),
        }
    }

    fn batch(
        table: &VersionTable,
        subject: &'a Subject,
        done: usize,
        from: Option<&BatchProgress>,
        to: &BatchProgress,
    ) -> Self {
        let sql = format!(
            "UPDATE {} SET batch = ?4, error = NULL,
                duration_ms = duration_ms + CASE direction WHEN 'up' THEN ?5 ELSE 0 END
             WHERE revision = ?1 AND statements_done = ?2 AND batch IS ?3",
            table.progress
        );
        let fields = vec![
            subject.as_str().into(),
            count(Some(done)),
            from.map(ToString::to_string).into(),
            to.to_string().into(),
            Field::Duration,
        ];
        Self {
            sql,
            fields,
            target: Written::Row(subject, BEHIND),
        }
    }

    /// A row that was applied before (its down script was abandoned) keeps its original values.
    fn finish(
        table: &VersionTable,
        actor: &'a str,
        subject: &'a Subject,
        from: usize,
        whole: bool,
    ) -> Self {
        let kept = kept(table, "duration_ms", "0");
        let before = if whole {
            "0"
        } else {
            &format!("duration_ms + {kept}")
        };
        let sql = format!(
            "UPDATE {} SET state = 'applied', direction = NULL, script = NULL,
                statements_done = NULL, statements_total = NULL, statement_checksums = NULL,
                error = NULL, batch = NULL, applied_at = coalesce(applied_at, ?3),
                duration_ms = CASE direction
                    WHEN 'up' THEN {before} + ?4 ELSE duration_ms + {kept} END,
                applied_by = CASE direction WHEN 'up' THEN ?5 ELSE applied_by END,
                tool_version = CASE direction WHEN 'up' THEN ?6 ELSE tool_version END
             WHERE revision = ?1 AND state = 'partial' AND {} = ?2",
            table.table,
            done(table)
        );
        let fields = vec![
            subject.as_str().into(),
            count(Some(from)),
            Field::Now,
            Field::Duration,
            actor.into(),
            TOOL_VERSION.into(),
        ];
        Self {
            sql,
            fields,
            target: Written::Row(subject, BEHIND),
        }
    }

    /// Inserts a row into the log. SQLite assigns its sequence: the last one plus one.
    pub fn entry(table: &VersionTable, actor: &'a str, entry: &'a LogEntry) -> Self {
        let sql = format!(
            "INSERT INTO {} (at, event, revision, message, outcome, duration_ms, actor,
                tool_version, error, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            table.log
        );
        let fields = vec![
            Field::Now,
            entry.event.as_str().into(),
            entry.subject.as_ref().map(Subject::as_str).into(),
            entry.message.as_deref().into(),
            entry.error.as_ref().map_or("ok", |_| "failed").into(),
            Field::DurationAfter(entry.elapsed),
            actor.into(),
            TOOL_VERSION.into(),
            entry.error.as_deref().into(),
            entry.detail.as_deref().into(),
        ];
        Self {
            sql,
            fields,
            target: Written::Log,
        }
    }

    /// The log entry that records the layout of tables that were created or upgraded.
    pub fn layout(table: &VersionTable, actor: &'a str) -> Self {
        let sql = format!(
            "INSERT INTO {} (at, event, outcome, duration_ms, actor, tool_version, detail)
                 VALUES (?1, ?2, 'ok', 0, ?3, ?4, ?5)",
            table.log
        );
        Self {
            sql,
            fields: vec![
                Field::Now,
                LogEvent::Layout.as_str().into(),
                actor.into(),
                TOOL_VERSION.into(),
                LAYOUT.to_string().into(),
            ],
            target: Written::Log,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// [`DatabaseError::StateChanged`] when it does not change exactly one row.
    pub fn run(&self, writer: &mut Writer<'_>, times: &Times) -> Result<(), DatabaseError> {
        let binds: Vec<_> = self.fields.iter().map(|field| field.bind(times)).collect();
        let (result, target) = (writer.write(&self.sql, &binds), &self.target);
        let reason = match (result, target) {
            (Ok(1), _) | (Ok(_), Written::Any) => return Ok(()),
            (Ok(count), Written::Log) => {
                format!("writing to the log changed {count} rows instead of one")
            }
            (Ok(0), Written::Row(subject, otherwise)) => {
                format!("the row of {} {subject} {otherwise}", subject.noun())
            }
            (Ok(count), Written::Row(subject, _)) => {
                format!(
                    "the record of {} {subject} hit {count} rows",
                    subject.noun()
                )
            }
            (Err(DatabaseError::Sql(failure)), Written::Row(subject, otherwise))
                if matches!(
                    failure.code.as_deref(),
                    Some("SQLITE_CONSTRAINT_UNIQUE" | "SQLITE_CONSTRAINT_PRIMARYKEY")
                ) =>
            {
                format!(
                    "the row of {} {subject} {otherwise}, or its sequence is taken",
                    subject.noun()
                )
            }
            (Err(error), _) => return Err(error),
        };
        Err(DatabaseError::StateChanged { reason })
    }
}

/// SQL for the number of completed statements of the revision in `?1`. A partially applied row of
/// layout 1 contains it.
fn done(table: &VersionTable) -> String {
    kept(table, "statements_done", "statements_done")
}

/// SQL for a column of the progress of the revision in `?1`, or `otherwise` if there is no
/// progress.
fn kept(table: &VersionTable, column: &str, otherwise: &str) -> String {
    let progress = &table.progress;
    format!("coalesce((SELECT p.{column} FROM {progress} AS p WHERE p.revision = ?1), {otherwise})")
}

fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    items.join(",")
}

fn count(value: Option<usize>) -> Field<'static> {
    value.map_or(Field::Null, |value| {
        Field::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    })
}
