//! What is asked of the database for a step, and what is told of it.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use super::{
    Event,
    ended::{Broken, Failed},
    run::Run,
};
use crate::{
    database::{DatabaseError, RecordRows, StatementDone, StepError, StepRequest, StepStage},
    plan::Step,
    revision::Direction,
};

/// How statements reach the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In one transaction.
    Step,
    /// The only one, outside of any.
    Alone,
}

impl Run<'_> {
    /// Has statements run, and tells of each. The first of them is `first` in the script.
    pub(super) async fn send(
        &mut self,
        step: &Step,
        request: &StepRequest<'_>,
        first: usize,
        way: Way,
    ) -> Result<(), StepError> {
        let (sink, slow) = (self.sink, &self.slow);
        let mut since = Instant::now();
        slow.begin(first, request.statements.len());
        let mut progress = |done: StatementDone| {
            slow.done(&done);
            sink(statement_done(step, first, &done));
            since = Instant::now();
        };
        let result = match way {
            Way::Step => self.database.run_step(request, &mut progress).await,
            Way::Alone => self.database.run_alone(request, &mut progress).await,
        };
        if let Err(StepError {
            stage: StepStage::Statement(index),
            error,
        }) = &result
        {
            // Otherwise the answers to those before it came together with its own.
            let is_known = request.statements.len() == 1 || slow.is_told_at_once();
            let elapsed = is_known.then(|| since.elapsed());
            sink(statement_failed(step, first + index, elapsed, error));
        }
        slow.end(&result);
        result
    }

    /// Has a batch run; see [`run_batch`](crate::database::Database::run_batch). Its one statement
    /// is `first` in the script.
    pub(super) async fn send_batch(
        &mut self,
        step: &Step,
        request: &StepRequest<'_>,
        first: usize,
        record: RecordRows<'_>,
    ) -> Result<(), StepError> {
        let since = Instant::now();
        self.slow.begin(first, 1);
        let result = self.database.run_batch(request, record).await;
        match &result {
            Ok(()) => self.slow.done(&StatementDone {
                index: 0,
                rows: 0,
                elapsed: since.elapsed(),
                is_timed: false,
            }),
            Err(StepError {
                stage: StepStage::Statement(_),
                error,
            }) => (self.sink)(statement_failed(step, first, Some(since.elapsed()), error)),
            Err(_) => {}
        }
        self.slow.end(&result);
        result
    }

    /// What a failed step means for the run.
    pub(super) fn broken(&self, StepError { stage, error }: StepError, first: usize) -> Broken {
        match error {
            DatabaseError::Interrupted if self.stop.is_forced() => {
                Broken::Stopped { inside: false }
            }
            DatabaseError::LockLost | DatabaseError::StateChanged { .. } => Broken::Outdated(error),
            error => {
                let statement = match stage {
                    StepStage::Statement(index) => Some(first + index),
                    _ => None,
                };
                Broken::Failed(Failed {
                    statement,
                    stage,
                    error,
                    attempts: 1,
                    units: None,
                })
            }
        }
    }
}

/// A request of nothing yet.
pub(super) fn request<'a>(step: &'a Step, label: &'a str) -> StepRequest<'a> {
    StepRequest {
        label,
        text: step.text(),
        statements: &[],
        modes: "",
        foreign_keys: false,
        lock_timeout: step.lock_timeout(),
        statement_timeout: step.statement_timeout(),
        expects: step.expects,
        changes: &[],
        log: &[],
        keep_session: false,
    }
}

fn statement_done(step: &Step, first: usize, done: &StatementDone) -> Event {
    let index = first + done.index;
    let (span, line, column) = spot(step, index);
    Event::StatementDone {
        index,
        total: step.statements.len(),
        span,
        line,
        column,
        rows: done.rows,
        elapsed: done.elapsed,
        is_timed: done.is_timed,
    }
}

fn statement_failed(
    step: &Step,
    index: usize,
    elapsed: Option<Duration>,
    error: &DatabaseError,
) -> Event {
    let (span, line, column) = spot(step, index);
    Event::StatementFailed {
        index,
        total: step.statements.len(),
        span,
        line,
        column,
        elapsed,
        error: error.to_string(),
    }
}

/// Where a statement is: bytes, line and column.
fn spot(step: &Step, index: usize) -> (Range<usize>, u32, u32) {
    let statement = step.statements.get(index);
    statement.map_or((0..0, 1, 1), |statement| {
        (step.span(statement), statement.line, statement.column)
    })
}

/// What a step is called.
pub(super) fn label(step: &Step) -> String {
    let verb = match step.direction() {
        Direction::Up => "upgrade",
        Direction::Down => "downgrade",
    };
    format!("{verb} {}", step.subject)
}
