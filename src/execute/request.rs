//! Requests for steps and the records of them, shared by runs and scripts.

use std::{ops::Range, sync::Arc, time::Duration};

use super::ended::Failed;
use crate::{
    database::{DatabaseError, StepRequest, StepStage},
    plan::{Execution, Step, Unit},
    revision::{
        BatchProgress, Direction, ForeignKeys, Interruption, LogEntry, LogEvent, Partial,
        RecordChange, StatementsDigest, UnitProgress,
    },
};

/// A step that is one transaction.
pub(super) struct WholeStep<'a> {
    step: &'a Step,
    elapsed: Duration,
    statements: Range<usize>,
    label: String,
    changes: Vec<RecordChange>,
    log: [LogEntry; 1],
}

impl<'a> WholeStep<'a> {
    /// A request for `step`. `elapsed` is the time spent on it so far, earlier attempts included.
    pub fn of(step: &'a Step, elapsed: Duration) -> Result<Self, Failed> {
        let (Execution::Transaction(statements), Some(changes)) = (&step.execution, changes(step))
        else {
            return Err(Failed::at(
                StepStage::Begin,
                DatabaseError::Other("a `transaction = off` script in a transaction".to_owned()),
            ));
        };
        Ok(Self {
            step,
            elapsed,
            statements: statements.clone(),
            label: label(step),
            changes,
            log: [entry(step, None, elapsed)],
        })
    }

    /// The index of the step's first statement within the script.
    pub fn first(&self) -> usize {
        self.statements.start
    }

    /// The statements with their record.
    pub fn request(&self) -> StepRequest<'_> {
        StepRequest {
            statements: &self.step.statements[self.statements.clone()],
            modes: &self.step.modes,
            foreign_keys: self.step.foreign_keys,
            expects: self.step.expects,
            changes: &self.changes,
            log: &self.log,
            carried: self.elapsed,
            ..request(self.step, &self.label)
        }
    }
}

/// The records of a step that is one transaction; `None` for other steps.
pub(super) fn changes(step: &Step) -> Option<Vec<RecordChange>> {
    if !matches!(step.execution, Execution::Transaction(_)) {
        return None;
    }
    let delete = || match &step.resume {
        Some(_) => RecordChange::Delete(step.subject.clone()),
        None => RecordChange::DeleteApplied(step.subject.clone()),
    };
    Some(match &step.row {
        Some(row) if step.replaces => vec![delete(), RecordChange::Insert(Arc::clone(row))],
        Some(row) => vec![RecordChange::Insert(Arc::clone(row))],
        None => vec![delete()],
    })
}

/// A step that runs unit by unit, each with its progress.
pub(super) struct UnitStep<'a> {
    pub step: &'a Step,
    pub units: &'a [Unit],
    /// The digests of the first 0, 1, 2, … statements.
    digests: Vec<StatementsDigest>,
    label: String,
}

impl<'a> UnitStep<'a> {
    pub fn new(step: &'a Step, units: &'a [Unit]) -> Self {
        Self {
            step,
            units,
            digests: StatementsDigest::of_each(units.iter().map(|unit| &unit.checksum)),
            label: label(step),
        }
    }

    /// The number of units that an earlier run has completed.
    pub fn done_before(&self) -> usize {
        self.step.resume.as_ref().map_or(0, |resume| resume.done)
    }

    /// The highest sequence after the script has started: the row of an up script has been written,
    /// and that of a down script is still there.
    pub fn expects(&self) -> i64 {
        match (&self.step.resume, &self.step.row) {
            (None, Some(row)) => row.sequence,
            _ => self.step.expects,
        }
    }

    /// The record written before the first unit.
    pub fn first(&self) -> RecordChange {
        let subject = || self.step.subject.clone();
        match (&self.step.resume, &self.step.row) {
            // The statements that are not done yet may have been fixed since.
            (Some(resume), _) => RecordChange::Enter {
                subject: subject(),
                from: Some(resume.done),
                to: self.partial(self.progress_at(
                    resume.done,
                    resume.interruption.clone(),
                    resume.batch.as_ref(),
                )),
            },
            (None, Some(row)) => {
                let partial = self.partial(self.progress_at(0, None, None));
                RecordChange::Begin(Arc::clone(row), partial)
            }
            (None, None) => RecordChange::Enter {
                subject: subject(),
                from: None,
                to: self.partial(self.progress_at(0, None, None)),
            },
        }
    }

    /// The record of progress. `batch` is the state of the next unit, if that is repeated.
    pub fn progress(
        &self,
        from: usize,
        done: usize,
        interruption: Option<Interruption>,
        batch: Option<&BatchProgress>,
    ) -> RecordChange {
        RecordChange::Progress {
            subject: self.step.subject.clone(),
            from,
            to: self.progress_at(done, interruption, batch.filter(|_| from == done)),
        }
    }

    /// The records written after the last unit. `elapsed` is the time that this run spent on the
    /// script, and `whole` whether that is the total time of the script.
    pub fn last(&self, elapsed: Duration, whole: bool) -> (Vec<RecordChange>, [LogEntry; 1]) {
        let subject = self.step.subject.clone();
        let mut changes = Vec::new();
        // The row was written when the script started, and the script may have been fixed since.
        if let (Some(row), Some(_)) = (&self.step.row, &self.step.resume) {
            changes.push(RecordChange::Accept {
                subject: subject.clone(),
                up_checksum: row.up_checksum.clone(),
                down_checksum: row.down_checksum.clone(),
                down_script: row.down_script.clone(),
                up_script: row.up_script.clone(),
            });
        }
        changes.push(match self.step.direction() {
            Direction::Up => RecordChange::Finish {
                whole,
                subject,
                from: self.units.len(),
            },
            Direction::Down => RecordChange::Delete(subject),
        });
        (changes, [entry(self.step, None, elapsed)])
    }

    /// [`Self::last`] as a step without statements, so that the database verifies the effect of the
    /// whole script.
    pub fn finish<'b>(
        &'b self,
        changes: &'b [RecordChange],
        log: &'b [LogEntry],
        carried: Duration,
    ) -> StepRequest<'b> {
        StepRequest {
            carried,
            foreign_keys: self.step.foreign_keys,
            expects: self.expects(),
            changes,
            log,
            keep_session: true,
            ..request(self.step, &self.label)
        }
    }

    /// A request for a unit. The unit shares a transaction with its progress if that is in
    /// `changes`.
    pub fn shared<'b>(
        &'b self,
        unit: &Unit,
        modes: &'b str,
        changes: &'b [RecordChange],
        carried: Duration,
    ) -> StepRequest<'b> {
        StepRequest {
            carried,
            modes,
            foreign_keys: unit.foreign_keys,
            expects: self.expects(),
            changes,
            ..self.alone(unit.statements.clone())
        }
    }

    /// A request for statements outside any transaction.
    pub fn alone(&self, statements: Range<usize>) -> StepRequest<'_> {
        StepRequest {
            statements: &self.step.statements[statements],
            keep_session: true,
            ..request(self.step, &self.label)
        }
    }

    fn progress_at(
        &self,
        done: usize,
        interruption: Option<Interruption>,
        batch: Option<&BatchProgress>,
    ) -> UnitProgress {
        UnitProgress {
            statements_done: done,
            statements_digest: self.digests[done],
            interruption,
            batch: batch.cloned().map(Box::new),
        }
    }

    fn partial(&self, progress: UnitProgress) -> Partial {
        let UnitProgress {
            statements_done,
            statements_digest,
            interruption,
            batch,
        } = progress;
        Partial {
            direction: self.step.direction(),
            script: self.step.script.alone().to_string(),
            statements_done,
            statements_total: self.units.len(),
            statements_digest,
            interruption,
            batch,
        }
    }
}

/// The log entry of a step.
pub(super) fn entry(step: &Step, error: Option<String>, elapsed: Duration) -> LogEntry {
    LogEntry {
        elapsed,
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

/// An empty request for `step`.
fn request<'a>(step: &'a Step, label: &'a str) -> StepRequest<'a> {
    StepRequest {
        label,
        text: step.text(),
        statements: &[],
        modes: "",
        foreign_keys: false,
        unchecked_keys: step.script.headers.foreign_keys == Some(ForeignKeys::Unchecked),
        lock_timeout: step.lock_timeout(),
        statement_timeout: step.statement_timeout(),
        expects: step.expects,
        changes: &[],
        log: &[],
        carried: Duration::ZERO,
        keep_session: false,
    }
}

/// The label of a step.
fn label(step: &Step) -> String {
    let verb = match step.direction() {
        Direction::Up => "upgrade",
        Direction::Down => "downgrade",
    };
    format!("{verb} {}", step.subject)
}
