use super::run::{self, Broken, Failed, Run, entry, label, request};
use crate::{
    database::{DatabaseError, StatementDone, StepError, StepRequest, StepStage},
    plan::{Step, Unit, UnitKind},
    revision::{Checksum, Direction, Partial, RecordChange},
};

/// Written while a statement runs outside of any transaction: found by the
/// next command, it means that nobody knows whether the statement took effect.
pub(super) const RUNNING: &str = "running";

/// Runs a `transaction = off` script unit by unit, each with its progress.
pub(super) async fn run(run: &mut Run<'_>, step: &Step, units: &[Unit]) -> Result<(), Broken> {
    let mut script = UnitRun {
        run,
        step,
        units,
        label: label(step),
    };
    let result = script.all().await;
    // A connection that can't be reset is a broken one, and the next statement will say so.
    let _ = script.run.database.reset_session().await;
    result
}

struct UnitRun<'a, 'b> {
    run: &'a mut Run<'b>,
    step: &'a Step,
    units: &'a [Unit],
    label: String,
}

impl UnitRun<'_, '_> {
    async fn all(&mut self) -> Result<(), Broken> {
        let first = match &self.step.row {
            Some(row) => RecordChange::Begin(row.clone(), self.partial(0, None)),
            None => self.progress_from(None, 0, None),
        };
        self.record(&[first], 0).await?;
        for (index, unit) in self.units.iter().enumerate() {
            if self.run.stop.is_requested() {
                return Err(Broken::Stopped { inside: true });
            }
            if let Err(error) = self.unit(index, unit).await {
                return Err(self.failed(index, unit, error).await);
            }
        }
        self.finish().await
    }

    /// The last record is a step without statements, so that the database
    /// verifies what the whole script has done.
    async fn finish(&mut self) -> Result<(), Broken> {
        let done = self.units.len();
        let revision = self.step.revision.clone();
        let changes = [match self.step.direction() {
            Direction::Up => RecordChange::Finish {
                revision,
                from: done,
            },
            Direction::Down => RecordChange::Delete(revision),
        }];
        let log = [entry(self.step, None)];
        let request = StepRequest {
            foreign_keys: self.step.foreign_keys,
            expects: self.expects(),
            changes: &changes,
            log: &log,
            keep_session: true,
            ..request(self.step, &self.label)
        };
        let result = self.run.database.run_step(&request, &mut |_| {}).await;
        result.map_err(|StepError { stage, error }| self.broken(stage, error, done))
    }

    /// The row of an up script is there already, a down script's is still there.
    fn expects(&self) -> i64 {
        self.step
            .row
            .as_ref()
            .map_or(self.step.expects, |row| row.sequence)
    }

    async fn unit(&mut self, index: usize, unit: &Unit) -> Result<(), StepError> {
        let after = self.progress_from(Some(index), index + 1, None);
        match &unit.kind {
            UnitKind::Shared(modes) => self.shared(unit, modes, after).await,
            UnitKind::Session => {
                self.alone(unit).await?;
                self.progress(after).await
            }
            UnitKind::Alone => {
                let mark = self.progress_from(Some(index), index, Some(RUNNING.to_owned()));
                self.progress(mark).await?;
                self.alone(unit).await?;
                self.progress(after).await
            }
        }
    }

    async fn shared(
        &mut self,
        unit: &Unit,
        modes: &str,
        after: RecordChange,
    ) -> Result<(), StepError> {
        // The row of an up script is there already, a down script's is still there.
        let expects = self
            .step
            .row
            .as_ref()
            .map_or(self.step.expects, |row| row.sequence);
        let mut attempt = 1;
        loop {
            let request = StepRequest {
                statements: &self.step.statements[unit.statements.clone()],
                modes,
                foreign_keys: unit.foreign_keys,
                expects,
                changes: std::slice::from_ref(&after),
                keep_session: true,
                ..request(self.step, &self.label)
            };
            let (sink, total) = (self.run.sink, self.step.statements.len());
            let first = unit.statements.start;
            let mut progress = |done: StatementDone| sink(run::statement_done(done, first, total));
            let Err(error) = self.run.database.run_step(&request, &mut progress).await else {
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

    async fn alone(&mut self, unit: &Unit) -> Result<(), StepError> {
        let request = StepRequest {
            statements: &self.step.statements[unit.statements.clone()],
            keep_session: true,
            ..request(self.step, &self.label)
        };
        let (sink, total) = (self.run.sink, self.step.statements.len());
        let first = unit.statements.start;
        let mut progress = |done: StatementDone| sink(run::statement_done(done, first, total));
        self.run.database.run_alone(&request, &mut progress).await
    }

    async fn progress(&mut self, change: RecordChange) -> Result<(), StepError> {
        let result = self.run.database.record(&[change], &[]).await;
        result.map_err(|error| StepError {
            stage: StepStage::Record,
            error,
        })
    }

    async fn record(&mut self, changes: &[RecordChange], done: usize) -> Result<(), Broken> {
        let result = self.run.database.record(changes, &[]).await;
        result.map_err(|error| self.broken(StepStage::Record, error, done))
    }

    /// Says in the row how the unit ended, so that nothing is in doubt that is known.
    async fn failed(&mut self, index: usize, unit: &Unit, error: StepError) -> Broken {
        if matches!(error.stage, StepStage::Statement(_) | StepStage::Verify) {
            let text = error.error.to_string();
            let change = self.progress_from(Some(index), index, Some(text));
            // The statement's own error is the one to report.
            let _ = self.run.database.record(&[change], &[]).await;
        }
        let stage = error.stage;
        match self.run.broken(error, unit.statements.start) {
            Broken::Stopped { .. } => Broken::Stopped { inside: true },
            Broken::Failed(failed) => {
                let units = Some((index, self.units.len()));
                // Outside of a step the first statement is the one that stands for the unit.
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

    fn broken(&self, stage: StepStage, error: DatabaseError, done: usize) -> Broken {
        match self.run.broken(StepError { stage, error }, 0) {
            Broken::Failed(failed) => Broken::Failed(Failed {
                units: Some((done, self.units.len())),
                ..failed
            }),
            other => other,
        }
    }

    fn progress_from(
        &self,
        from: Option<usize>,
        done: usize,
        error: Option<String>,
    ) -> RecordChange {
        RecordChange::Progress {
            revision: self.step.revision.clone(),
            from,
            to: self.partial(done, error),
        }
    }

    fn partial(&self, done: usize, error: Option<String>) -> Partial {
        let checksums: Vec<Checksum> = self.units[..done]
            .iter()
            .map(|unit| unit.checksum.clone())
            .collect();
        Partial {
            direction: self.step.direction(),
            script: self.step.script.text.to_string(),
            statements_done: done,
            statements_total: self.units.len(),
            statement_checksums: checksums,
            error,
        }
    }
}
