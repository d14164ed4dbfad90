use super::{Done, Failure, Outcome, PartialFailure, StepFailure};
use crate::{
    database::{DatabaseError, StepStage},
    plan::Step,
};

/// How the steps of a run ended.
pub(super) enum Ended {
    Complete,
    Stopped { inside: bool },
    Outdated(DatabaseError),
    Failed { at: usize, failed: Failed },
}

impl Ended {
    /// The result of a run, given its steps and the committed ones.
    pub fn conclude(
        self,
        mut steps: Vec<Step>,
        mut done: Vec<Done>,
        one_transaction: bool,
    ) -> Result<Outcome, PartialFailure> {
        // The work of a one-transaction run that did not complete is rolled back.
        if one_transaction && !matches!(self, Self::Complete) {
            done.clear();
        }
        let reached = match &self {
            Self::Failed { at, .. } => *at,
            _ => done.len(),
        };
        let mut rest = steps.split_off(reached.min(steps.len()));
        let not_run = |rest: &[Step]| {
            let before = if one_transaction { &steps[..] } else { &[] };
            let steps = before.iter().chain(rest);
            steps.map(|step| step.subject.clone()).collect::<Vec<_>>()
        };
        match self {
            Self::Complete => Ok(Outcome::Complete(done)),
            Self::Outdated(reason) => Ok(Outcome::PlanOutdated { done, reason }),
            Self::Stopped { inside } => {
                let mut not_run = not_run(&rest);
                // Only a revision's script can be partially applied.
                let partial = inside.then(|| not_run.remove(0));
                let partial = partial.and_then(|subject| subject.revision().cloned());
                Ok(Outcome::Stopped {
                    done,
                    not_run,
                    partial,
                })
            }
            Self::Failed { failed, .. } => {
                let failure = Box::new(failed.of(rest.remove(0)));
                Err(PartialFailure {
                    done,
                    failure,
                    not_run: not_run(&rest),
                })
            }
        }
    }
}

/// The reason why a step did not complete.
pub(super) enum Broken {
    Stopped { inside: bool },
    Outdated(DatabaseError),
    Failed(Failed),
}

/// A failure within a step and its stage.
pub(super) struct AtStage {
    pub stage: StepStage,
    pub error: StepFailure,
}

pub(super) struct Failed {
    pub statement: Option<usize>,
    pub stage: StepStage,
    pub error: StepFailure,
    pub attempts: u32,
    pub units: Option<(usize, usize)>,
}

impl Failed {
    pub fn at(stage: StepStage, error: impl Into<StepFailure>) -> Self {
        Self {
            statement: None,
            stage,
            error: error.into(),
            attempts: 1,
            units: None,
        }
    }

    /// A failed step; `first` is the index of its first statement in the script.
    pub fn of_step(error: impl Into<AtStage>, first: usize) -> Self {
        let AtStage { stage, error } = error.into();
        let statement = match stage {
            StepStage::Statement(index) => Some(first + index),
            _ => None,
        };
        Self {
            statement,
            ..Self::at(stage, error)
        }
    }

    fn of(self, step: Step) -> Failure {
        let Self {
            statement,
            stage,
            error,
            attempts,
            units,
        } = self;
        Failure {
            step,
            statement,
            stage,
            error,
            attempts,
            units,
        }
    }
}
