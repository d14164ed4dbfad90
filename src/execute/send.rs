//! Sends statements to the database and reports their progress.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    EventKind, StatementEnd, StepFailure, StepRef,
    ended::{AtStage, Broken, Failed},
    run::Run,
};
use crate::{
    database::{DatabaseError, RecordRows, StatementDone, StepError, StepRequest, StepStage},
    plan::Step,
};

/// The way in which statements are sent to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The statements run in one transaction.
    Step,
    /// The only statement runs outside any transaction.
    Alone,
}

impl Run<'_> {
    /// Runs statements and reports each one. The first of them has the index `first` in the script.
    pub(super) async fn send(
        &mut self,
        step: &Step,
        request: &StepRequest<'_>,
        first: usize,
        way: Way,
    ) -> Result<(), StepError> {
        let (sink, slow) = (self.sink, &self.slow);
        let told = Told::of(step);
        let mut since = Instant::now();
        slow.begin(first, request.statements.len());
        let mut progress = |done: StatementDone| {
            slow.done(&done);
            sink.tell(EventKind::StatementDone(told.done(first, &done)));
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
            // Otherwise the results of earlier statements arrived together with its own.
            let is_known = request.statements.len() == 1 || slow.is_told_at_once();
            let elapsed = is_known.then(|| since.elapsed());
            sink.tell(EventKind::StatementFailed(told.failed(
                first + index,
                elapsed,
                error,
            )));
        }
        slow.end(&result);
        result
    }

    /// Runs a batch; see [`run_batch`](crate::database::Batches::run_batch). Its one statement has
    /// the index `first` in the script.
    pub(super) async fn send_batch(
        &mut self,
        step: &Step,
        request: &StepRequest<'_>,
        first: usize,
        record: RecordRows<'_>,
    ) -> Result<(), StepError> {
        let (since, told) = (Instant::now(), Told::of(step));
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
            }) => {
                let failed = told.failed(first, Some(since.elapsed()), error);
                self.sink.tell(EventKind::StatementFailed(failed));
            }
            Err(_) => {}
        }
        self.slow.end(&result);
        result
    }

    /// The consequence of a failed step for the run.
    pub(super) fn broken(&self, error: impl Into<AtStage>, first: usize) -> Broken {
        use DatabaseError as E;
        let AtStage { stage, error } = error.into();
        match error {
            StepFailure::Database(E::Interrupted) if self.stop.is_forced() => {
                Broken::Stopped { inside: false }
            }
            StepFailure::Database(error @ (E::LockLost | E::StateChanged { .. })) => {
                Broken::Outdated(error)
            }
            error => Broken::Failed(Failed::of_step(AtStage { stage, error }, first)),
        }
    }
}

/// The data that events need of a step's statements.
struct Told<'a> {
    step: &'a Step,
    name: Arc<StepRef>,
}

impl<'a> Told<'a> {
    fn of(step: &'a Step) -> Self {
        Self {
            step,
            name: Arc::new(step_ref(step)),
        }
    }

    fn done(&self, first: usize, done: &StatementDone) -> StatementEnd {
        StatementEnd {
            rows: done.rows,
            elapsed: done.is_timed.then_some(done.elapsed),
            ..self.end(first + done.index)
        }
    }

    fn failed(
        &self,
        index: usize,
        elapsed: Option<Duration>,
        error: &DatabaseError,
    ) -> StatementEnd {
        StatementEnd {
            elapsed,
            error: Some(error.to_string()),
            ..self.end(index)
        }
    }

    fn end(&self, index: usize) -> StatementEnd {
        let statement = self.step.statements.get(index);
        let (span, line, column) = statement.map_or((0..0, 1, 1), |statement| {
            (self.step.span(statement), statement.line, statement.column)
        });
        StatementEnd {
            step: Arc::clone(&self.name),
            index,
            total: self.step.statements.len(),
            text: Arc::clone(&self.step.script.text),
            span,
            line,
            column,
            rows: 0,
            elapsed: None,
            error: None,
        }
    }
}

/// A step, as named in events.
pub(super) fn step_ref(step: &Step) -> StepRef {
    StepRef {
        subject: step.subject.clone(),
        direction: step.direction(),
        file: step.script.file.clone(),
    }
}
