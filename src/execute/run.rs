use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    BatchTotal, Done, Event, Outcome, PartialFailure, Sink, Stop,
    ended::{Broken, Ended, Failed},
    record,
    slow::SlowWatch,
    units,
};
use crate::{
    database::{
        Database, DatabaseError, RecordRows, StatementDone, StepError, StepRequest, StepStage,
    },
    plan::{Execution, Plan, Step},
    revision::{Direction, LogEntry, LogEvent, RecordChange},
};

/// How patient a run is.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often a step is tried when lock_timeout fires.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles each time.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// From how long on a statement is told of as slow; zero is never.
    pub slow_statement: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: 10,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(10),
            slow_statement: Duration::ZERO,
        }
    }
}

/// Runs `plan` step by step. Call it with the lock held and the state that the plan was made for.
///
/// # Errors
/// [`PartialFailure`]: what failed has left no trace, but for the units of a
/// `transaction = off` script that were done.
pub async fn run(
    database: &mut dyn Database,
    plan: Plan,
    options: Options,
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
    sink(Event::RunStarted {
        direction,
        steps: steps.len(),
    });
    let mut run = Run {
        slow: SlowWatch::new(options.slow_statement, database.watcher(), sink),
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
    pub options: Options,
    pub stop: &'a Stop,
    pub sink: &'a Sink,
    slow: SlowWatch,
}

/// How statements reach the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In one transaction.
    Step,
    /// The only one, outside of any.
    Alone,
}

impl Run<'_> {
    async fn one_by_one(&mut self, steps: &[Step], done: &mut Vec<Done>) -> Ended {
        if let Err(error) = self.database.prepare().await {
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

    /// All steps in one transaction; when lock_timeout fires, all of it again.
    async fn as_one(&mut self, steps: &[Step], done: &mut Vec<Done>) -> Ended {
        let mut attempt = 1;
        loop {
            let Err((index, broken)) = self.as_one_once(steps, done).await else {
                return Ended::Complete;
            };
            // The reason it ended for says more than a rollback that fails on a dead connection.
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
            let begin = Instant::now();
            self.attempt(step).await.map_err(|broken| (index, broken))?;
            self.finished(index, step, begin, Vec::new(), done);
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
        let begin = Instant::now();
        let batches = match &step.execution {
            Execution::Transaction(_) => {
                self.with_retries(step).await?;
                Vec::new()
            }
            Execution::Units(units) => units::run(self, step, units).await?,
        };
        self.finished(index, step, begin, batches, done);
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

    /// One attempt at a step that is one transaction.
    async fn attempt(&mut self, step: &Step) -> Result<(), Broken> {
        let Execution::Transaction(range) = &step.execution else {
            return Err(Broken::Failed(Failed::at(
                StepStage::Begin,
                DatabaseError::Other("a `transaction = off` script in a transaction".to_owned()),
            )));
        };
        let delete = || RecordChange::Delete(step.subject.clone());
        let changes = match &step.row {
            Some(row) if step.replaces => vec![delete(), RecordChange::Insert(Arc::clone(row))],
            Some(row) => vec![RecordChange::Insert(Arc::clone(row))],
            None => vec![delete()],
        };
        let log = [entry(step, None)];
        let label = label(step);
        let request = StepRequest {
            statements: &step.statements[range.clone()],
            modes: &step.modes,
            foreign_keys: step.foreign_keys,
            expects: step.expects,
            changes: &changes,
            log: &log,
            ..request(step, &label)
        };
        let result = self.send(step, &request, range.start, Way::Step).await;
        result.map_err(|error| self.broken(error, range.start))
    }

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

    /// Has a batch run; see [`Database::run_batch`]. Its one statement is `first` in the script.
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

    /// Keeps in the log what was slow. It is not worth an error: the step is done, or its own error
    /// is to be told.
    async fn record_slow(&mut self) {
        let slow = self.slow.take();
        if !slow.is_empty() {
            let _ = self.database.record(&[], &record::slow(slow)).await;
        }
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

    pub(super) fn check_stop(&self) -> Result<(), Broken> {
        if self.stop.is_requested() {
            Err(Broken::Stopped { inside: false })
        } else {
            Ok(())
        }
    }

    pub(super) fn may_retry(&self, error: &DatabaseError, attempt: u32) -> bool {
        matches!(error, DatabaseError::LockTimeout { .. }) && attempt < self.options.attempts
    }

    /// Waits before the next attempt; with jitter, so that two runs that
    /// block each other do not meet again.
    pub(super) async fn pause(
        &mut self,
        step: &Step,
        error: &DatabaseError,
        attempt: u32,
    ) -> Result<(), Broken> {
        let doubled = self.options.first_pause * 2u32.saturating_pow(attempt - 1);
        let pause = doubled.min(self.options.longest_pause).mul_f64(jitter());
        let blockers = match error {
            DatabaseError::LockTimeout { blockers, .. } => blockers.clone(),
            _ => Vec::new(),
        };
        (self.sink)(Event::Retrying {
            subject: step.subject.clone(),
            attempt,
            attempts: self.options.attempts,
            pause,
            blockers,
        });
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.requested() => Err(Broken::Stopped { inside: false }),
        }
    }

    fn started(&mut self, index: usize, total: usize, step: &Step) {
        self.slow.step(step);
        (self.sink)(Event::StepStarted {
            index,
            total,
            subject: step.subject.clone(),
            direction: step.direction(),
            message: step.message.clone(),
            statements: step.statements.len(),
            file: step.script.file.clone(),
            text: Arc::clone(&step.script.text),
        });
    }

    fn finished(
        &self,
        index: usize,
        step: &Step,
        begin: Instant,
        batches: Vec<BatchTotal>,
        done: &mut Vec<Done>,
    ) {
        let elapsed = begin.elapsed();
        let subject = step.subject.clone();
        (self.sink)(Event::StepDone {
            index,
            subject: subject.clone(),
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
                // The failure itself is reported; that it could not be logged as well adds nothing.
                let log = [entry(step, Some(failed.error.to_string()))];
                let _ = self.database.record(&[], &log).await;
                self.record_slow().await;
                Ended::Failed { at: index, failed }
            }
        }
    }
}

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

pub(super) fn entry(step: &Step, error: Option<String>) -> LogEntry {
    LogEntry {
        event: match step.direction() {
            Direction::Up => LogEvent::Upgrade,
            Direction::Down => LogEvent::Downgrade,
        },
        subject: Some(step.subject.clone()),
        message: Some(step.message.clone()),
        error,
        detail: None,
    }
}

pub(super) fn label(step: &Step) -> String {
    let verb = match step.direction() {
        Direction::Up => "upgrade",
        Direction::Down => "downgrade",
    };
    format!("{verb} {}", step.subject)
}

/// Between 0.5 and 1.5, from the clock: enough to part two processes.
fn jitter() -> f64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    0.5 + f64::from(nanos % 1_000_000) / 1_000_000.0
}
