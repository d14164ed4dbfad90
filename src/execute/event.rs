use std::{fmt, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    database::{Advance, Waiting},
    plan::Warning,
    revision::{Direction, Subject},
};

/// An event of an operation: what happened, in which database, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The time of the event.
    #[serde(serialize_with = "rfc3339")]
    pub time: DateTime<Utc>,
    /// The name of the database in results; never with a password.
    pub database: Arc<str>,
    /// The kind of the event, with its data.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kinds of events. Their JSON is documented in docs/slow-statements.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// Another session holds the lock. Repeated while the run waits.
    WaitingForLock {
        /// The holder, if known.
        holder: Option<String>,
        /// The time spent waiting so far.
        #[serde(skip)]
        waited: Duration,
        /// The longest time to wait.
        #[serde(rename = "limit_ms", serialize_with = "millis")]
        limit: Duration,
    },
    /// The lock was taken after waiting.
    LockTaken {
        /// The time spent waiting.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        waited: Duration,
    },
    /// A plan was created; it may be created again when the state changes under it.
    Planned {
        /// The number of steps in the plan.
        steps: usize,
        /// The notes of the plan.
        #[serde(skip)]
        warnings: Vec<Warning>,
    },
    /// A backup was written before the first step.
    BackedUp {
        /// The file of the backup.
        file: PathBuf,
        /// The size of the file in bytes.
        size: u64,
        /// The duration.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        elapsed: Duration,
        /// Older backups that were removed after this one was written.
        removed: Vec<PathBuf>,
        /// The reason why older backups could not be removed.
        not_removed: Option<String>,
    },
    /// The first step is about to run.
    RunStarted {
        /// The direction of the first step.
        #[serde(serialize_with = "way")]
        direction: Direction,
        /// The number of steps in the run.
        steps: usize,
        /// Whether steps of the other direction follow, as in a redo.
        both_ways: bool,
    },
    /// A step started.
    #[serde(rename = "step_start")]
    StepStarted {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// The index of the step in the run, from 0.
        #[serde(rename = "step", serialize_with = "from_one")]
        index: usize,
        /// The number of steps in the run.
        #[serde(rename = "steps")]
        total: usize,
        /// The message of the revision.
        message: String,
        /// The number of statements in the script.
        statements: usize,
    },
    /// A statement finished.
    #[serde(rename = "statement")]
    StatementDone(StatementEnd),
    /// A statement failed. The result of the run describes the outcome of the step.
    #[serde(rename = "statement")]
    StatementFailed(StatementEnd),
    /// A statement exceeds [`Migrator::slow_statement`]. Repeated while it runs.
    ///
    /// [`Migrator::slow_statement`]: crate::Migrator::slow_statement
    StatementRuns {
        /// The statement.
        #[serde(flatten)]
        statement: StatementRef,
        /// The time the statement has run so far.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        elapsed: Duration,
        /// The lock that the statement waits for.
        #[serde(serialize_with = "displayed")]
        waiting: Option<Waiting>,
        /// The progress of the statement, if the database reports it.
        #[serde(skip)]
        advance: Option<Advance>,
    },
    /// A finished statement exceeded that limit.
    #[serde(rename = "slow")]
    StatementSlow(SlowStatement),
    /// A step was committed.
    StepDone {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// The index of the step in the run, from 0.
        #[serde(rename = "step", serialize_with = "from_one")]
        index: usize,
        /// The duration.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        elapsed: Duration,
    },
    /// A step failed for a temporary reason and will be retried.
    #[serde(rename = "retry")]
    Retrying {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// The maximum number of attempts.
        attempts: u32,
        /// The time until the next attempt.
        #[serde(rename = "pause_ms", serialize_with = "millis")]
        pause: Duration,
        /// The reason for the retry.
        cause: RetryCause,
        /// The sessions that blocked the step.
        #[serde(rename = "held_by")]
        blockers: Vec<String>,
    },
    /// The rows of a table are being counted, before the first batch.
    CountingRows {
        /// The table, as named in the script.
        table: String,
    },
    /// A batch was committed.
    #[serde(rename = "batch")]
    BatchDone {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// The progress of the repeated statement.
        #[serde(flatten)]
        batch: BatchState,
    },
    /// A repeated statement changed no row, which ends its batches.
    BatchesDone {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// The totals of the repeated statement.
        #[serde(flatten)]
        batch: BatchState,
    },
    /// Replicas lag by more than `max-lag`. Repeated while the run waits.
    WaitingForReplicas {
        /// The current lag.
        #[serde(rename = "lag_ms", serialize_with = "millis")]
        lag: Duration,
        /// The highest lag allowed.
        #[serde(rename = "limit_ms", serialize_with = "millis")]
        limit: Duration,
    },
    /// The server does not show this role the lag of its replicas. Reported once per statement.
    ReplicasHidden {
        /// The number of replicas whose lag is hidden.
        replicas: u64,
    },
    /// The first signal arrived: the run stops after the current step or unit.
    StopRequested,
    /// The second signal arrived: the running statement is cancelled.
    CancelRequested,
}

/// A step, as named in events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepRef {
    /// The revision or repeatable script.
    #[serde(rename = "revision", serialize_with = "displayed_text")]
    pub subject: Subject,
    /// The direction of the step.
    #[serde(serialize_with = "way")]
    pub direction: Direction,
    /// The script of the step, as named in messages.
    pub file: String,
}

/// A statement that succeeded or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementEnd {
    /// The step that the statement belongs to.
    pub step: Arc<StepRef>,
    /// The index of the statement within the script, from 0.
    pub index: usize,
    /// The number of statements in the script.
    pub total: usize,
    /// The text of the whole script.
    pub text: Arc<str>,
    /// The byte range of the statement within the script.
    pub span: Range<usize>,
    /// The line of the statement's first byte, from 1.
    pub line: u32,
    /// The column of the statement's first byte in characters, from 1.
    pub column: u32,
    /// The number of rows that the statement changed.
    pub rows: u64,
    /// The duration of the statement, if it was measured.
    pub elapsed: Option<Duration>,
    /// The error message of the database, if the statement failed.
    pub error: Option<String>,
}

/// The maximum number of characters of a statement in its JSON.
const SQL: usize = 200;

impl StatementEnd {
    /// The text of the statement.
    pub fn sql(&self) -> &str {
        self.text.get(self.span.clone()).unwrap_or_default()
    }

    /// The first characters of the statement; a long statement is truncated.
    fn beginning(&self) -> String {
        let sql = self.sql();
        match sql.char_indices().nth(SQL) {
            Some((cut, _)) => format!("{}…", &sql[..cut]),
            None => sql.to_owned(),
        }
    }
}

impl Serialize for StatementEnd {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let fields = 11 + usize::from(self.error.is_some());
        let mut to = to.serialize_struct("StatementEnd", fields)?;
        to.serialize_field("revision", self.step.subject.as_str())?;
        to.serialize_field("direction", self.step.direction.as_str())?;
        to.serialize_field("file", &self.step.file)?;
        to.serialize_field("line", &self.line)?;
        to.serialize_field("column", &self.column)?;
        to.serialize_field("statement", &(self.index + 1))?;
        to.serialize_field("statements", &self.total)?;
        to.serialize_field("sql", &self.beginning())?;
        to.serialize_field("rows", &self.rows)?;
        to.serialize_field("duration_ms", &self.elapsed.map(rounded))?;
        let outcome = match self.error {
            None => "ok",
            Some(_) => "failed",
        };
        to.serialize_field("outcome", outcome)?;
        if let Some(error) = &self.error {
            to.serialize_field("error", error)?;
        }
        to.end()
    }
}

/// A statement of a revision. On PostgreSQL it may stand for a range of statements, when the exact
/// one is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementRef {
    /// The revision or repeatable script.
    #[serde(rename = "revision", serialize_with = "displayed_text")]
    pub subject: Subject,
    /// The script of the revision, as named in messages.
    pub file: String,
    /// The line of the statement's first byte, from 1.
    pub line: u32,
    /// The column of the statement's first byte in characters, from 1.
    pub column: u32,
    /// The index of the statement within the script, from 0; the first of the range.
    #[serde(rename = "statement", serialize_with = "from_one")]
    pub first: usize,
    /// The index of the last statement of the range.
    #[serde(rename = "last_statement", serialize_with = "from_one")]
    pub last: usize,
    /// The number of statements in the script.
    #[serde(rename = "statements")]
    pub total: usize,
}

/// A slow statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowStatement {
    /// The statement.
    pub statement: StatementRef,
    /// The duration of the statement, or the time until it failed.
    pub elapsed: Duration,
    /// Whether `elapsed` is an upper bound: the statement was already running when the database was
    /// first polled.
    pub is_at_most: bool,
    /// Whether the statement failed.
    pub has_failed: bool,
    /// The locks that the statement was seen waiting for.
    pub waited_for: Vec<Waiting>,
}

impl Serialize for SlowStatement {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let StatementRef {
            subject,
            file,
            line,
            column,
            first,
            last,
            total: _,
        } = &self.statement;
        let waits: Vec<_> = self.waited_for.iter().map(Waiting::to_string).collect();
        let mut to = to.serialize_struct("SlowStatement", 10)?;
        to.serialize_field("revision", subject.as_str())?;
        to.serialize_field("file", file)?;
        to.serialize_field("line", line)?;
        to.serialize_field("column", column)?;
        to.serialize_field("statement", &(first + 1))?;
        to.serialize_field("last_statement", &(last + 1))?;
        let elapsed = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        to.serialize_field("duration_ms", &elapsed)?;
        to.serialize_field("at_most", &self.is_at_most)?;
        to.serialize_field("outcome", if self.has_failed { "failed" } else { "ok" })?;
        to.serialize_field("waited_for", &waits)?;
        to.end()
    }
}

/// The progress of a repeated statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BatchState {
    /// The index of the statement within the script, from 0.
    #[serde(rename = "statement", serialize_with = "from_one")]
    pub index: usize,
    /// The number of batches that changed rows, including those of earlier runs.
    pub batches: u64,
    /// The number of rows that these batches changed.
    pub rows: u64,
    /// The number of rows in the table before the first batch, if they were counted. This is an
    /// upper bound for a statement that changes each row once.
    #[serde(skip)]
    pub table_rows: Option<u64>,
    /// The rows per second of this run, pauses included.
    pub rows_per_second: u64,
    /// The time spent on the statement, including earlier runs and pauses.
    #[serde(rename = "duration_ms", serialize_with = "millis")]
    pub elapsed: Duration,
}

/// Sends the events of one database to a receiver. Called from the run, the signal thread and the
/// thread that watches for slow statements.
#[derive(Clone)]
pub struct Sink {
    database: Arc<str>,
    receiver: Option<Receiver>,
}

type Receiver = Arc<dyn Fn(&Event) + Send + Sync>;

impl Sink {
    /// A sink that sends the events of `database` to `receiver`.
    pub fn new(
        database: impl Into<Arc<str>>,
        receiver: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        Self {
            database: database.into(),
            receiver: Some(Arc::new(receiver)),
        }
    }

    /// A sink that discards all events.
    pub fn silent() -> Self {
        Self {
            database: "".into(),
            receiver: None,
        }
    }

    /// A sink that shows each event to `first` and then passes it on.
    pub fn after(&self, first: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let rest = self.receiver.clone();
        Self::new(Arc::clone(&self.database), move |event| {
            first(event);
            if let Some(rest) = &rest {
                rest(event);
            }
        })
    }

    /// Whether the sink has a receiver.
    pub fn is_heard(&self) -> bool {
        self.receiver.is_some()
    }

    /// Sends an event with the current time.
    pub fn tell(&self, kind: EventKind) {
        if let Some(receiver) = &self.receiver {
            receiver(&Event {
                time: Utc::now(),
                database: Arc::clone(&self.database),
                kind,
            });
        }
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("database", &self.database)
            .field("is_heard", &self.is_heard())
            .finish()
    }
}

fn rfc3339<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A duration in milliseconds, rounded to microseconds.
fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn millis<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(rounded(*duration))
}

// serde prescribes the signatures of these functions.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn from_one<S: Serializer>(index: &usize, to: S) -> Result<S::Ok, S::Error> {
    (index + 1).serialize(to)
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn way<S: Serializer>(direction: &Direction, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(direction.as_str())
}

fn displayed_text<S: Serializer>(text: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(text)
}

fn displayed<S: Serializer>(value: &Option<impl fmt::Display>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

/// The reason why a step is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryCause {
    /// The step waited too long for a lock.
    LockTimeout,
    /// The database aborted the step for another transaction: a deadlock or a serialization
    /// failure.
    Conflict,
}
#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str) -> StatementEnd {
        let step = StepRef {
            subject: Subject::Revision("7".parse().unwrap()),
            direction: Direction::Up,
            file: "m/7_a.up.sql".to_owned(),
        };
        StatementEnd {
            step: Arc::new(step),
            index: 1,
            total: 2,
            text: text.into(),
            span: 0..text.len(),
            line: 3,
            column: 5,
            rows: 1,
            elapsed: Some(Duration::from_micros(1500)),
            error: None,
        }
    }

    fn told(kind: EventKind) -> serde_json::Value {
        let event = Event {
            time: DateTime::UNIX_EPOCH,
            database: "sqlite:app.db".into(),
            kind,
        };
        serde_json::to_value(event).unwrap()
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let expected = serde_json::json!({
            "time": "1970-01-01T00:00:00.000Z",
            "database": "sqlite:app.db",
            "event": "statement",
            "revision": "7",
            "direction": "up",
            "file": "m/7_a.up.sql",
            "line": 3,
            "column": 5,
            "statement": 2,
            "statements": 2,
            "sql": "SELECT\n1",
            "rows": 1,
            "duration_ms": 1.5,
            "outcome": "ok",
        });
        assert_eq!(
            told(EventKind::StatementDone(statement("SELECT\n1"))),
            expected
        );
        let failed = StatementEnd {
            error: Some("no".to_owned()),
            ..statement("x")
        };
        let failed = told(EventKind::StatementFailed(failed));
        assert_eq!(
            (&failed["outcome"], &failed["error"]),
            (&"failed".into(), &"no".into())
        );
        assert_eq!(told(EventKind::StopRequested)["event"], "stop_requested");
    }

    #[test]
    fn statements_are_cut_between_characters() {
        let check = |text: &str, expected: &str| {
            assert_eq!(statement(text).beginning(), expected);
        };
        check("SELECT 1", "SELECT 1");
        let whole = "ż".repeat(SQL);
        check(&whole, &whole);
        check(&format!("{whole}ó"), &format!("{whole}…"));
    }

    #[test]
    fn a_slow_statement_is_an_object() {
        let slow = SlowStatement {
            statement: StatementRef {
                subject: Subject::Revision("7".parse().unwrap()),
                file: "m/7_a.up.sql".to_owned(),
                line: 3,
                column: 5,
                first: 1,
                last: 2,
                total: 4,
            },
            elapsed: Duration::from_micros(1_250_900),
            is_at_most: true,
            has_failed: false,
            waited_for: vec![Waiting {
                lock: "ShareLock on public.t".to_owned(),
                holders: vec!["psql (pid 7): SELECT \"a\"".to_owned()],
            }],
        };
        let expected = serde_json::json!({
            "revision": "7",
            "file": "m/7_a.up.sql",
            "line": 3,
            "column": 5,
            "statement": 2,
            "last_statement": 3,
            "duration_ms": 1250,
            "at_most": true,
            "outcome": "ok",
            "waited_for": ["ShareLock on public.t, held by psql (pid 7): SELECT \"a\""],
        });
        assert_eq!(serde_json::to_value(slow).unwrap(), expected);
    }
}
