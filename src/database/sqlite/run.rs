//! One transaction of many steps.
//!
//! Their records are written in groups: SQLite prepares a statement again after a change of the
//! schema, which nearly every script makes.

use super::{
    super::{DatabaseError, StepRequest},
    Sqlite,
    connect::Connection,
    foreign_keys::enforce,
    record::{self, Record},
    step::{opened, other},
    version_table::VersionTable,
};

/// The number of steps whose records are written together.
const MANY: usize = 100;

/// The transaction, and the records that are not written yet.
#[derive(Debug)]
pub(super) struct Run {
    foreign_keys: bool,
    /// Whether a step or its record has failed. Its remains are still in the transaction, which
    /// must not be committed.
    pub broken: bool,
    /// Whether records may be delayed. They may not once anything else could read migrator's
    /// tables.
    may_wait: bool,
    waiting: Vec<Record<'static>>,
    /// The highest sequence, as found by the first delayed record.
    expects: i64,
}

impl Run {
    /// Checks that `step` may join the transaction, and that the state is as it expects.
    pub fn enter(
        &mut self,
        connection: &mut Connection,
        table: &VersionTable,
        actor: &str,
        step: &StepRequest<'_>,
    ) -> Result<(), DatabaseError> {
        if self.broken || !connection.in_transaction() {
            return other("a step of the run has failed before; the run has to be rolled back");
        }
        if self.foreign_keys != step.foreign_keys {
            let state = |on| if on { "on" } else { "off" };
            return Err(DatabaseError::Other(format!(
                "{} wants foreign keys {}, but the transaction of all steps has begun with them {}",
                step.label,
                state(step.foreign_keys),
                state(self.foreign_keys),
            )));
        }
        if self.may_wait && table.may_be_meant(step.text) {
            self.may_wait = false;
            self.write(connection, table, actor)?;
        }
        if self.waiting.is_empty() {
            table.expect(connection, step.expects)?;
            self.expects = step.expects;
        }
        Ok(())
    }

    /// Records a step, now or later.
    pub fn record(
        &mut self,
        connection: &mut Connection,
        table: &VersionTable,
        actor: &str,
        record: Record<'_>,
    ) -> Result<(), DatabaseError> {
        if !self.may_wait {
            return record::write(connection, table, actor, &[record]);
        }
        self.waiting.push(record.into_owned());
        if self.waiting.len() < MANY {
            return Ok(());
        }
        self.write(connection, table, actor)
    }

    /// Writes the delayed records.
    fn write(
        &mut self,
        connection: &mut Connection,
        table: &VersionTable,
        actor: &str,
    ) -> Result<(), DatabaseError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        let written = table
            .expect(connection, self.expects)
            .and_then(|()| record::write(connection, table, actor, &waiting));
        self.broken |= written.is_err();
        written
    }
}

impl Sqlite {
    /// See [`super::super::Runner::begin_run`].
    pub(super) fn begin_run_now(&mut self, foreign_keys: bool) -> Result<(), DatabaseError> {
        if self.run.is_some() {
            return other("a run has already begun");
        }
        self.keep_lock()?;
        let connection = opened(&mut self.connection)?;
        // This dates from before the transaction; others may have changed it since.
        connection.without_keys = None;
        let running = self.control.start();
        let begun = enforce(connection, foreign_keys)
            .and_then(|()| connection.begin(""))
            .and_then(|()| self.table.is_used_by_others(connection));
        drop(running);
        let is_used = match begun {
            Ok(is_used) => is_used,
            Err(error) => {
                connection.rollback();
                self.switch_foreign_keys_back();
                return Err(error);
            }
        };
        self.run = Some(Run {
            foreign_keys,
            broken: false,
            may_wait: !is_used,
            waiting: Vec::new(),
            expects: 0,
        });
        Ok(())
    }

    /// Writes delayed records, so that the tables show what the run has done so far.
    pub(super) fn write_waiting(&mut self) -> Result<(), DatabaseError> {
        match &mut self.run {
            Some(run) if !run.broken => {
                let connection = opened(&mut self.connection)?;
                run.write(connection, &self.table, &self.settings.actor)
            }
            _ => Ok(()),
        }
    }

    /// See [`super::super::Runner::commit_run`] and `rollback_run`.
    pub(super) fn end_run_now(&mut self, commit: bool) -> Result<(), DatabaseError> {
        let connection = opened(&mut self.connection)?;
        let run = self.run.take();
        let result = match run {
            None => other("no run has begun"),
            Some(run) if commit && (run.broken || !connection.in_transaction()) => {
                other("a step of the run has failed; the whole run is rolled back")
            }
            Some(mut run) if commit => {
                let _running = self.control.start();
                let written = run.write(connection, &self.table, &self.settings.actor);
                written.and_then(|()| connection.commit())
            }
            Some(_) => Ok(()),
        };
        connection.rollback();
        self.switch_foreign_keys_back();
        result
    }
}
