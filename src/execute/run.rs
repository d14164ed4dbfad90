use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    BatchTotal, Done, EventKind, Outcome, PartialFailure, RetryCause, Sink, StepFailure, Stop,
    ended::{Broken, Ended, Failed},
    record,
    request::{WholeStep, entry},
    send::{Way, step_ref},
    slow::SlowWatch,
    units,
};
use crate::{
    database::{Database, DatabaseError, FailureKind, StepStage},
    plan::{Execution, Plan, Step},
};

/// Retry and reporting options of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// The maximum number of attempts at a step when lock_timeout fires.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles each time.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// The duration after which a statement is reported as slow; zero reports none.
    pub slow_statement: Duration,
    /// Whether the version table is known to be there, in the present layout.
    pub is_prepared: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            attempts: 10,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(10),
            slow_statement: Duration::ZERO,
            is_prepared: false,
        }
    }
}

/// Runs `plan` step by step. The lock must be held, and the plan must match the current state.
///
/// # Errors
/// [`PartialFailure`]: the failed step was rolled back, except for completed units of a
/// `transaction = off` script.
pub async fn run(
    database: &mut dyn Database,
    plan: Plan,
    options: RunOptions,
    stop: &Stop,
    sink: &Sink,
) -> Result<Outcome, PartialFailure> {
    let Plan {
        direction,
        steps,
        one_transaction,
        ..
    } = plan;
    let mut done = Vec::new();
    if steps.is_empty() {
        return Ok(Outcome::Complete(done));
    }
    sink.tell(EventKind::RunStarted {
        direction,
        steps: steps.len(),
        both_ways: steps.iter().any(|step| step.direction() != direction),
    });
    let mut run = Run {
        slow: SlowWatch::new(options.slow_statement, database.watcher(), sink),
        begun: Instant::now(),
        database,
        options,
        stop,
        sink,
    };
    let ended = if one_transaction {
        run.as_one(&steps, &mut done).await
    } else {
        run.one_by_one(&steps, &mut done).await
    };
    ended.conclude(steps, done, one_transaction)
}

pub(super) struct Run<'a> {
    pub database: &'a mut dyn Database,
    pub options: RunOptions,
    pub stop: &'a Stop,
    pub sink: &'a Sink,
    pub slow: SlowWatch,
    /// The time when the current step started.
    pub begun: Instant,
}

impl Run<'_> {
    async fn one_by_one(&mut self, steps: &[Step], done: &mut Vec<Done>) -> Ended {
        if !self.options.is_prepared
            && let Err(error) = self.database.prepare().await
        {
            return Ended::Failed {
                at: 0,
                failed: Failed::at(StepStage::Begin, error),
            };
        }
        for (index, step) in steps.iter().enumerate() {
            if let Err(broken) = self.step(index, steps.len(), step, done).await {
                return self.ended(index, step, broken).await;
            }
        }
        Ended::Complete
    }

    /// Runs all steps in one transaction, and retries the whole transaction when lock_timeout
    /// fires.
    async fn as_one(&mut self, steps: &[Step], done: &mut Vec<Done>) -> Ended {
        let mut attempt = 1;
        loop {
            let Err((index, broken)) = self.as_one_once(steps, done).await else {
                return Ended::Complete;
            };
            // The original error says more than a rollback that fails on a dead connection.
            let _ = self.database.rollback_run().await;
            let step = &steps[index];
            match broken {
                Broken::Failed(failed) if self.may_retry(&failed.error, attempt) => {
                    if self.pause(step, &failed.error, attempt).await.is_err() {
                        return Ended::Stopped { inside: false };
                    }
                    attempt += 1;
                    done.clear();
                }
                Broken::Failed(failed) => {
                    let failed = Failed {
                        attempts: attempt,
                        ..failed
                    };
                    return self.ended(index, step, Broken::Failed(failed)).await;
                }
                broken => return self.ended(index, step, broken).await,
            }
        }
    }

    async fn as_one_once(
        &mut self,
        steps: &[Step],
        done: &mut Vec<Done>,
    ) -> Result<(), (usize, Broken)> {
        let failed = |index, stage, error| (index, Broken::Failed(Failed::at(stage, error)));
        let foreign_keys = steps.first().is_some_and(|step| step.foreign_keys);
        self.database
            .prepare()
            .await
            .map_err(|e| failed(0, StepStage::Begin, e))?;
        self.database
            .begin_run(foreign_keys)
            .await
            .map_err(|e| failed(0, StepStage::Begin, e))?;
        for (index, step) in steps.iter().enumerate() {
            let total = steps.len();
            self.check_stop().map_err(|broken| (index, broken))?;
            self.started(index, total, step);
            self.attempt(step).await.map_err(|broken| (index, broken))?;
            self.finished(index, step, Vec::new(), done);
        }
        self.check_stop()
            .map_err(|broken| (steps.len() - 1, broken))?;
        let last = steps.len() - 1;
        self.database
            .commit_run()
            .await
            .map_err(|e| failed(last, StepStage::Commit, e))?;
        self.record_slow().await;
        Ok(())
    }

    async fn step(
        &mut self,
        index: usize,
        total: usize,
        step: &Step,
        done: &mut Vec<Done>,
    ) -> Result<(), Broken> {
        self.check_stop()?;
        self.started(index, total, step);
        let batches = match &step.execution {
            Execution::Transaction(_) => {
                self.with_retries(step).await?;
                Vec::new()
            }
            Execution::Units(units) => units::run(self, step, units).await?,
        };
        self.finished(index, step, batches, done);
        self.record_slow().await;
        Ok(())
    }

    async fn with_retries(&mut self, step: &Step) -> Result<(), Broken> {
        let mut attempt = 1;
        loop {
            match self.attempt(step).await {
                Err(Broken::Failed(failed)) if self.may_retry(&failed.error, attempt) => {
                    self.pause(step, &failed.error, attempt).await?;
                    attempt += 1;
                }
                Err(Broken::Failed(failed)) => {
                    return Err(Broken::Failed(Failed {
                        attempts: attempt,
                        ..failed
                    }));
                }
                other => return other,
            }
        }
    }

    /// Makes one attempt at a step that is one transaction.
    async fn attempt(&mut self, step: &Step) -> Result<(), Broken> {
        let whole = WholeStep::of(step, self.begun.elapsed()).map_err(Broken::Failed)?;
        let first = whole.first();
        let result = self.send(step, &whole.request(), first, Way::Step).await;
        result.map_err(|error| self.broken(error, first))
    }

    /// Records slow statements in the log. A failure to do so is ignored: the step was committed,
    /// or its own error is reported.
    async fn record_slow(&mut self) {
        let slow = self.slow.take();
        if !slow.is_empty() {
            let _ = self.database.record(&[], &record::slow(slow)).await;
        }
    }

    pub(super) fn check_stop(&self) -> Result<(), Broken> {
        if self.stop.is_requested() {
            Err(Broken::Stopped { inside: false })
        } else {
            Ok(())
        }
    }

    pub(super) fn may_retry(&self, error: &StepFailure, attempt: u32) -> bool {
        let passes = match error.database() {
            Some(DatabaseError::LockTimeout { .. }) => true,
            Some(DatabaseError::Sql(failure)) => failure.kind == Some(FailureKind::Conflict),
            _ => false,
        };
        passes && attempt < self.options.attempts
    }

    /// Waits before the next attempt, with jitter so that two runs that block each other do not
    /// retry in step.
    pub(super) async fn pause(
        &mut self,
        step: &Step,
        error: &StepFailure,
        attempt: u32,
    ) -> Result<(), Broken> {
        let doubled = self.options.first_pause * 2u32.saturating_pow(attempt - 1);
        let pause = doubled.min(self.options.longest_pause).mul_f64(jitter());
        let (cause, blockers) = match error.database() {
            Some(DatabaseError::LockTimeout { blockers, .. }) => {
                (RetryCause::LockTimeout, blockers.clone())
            }
            _ => (RetryCause::Conflict, Vec::new()),
        };
        self.sink.tell(EventKind::Retrying {
            step: Arc::new(step_ref(step)),
            attempt,
            attempts: self.options.attempts,
            pause,
            cause,
            blockers,
        });
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.requested() => Err(Broken::Stopped { inside: false }),
        }
    }

    fn started(&mut self, index: usize, total: usize, step: &Step) {
        self.slow.step(step);
        self.begun = Instant::now();
        self.sink.tell(EventKind::StepStarted {
            step: Arc::new(step_ref(step)),
            index,
            total,
            message: step.message.clone(),
            statements: step.statements.len(),
        });
    }

    fn finished(&self, index: usize, step: &Step, batches: Vec<BatchTotal>, done: &mut Vec<Done>) {
        let elapsed = self.begun.elapsed();
        let subject = step.subject.clone();
        self.sink.tell(EventKind::StepDone {
            step: Arc::new(step_ref(step)),
            index,
            elapsed,
        });
        done.push(Done {
            subject,
            elapsed,
            batches,
        });
    }

    async fn ended(&mut self, index: usize, step: &Step, broken: Broken) -> Ended {
        match broken {
            Broken::Stopped { inside } => {
                self.record_slow().await;
                Ended::Stopped { inside }
            }
            Broken::Outdated(reason) => Ended::Outdated(reason),
            Broken::Failed(failed) => {
                // The original failure is reported; a failure to log it adds nothing.
                let error = Some(failed.error.to_string());
                let log = [entry(step, error, self.begun.elapsed())];
                let _ = self.database.record(&[], &log).await;
                self.record_slow().await;
                Ended::Failed { at: index, failed }
            }
        }
    }
}

/// A factor between 0.5 and 1.5, taken from the clock to desynchronize two processes.
fn jitter() -> f64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    0.5 + f64::from(nanos % 1_000_000) / 1_000_000.0
}
