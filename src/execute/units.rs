use std::ops::Range;

use super::run::{self, Broken, Failed, Run, entry, label, request};
use crate::{
    database::{DatabaseError, LockAttempt, StatementDone, StepError, StepRequest, StepStage},
    plan::{Step, Unit, UnitKind},
    revision::{Checksum, Direction, Ending, Interruption, Partial, RecordChange},
    sql::ConcurrentIndex,
};

/// Runs a `transaction = off` script unit by unit, each with its progress.
pub(super) async fn run(run: &mut Run<'_>, step: &Step, units: &[Unit]) -> Result<(), Broken> {
    let mut script = UnitRun {
        run,
        step,
        units,
        label: label(step),
        invalid_before: Vec::new(),
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
    /// Of the index that is being created.
    invalid_before: Vec<String>,
}

impl UnitRun<'_, '_> {
    async fn all(&mut self) -> Result<(), Broken> {
        let first = match (&self.step.resume, &self.step.row) {
            // The script may have been mended beyond what is done.
            (Some(resume), _) => {
                let interruption = resume.interruption.clone();
                self.progress_from(Some(resume.done), resume.done, interruption)
            }
            (None, Some(row)) => RecordChange::Begin(row.clone(), self.partial(0, None)),
            (None, None) => self.progress_from(None, 0, None),
        };
        self.record(&[first], self.done_before()).await?;
        self.replay().await?;
        for (index, unit) in self.units.iter().enumerate().skip(self.done_before()) {
            if self.run.stop.is_requested() {
                return Err(Broken::Stopped { inside: true });
            }
            if let Err(error) = self.unit(index, unit).await {
                return Err(self.failed(index, unit, error).await);
            }
        }
        self.finish().await
    }

    fn done_before(&self) -> usize {
        self.step.resume.as_ref().map_or(0, |resume| resume.done)
    }

    /// Sets the session as the statements did that are done.
    async fn replay(&mut self) -> Result<(), Broken> {
        let replay = self
            .step
            .resume
            .as_ref()
            .map_or(&[][..], |resume| &resume.replay);
        for index in replay {
            let result = self.alone(*index..*index + 1).await;
            result.map_err(|StepError { stage, error }| {
                let broken = self.broken(stage, error, self.done_before());
                at_statement(broken, *index)
            })?;
        }
        Ok(())
    }

    /// The last record is a step without statements, so that the database
    /// verifies what the whole script has done.
    async fn finish(&mut self) -> Result<(), Broken> {
        let done = self.units.len();
        let revision = self.step.revision.clone();
        let mut changes = Vec::new();
        // The row was written when the script began, which may have been mended since.
        if let (Some(row), Some(_)) = (&self.step.row, &self.step.resume) {
            changes.push(RecordChange::Accept {
                revision: revision.clone(),
                up_checksum: row.up_checksum.clone(),
                down_checksum: row.down_checksum.clone(),
                down_script: row.down_script.clone(),
            });
        }
        changes.push(match self.step.direction() {
            Direction::Up => RecordChange::Finish {
                revision,
                from: done,
            },
            Direction::Down => RecordChange::Delete(revision),
        });
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
        match (&self.step.resume, &self.step.row) {
            (None, Some(row)) => row.sequence,
            _ => self.step.expects,
        }
    }

    async fn unit(&mut self, index: usize, unit: &Unit) -> Result<(), StepError> {
        let after = self.progress_from(Some(index), index + 1, None);
        match &unit.kind {
            UnitKind::Shared(modes) => self.shared(unit, modes, after).await,
            UnitKind::Session => {
                self.alone(unit.statements.clone()).await?;
                self.progress(after).await
            }
            UnitKind::Repeatable => {
                self.hold_lock().await?;
                self.alone(unit.statements.clone()).await?;
                self.progress(after).await
            }
            UnitKind::Alone => self.marked(index, unit, Vec::new()).await,
            UnitKind::Index(created) => {
                self.hold_lock().await?;
                match self.clear_way(index, created).await? {
                    Way::Clear(invalid_before) => self.marked(index, unit, invalid_before).await,
                    Way::Taken => {
                        self.alone(unit.statements.clone()).await?;
                        self.progress(after).await
                    }
                    Way::Behind => self.progress(after).await,
                }
            }
        }
    }

    /// Runs a unit that can't share a transaction with its progress: marked before and after,
    /// so that a run that finds the mark knows that nobody saw the end.
    async fn marked(
        &mut self,
        index: usize,
        unit: &Unit,
        invalid_before: Vec<String>,
    ) -> Result<(), StepError> {
        self.hold_lock().await?;
        self.invalid_before.clone_from(&invalid_before);
        let mark = Interruption {
            ending: Ending::Unknown,
            invalid_before,
        };
        self.progress(self.progress_from(Some(index), index, Some(mark)))
            .await?;
        self.alone(unit.statements.clone()).await?;
        self.progress(self.progress_from(Some(index), index + 1, None))
            .await
    }

    /// A statement before may have given the lock away, and one that runs outside of any
    /// transaction has nothing else to keep others out.
    async fn hold_lock(&mut self) -> Result<(), StepError> {
        let error = match self.run.database.try_lock().await {
            Ok(LockAttempt::Acquired) => return Ok(()),
            Ok(LockAttempt::Held { .. }) => DatabaseError::LockLost,
            Err(error) => error,
        };
        Err(StepError {
            stage: StepStage::Begin,
            error,
        })
    }

    /// Looks what is there of an index, and drops what an earlier attempt at it has left invalid.
    async fn clear_way(
        &mut self,
        index: usize,
        created: &ConcurrentIndex,
    ) -> Result<Way, StepError> {
        let at = |error| StepError {
            stage: StepStage::Statement(0),
            error,
        };
        let found = self.run.database.indexes_of(created).await.map_err(at)?;
        let (valid, invalid): (Vec<_>, Vec<_>) = found.into_iter().partition(|i| i.is_valid);
        let resume = self.step.resume.as_ref();
        let before = resume
            .filter(|resume| resume.done == index)
            .and_then(|resume| resume.interruption.as_ref());
        let Some(before) = before else {
            let others = invalid.into_iter().map(|index| index.name).collect();
            return Ok(if valid.is_empty() {
                Way::Clear(others)
            } else {
                Way::Taken
            });
        };
        let mut others = Vec::new();
        for index in invalid {
            if before.invalid_before.contains(&index.name) {
                others.push(index.name);
            } else if index.is_like_it && !index.is_being_built {
                let dropped = self.run.database.drop_index(&index.name).await;
                dropped.map_err(at)?;
            } else {
                return Err(at(DatabaseError::IndexInDoubt {
                    name: index.name,
                    is_being_built: index.is_being_built,
                }));
            }
        }
        let unseen = before.ending == Ending::Unknown;
        Ok(match valid.first() {
            None => Way::Clear(others),
            // The mark was set when the name was free.
            Some(index) if unseen && index.is_like_it => Way::Behind,
            Some(_) => Way::Taken,
        })
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

    async fn alone(&mut self, statements: Range<usize>) -> Result<(), StepError> {
        let first = statements.start;
        let request = StepRequest {
            statements: &self.step.statements[statements],
            keep_session: true,
            ..request(self.step, &self.label)
        };
        let (sink, total) = (self.run.sink, self.step.statements.len());
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
        use DatabaseError as E;
        let seen = !matches!(error.error, E::ConnectionLost(_) | E::OutcomeUnknown(_));
        if seen && matches!(error.stage, StepStage::Statement(_) | StepStage::Verify) {
            let ending = Ending::Failed(error.error.to_string());
            let invalid_before = std::mem::take(&mut self.invalid_before);
            let interruption = Interruption {
                ending,
                invalid_before,
            };
            let change = self.progress_from(Some(index), index, Some(interruption));
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
        interruption: Option<Interruption>,
    ) -> RecordChange {
        RecordChange::Progress {
            revision: self.step.revision.clone(),
            from,
            to: self.partial(done, interruption),
        }
    }

    fn partial(&self, done: usize, interruption: Option<Interruption>) -> Partial {
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
            interruption,
        }
    }
}

/// What stands between a CREATE INDEX CONCURRENTLY and its beginning.
enum Way {
    /// Nothing. With the invalid indexes of the table that are none of ours.
    Clear(Vec<String>),
    /// An index of that name: the statement fails at once, or does nothing, so that
    /// no mark is needed.
    Taken,
    /// The index was built by a run that has not seen it.
    Behind,
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
