use std::time::Duration;

use super::StepFailure;
use crate::{
    database::{DatabaseError, StepStage},
    plan::Step,
    revision::{RevisionId, Subject},
};

/// A step that is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The duration.
    pub elapsed: Duration,
    /// Its statements that were repeated and came to their end in this run.
    pub batches: Vec<BatchTotal>,
}

/// What a statement came to that was repeated until it changed no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchTotal {
    /// Which one, from 1; a BEGIN … COMMIT block counts as one.
    pub statement: usize,
    /// Batches that changed rows, those of earlier runs included.
    pub batches: u64,
    /// Rows that they changed.
    pub rows: u64,
    /// How long it took, pauses included.
    pub elapsed: Duration,
}

/// How a run ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Complete(Vec<Done>),
    /// A signal stopped it at a boundary.
    Stopped {
        /// Committed before it.
        done: Vec<Done>,
        /// Left to do.
        not_run: Vec<Subject>,
        /// The `transaction = off` revision it stopped in the middle of.
        partial: Option<RevisionId>,
    },
    /// The lock was lost or the state changed under the plan: nothing is
    /// wrong yet, but the plan must be created again.
    PlanOutdated {
        /// Committed before it was noticed.
        done: Vec<Done>,
        /// The reason.
        reason: DatabaseError,
    },
}

/// A run that ended with an error: what is done, what failed, what was not run.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .failure.step.subject, .failure.error)]
pub struct PartialFailure {
    /// Committed before it.
    pub done: Vec<Done>,
    /// The failure.
    pub failure: Box<Failure>,
    /// Left to do, the failed one not included.
    pub not_run: Vec<Subject>,
}

/// The step that failed.
#[derive(Debug)]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// The statement, as an index into the step's statements, when one failed.
    pub statement: Option<usize>,
    /// Where in the step.
    pub stage: StepStage,
    /// The error.
    pub error: StepFailure,
    /// How often it was tried.
    pub attempts: u32,
    /// For `transaction = off`: units done and in all. They stay done.
    pub units: Option<(usize, usize)>,
}
