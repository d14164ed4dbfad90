//! An in-memory database for tests of `execute`. It keeps the promises of the trait and can fail at
//! every single call.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use chrono::DateTime;

use super::{
    Batches, Cancel, Database, DatabaseError, Detail, Inspect, Ledger, Lock, LockAttempt, Progress,
    RecordRows, Records, Replicas, Replication, Runner, SqlFailure, StatementDone, StepError,
    StepRequest, StepStage, Survey,
};
use crate::{
    layout::{ExternalChoice, ExternalError, ExternalRecords, Surroundings},
    revision::{
        AppliedRepeatable, AppliedRevision, LAYOUT, LogEntry, LogRow, NewRow, Observed, Partial,
        RecordChange, RevisionId, State, StoredScripts, Subject, UnitProgress,
    },
    schema::{Schema, Scope},
    sql::Dialect,
};

/// A fault, and when it occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The n-th call (from 0) fails and has no effect.
    Fail(usize, DatabaseError),
    /// The n-th call takes effect, but reports that the connection was lost.
    LoseAnswer(usize),
    /// A statement with this text fails the given number of times.
    Statement(&'static str, DatabaseError, u32),
}

/// The committed state, which outlives a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Statements that took effect, in order, except those that only set the session.
    pub schema: Vec<String>,
    /// The rows of revisions in the version table.
    pub rows: Vec<AppliedRevision>,
    /// The rows of repeatable scripts in the version table.
    pub repeatables: Vec<AppliedRepeatable>,
    /// The up scripts of both.
    pub ups: Vec<(Subject, Arc<str>)>,
    /// The log entries, each with whether it has an error.
    pub log: Vec<(LogEntry, bool)>,
    /// Whether the tables exist.
    pub prepared: bool,
    /// The number of rows that a repeated statement has still to change.
    pub left: u64,
    /// The number of rows that it has changed.
    pub changed: u64,
}

/// The store and the names of the calls of a fake owned elsewhere, as of its last unlock.
pub type Outlet = Arc<Mutex<(Stored, Vec<&'static str>)>>;

/// The maximum number of rows that a batch changes.
pub const BATCH: u64 = 10;

/// The fake. Its store outlives the connection, as a database does.
#[derive(Debug, Default)]
pub struct Fake {
    /// The committed state.
    pub stored: Stored,
    /// The faults to cause.
    pub faults: Vec<Fault>,
    /// The names of the calls so far.
    pub calls: Vec<&'static str>,
    /// The records of another tool, one entry per read.
    pub external: VecDeque<ExternalRecords>,
    /// The survey around the version table.
    pub surroundings: Surroundings,
    /// The number of attempts for which another session holds the lock.
    held_for: u32,
    /// Whether the lock is held.
    pub locked: bool,
    /// The row count reported for its table.
    pub table_rows: u64,
    /// The contents of the database, as the facts of [`Inspect::inspect`].
    pub contents: Option<Schema>,
    /// The states of replication, one per query; then there are no replicas.
    pub replicas: Vec<Replication>,
    /// The place for store and calls after the connection is dropped.
    pub left_at: Outlet,
    run: Option<Stored>,
    cancelled: Arc<AtomicBool>,
}

impl Fake {
    /// A connection to the store of an earlier one.
    pub fn reopen(stored: Stored) -> Self {
        Self {
            stored,
            ..Self::default()
        }
    }

    /// A database whose lock is held by another session for that many attempts.
    pub fn held_for(attempts: u32) -> Self {
        Self {
            held_for: attempts,
            ..Self::default()
        }
    }

    /// Counts the call. A lost answer is lost after the effect.
    fn call(&mut self, name: &'static str) -> Result<bool, DatabaseError> {
        let index = self.calls.len();
        self.calls.push(name);
        for fault in &self.faults {
            match fault {
                Fault::Fail(at, error) if *at == index => return Err(error.clone()),
                Fault::LoseAnswer(at) if *at == index => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    fn statement(&mut self, text: &str) -> Result<(), DatabaseError> {
        for fault in &mut self.faults {
            if let Fault::Statement(wanted, error, times) = fault
                && *wanted == text
                && *times > 0
            {
                *times -= 1;
                return Err(error.clone());
            }
        }
        Ok(())
    }

    fn target(&mut self) -> &mut Stored {
        self.run.as_mut().unwrap_or(&mut self.stored)
    }

    fn apply(&mut self, changes: &[RecordChange], log: &[LogEntry]) -> Result<(), DatabaseError> {
        let target = self.target();
        let writes = !changes.is_empty() || !log.is_empty();
        if writes && !target.prepared {
            return Err(DatabaseError::Other("there is no version table".to_owned()));
        }
        let mut next = target.clone();
        for change in changes {
            next.change(change)?;
        }
        // Times differ between runs.
        let timeless = |entry: &LogEntry| LogEntry {
            elapsed: std::time::Duration::ZERO,
            ..entry.clone()
        };
        next.log.extend(
            log.iter()
                .map(|entry| (timeless(entry), entry.error.is_none())),
        );
        *target = next;
        Ok(())
    }

    fn answer(lost: bool) -> Result<(), DatabaseError> {
        if lost {
            Err(DatabaseError::ConnectionLost("the fake hung up".to_owned()))
        } else {
            Ok(())
        }
    }

    fn execute(&mut self, step: &StepRequest<'_>, progress: Progress<'_>) -> Result<(), StepError> {
        for (index, statement) in step.statements.iter().enumerate() {
            let text = statement.text(step.text);
            let failed = |error| StepError {
                stage: StepStage::Statement(index),
                error,
            };
            if self.cancelled.swap(false, Ordering::SeqCst) {
                return Err(failed(DatabaseError::Interrupted));
            }
            self.statement(text).map_err(failed)?;
            if !leaves_nothing(text) {
                self.target().schema.push(text.to_owned());
            }
            progress(StatementDone {
                index,
                rows: 1,
                elapsed: std::time::Duration::ZERO,
                is_timed: true,
            });
        }
        Ok(())
    }
}

impl Stored {
    /// The state as read from the version table.
    pub fn observed(&self) -> Observed {
        Observed {
            applied: self.rows.clone(),
            repeatables: self.repeatables.clone(),
            layout: self.prepared.then_some(LAYOUT),
        }
    }

    fn row(&mut self, subject: &Subject) -> Result<&mut AppliedRevision, DatabaseError> {
        let missing = || DatabaseError::StateChanged {
            reason: format!("no row {subject}"),
        };
        self.rows
            .iter_mut()
            .find(|row| *subject == row.revision)
            .ok_or_else(missing)
    }

    fn insert(&mut self, new: &NewRow, state: State) -> Result<(), DatabaseError> {
        let mut revisions = self.rows.iter();
        let mut repeatables = self.repeatables.iter();
        if revisions.any(|r| new.subject == r.revision || r.sequence == new.sequence)
            || repeatables.any(|r| new.subject == r.id || r.sequence == new.sequence)
        {
            return Err(DatabaseError::StateChanged {
                reason: "the row exists".to_owned(),
            });
        }
        self.keep_up(&new.subject, new.up_script.as_ref());
        match &new.subject {
            Subject::Revision(id) => self.rows.push(row(new, id.clone(), state)),
            Subject::Repeatable(id) => self.repeatables.push(AppliedRepeatable {
                sequence: new.sequence,
                id: id.clone(),
                message: new.message.clone(),
                upon: new.parents.clone(),
                checksum: new.up_checksum.clone(),
                started_at: DateTime::UNIX_EPOCH,
                applied_at: DateTime::UNIX_EPOCH,
                duration_ms: 0,
                applied_by: "tester@fake".to_owned(),
                tool_version: "0".to_owned(),
            }),
        }
        Ok(())
    }

    fn keep_up(&mut self, subject: &Subject, up: Option<&Arc<str>>) {
        self.ups.retain(|(known, _)| known != subject);
        self.ups
            .extend(up.map(|up| (subject.clone(), Arc::clone(up))));
    }

    fn change(&mut self, change: &RecordChange) -> Result<(), DatabaseError> {
        if let RecordChange::Delete(subject) = change {
            self.keep_up(subject, None);
        }
        match change {
            RecordChange::Insert(new) | RecordChange::Adopt(new, _) => {
                self.insert(new, State::Applied)
            }
            RecordChange::Begin(new, partial) => self.insert(new, partial.clone().into()),
            RecordChange::Delete(Subject::Repeatable(id))
            | RecordChange::DeleteApplied(Subject::Repeatable(id)) => {
                let before = self.repeatables.len();
                self.repeatables.retain(|row| row.id != *id);
                if self.repeatables.len() == before {
                    return Err(DatabaseError::StateChanged {
                        reason: format!("no row {id}"),
                    });
                }
                Ok(())
            }
            RecordChange::DeleteApplied(subject) => {
                expect(&self.row(subject)?.state, None)?;
                self.rows.retain(|row| *subject != row.revision);
                Ok(())
            }
            RecordChange::Delete(subject) => {
                self.row(subject)?;
                self.rows.retain(|row| *subject != row.revision);
                Ok(())
            }
            RecordChange::Enter { subject, from, to } => {
                let row = self.row(subject)?;
                expect(&row.state, *from)?;
                row.state = to.clone().into();
                Ok(())
            }
            RecordChange::Progress { subject, from, to } => {
                let row = self.row(subject)?;
                expect(&row.state, Some(*from))?;
                let State::Partial(partial) = &mut row.state else {
                    unreachable!("it was just expected");
                };
                let UnitProgress {
                    statements_done,
                    statements_digest,
                    interruption,
                    batch,
                } = to.clone();
                **partial = Partial {
                    statements_done,
                    statements_digest,
                    interruption,
                    batch,
                    ..partial.as_ref().clone()
                };
                Ok(())
            }
            RecordChange::Batch {
                subject,
                done,
                from,
                to,
            } => {
                let row = self.row(subject)?;
                expect(&row.state, Some(*done))?;
                let State::Partial(partial) = &mut row.state else {
                    unreachable!("it was just expected");
                };
                if partial.batch.as_deref() != from.as_ref() {
                    return Err(DatabaseError::StateChanged {
                        reason: format!("{:?}, not {from:?}", partial.batch),
                    });
                }
                partial.batch = Some(Box::new(to.clone()));
                partial.interruption = None;
                Ok(())
            }
            RecordChange::Accept {
                subject,
                up_checksum,
                down_checksum,
                down_script,
                up_script,
            } => {
                self.keep_up(subject, up_script.as_ref());
                let row = self.row(subject)?;
                row.up_checksum = up_checksum.clone();
                row.down_checksum = down_checksum.clone();
                row.down_script = down_script.clone();
                Ok(())
            }
            RecordChange::Finish { subject, from, .. } => {
                let row = self.row(subject)?;
                expect(&row.state, Some(*from))?;
                row.state = State::Applied;
                Ok(())
            }
        }
    }
}

fn expect(state: &State, from: Option<usize>) -> Result<(), DatabaseError> {
    let found = match state {
        State::Applied => None,
        State::Partial(partial) => Some(partial.statements_done),
    };
    if found == from {
        Ok(())
    } else {
        Err(DatabaseError::StateChanged {
            reason: format!("{found:?} done, not {from:?}"),
        })
    }
}

/// The row for `new`; the fake's clock does not move.
fn row(new: &NewRow, revision: RevisionId, state: State) -> AppliedRevision {
    AppliedRevision {
        sequence: new.sequence,
        revision,
        message: new.message.clone(),
        parents: new.parents.clone(),
        depends_on: new.depends_on.clone(),
        up_checksum: new.up_checksum.clone(),
        down_checksum: new.down_checksum.clone(),
        down_script: new.down_script.clone(),
        state,
        started_at: DateTime::UNIX_EPOCH,
        applied_at: Some(DateTime::UNIX_EPOCH),
        duration_ms: 0,
        applied_by: "tester@fake".to_owned(),
        tool_version: "0".to_owned(),
    }
}

/// Whether a statement has no visible effect, or one that ends with its session.
pub fn leaves_nothing(statement: &str) -> bool {
    statement.starts_with("SET ") || statement == "VACUUM"
}

/// A failure as reported by a server.
pub fn sql_error(message: &str) -> DatabaseError {
    DatabaseError::Sql(SqlFailure {
        message: message.to_owned(),
        ..SqlFailure::default()
    })
}

struct Canceller(Arc<AtomicBool>);

#[async_trait]
impl Cancel for Canceller {
    async fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Survey for Fake {
    async fn surroundings(&mut self) -> Result<Surroundings, DatabaseError> {
        let lost = self.call("surroundings")?;
        Self::answer(lost)?;
        Ok(self.surroundings.clone())
    }

    fn shown_table(&self) -> String {
        "migrator_version".to_owned()
    }
}

#[async_trait]
impl Records for Fake {
    async fn prepare(&mut self) -> Result<(), DatabaseError> {
        let lost = self.call("prepare")?;
        self.stored.prepared = true;
        Self::answer(lost)
    }

    async fn observe(&mut self, _: Detail) -> Result<Observed, DatabaseError> {
        let lost = self.call("observe")?;
        Self::answer(lost)?;
        Ok(self.stored.observed())
    }

    async fn scripts(&mut self, subjects: &[Subject]) -> Result<Vec<StoredScripts>, DatabaseError> {
        let lost = self.call("scripts")?;
        Self::answer(lost)?;
        let stored = |subject: &Subject| {
            let mut ups = self.stored.ups.iter();
            let mut rows = self.stored.rows.iter();
            let row = rows.find(|row| *subject == row.revision)?;
            Some(StoredScripts {
                subject: subject.clone(),
                up: ups
                    .find(|(known, _)| known == subject)
                    .map(|(_, up)| Arc::clone(up)),
                down: row.down_script.as_deref().map(Into::into),
            })
        };
        Ok(subjects.iter().filter_map(stored).collect())
    }

    async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError> {
        self.call("log")?;
        Ok(Vec::new())
    }

    async fn external_records(
        &mut self,
        wanted: &ExternalChoice,
    ) -> Result<ExternalRecords, DatabaseError> {
        self.call("external_records")?;
        let records = self.external.pop_front();
        records.ok_or(ExternalError::None(wanted.clone()).into())
    }
}

#[async_trait]
impl Ledger for Fake {
    async fn record_after(
        &mut self,
        _: std::time::Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        let lost = self.call("record")?;
        self.apply(changes, log)?;
        Self::answer(lost)
    }
}

#[async_trait]
impl Lock for Fake {
    async fn try_lock(&mut self) -> Result<LockAttempt, DatabaseError> {
        let lost = self.call("try_lock")?;
        if self.held_for > 0 {
            self.held_for -= 1;
            return Ok(LockAttempt::Held {
                holder: Some("someone else".to_owned()),
            });
        }
        self.locked = true;
        Self::answer(lost)?;
        Ok(LockAttempt::Acquired)
    }

    async fn unlock(&mut self) -> Result<(), DatabaseError> {
        let called = self.call("unlock");
        *self.left_at.lock().unwrap_or_else(PoisonError::into_inner) =
            (self.stored.clone(), self.calls.clone());
        let lost = called?;
        self.locked = false;
        Self::answer(lost)
    }
}

#[async_trait]
impl Runner for Fake {
    async fn run_step(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        let at = |stage| move |error| StepError { stage, error };
        let lost = self.call("run_step").map_err(at(StepStage::Begin))?;
        let before = self.target().clone();
        let last = before.observed().last_sequence();
        if last != step.expects {
            let reason = format!("sequence {last}, not {}", step.expects);
            return Err(at(StepStage::Begin)(DatabaseError::StateChanged { reason }));
        }
        let result = match self.execute(step, progress) {
            Ok(()) => self
                .apply(step.changes, step.log)
                .map_err(at(StepStage::Record)),
            Err(error) => Err(error),
        };
        if result.is_err() {
            *self.target() = before;
        }
        result?;
        Self::answer(lost).map_err(at(StepStage::Commit))
    }

    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        let at = |error| StepError {
            stage: StepStage::Statement(0),
            error,
        };
        let lost = self.call("run_alone").map_err(at)?;
        self.execute(step, progress)?;
        Self::answer(lost).map_err(at)
    }

    async fn reset_session(&mut self) -> Result<(), DatabaseError> {
        let lost = self.call("reset_session")?;
        Self::answer(lost)
    }

    async fn begin_run(&mut self, _: bool) -> Result<(), DatabaseError> {
        let lost = self.call("begin_run")?;
        self.run = Some(self.stored.clone());
        Self::answer(lost)
    }

    async fn commit_run(&mut self) -> Result<(), DatabaseError> {
        let lost = self.call("commit_run")?;
        if let Some(run) = self.run.take() {
            self.stored = run;
        }
        Self::answer(lost)
    }
}

#[async_trait]
impl Batches for Fake {
    async fn run_batch(
        &mut self,
        step: &StepRequest<'_>,
        record: RecordRows<'_>,
    ) -> Result<(), StepError> {
        let at = |stage| move |error| StepError { stage, error };
        let lost = self.call("run_batch").map_err(at(StepStage::Begin))?;
        let text = step.statements[0].text(step.text);
        if self.cancelled.swap(false, Ordering::SeqCst) {
            return Err(at(StepStage::Statement(0))(DatabaseError::Interrupted));
        }
        self.statement(text).map_err(at(StepStage::Statement(0)))?;
        let rows = self.stored.left.min(BATCH);
        let record = record(rows);
        self.apply(&record.changes, &record.log)
            .map_err(at(StepStage::Record))?;
        self.stored.left -= rows;
        self.stored.changed += rows;
        Self::answer(lost).map_err(at(StepStage::Commit))
    }

    async fn count_rows(&mut self, _: &str) -> Result<u64, DatabaseError> {
        let lost = self.call("count_rows")?;
        Self::answer(lost)?;
        Ok(self.table_rows)
    }
}

#[async_trait]
impl Replicas for Fake {
    async fn replication(&mut self) -> Result<Replication, DatabaseError> {
        let lost = self.call("replication")?;
        Self::answer(lost)?;
        if self.replicas.is_empty() {
            return Ok(Replication::default());
        }
        Ok(self.replicas.remove(0))
    }
}

#[async_trait]
impl Database for Fake {
    fn version_table(&self) -> String {
        "migrator_version".to_owned()
    }

    #[cfg(feature = "cli")]
    fn rows(&mut self) -> &mut dyn super::Rows {
        self
    }

    fn replicas(&mut self) -> Option<&mut dyn Replicas> {
        Some(self)
    }

    async fn rollback_run(&mut self) -> Result<(), DatabaseError> {
        self.run = None;
        let lost = self.call("rollback_run")?;
        Self::answer(lost)
    }

    fn canceller(&self) -> Arc<dyn Cancel> {
        Arc::new(Canceller(Arc::clone(&self.cancelled)))
    }

    async fn close(mut self: Box<Self>) -> Result<(), DatabaseError> {
        self.call("close").map(drop)
    }
}

#[cfg(feature = "cli")]
#[async_trait]
impl super::Digests for Fake {
    async fn digests(
        &mut self,
        tables: &[crate::schema::StoredTable],
    ) -> Result<Vec<super::TableDigests>, DatabaseError> {
        self.call("digests")?;
        Ok(tables.iter().map(|_| Ok(Vec::new())).collect())
    }

    async fn sums(
        &mut self,
        tables: &[crate::schema::StoredTable],
    ) -> Result<Vec<Result<crate::schema::TableSums, DatabaseError>>, DatabaseError> {
        self.call("sums")?;
        Ok(tables
            .iter()
            .map(|_| Ok(crate::schema::TableSums::default()))
            .collect())
    }
}

#[async_trait]
impl Inspect for Fake {
    async fn inspect(&mut self, scope: &Scope) -> Result<Schema, DatabaseError> {
        self.call("inspect")?;
        let mut found = self
            .contents
            .clone()
            .unwrap_or_else(|| Schema::new(Dialect::Sqlite, Vec::new()));
        found.objects.retain(|object| scope.holds(&object.id));
        Ok(found)
    }
}

#[cfg(feature = "cli")]
#[async_trait]
impl super::Rows for Fake {
    async fn try_each(
        &mut self,
        statements: &[String],
    ) -> Result<Vec<Result<u64, DatabaseError>>, DatabaseError> {
        let lost = self.call("try_each")?;
        let mut outcomes = Vec::with_capacity(statements.len());
        for statement in statements {
            let outcome = self.statement(statement);
            if outcome.is_ok() {
                self.stored.schema.push(statement.clone());
            }
            outcomes.push(outcome.map(|()| 1));
        }
        Self::answer(lost)?;
        Ok(outcomes)
    }

    async fn clear(&mut self, _tables: &[crate::schema::Name]) -> Result<bool, DatabaseError> {
        Ok(false)
    }

    async fn texts(&mut self, _: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        let lost = self.call("texts")?;
        Self::answer(lost)?;
        Ok(Vec::new())
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        self.texts(sql).await
    }

    async fn ask_named(&mut self, sql: &str) -> Result<super::NamedRows, DatabaseError> {
        let rows = self.texts(sql).await?;
        let columns = Vec::new();
        Ok(super::NamedRows { columns, rows })
    }

    async fn table_sizes(
        &mut self,
    ) -> Result<Vec<(crate::schema::Name, crate::lint::Size)>, DatabaseError> {
        let lost = self.call("table_sizes")?;
        Self::answer(lost)?;
        Ok(Vec::new())
    }

    async fn usage(&mut self) -> Result<super::Usage, DatabaseError> {
        let lost = self.call("usage")?;
        Self::answer(lost)?;
        Ok(super::Usage::default())
    }
}
