//! Guarded writes to the version table and its log.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    error::{LOCK_LOST, POOLED, STATE_CHANGED},
    index,
    message::{block, literal},
    version_table::VersionTable,
};
use crate::revision::{
    BatchProgress, Direction, Interruption, LogEntry, NewRow, Observed, Partial, Past,
    RecordChange, RevisionId, State, Subject, UnitProgress,
};

/// The start of recorded work, as SQL.
#[derive(Clone, Copy, Debug)]
pub(super) enum Began {
    /// The start of the transaction.
    Transaction,
    /// The time when the message with the record was sent.
    Message,
    /// This long ago, as measured by this process.
    Before(Duration),
}

impl Began {
    /// The start moved back by `carried`, the time spent before.
    fn moment(self, carried: Duration) -> String {
        let (from, back) = match self {
            Self::Transaction => ("pg_catalog.now()", carried),
            Self::Message => ("pg_catalog.statement_timestamp()", carried),
            Self::Before(elapsed) => ("pg_catalog.clock_timestamp()", carried + elapsed),
        };
        if back.is_zero() {
            return from.to_owned();
        }
        format!(
            "({from} OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => {:.6}))",
            back.as_secs_f64()
        )
    }
}

/// Generates the commands that record a step.
pub(super) struct Recorder<'a> {
    pub table: &'a VersionTable,
    pub actor: &'a str,
    pub began: Began,
    pub carried: Duration,
    pub indexes: IndexNames,
}

/// The source of the index names that are recorded before an index is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexNames {
    /// The names are in the record.
    Known,
    /// The server has stored the names in the session and fills them in.
    Noted,
}

impl IndexNames {
    fn interruption(self, interruption: Option<&Interruption>) -> String {
        let Some(interruption) = interruption else {
            return "NULL".to_owned();
        };
        let known = literal(&interruption.to_string());
        match self {
            Self::Noted if interruption.indexes_before.is_some() => {
                format!("pg_catalog.concat({known}, {})", index::noted())
            }
            Self::Known | Self::Noted => known,
        }
    }
}

/// A command that takes the lock for the transaction as well, and checks that the session is the
/// original one.
pub(super) fn lock_guard(table: &VersionTable, pid: i32) -> String {
    block(&format!(
        "BEGIN \
         IF pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) {pid} THEN \
         RAISE EXCEPTION USING ERRCODE = '{POOLED}', MESSAGE = \
         'another server process answers than the one that was connected to'; END IF; \
         IF NOT pg_catalog.pg_try_advisory_xact_lock({}) THEN \
         RAISE EXCEPTION USING ERRCODE = '{LOCK_LOST}', MESSAGE = 'the lock is not ours'; END IF; \
         END",
        table.key
    ))
}

/// A command that fails unless the highest sequence is `expects`.
pub(super) fn state_guard(table: &VersionTable, expects: i64) -> String {
    block(&format!(
        "DECLARE found_sequence bigint; BEGIN \
         SELECT coalesce(pg_catalog.max(t.sequence), 0) INTO found_sequence FROM {} AS t; \
         IF found_sequence OPERATOR(pg_catalog.<>) {expects} THEN \
         RAISE EXCEPTION USING ERRCODE = '{STATE_CHANGED}', MESSAGE = pg_catalog.format(\
         'its last sequence is %s, and {expects} was planned for', found_sequence); END IF; \
         END",
        table.quoted
    ))
}

impl Recorder<'_> {
    /// The commands for `changes`, then for `log`.
    pub fn commands(&self, changes: &[RecordChange], log: &[LogEntry]) -> Vec<String> {
        let changes = changes.iter().map(|change| self.change(change));
        changes
            .chain(log.iter().map(|entry| self.entry(entry)))
            .collect()
    }

    fn change(&self, change: &RecordChange) -> String {
        let table = &self.table.quoted;
        match change {
            RecordChange::Insert(row) => self.insert(row, None, &self.times()),
            RecordChange::Adopt(row, past) => self.insert(row, None, &past_times(*past)),
            RecordChange::Begin(row, partial) => self.insert(row, Some(partial), &self.times()),
            RecordChange::Delete(subject) | RecordChange::DeleteApplied(subject) => exactly_one(
                subject,
                &format!("DELETE FROM {table} AS t WHERE {}", is(subject)),
            ),
            RecordChange::Enter { subject, from, to } => self.enter(subject, *from, to),
            RecordChange::Progress { subject, from, to } => self.progress(subject, *from, to),
            RecordChange::Batch {
                subject,
                done,
                from,
                to,
            } => self.batch(subject, *done, from.as_ref(), to),
            RecordChange::Accept {
                subject,
                up_checksum,
                down_checksum,
                down_script,
                up_script,
            } => exactly_one(
                subject,
                &format!(
                    "UPDATE {table} AS t SET up_checksum = {}, down_checksum = {}, \
                     down_script = {}, up_script = {} WHERE {}",
                    literal(&up_checksum.to_string()),
                    nullable(down_checksum.as_ref().map(ToString::to_string).as_deref()),
                    nullable(down_script.as_deref()),
                    nullable(up_script.as_deref()),
                    is(subject),
                ),
            ),
            RecordChange::Finish {
                subject,
                from,
                whole,
            } => self.finish(subject, *from, *whole),
        }
    }

    fn enter(&self, subject: &Subject, from: Option<usize>, to: &Partial) -> String {
        let table = &self.table.quoted;
        let shows = from.map_or_else(
            || equals("t.state", "'applied'::text"),
            |done| {
                format!(
                    "{} AND {}",
                    equals("t.state", "'partial'::text"),
                    equals("t.statements_done", &format!("{done}::bigint"))
                )
            },
        );
        // The time of a down script does not count as time of applying.
        let duration = match to.direction {
            Direction::Up => {
                format!("t.duration_ms OPERATOR(pg_catalog.+) {}", self.duration())
            }
            Direction::Down => "t.duration_ms".to_owned(),
        };
        exactly_one(
            subject,
            &format!(
                "UPDATE {table} AS t SET (state, direction, script, statements_done, \
                 statements_total, statement_checksums, error, batch, duration_ms) = \
                 ROW('partial', {}, {duration}) WHERE {} AND {shows}",
                partial_values(to),
                is(subject)
            ),
        )
    }

    /// This omits the script and the indexes, so that the server writes only a short row.
    fn progress(&self, subject: &Subject, from: usize, to: &UnitProgress) -> String {
        let table = &self.table.quoted;
        exactly_one(
            subject,
            &format!(
                "UPDATE {table} AS t SET statements_done = {}, statement_checksums = {}, \
                 error = {}, batch = {}, \
                 duration_ms = t.duration_ms OPERATOR(pg_catalog.+) \
                 CASE WHEN {} THEN {} ELSE 0::bigint END \
                 WHERE {} AND {} AND {}",
                to.statements_done,
                literal(&to.statements_digest.to_string()),
                self.indexes.interruption(to.interruption.as_ref()),
                batch(to.batch.as_deref()),
                equals("t.direction", "'up'::text"),
                self.duration(),
                is(subject),
                equals("t.state", "'partial'::text"),
                equals("t.statements_done", &format!("{from}::bigint")),
            ),
        )
    }

    fn batch(
        &self,
        subject: &Subject,
        done: usize,
        from: Option<&BatchProgress>,
        to: &BatchProgress,
    ) -> String {
        let table = &self.table.quoted;
        let shows = from.map_or_else(
            || "t.batch IS NULL".to_owned(),
            |from| equals("t.batch", &format!("{}::text", literal(&from.to_string()))),
        );
        exactly_one(
            subject,
            &format!(
                "UPDATE {table} AS t SET batch = {}, error = NULL, \
                 duration_ms = t.duration_ms OPERATOR(pg_catalog.+) \
                 CASE WHEN {} THEN {} ELSE 0::bigint END \
                 WHERE {} AND {} AND {} AND {shows}",
                literal(&to.to_string()),
                equals("t.direction", "'up'::text"),
                self.duration(),
                is(subject),
                equals("t.state", "'partial'::text"),
                equals("t.statements_done", &format!("{done}::bigint")),
            ),
        )
    }

    /// A row that was applied before (its down script was abandoned) keeps its original values.
    fn finish(&self, subject: &Subject, from: usize, whole: bool) -> String {
        let table = &self.table.quoted;
        let before = if whole { "0::bigint" } else { "t.duration_ms" };
        exactly_one(
            subject,
            &format!(
                "UPDATE {table} AS t SET state = 'applied', direction = NULL, script = NULL, \
                 statements_done = NULL, statements_total = NULL, statement_checksums = NULL, \
                 error = NULL, batch = NULL, \
                 applied_at = coalesce(t.applied_at, pg_catalog.clock_timestamp()), \
                 duration_ms = \
                 CASE WHEN {} THEN {before} OPERATOR(pg_catalog.+) {} ELSE t.duration_ms END \
                 WHERE {} AND {} AND {}",
                equals("t.direction", "'up'::text"),
                self.duration(),
                is(subject),
                equals("t.state", "'partial'::text"),
                equals("t.statements_done", &format!("{from}::bigint")),
            ),
        )
    }

    fn insert(&self, row: &NewRow, partial: Option<&Partial>, times: &Times) -> String {
        // The server needs time to read each column.
        let (columns, values) = partial.map_or(Default::default(), |partial| {
            let values = format!("{}, ", partial_values(partial));
            (PARTIAL_COLUMNS, values)
        });
        format!(
            "INSERT INTO {} (sequence, revision, kind, message, parents, depends_on, up_checksum, \
             down_checksum, down_script, state, {columns}started_at, applied_at, duration_ms, \
             applied_by, tool_version, up_script) VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, \
             {values}{}, {}, {}, {}, {}, {})",
            self.table.quoted,
            row.sequence,
            literal(row.subject.as_str()),
            literal(row.subject.kind()),
            literal(&row.message),
            joined(&row.parents),
            joined(&row.depends_on),
            literal(&row.up_checksum.to_string()),
            nullable(
                row.down_checksum
                    .as_ref()
                    .map(ToString::to_string)
                    .as_deref()
            ),
            nullable(row.down_script.as_deref()),
            partial.map_or("'applied'", |_| "'partial'"),
            times.started_at,
            partial.map_or(times.applied_at.as_str(), |_| "NULL"),
            times.duration,
            literal(self.actor),
            literal(env!("CARGO_PKG_VERSION")),
            nullable(row.up_script.as_deref()),
        )
    }

    fn times(&self) -> Times {
        Times {
            started_at: self.began.moment(self.carried),
            applied_at: "pg_catalog.clock_timestamp()".to_owned(),
            duration: self.duration(),
        }
    }

    fn entry(&self, entry: &LogEntry) -> String {
        let subject = entry.subject.as_ref().map(Subject::as_str);
        format!(
            "INSERT INTO {} (event, revision, message, outcome, duration_ms, actor, tool_version, \
             error, detail) VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {})",
            self.table.log,
            literal(entry.event.as_str()),
            nullable(subject),
            nullable(entry.message.as_deref()),
            if entry.error.is_some() {
                "'failed'"
            } else {
                "'ok'"
            },
            self.duration_after(entry.elapsed),
            literal(self.actor),
            literal(env!("CARGO_PKG_VERSION")),
            nullable(entry.error.as_deref()),
            nullable(entry.detail.as_deref()),
        )
    }

    /// The milliseconds since the start; negative if the clock was set back meanwhile.
    fn duration(&self) -> String {
        self.duration_after(self.carried)
    }

    /// The milliseconds since the start, after other time was spent before.
    fn duration_after(&self, carried: Duration) -> String {
        format!(
            "(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() \
             OPERATOR(pg_catalog.-) {}) OPERATOR(pg_catalog.*) 1000)::bigint",
            self.began.moment(carried)
        )
    }
}

/// The times of a row, as SQL.
struct Times {
    started_at: String,
    applied_at: String,
    duration: String,
}

fn past_times(past: Past) -> Times {
    let moment = |time: DateTime<Utc>| format!("'{}'::timestamptz", time.to_rfc3339());
    let now = || "pg_catalog.clock_timestamp()".to_owned();
    Times {
        started_at: past.started_at().map_or_else(now, moment),
        applied_at: past.applied_at.map_or_else(now, moment),
        duration: past.duration_ms.to_string(),
    }
}

/// Whether `observed` shows the result of `changes`.
pub(super) fn is_visible(changes: &[RecordChange], observed: &Observed) -> bool {
    changes.iter().enumerate().all(|(index, change)| {
        // Of several changes of one row, the last one counts.
        let overtaken = changes[index + 1..]
            .iter()
            .any(|later| later.subject() == change.subject());
        overtaken || shows(change, observed)
    })
}

fn shows(change: &RecordChange, observed: &Observed) -> bool {
    let id = match change.subject() {
        Subject::Revision(id) => id,
        Subject::Repeatable(_) => return shows_repeatable(change, observed),
    };
    let row = observed.applied.iter().find(|row| row.revision == *id);
    match (change, row) {
        (RecordChange::Delete(_) | RecordChange::DeleteApplied(_), row) => row.is_none(),
        (_, None) => false,
        (RecordChange::Insert(new) | RecordChange::Adopt(new, _), Some(row)) => {
            row.sequence == new.sequence && row.state == State::Applied
        }
        (RecordChange::Begin(new, partial), Some(row)) => {
            row.sequence == new.sequence && row.state == State::from(partial.clone())
        }
        (RecordChange::Enter { to, .. }, Some(row)) => row.state == State::from(to.clone()),
        (RecordChange::Progress { to, .. }, Some(row)) => match &row.state {
            State::Partial(partial) => partial.progress() == *to,
            State::Applied => false,
        },
        (RecordChange::Batch { done, to, .. }, Some(row)) => match &row.state {
            State::Partial(partial) => {
                partial.statements_done == *done && partial.batch.as_deref() == Some(to)
            }
            State::Applied => false,
        },
        (RecordChange::Finish { .. }, Some(row)) => row.state == State::Applied,
        (
            RecordChange::Accept {
                up_checksum,
                down_checksum,
                ..
            },
            Some(row),
        ) => row.up_checksum == *up_checksum && row.down_checksum == *down_checksum,
    }
}

/// Whether `observed` shows the result of a change of a repeatable script, which is never partially
/// applied.
fn shows_repeatable(change: &RecordChange, observed: &Observed) -> bool {
    let mut rows = observed.repeatables.iter();
    let row = rows.find(|row| row.id.as_str() == change.subject().as_str());
    match change {
        RecordChange::Delete(_) | RecordChange::DeleteApplied(_) => row.is_none(),
        RecordChange::Insert(new) => row.is_some_and(|row| row.sequence == new.sequence),
        _ => false,
    }
}

/// `command` in a block that fails unless it changes exactly one row.
fn exactly_one(subject: &Subject, command: &str) -> String {
    block(&format!(
        "DECLARE hit bigint; BEGIN {command}; GET DIAGNOSTICS hit = ROW_COUNT; \
         IF hit OPERATOR(pg_catalog.<>) 1 THEN \
         RAISE EXCEPTION USING ERRCODE = '{STATE_CHANGED}', MESSAGE = pg_catalog.concat(\
         {}, hit); END IF; END",
        literal(&format!(
            "the record of {subject} should change one row and would change "
        ))
    ))
}

/// A condition for the row of a subject by its recorded text, which uses an index.
fn is(subject: &Subject) -> String {
    let text = literal(subject.as_str());
    equals("t.revision", &format!("{text}::text"))
}

/// An equality that does not depend on the search path.
fn equals(left: &str, right: &str) -> String {
    format!("{left} OPERATOR(pg_catalog.=) {right}")
}

/// The columns of [`partial_values`], before further columns.
const PARTIAL_COLUMNS: &str = "direction, script, statements_done, statements_total, \
     statement_checksums, error, batch, ";

/// The values of direction, script, statements done and total, their digest, error and batch.
fn partial_values(partial: &Partial) -> String {
    format!(
        "{}, {}, {}, {}, {}, {}, {}",
        literal(partial.direction.as_str()),
        literal(&partial.script),
        partial.statements_done,
        partial.statements_total,
        literal(&partial.statements_digest.to_string()),
        IndexNames::Known.interruption(partial.interruption.as_ref()),
        batch(partial.batch.as_deref()),
    )
}

fn batch(batch: Option<&BatchProgress>) -> String {
    nullable(batch.map(ToString::to_string).as_deref())
}

fn joined(ids: &[RevisionId]) -> String {
    let ids: Vec<&str> = ids.iter().map(RevisionId::as_str).collect();
    literal(&ids.join(","))
}

fn nullable(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::Ending;

    #[test]
    fn names_of_indexes_are_known_or_filled_in() {
        let marked = |indexes_before| Interruption {
            ending: Ending::Unknown,
            indexes_before,
        };
        let check = |names: IndexNames, mark: Option<&Interruption>, expected: &str| {
            assert_eq!(names.interruption(mark), expected, "{names:?} {mark:?}");
        };
        let (none, some) = (marked(None), marked(Some(vec!["public.it's".to_owned()])));
        let empty = marked(Some(Vec::new()));
        let running = "running outside of a transaction";
        for names in [IndexNames::Known, IndexNames::Noted] {
            check(names, None, "NULL");
            check(names, Some(&none), &format!("E'{running}'"));
        }
        let known = format!("E'{running}\nindexes before it: public.it''s'");
        check(IndexNames::Known, Some(&some), &known);
        let noted = format!(
            "pg_catalog.concat(E'{running}\nindexes before it: ', {})",
            index::noted()
        );
        check(IndexNames::Noted, Some(&empty), &noted);
    }
}
