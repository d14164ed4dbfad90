use std::{fmt, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    database::{Advance, Waiting},
    plan::Warning,
    revision::{Direction, Subject},
};

/// Something that happened during an operation: what, in which database, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When it was told.
    #[serde(serialize_with = "rfc3339")]
    pub time: DateTime<Utc>,
    /// The database, as results name it; never with a password.
    pub database: Arc<str>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen. Its JSON is documented in docs/slow-statements.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// Another session holds the lock. Told again and again while it is so.
    WaitingForLock {
        /// The holder, as far as it is known.
        holder: Option<String>,
        /// How long so far.
        #[serde(skip)]
        waited: Duration,
        /// How long at most.
        #[serde(rename = "limit_ms", serialize_with = "millis")]
        limit: Duration,
    },
    /// The lock was taken after waiting.
    LockTaken {
        /// The time spent waiting.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        waited: Duration,
    },
    /// A plan was made; it may be made again when the state changes under it.
    Planned {
        /// How many steps it has.
        steps: usize,
        /// What is worth knowing about it.
        #[serde(skip)]
        warnings: Vec<Warning>,
    },
    /// A backup was made before the first step.
    BackedUp {
        /// The file of the script.
        file: PathBuf,
        /// Bytes.
        size: u64,
        /// The duration.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        elapsed: Duration,
        /// Older backups that were removed after it.
        removed: Vec<PathBuf>,
        /// Why older backups were not removed, when they were to be.
        not_removed: Option<String>,
    },
    /// The first step is about to run.
    RunStarted {
        /// The direction.
        #[serde(serialize_with = "way")]
        direction: Direction,
        /// How many steps there are.
        steps: usize,
        /// Whether steps of the other direction follow, as in a redo.
        both_ways: bool,
    },
    /// A step begins.
    #[serde(rename = "step_start")]
    StepStarted {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// From 0.
        #[serde(rename = "step", serialize_with = "from_one")]
        index: usize,
        /// Steps of the run.
        #[serde(rename = "steps")]
        total: usize,
        /// The message.
        message: String,
        /// How many statements it has.
        statements: usize,
    },
    /// A statement is done.
    #[serde(rename = "statement")]
    StatementDone(StatementEnd),
    /// A statement failed. What becomes of the step is told by the result of the run.
    #[serde(rename = "statement")]
    StatementFailed(StatementEnd),
    /// A statement takes longer than [`Migrator::slow_statement`]. Told again and again while it is
    /// so.
    ///
    /// [`Migrator::slow_statement`]: crate::Migrator::slow_statement
    StatementRuns {
        /// The statement.
        #[serde(flatten)]
        statement: StatementRef,
        /// How long so far.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        elapsed: Duration,
        /// The lock that it waits for.
        #[serde(serialize_with = "displayed")]
        waiting: Option<Waiting>,
        /// How far it is, where the database tells.
        #[serde(skip)]
        advance: Option<Advance>,
    },
    /// A statement took longer than that.
    #[serde(rename = "slow")]
    StatementSlow(SlowStatement),
    /// A step is done and committed.
    StepDone {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// From 0.
        #[serde(rename = "step", serialize_with = "from_one")]
        index: usize,
        /// The duration.
        #[serde(rename = "duration_ms", serialize_with = "millis")]
        elapsed: Duration,
    },
    /// A lock_timeout fired and the step will be tried again.
    #[serde(rename = "retry")]
    Retrying {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Attempts at most.
        attempts: u32,
        /// How long until the next one.
        #[serde(rename = "pause_ms", serialize_with = "millis")]
        pause: Duration,
        /// Why it is tried again.
        cause: RetryCause,
        /// Who was in the way.
        #[serde(rename = "held_by")]
        blockers: Vec<String>,
    },
    /// The rows of a table are counted, before the first batch.
    CountingRows {
        /// The table, as the script names it.
        table: String,
    },
    /// A batch is committed.
    #[serde(rename = "batch")]
    BatchDone {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// How far its statement is.
        #[serde(flatten)]
        batch: BatchState,
    },
    /// A statement that is repeated has changed no row, and so come to its end.
    BatchesDone {
        /// The step.
        #[serde(flatten)]
        step: Arc<StepRef>,
        /// What its statement came to.
        #[serde(flatten)]
        batch: BatchState,
    },
    /// Replicas are further behind than `max-lag`. Told again and again while it is so.
    WaitingForReplicas {
        /// How far.
        #[serde(rename = "lag_ms", serialize_with = "millis")]
        lag: Duration,
        /// How far they may be.
        #[serde(rename = "limit_ms", serialize_with = "millis")]
        limit: Duration,
    },
    /// The server does not show this role how far replicas are. Told once a statement.
    ReplicasHidden {
        /// How many.
        replicas: u64,
    },
    /// The first signal: the run stops after what it is doing.
    StopRequested,
    /// The second signal: what runs is cancelled.
    CancelRequested,
}

/// A step, as events name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepRef {
    /// The revision or repeatable script.
    #[serde(rename = "revision", serialize_with = "displayed_text")]
    pub subject: Subject,
    /// The direction.
    #[serde(serialize_with = "way")]
    pub direction: Direction,
    /// Its script, as messages name it.
    pub file: String,
}

/// A statement that has come to an end, in either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementEnd {
    /// Its step.
    pub step: Arc<StepRef>,
    /// From 0, within the script.
    pub index: usize,
    /// Statements of the script.
    pub total: usize,
    /// The script.
    pub text: Arc<str>,
    /// Where it is within the script, in bytes.
    pub span: Range<usize>,
    /// Line of its first byte, from 1.
    pub line: u32,
    /// Column of that in characters, from 1.
    pub column: u32,
    /// Rows it changed.
    pub rows: u64,
    /// How long it ran, where somebody took that time.
    pub elapsed: Option<Duration>,
    /// What the database said, when it failed.
    pub error: Option<String>,
}

/// Characters of a statement that its JSON holds.
const SQL: usize = 200;

impl StatementEnd {
    /// The statement, as the script has it.
    pub fn sql(&self) -> &str {
        self.text.get(self.span.clone()).unwrap_or_default()
    }

    /// Its first characters, cut where it is long.
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

/// A statement of a revision. On PostgreSQL it may be one of several, where nobody saw which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementRef {
    /// The revision or repeatable script.
    #[serde(rename = "revision", serialize_with = "displayed_text")]
    pub subject: Subject,
    /// Its script, as messages name it.
    pub file: String,
    /// Line of its first byte, from 1.
    pub line: u32,
    /// Column of that in characters, from 1.
    pub column: u32,
    /// From 0, within the script.
    #[serde(rename = "statement", serialize_with = "from_one")]
    pub first: usize,
    /// The same, or the last of those that it may be.
    #[serde(rename = "last_statement", serialize_with = "from_one")]
    pub last: usize,
    /// Statements of the script.
    #[serde(rename = "statements")]
    pub total: usize,
}

/// A statement that took long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowStatement {
    /// The statement.
    pub statement: StatementRef,
    /// How long it took; of one that failed, how long it ran.
    pub elapsed: Duration,
    /// Whether it may have been less: it ran already when the database was first looked at.
    pub is_at_most: bool,
    /// Whether it failed.
    pub has_failed: bool,
    /// Locks that it was seen waiting for.
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

/// How far a statement is that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BatchState {
    /// From 0, within the script.
    #[serde(rename = "statement", serialize_with = "from_one")]
    pub index: usize,
    /// Batches that changed rows, those of earlier runs included.
    pub batches: u64,
    /// Rows that they changed.
    pub rows: u64,
    /// The rows of the table before the first batch, where they were counted: no more than that
    /// are changed by a statement that changes each row once.
    #[serde(skip)]
    pub table_rows: Option<u64>,
    /// How fast this run is, pauses included.
    pub rows_per_second: u64,
    /// How long it took, earlier runs and pauses included.
    #[serde(rename = "duration_ms", serialize_with = "millis")]
    pub elapsed: Duration,
}

/// Tells somebody of the events of one database. Called from the run, the thread that hears signals
/// and the one that watches for slow statements.
#[derive(Clone)]
pub struct Sink {
    database: Arc<str>,
    receiver: Option<Receiver>,
}

type Receiver = Arc<dyn Fn(&Event) + Send + Sync>;

impl Sink {
    /// Tells `receiver` of the events of `database`.
    pub fn new(
        database: impl Into<Arc<str>>,
        receiver: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        Self {
            database: database.into(),
            receiver: Some(Arc::new(receiver)),
        }
    }

    /// Tells nobody.
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

    /// Whether anybody is told.
    pub fn is_heard(&self) -> bool {
        self.receiver.is_some()
    }

    /// Tells of an event, now.
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

/// Milliseconds, to the microsecond.
fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn millis<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(rounded(*duration))
}

// The signatures of these are serde's.
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

/// Why a step is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryCause {
    /// It waited too long for a lock.
    LockTimeout,
    /// The database gave it up for another transaction: a deadlock, or a failure to serialize.
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
