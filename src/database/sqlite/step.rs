//! Runs steps: statements and their record as one transaction.

use std::time::Instant;

use super::{
    super::{
        DatabaseError, Progress, RecordRows, StatementDone, StepError, StepRequest, StepStage,
    },
    Sqlite,
    connect::Connection,
    foreign_keys::{self, ForeignKeyState, enforce},
    record::{self, Occasion, Record},
    run::Run,
    session,
    version_table::VersionTable,
};
use crate::{
    revision::{LogEntry, RecordChange},
    sql::{Dialect, StatementKind, TransactionControl},
};

/// The work of a step.
pub(super) enum Work<'a> {
    /// All statements run, with progress reports.
    Statements(Progress<'a>),
    /// The only statement runs, and its number of rows determines the record.
    Batch(RecordRows<'a>),
}

impl Sqlite {
    /// See [`super::super::Runner::run_step`] and `run_batch`.
    pub(super) fn run_step_now(
        &mut self,
        step: &StepRequest<'_>,
        work: Work<'_>,
    ) -> Result<(), StepError> {
        if self.run.is_none() {
            self.keep_lock().map_err(at(StepStage::Begin))?;
        }
        let connection = opened(&mut self.connection).map_err(at(StepStage::Begin))?;
        let running = self.control.start();
        let mut attempt = Attempt {
            connection,
            table: &self.table,
            actor: &self.settings.actor,
            occasion: Occasion::begin(step.carried),
            step,
            restores_before_record: self.run.is_some() || !self.can_reopen,
            run: self.run.as_mut(),
            keys_before: &mut self.keys_before_script,
            query_only: false,
            temporary: None,
        };
        let result = attempt.run(work);
        let (query_only, temporary) = (attempt.query_only, attempt.temporary);
        // The rest must run even if a cancel is requested.
        drop(running);
        if result.is_err() {
            match &mut self.run {
                Some(run) => run.broken = true,
                None => connection.rollback(),
            }
        }
        if !step.keep_session {
            self.keys_before_script = None;
            self.leave_session(step, temporary);
        } else if query_only {
            let _ = session::forbid_writing(connection, true);
        }
        result
    }

    /// See [`super::super::Runner::run_alone`].
    pub(super) fn run_alone_now(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        self.keep_lock().map_err(at(StepStage::Begin))?;
        let connection = opened(&mut self.connection).map_err(at(StepStage::Begin))?;
        let running = self.control.start();
        let result = alone(connection, step, progress);
        drop(running);
        if self.run.is_none() {
            connection.rollback();
        }
        if !step.keep_session && self.run.is_none() {
            self.leave_session(step, None);
        }
        result
    }

    /// Reverts the step's changes of the session. This never fails: the step has already succeeded
    /// or failed. `temporary` is whether there are temporary objects, if known.
    fn leave_session(&mut self, step: &StepRequest<'_>, temporary: Option<bool>) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let touched = session::is_touched_by(step)
            || connection.in_transaction() && self.run.is_none()
            || temporary
                .unwrap_or_else(|| session::has_temporary_objects(connection).unwrap_or(true));
        if self.can_reopen {
            self.stale |= touched;
        } else if touched && self.run.is_none() {
            let _ = session::restore(connection);
        }
        if self.run.is_none() {
            self.switch_foreign_keys_back();
        }
    }

    pub(super) fn switch_foreign_keys_back(&mut self) {
        if let Some(connection) = &mut self.connection
            && enforce(connection, false).is_err()
        {
            self.stale = self.can_reopen;
        }
    }
}

/// One attempt at a step.
struct Attempt<'a> {
    connection: &'a mut Connection,
    table: &'a VersionTable,
    actor: &'a str,
    occasion: Occasion,
    step: &'a StepRequest<'a>,
    run: Option<&'a mut Run>,
    /// The violations before the first statement of a script with several steps.
    keys_before: &'a mut Option<ForeignKeyState>,
    /// Whether the session must be reset now, since the file cannot be reopened after the step.
    restores_before_record: bool,
    /// Whether the script has set `query_only`, which had to be lifted.
    query_only: bool,
    /// Whether the script has left temporary objects, once checked.
    temporary: Option<bool>,
}

impl Attempt<'_> {
    fn run(&mut self, work: Work<'_>) -> Result<(), StepError> {
        self.refuse_transaction_control()?;
        let before = self.begin().map_err(at(StepStage::Begin))?;
        let recorded = match work {
            Work::Statements(progress) => {
                for index in 0..self.step.statements.len() {
                    let done = self
                        .statement(index)
                        .map_err(at(StepStage::Statement(index)))?;
                    progress(done);
                }
                None
            }
            Work::Batch(record) => {
                let rows = self.batch().map_err(at(StepStage::Statement(0)))?;
                Some(record(rows))
            }
        };
        if let Some(before) = before {
            self.verify(&before).map_err(at(StepStage::Verify))?;
        }
        let (changes, log) = match &recorded {
            Some(recorded) => (&recorded.changes[..], &recorded.log[..]),
            None => (self.step.changes, self.step.log),
        };
        self.record(changes, log).map_err(at(StepStage::Record))?;
        if self.run.is_none() {
            self.connection.commit().map_err(at(StepStage::Commit))?;
        }
        Ok(())
    }

    /// Planning already refuses transaction control; here it would commit half a step.
    fn refuse_transaction_control(&self) -> Result<(), StepError> {
        let ends = |kind: &StatementKind| {
            use TransactionControl::{Begin, Commit, Rollback, TwoPhase};
            matches!(
                kind,
                StatementKind::Transaction(Begin(_) | Commit | Rollback | TwoPhase)
            )
        };
        let mut statements = self.step.statements.iter();
        match statements.position(|statement| ends(&statement.kind)) {
            None => Ok(()),
            Some(index) => Err(StepError {
                stage: StepStage::Statement(index),
                error: DatabaseError::Other(
                    "the step is one transaction; the statement would begin or end another"
                        .to_owned(),
                ),
            }),
        }
    }

    /// Begins the transaction. Returns the violations to compare the foreign keys with at the end.
    fn begin(&mut self) -> Result<Option<ForeignKeyState>, DatabaseError> {
        match &mut self.run {
            Some(run) => run.enter(self.connection, self.table, self.actor, self.step)?,
            None => {
                self.set_foreign_keys()?;
                let query_only = self.step.keep_session && session::allow_writing(self.connection)?;
                self.connection.begin(self.step.modes)?;
                if query_only {
                    session::forbid_writing(self.connection, true)?;
                }
                self.table.expect(self.connection, self.step.expects)?;
            }
        }
        self.keys_to_compare()
    }

    /// In a session that is kept, the script's own setting applies.
    fn set_foreign_keys(&mut self) -> Result<(), DatabaseError> {
        if self.step.keep_session {
            let found = self.connection.handle.enforces_foreign_keys();
            if found != self.connection.foreign_keys {
                return Ok(());
            }
        }
        enforce(self.connection, self.step.foreign_keys)
    }

    /// A script of several steps may break foreign keys in between; the comparison is made for the
    /// whole script, at its end.
    fn keys_to_compare(&mut self) -> Result<Option<ForeignKeyState>, DatabaseError> {
        let may_break = self.step.statements.iter().any(|statement| {
            Dialect::Sqlite.may_break_foreign_keys(statement.text(self.step.text))
        });
        if !self.step.keep_session {
            let (text, in_run) = (self.step.text, self.run.is_some());
            if !may_break || foreign_keys::are_absent(self.connection, text, in_run)? {
                return Ok(None);
            }
            return ForeignKeyState::read(self.connection).map(Some);
        }
        if may_break && self.keys_before.is_none() {
            *self.keys_before = Some(ForeignKeyState::read(self.connection)?);
        }
        let ends_script = self.step.changes.iter().any(|change| {
            matches!(
                change,
                RecordChange::Insert(_)
                    | RecordChange::Delete(_)
                    | RecordChange::DeleteApplied(_)
                    | RecordChange::Finish { .. }
            )
        });
        Ok(self.keys_before.as_ref().filter(|_| ends_script).cloned())
    }

    fn statement(&mut self, index: usize) -> Result<StatementDone, DatabaseError> {
        let done = execute(self.connection, self.step, index)?;
        if !self.connection.in_transaction() {
            // Further statements would run outside any transaction.
            return other("the statement ended the transaction of its step");
        }
        Ok(done)
    }

    /// Runs the one statement. Returns the number of rows that it changed directly.
    fn batch(&mut self) -> Result<u64, DatabaseError> {
        if self.connection.control.is_cancelled() {
            return Err(DatabaseError::Interrupted);
        }
        let [statement] = self.step.statements else {
            return other("a batch is one statement");
        };
        let text = statement.text(self.step.text);
        let (own, all) = self.connection.execute_counting(text)?;
        if !self.connection.in_transaction() {
            return other("the statement ended the transaction of its step");
        }
        if own == 0 && all > 0 {
            return other(
                "the statement changes rows through triggers alone, which SQLite does not count, \
                 so that its end cannot be told; name the table in place of the view",
            );
        }
        Ok(own)
    }

    fn verify(&mut self, before: &ForeignKeyState) -> Result<(), DatabaseError> {
        let now = ForeignKeyState::read(self.connection)?;
        let worse = now.worse_than(before);
        if !worse.is_empty() {
            return Err(DatabaseError::ForeignKeys(worse));
        }
        let in_doubt = now.in_doubt(self.connection, before, self.step.text)?;
        if !in_doubt.is_empty() && !self.step.unchecked_keys {
            return Err(DatabaseError::KeysInDoubt(in_doubt));
        }
        Ok(())
    }

    fn record(&mut self, changes: &[RecordChange], log: &[LogEntry]) -> Result<(), DatabaseError> {
        if self.connection.control.is_cancelled() {
            return Err(DatabaseError::Interrupted);
        }
        let touched = session::is_touched_by(self.step);
        if self.step.keep_session || touched {
            self.query_only = session::allow_writing(self.connection)?;
        }
        let temporary = (self.step.keep_session || session::may_be_temporary(self.step))
            && session::unhook(self.connection, self.table)?;
        self.temporary = Some(temporary);
        if touched || temporary {
            if self.restores_before_record && !self.step.keep_session {
                session::restore(self.connection)?;
            }
            if self.run.is_some() {
                session::detach_all(self.connection)?;
            }
        }
        let record = Record::of(&self.occasion, changes, log);
        match &mut self.run {
            Some(run) => run.record(self.connection, self.table, self.actor, record),
            None => record::write(self.connection, self.table, self.actor, &[record]),
        }
    }
}

fn alone(
    connection: &mut Connection,
    step: &StepRequest<'_>,
    progress: Progress<'_>,
) -> Result<(), StepError> {
    if step.statements.len() != 1 {
        return other("only one statement can run alone").map_err(at(StepStage::Begin));
    }
    if connection.in_transaction() {
        return other("a transaction is open").map_err(at(StepStage::Begin));
    }
    let at = at(StepStage::Statement(0));
    match execute(connection, step, 0) {
        Ok(_) if connection.in_transaction() => {
            other("the statement has begun a transaction; it is rolled back").map_err(at)
        }
        Ok(done) => {
            progress(done);
            Ok(())
        }
        Err(error) => Err(at(error)),
    }
}

fn execute(
    connection: &mut Connection,
    step: &StepRequest<'_>,
    index: usize,
) -> Result<StatementDone, DatabaseError> {
    if connection.control.is_cancelled() {
        return Err(DatabaseError::Interrupted);
    }
    let begun = Instant::now();
    let rows = connection.execute_script(step.statements[index].text(step.text))?;
    Ok(StatementDone {
        index,
        rows,
        elapsed: begun.elapsed(),
        is_timed: true,
    })
}

/// The connection, which every method opens before calling this.
pub(super) fn opened(
    connection: &mut Option<Connection>,
) -> Result<&mut Connection, DatabaseError> {
    connection
        .as_mut()
        .ok_or_else(|| DatabaseError::ConnectionLost("it is closed".to_owned()))
}

fn at(stage: StepStage) -> impl Fn(DatabaseError) -> StepError {
    move |error| StepError { stage, error }
}

pub(super) fn other<T>(reason: &str) -> Result<T, DatabaseError> {
    Err(DatabaseError::Other(reason.to_owned()))
}
