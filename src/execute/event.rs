use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    database::{Advance, Waiting},
    plan::Warning,
    revision::{Direction, Subject},
};

/// Something that happened during a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Someone else has the lock. Sent again and again while it is so.
    WaitingForLock {
        /// Who, as far as it can be told.
        holder: Option<String>,
        /// How long so far.
        waited: Duration,
        /// How long at most.
        limit: Duration,
    },
    /// The lock is ours after waiting.
    LockTaken {
        /// How long it took.
        waited: Duration,
    },
    /// A plan was made; it may be made again when the state changes under it.
    Planned {
        /// How many steps it has.
        steps: usize,
        /// What is worth knowing about it.
        warnings: Vec<Warning>,
    },
    /// A backup was made before the first step.
    BackedUp {
        /// Its file.
        file: PathBuf,
        /// Bytes.
        size: u64,
        /// How long it took.
        elapsed: Duration,
        /// Older backups that were removed after it.
        removed: Vec<PathBuf>,
        /// Why older backups were not removed, when they were to be.
        not_removed: Option<String>,
    },
    /// The first step is about to run.
    RunStarted {
        /// Which way.
        direction: Direction,
        /// How many steps there are.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// From 0.
        index: usize,
        /// Steps of the run.
        total: usize,
        /// The revision or repeatable script.
        subject: Subject,
        /// Which way it goes.
        direction: Direction,
        /// Its message.
        message: String,
        /// How many statements it has.
        statements: usize,
        /// Its script, as people see it.
        file: String,
        /// What that holds.
        text: Arc<str>,
    },
    /// A statement is done.
    StatementDone {
        /// From 0, within the script.
        index: usize,
        /// Statements of the script.
        total: usize,
        /// Where it is within the script's text, in bytes.
        span: Range<usize>,
        /// Line of its first byte, from 1.
        line: u32,
        /// Column of that in characters, from 1.
        column: u32,
        /// Rows it changed.
        rows: u64,
        /// How long it took.
        elapsed: Duration,
        /// Whether that is the time of this statement; see [`StatementDone::is_timed`].
        ///
        /// [`StatementDone::is_timed`]: crate::database::StatementDone::is_timed
        is_timed: bool,
    },
    /// A statement failed. What becomes of the step is told by the run's result.
    StatementFailed {
        /// From 0, within the script.
        index: usize,
        /// Statements of the script.
        total: usize,
        /// Where it is within the script's text, in bytes.
        span: Range<usize>,
        /// Line of its first byte, from 1.
        line: u32,
        /// Column of that in characters, from 1.
        column: u32,
        /// How long it ran, where that is known.
        elapsed: Option<Duration>,
        /// What the database said.
        error: String,
    },
    /// A statement takes longer than [`RunOptions::slow_statement`]. Sent again and again while it is so.
    ///
    /// [`RunOptions::slow_statement`]: super::RunOptions::slow_statement
    StatementRuns {
        /// Which one.
        statement: StatementSpot,
        /// How long so far.
        elapsed: Duration,
        /// The lock that it waits for.
        waiting: Option<Waiting>,
        /// How far it is, where the database tells.
        advance: Option<Advance>,
    },
    /// A statement took longer than that.
    StatementSlow(SlowStatement),
    /// A step is done and committed.
    StepDone {
        /// From 0.
        index: usize,
        /// The revision or repeatable script.
        subject: Subject,
        /// How long it took.
        elapsed: Duration,
    },
    /// A lock_timeout fired and the step will be tried again.
    Retrying {
        /// The revision or repeatable script.
        subject: Subject,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Attempts at most.
        attempts: u32,
        /// How long until the next one.
        pause: Duration,
        /// Who was in the way.
        blockers: Vec<String>,
    },
    /// The rows of a table are counted, before the first batch.
    CountingRows {
        /// The table, as the script names it.
        table: String,
    },
    /// A batch is committed.
    BatchDone(BatchState),
    /// A statement that is repeated has changed no row, and so come to its end.
    BatchesDone(BatchState),
    /// Replicas are further behind than `max-lag`. Sent again and again while it is so.
    WaitingForReplicas {
        /// How far.
        lag: Duration,
        /// How far they may be.
        limit: Duration,
    },
    /// The server does not show this role how far replicas are. Sent once a statement.
    ReplicasHidden {
        /// How many.
        replicas: u64,
    },
    /// The first signal: the run stops after what it is doing.
    StopRequested,
    /// The second signal: what runs is cancelled.
    CancelRequested,
}

/// A statement of a revision. On PostgreSQL it may be one of several, where nobody saw which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementSpot {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// Its script, as people see it.
    pub file: String,
    /// Line of its first byte, from 1.
    pub line: u32,
    /// Column of that in characters, from 1.
    pub column: u32,
    /// From 0, within the script.
    pub first: usize,
    /// The same, or the last of those that it may be.
    pub last: usize,
    /// Statements of the script.
    pub total: usize,
}

/// A statement that took long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowStatement {
    /// Which one.
    pub statement: StatementSpot,
    /// How long it took; of one that failed, how long it ran.
    pub elapsed: Duration,
    /// Whether it may have been less: it ran already when the database was first looked at.
    pub is_at_most: bool,
    /// Whether it failed.
    pub has_failed: bool,
    /// Locks that it was seen waiting for.
    pub waited_for: Vec<Waiting>,
}

impl SlowStatement {
    /// As the log and results for programs have it: one JSON object.
    pub fn json(&self) -> String {
        let Self {
            statement,
            elapsed,
            is_at_most,
            has_failed,
            waited_for,
        } = self;
        let waits = waited_for.iter().map(|wait| quoted(&wait.to_string()));
        format!(
            "{{\"file\":{},\"line\":{},\"column\":{},\"statement\":{},\"last_statement\":{},\
             \"duration_ms\":{},\"at_most\":{is_at_most},\"outcome\":{},\"waited_for\":[{}]}}",
            quoted(&statement.file),
            statement.line,
            statement.column,
            statement.first + 1,
            statement.last + 1,
            elapsed.as_millis(),
            quoted(if *has_failed { "failed" } else { "ok" }),
            waits.collect::<Vec<_>>().join(","),
        )
    }
}

/// How far a statement is that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchState {
    /// From 0, within the script.
    pub index: usize,
    /// Batches that changed rows, those of earlier runs included.
    pub batches: u64,
    /// Rows that they changed.
    pub rows: u64,
    /// The rows of the table before the first batch, where they were counted: no more than that
    /// are changed by a statement that changes each row once.
    pub table_rows: Option<u64>,
    /// How fast this run is, pauses included.
    pub rows_per_second: u64,
    /// How long it took, earlier runs and pauses included.
    pub elapsed: Duration,
}

/// A string of JSON. Programs that embed migrations do without a crate for it.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_control() => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Where events go. Called from the run, the signal task and the one that watches for slow statements.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;

#[cfg(all(test, feature = "cli"))]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_slow_statement_is_an_object() {
        let slow = SlowStatement {
            statement: StatementSpot {
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
        assert_eq!(slow.json().parse::<Value>().unwrap(), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_a_string(text in any::<String>()) {
            let read: String = serde_json::from_str(&quoted(&text)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
