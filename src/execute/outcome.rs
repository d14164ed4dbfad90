use std::time::Duration;

use super::StepFailure;
use crate::{
    database::{DatabaseError, StepStage},
    plan::Step,
    revision::{RevisionId, Subject},
};

/// A committed step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The duration.
    pub elapsed: Duration,
    /// The totals of repeated statements that were completed in this run.
    pub batches: Vec<BatchTotal>,
}

/// The totals of a statement that was repeated until it changed no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchTotal {
    /// The number of the statement, from 1; a BEGIN … COMMIT block counts as one.
    pub statement: usize,
    /// The number of batches that changed rows, including those of earlier runs.
    pub batches: u64,
    /// The number of rows that these batches changed.
    pub rows: u64,
    /// The time spent on the statement, pauses included.
    pub elapsed: Duration,
}

/// The result of a run without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps were committed.
    Complete(Vec<Done>),
    /// A signal stopped the run at a boundary.
    Stopped {
        /// Steps committed before the stop.
        done: Vec<Done>,
        /// Steps that were not run.
        not_run: Vec<Subject>,
        /// The `transaction = off` revision that is partially applied.
        partial: Option<RevisionId>,
    },
    /// The lock was lost or the state changed under the plan. This is not a failure, but the plan
    /// must be created again.
    PlanOutdated {
        /// Steps committed before the change was noticed.
        done: Vec<Done>,
        /// The reason.
        reason: DatabaseError,
    },
}

/// A run that ended with an error.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .failure.step.subject, .failure.error)]
pub struct PartialFailure {
    /// Steps committed before the error.
    pub done: Vec<Done>,
    /// The failure.
    pub failure: Box<Failure>,
    /// Steps that were not run, except the failed one.
    pub not_run: Vec<Subject>,
}

/// A failed step.
#[derive(Debug)]
pub struct Failure {
    /// The step.
    pub step: Step,
    /// The index of the failed statement within the step's statements, if a statement failed.
    pub statement: Option<usize>,
    /// The stage of the step at which the error occurred.
    pub stage: StepStage,
    /// The error.
    pub error: StepFailure,
    /// The number of attempts.
    pub attempts: u32,
    /// For `transaction = off`: the number of completed units and of all units. Completed units are
    /// kept.
    pub units: Option<(usize, usize)>,
}
