use std::{ops::Range, time::Instant};

use super::{
    BatchTotal, IndexDoubt, StepFailure,
    ended::{AtStage, Broken, Failed},
    request::UnitStep,
    run::Run,
    send::Way,
};
use crate::{
    database::{DatabaseError, FailureKind, LockAttempt, SqlFailure, StepStage, TableIndex},
    plan::{Step, Unit, UnitKind},
    revision::{BatchProgress, Ending, Interruption, RecordChange},
    sql::ConcurrentIndex,
};

/// Runs a `transaction = off` script unit by unit and records the progress of each. Returns the
/// totals of repeated statements.
pub(super) async fn run(
    run: &mut Run<'_>,
    step: &Step,
    units: &[Unit],
) -> Result<Vec<BatchTotal>, Broken> {
    let recorded = run.begun;
    let mut script = UnitRun {
        run,
        step,
        script: UnitStep::new(step, units),
        indexes_before: None,
        batch: step.resume.as_ref().and_then(|resume| resume.batch.clone()),
        totals: Vec::new(),
        recorded,
    };
    let result = script.all().await;
    // If the reset fails, the connection is broken and the next statement reports it.
    let _ = script.run.database.reset_session().await;
    result.map(|()| script.totals)
}

pub(super) struct UnitRun<'a, 'b> {
    pub run: &'a mut Run<'b>,
    pub step: &'a Step,
    pub script: UnitStep<'a>,
    /// The indexes of the table before a concurrent index build; `None` before it starts.
    indexes_before: Option<Vec<String>>,
    /// The recorded progress of the next unit, if that is repeated and has started.
    pub batch: Option<BatchProgress>,
    pub totals: Vec<BatchTotal>,
    /// The time when the row was last written. Time spent since then is not recorded yet.
    pub recorded: Instant,
}

/// How a unit ended without a failure.
pub(super) enum Ran {
    Done,
    /// The unit was asked to stop before its end, and can continue.
    Stopped,
}

impl UnitRun<'_, '_> {
    async fn all(&mut self) -> Result<(), Broken> {
        let first = self.script.first();
        self.record(&[first], self.script.done_before()).await?;
        self.replay().await?;
        let units = self.script.units.iter().enumerate();
        for (index, unit) in units.skip(self.script.done_before()) {
            if self.run.stop.is_requested() {
                return Err(Broken::Stopped { inside: true });
            }
            match self.unit(index, unit).await {
                Ok(Ran::Done) => {}
                Ok(Ran::Stopped) => return Err(Broken::Stopped { inside: true }),
                Err(error) => return Err(self.failed(index, unit, error).await),
            }
        }
        self.finish().await
    }

    /// Restores the session settings of completed statements.
    async fn replay(&mut self) -> Result<(), Broken> {
        let replay = self
            .step
            .resume
            .as_ref()
            .map_or(&[][..], |resume| &resume.replay);
        for index in replay {
            let result = self.alone(*index..*index + 1).await;
            result.map_err(|AtStage { stage, error }| {
                let broken = self.broken(stage, error, self.script.done_before());
                at_statement(broken, *index)
            })?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), Broken> {
        let elapsed = self.run.begun.elapsed();
        let whole = self.step.resume.is_none();
        let (changes, log) = self.script.last(elapsed, whole);
        let carried = if whole {
            elapsed
        } else {
            self.recorded.elapsed()
        };
        let request = self.script.finish(&changes, &log, carried);
        let result = self.run.database.run_step(&request, &mut |_| {}).await;
        let done = self.script.units.len();
        result.map_err(|error| self.broken(error.stage, error.error.into(), done))
    }

    async fn unit(&mut self, index: usize, unit: &Unit) -> Result<Ran, AtStage> {
        let after = self.progress_from(index, index + 1, None);
        self.indexes_before = None;
        match &unit.kind {
            UnitKind::Shared(modes) => match self.shared(unit, modes, after).await {
                Err(error) if refuses_transaction(&error) && unit.statements.len() == 1 => {
                    self.marked(index, unit, None).await
                }
                shared => shared,
            },
            UnitKind::Session => {
                self.alone(unit.statements.clone()).await?;
                self.progress(after).await
            }
            UnitKind::Repeatable => {
                self.hold_lock().await?;
                self.alone(unit.statements.clone()).await?;
                self.progress(after).await
            }
            UnitKind::Alone => self.marked(index, unit, None).await,
            UnitKind::Index(created) => {
                self.hold_lock().await?;
                let indexes_before = self.clear_way(index, created).await?;
                self.marked(index, unit, Some(indexes_before)).await
            }
            UnitKind::Reindex => {
                self.hold_lock().await?;
                let unfinished_before = self.clear_unfinished(index).await?;
                self.marked(index, unit, Some(unfinished_before)).await
            }
            UnitKind::Batch(batch) => return self.batches(index, unit, batch).await,
        }?;
        Ok(Ran::Done)
    }

    /// Runs a unit that cannot share a transaction with its progress. It is marked before and
    /// after, so that a later run that finds the mark knows that the outcome was not observed.
    async fn marked(
        &mut self,
        index: usize,
        unit: &Unit,
        indexes_before: Option<Vec<String>>,
    ) -> Result<(), AtStage> {
        self.hold_lock().await?;
        self.indexes_before.clone_from(&indexes_before);
        let mark = Interruption {
            ending: Ending::Unknown,
            indexes_before,
        };
        let marked = self.progress(self.progress_from(index, index, Some(mark)));
        if let Err(error) = marked.await {
            if matches!(error.error.database(), Some(DatabaseError::SessionLost(_))) {
                // The statement never started. If this write fails, the unit stays in doubt, which
                // is safe.
                let unmarked = self.progress_from(index, index, None);
                let _ = self.progress(unmarked).await;
            }
            return Err(error);
        }
        self.alone(unit.statements.clone()).await?;
        self.progress(self.progress_from(index, index + 1, None))
            .await
    }

    /// Checks that the lock is still held: an earlier statement may have released it, and nothing
    /// else protects a statement outside a transaction.
    async fn hold_lock(&mut self) -> Result<(), AtStage> {
        let error = match self.run.database.try_lock().await {
            Ok(LockAttempt::Acquired) => return Ok(()),
            Ok(LockAttempt::Held { .. }) => DatabaseError::LockLost,
            Err(error) => error,
        };
        Err(AtStage {
            stage: StepStage::Begin,
            error: error.into(),
        })
    }

    /// Drops the invalid index that an earlier attempt has left. Returns the other indexes of the
    /// table.
    async fn clear_way(
        &mut self,
        index: usize,
        created: &ConcurrentIndex,
    ) -> Result<Vec<String>, AtStage> {
        let at = |error: DatabaseError| StepFailure::from(error).at_statement();
        let Some(indexes) = self.run.database.indexes() else {
            return Ok(Vec::new());
        };
        let found = indexes.of_table(created).await.map_err(at)?;
        let resume = self.step.resume.as_ref();
        let resume = resume.filter(|resume| resume.done == index);
        let earlier = resume.and_then(|resume| resume.interruption.as_ref());
        let mut others = Vec::new();
        for index in found {
            match judge(&index, created, earlier) {
                Verdict::Other => others.push(index.name),
                Verdict::Drop => {
                    indexes.drop_index(&index.name).await.map_err(at)?;
                }
                Verdict::Doubt(doubt) => {
                    let name = index.name;
                    return Err(StepFailure::IndexInDoubt { name, doubt }.at_statement());
                }
            }
        }
        Ok(others)
    }

    /// Drops the copies of indexes that an earlier attempt at this REINDEX has left. Returns copies
    /// that other commands have left.
    async fn clear_unfinished(&mut self, index: usize) -> Result<Vec<String>, AtStage> {
        let at = |error: DatabaseError| StepFailure::from(error).at_statement();
        let Some(indexes) = self.run.database.indexes() else {
            return Ok(Vec::new());
        };
        let found = indexes.unfinished().await.map_err(at)?;
        let resume = self.step.resume.as_ref();
        let resume = resume.filter(|resume| resume.done == index);
        let earlier = resume.and_then(|resume| resume.interruption.as_ref());
        let before = earlier.and_then(|earlier| earlier.indexes_before.as_ref());
        let mut others = Vec::new();
        for TableIndex {
            name,
            is_being_built,
            ..
        } in found
        {
            if before.is_none_or(|before| before.contains(&name)) {
                others.push(name);
            } else if is_being_built {
                let doubt = IndexDoubt::BeingBuilt;
                return Err(StepFailure::IndexInDoubt { name, doubt }.at_statement());
            } else {
                indexes.drop_index(&name).await.map_err(at)?;
            }
        }
        Ok(others)
    }

    async fn shared(
        &mut self,
        unit: &Unit,
        modes: &str,
        after: RecordChange,
    ) -> Result<(), AtStage> {
        let mut attempt = 1;
        loop {
            let carried = self.recorded.elapsed();
            let request = self
                .script
                .shared(unit, modes, std::slice::from_ref(&after), carried);
            let first = unit.statements.start;
            let sent = self.run.send(self.step, &request, first, Way::Step);
            let Err(error) = sent.await.map_err(AtStage::from) else {
                self.recorded = Instant::now();
                return Ok(());
            };
            if !self.run.may_retry(&error.error, attempt)
                || self
                    .run
                    .pause(self.step, &error.error, attempt)
                    .await
                    .is_err()
            {
                return Err(error);
            }
            attempt += 1;
        }
    }

    async fn alone(&mut self, statements: Range<usize>) -> Result<(), AtStage> {
        let first = statements.start;
        let request = self.script.alone(statements);
        let sent = self.run.send(self.step, &request, first, Way::Alone);
        Ok(sent.await?)
    }

    async fn progress(&mut self, change: RecordChange) -> Result<(), AtStage> {
        let result = self.write(&[change]).await;
        result.map_err(|error| AtStage {
            stage: StepStage::Record,
            error: error.into(),
        })
    }

    async fn record(&mut self, changes: &[RecordChange], done: usize) -> Result<(), Broken> {
        let result = self.write(changes).await;
        result.map_err(|error| self.broken(StepStage::Record, error.into(), done))
    }

    /// Writes the row with the time since it was last written.
    async fn write(&mut self, changes: &[RecordChange]) -> Result<(), DatabaseError> {
        let carried = self.recorded.elapsed();
        let database = &mut self.run.database;
        database.record_after(carried, changes, &[]).await?;
        self.recorded = Instant::now();
        Ok(())
    }

    /// Records how the unit ended, so that a known outcome is not left in doubt.
    async fn failed(&mut self, index: usize, unit: &Unit, error: AtStage) -> Broken {
        use DatabaseError as E;
        let unseen = matches!(
            error.error.database(),
            Some(E::ConnectionLost(_) | E::OutcomeUnknown(_))
        );
        let begun = self.indexes_before.is_some()
            || !matches!(unit.kind, UnitKind::Index(_) | UnitKind::Reindex);
        if !unseen && begun && matches!(error.stage, StepStage::Statement(_) | StepStage::Verify) {
            let ending = Ending::Failed(error.error.to_string());
            let interruption = Interruption {
                ending,
                indexes_before: self.indexes_before.take(),
            };
            let change = self.progress_from(index, index, Some(interruption));
            // The statement's own error is the one to report.
            let _ = self.write(&[change]).await;
        }
        let stage = error.stage;
        match self.run.broken(error, unit.statements.start) {
            Broken::Stopped { .. } => Broken::Stopped { inside: true },
            Broken::Failed(failed) => {
                let units = Some((index, self.script.units.len()));
                // Outside a step, the first statement represents the unit.
                let statement = failed.statement.or(match stage {
                    StepStage::Verify | StepStage::Commit => Some(unit.statements.start),
                    _ => None,
                });
                Broken::Failed(Failed {
                    units,
                    statement,
                    ..failed
                })
            }
            outdated => outdated,
        }
    }

    fn broken(&self, stage: StepStage, error: StepFailure, done: usize) -> Broken {
        match self.run.broken(AtStage { stage, error }, 0) {
            Broken::Failed(failed) => Broken::Failed(Failed {
                units: Some((done, self.script.units.len())),
                ..failed
            }),
            other => other,
        }
    }

    pub fn progress_from(
        &self,
        from: usize,
        done: usize,
        interruption: Option<Interruption>,
    ) -> RecordChange {
        let batch = self.batch.as_ref();
        self.script.progress(from, done, interruption, batch)
    }
}

/// Whether the statement cannot run inside a transaction although its text does not show it, such
/// as REINDEX or CLUSTER of a partitioned table.
fn refuses_transaction(failed: &AtStage) -> bool {
    let is_it = |failure: &SqlFailure| failure.kind == Some(FailureKind::InTransaction);
    matches!(failed.stage, StepStage::Statement(_))
        && matches!(failed.error.database(), Some(DatabaseError::Sql(failure)) if is_it(failure))
}

/// What to do with an existing index of the table before a CREATE INDEX CONCURRENTLY.
enum Verdict {
    Other,
    Drop,
    Doubt(IndexDoubt),
}

/// Decides what to do with `index`. `earlier` is the record of an earlier attempt at `created`.
fn judge(index: &TableIndex, created: &ConcurrentIndex, earlier: Option<&Interruption>) -> Verdict {
    let before = earlier.and_then(|earlier| earlier.indexes_before.as_ref());
    let is_new = before.is_some_and(|before| !before.contains(&index.name));
    if index.is_valid {
        let unseen = earlier.is_some_and(|earlier| earlier.ending == Ending::Unknown);
        return if is_new && unseen && index.is_like_it && !created.if_not_exists {
            Verdict::Doubt(IndexDoubt::Valid)
        } else {
            Verdict::Other
        };
    }
    match (is_new, index.is_named_so) {
        (true, _) | (_, true) if index.is_being_built => Verdict::Doubt(IndexDoubt::BeingBuilt),
        (true, _) if index.is_like_it => Verdict::Drop,
        (true, _) => Verdict::Doubt(IndexDoubt::Unlike),
        // IF NOT EXISTS would accept the invalid index as valid.
        (false, true) => Verdict::Doubt(IndexDoubt::Older),
        (false, false) => Verdict::Other,
    }
}

fn at_statement(broken: Broken, index: usize) -> Broken {
    match broken {
        Broken::Failed(failed) => Broken::Failed(Failed {
            statement: Some(index),
            ..failed
        }),
        other => other,
    }
}
