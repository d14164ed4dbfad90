//! Repeated statements: each runs until it changes no row, every time in a transaction with its
//! progress.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    BatchState, BatchTotal, EventKind, StepFailure,
    ended::AtStage,
    pace::{self, LagGauge},
    send::step_ref,
    units::{Ran, UnitRun},
};
use crate::{
    database::BatchRecord,
    plan::{Batch, Step, Unit},
    revision::{BatchProgress, LogEntry, LogEvent, RecordChange},
};

/// The longest pause between two checks of lagging replicas.
const LOOK: Duration = Duration::from_millis(500);

/// The state of a repeated statement in this run.
struct Batches<'a> {
    /// The index of the unit, from 0.
    index: usize,
    unit: &'a Unit,
    batch: &'a Batch,
    /// The progress over all runs.
    progress: BatchProgress,
    /// The time when this run started the statement.
    begun: Instant,
    /// The time spent by earlier runs.
    before: Duration,
    /// The rows changed by earlier runs.
    rows_before: u64,
    gauge: LagGauge,
    /// Whether hidden replicas were reported.
    told: bool,
}

impl Batches<'_> {
    fn elapsed(&self) -> Duration {
        self.before + self.begun.elapsed()
    }

    fn state(&self) -> BatchState {
        let rows = self.progress.rows - self.rows_before;
        let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
        BatchState {
            index: self.unit.statements.start,
            batches: self.progress.batches,
            rows: self.progress.rows,
            table_rows: self.progress.table_rows,
            rows_per_second: (rows as f64 / seconds).round() as u64,
            elapsed: self.elapsed(),
        }
    }
}

impl UnitRun<'_, '_> {
    /// Repeats the statement of `unit`, continuing from the progress of earlier runs.
    pub(super) async fn batches(
        &mut self,
        index: usize,
        unit: &Unit,
        batch: &Batch,
    ) -> Result<Ran, AtStage> {
        let Some(progress) = self.begin_batches(unit, batch).await? else {
            return Ok(Ran::Stopped);
        };
        let mut all = Batches {
            index,
            unit,
            batch,
            before: Duration::from_millis(progress.elapsed_ms),
            rows_before: progress.rows,
            progress,
            begun: Instant::now(),
            gauge: LagGauge::default(),
            told: false,
        };
        let mut runs = 0;
        loop {
            check_limits(&all, runs)?;
            if self.run.stop.is_requested() || !self.replicas_are_near(&mut all).await? {
                return Ok(Ran::Stopped);
            }
            let began = Instant::now();
            let Some(rows) = self.one_batch(&mut all).await? else {
                return Ok(Ran::Stopped);
            };
            runs += 1;
            if rows == 0 {
                self.batch = None;
                self.run.sink.tell(EventKind::BatchesDone {
                    step: Arc::new(step_ref(self.step)),
                    batch: all.state(),
                });
                self.totals.push(BatchTotal {
                    statement: index + 1,
                    batches: all.progress.batches,
                    rows: all.progress.rows,
                    elapsed: all.elapsed(),
                });
                return Ok(Ran::Done);
            }
            self.batch = Some(all.progress.clone());
            self.run.sink.tell(EventKind::BatchDone {
                step: Arc::new(step_ref(self.step)),
                batch: all.state(),
            });
            let pause = pace::wait(&batch.pace, rows, began.elapsed());
            if !pause.is_zero() && !self.rest(pause).await {
                return Ok(Ran::Stopped);
            }
        }
    }

    /// The recorded progress, or a new one with the row count of the table; `None` if a stop was
    /// requested.
    async fn begin_batches(
        &mut self,
        unit: &Unit,
        batch: &Batch,
    ) -> Result<Option<BatchProgress>, AtStage> {
        if let Some(progress) = &self.batch {
            return Ok(Some(progress.clone()));
        }
        let mut rows = None;
        if let Some(table) = &batch.counted {
            self.run.sink.tell(EventKind::CountingRows {
                table: table.clone(),
            });
            let mut attempt = 1;
            rows = loop {
                let error = match self.run.database.count_rows(table).await {
                    Ok(rows) => break Some(rows),
                    Err(error) => StepFailure::from(error),
                };
                if !self.run.may_retry(&error, attempt) {
                    return Err(error.at_statement());
                }
                if self.run.pause(self.step, &error, attempt).await.is_err() {
                    return Ok(None);
                }
                attempt += 1;
            };
        }
        Ok(Some(BatchProgress::new(unit.checksum.clone(), rows)))
    }

    /// Runs the statement once. Returns the number of rows, or `None` if a stop was requested
    /// before.
    async fn one_batch(&mut self, all: &mut Batches<'_>) -> Result<Option<u64>, AtStage> {
        let finished = self.progress_from(all.index, all.index + 1, None);
        let shown = self.batch.clone();
        let mut attempt = 1;
        loop {
            let (mut counted, before) = (0, all.elapsed());
            let mut after = all.progress.clone();
            let mut record = |rows: u64| {
                counted = rows;
                if rows == 0 {
                    after.elapsed_ms = millis(all.elapsed());
                    return BatchRecord {
                        changes: vec![finished.clone()],
                        log: vec![total(self.step, all.index, &after, before)],
                    };
                }
                after = all.progress.after(rows, all.elapsed());
                let change = RecordChange::Batch {
                    subject: self.step.subject.clone(),
                    done: all.index,
                    from: shown.clone(),
                    to: after.clone(),
                };
                BatchRecord {
                    changes: vec![change],
                    log: Vec::new(),
                }
            };
            let carried = self.recorded.elapsed();
            let request = self.script.shared(all.unit, "", &[], carried);
            let first = all.unit.statements.start;
            let sent = self.run.send_batch(self.step, &request, first, &mut record);
            let Err(error) = sent.await.map_err(AtStage::from) else {
                all.progress = after;
                self.recorded = std::time::Instant::now();
                return Ok(Some(counted));
            };
            if !self.run.may_retry(&error.error, attempt) {
                return Err(error);
            }
            let paused = self.run.pause(self.step, &error.error, attempt).await;
            if paused.is_err() {
                return Ok(None);
            }
            attempt += 1;
        }
    }

    /// Waits until no replica lags more than allowed. Returns false if a stop was requested.
    async fn replicas_are_near(&mut self, all: &mut Batches<'_>) -> Result<bool, AtStage> {
        let Some(limit) = all.batch.pace.max_lag else {
            return Ok(true);
        };
        loop {
            let Some(replicas) = self.run.database.replicas() else {
                return Ok(true);
            };
            let found = replicas.replication().await;
            let found = found.map_err(|error| StepFailure::from(error).at_statement())?;
            if found.hidden > 0 && !std::mem::replace(&mut all.told, true) {
                self.run.sink.tell(EventKind::ReplicasHidden {
                    replicas: found.hidden,
                });
            }
            let lag = all.gauge.lag(Instant::now(), &found);
            if lag <= limit {
                return Ok(true);
            }
            self.run
                .sink
                .tell(EventKind::WaitingForReplicas { lag, limit });
            if !self.rest((limit / 2).min(LOOK)).await {
                return Ok(false);
            }
        }
    }

    /// Sleeps for `pause`. Returns false if a stop was requested meanwhile.
    async fn rest(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.run.stop.requested() => false,
        }
    }
}

/// Checks the limits of the statement. `runs` is how often this run has executed it.
fn check_limits(all: &Batches<'_>, runs: u64) -> Result<(), AtStage> {
    let &BatchProgress { rows, batches, .. } = &all.progress;
    let failure = match (all.progress.table_rows, all.batch.pace.max_batches) {
        (Some(table_rows), _) if all.progress.is_endless() => StepFailure::EndlessBatch {
            rows,
            batches,
            table_rows,
        },
        (_, Some(limit)) if runs >= limit => StepFailure::BatchesOver {
            limit,
            rows,
            batches,
        },
        _ => return Ok(()),
    };
    Err(failure.at_statement())
}

/// The log entry of a completed repeated statement.
fn total(step: &Step, index: usize, progress: &BatchProgress, elapsed: Duration) -> LogEntry {
    let BatchProgress { batches, rows, .. } = progress;
    let seconds = Duration::from_millis(progress.elapsed_ms).as_secs_f64();
    LogEntry {
        elapsed,
        event: LogEvent::Batch,
        subject: Some(step.subject.clone()),
        message: Some(step.message.clone()),
        error: None,
        detail: Some(format!(
            "statement {}: rows {rows}, batches {batches}, {seconds:.2} s",
            index + 1
        )),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
