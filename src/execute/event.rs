use std::{sync::Arc, time::Duration};

use crate::revision::{Direction, Subject};

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
        /// Its message.
        message: String,
        /// How many statements it has.
        statements: usize,
    },
    /// A statement is done.
    StatementDone {
        /// From 0, within the script.
        index: usize,
        /// Statements of the script.
        total: usize,
        /// Rows it changed.
        rows: u64,
        /// How long it took.
        elapsed: Duration,
    },
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
    /// The first signal: the run stops after what it is doing.
    StopRequested,
    /// The second signal: what runs is cancelled.
    CancelRequested,
}

/// Where events go. Called from the run and from the signal task.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;
