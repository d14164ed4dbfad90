//! PostgreSQL.
//!
//! A step is one simple-query message, and so one round trip, whatever the latency. There are no
//! prepared statements, which poolers and scripts could interfere with.

pub(super) mod admin;
mod asked;
mod backend;
#[cfg(feature = "cli")]
pub(super) mod backup;
mod batch;
mod cancel;
pub(super) mod client_url;
mod connect;
#[cfg(feature = "cli")]
mod contents;
mod credentials;
#[cfg(feature = "cli")]
mod digests;
mod error;
mod external;
#[cfg(feature = "cli")]
pub(super) mod glance;
mod index;
mod inspect;
mod lock;
mod lookup;
mod mark;
mod message;
mod options;
mod outcome;
mod own_server;
#[cfg(feature = "cli")]
mod owners;
mod parameters;
mod password_file;
mod pooler;
mod product;
mod programs;
mod properties;
mod psql;
mod record;
#[cfg(feature = "cli")]
mod roam;
#[cfg(feature = "cli")]
mod rows;
mod run;
mod scratch;
pub(super) mod scratch_list;
mod script;
mod script_guards;
mod service;
mod session;
mod socket;
mod step;
mod survey;
#[cfg(feature = "cli")]
mod swap;
#[cfg(feature = "cli")]
pub(super) mod target;
mod template;
pub(super) mod throwaway;
mod tls;
#[cfg(feature = "cli")]
mod trace;
mod trust;
pub(super) mod url;
mod version_table;
mod watch;
mod watchdog;

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, Row};

use self::{
    backend::{Backend, ReadOnly},
    cancel::{Canceller, Running},
    lock::Hold,
    message::{Message, rows},
    options::ServerOptions,
    record::{Began, IndexNames, Recorder},
    run::Work,
    session::Timeouts,
    version_table::{Presence, Trouble, VersionTable},
    watch::Watcher,
    watchdog::Watchdog,
};
pub use options::ServerOptions as PostgresOptions;
#[cfg(feature = "cli")]
pub(super) use roam::may_roam;
pub use script::PostgresScript;

use super::{
    Batches, Cancel, Database, DatabaseError, Detail, Indexes, Ledger, Lock, LockAttempt,
    PlaceKind, Progress, RecordRows, Records, Replicas, Replication, Runner, Settings, StepError,
    StepRequest, StepStage, TableIndex, Watch, traits::lock_then_observe,
};
use crate::{
    layout::{ExternalChoice, ExternalRecords},
    revision::{LAYOUT, LogEntry, LogRow, Observed, RecordChange, StoredScripts, Subject},
    sql::ConcurrentIndex,
};

/// A connection to a PostgreSQL server.
pub struct Postgres {
    options: ServerOptions,
    settings: Settings,
    place: String,
    /// The watchdog of the connection, which must not outlive it; `None` if the socket is unknown.
    watchdog: Option<Watchdog>,
    /// The connection; `None` after it broke, until the next use reconnects.
    connection: Option<PgConnection>,
    backend: Backend,
    /// The time and the error of a server that did not answer at all. The next call fails with it
    /// at once.
    silent: Option<(Instant, DatabaseError)>,
    /// Behind a pooler: whether the session was seen to stay with this connection.
    keeps_session: bool,
    running: Arc<Running>,
    table: VersionTable,
    /// The layout of the version table, as read while the lock is held and before any script has run.
    layout: Option<u32>,
    /// The session in which the version table was resolved.
    resolved_in: Backend,
    hold: Hold,
    session: SessionState,
    /// Whether deferrable constraints may exist, in a run of several steps.
    deferrable: bool,
    /// The transaction of [`Runner::begin_run`].
    run: Option<Run>,
    reads: inspect::Reads,
    #[cfg(feature = "cli")]
    tracer: Option<trace::Tracer>,
}

/// The session state between steps that keep it.
#[derive(Default)]
struct SessionState {
    /// Whether migrator's settings were made for the session; a script's own come after them.
    entered: bool,
    /// Whether a statement may have changed the session's user.
    authorized: bool,
}

/// One transaction of many steps.
struct Run {
    /// The number of the transaction.
    transaction: String,
    /// All changes of its steps.
    changes: Vec<RecordChange>,
}

impl Postgres {
    /// Connects to the server.
    ///
    /// # Errors
    /// Fails when the server cannot be reached, denies access, or has no such database.
    pub async fn connect(
        options: &ServerOptions,
        settings: Settings,
    ) -> Result<Self, DatabaseError> {
        let mut opened = Self::open(options, settings).await?;
        let version_table = opened.settings.version_table.clone();
        let (connection, table) = opened.parts().await?;
        *table = lookup::resolve(connection, &version_table).await?;
        Ok(opened)
    }

    /// Connects without looking for the version table. Its names are not valid.
    pub(super) async fn open(
        options: &ServerOptions,
        settings: Settings,
    ) -> Result<Self, DatabaseError> {
        let place = url::place(options);
        let options = connect::prepared(options, &settings);
        let defaults = usual_timeouts(&settings).options();
        let timeout = settings.connect_timeout;
        let (connection, backend, socket) =
            connect::open_for_scripts(&options, &defaults, timeout, &place).await?;
        let running = Arc::new(Running::default());
        running.set_pid(backend.pid);
        Ok(Self {
            watchdog: Watchdog::over(socket, &options, &backend, &running),
            options,
            place,
            connection: Some(connection),
            resolved_in: backend.clone(),
            backend,
            silent: None,
            keeps_session: false,
            running,
            table: VersionTable::new("", &settings.version_table, Presence::Unknown),
            layout: None,
            hold: Hold::default(),
            session: SessionState::default(),
            deferrable: true,
            run: None,
            #[cfg(feature = "cli")]
            tracer: None,
            reads: inspect::Reads::default(),
            settings,
        })
    }
}

#[async_trait]
impl Records for Postgres {
    async fn prepare(&mut self) -> Result<(), DatabaseError> {
        self.ensure().await?;
        if let Some(read_only) = self.backend.read_only {
            let mut reason = read_only.reason().to_owned();
            if read_only == ReadOnly::Standby
                && let Some(primary) = self.primary().await
            {
                let _ = write!(reason, ", which follows {primary}");
            }
            return Err(DatabaseError::ReadOnly {
                kind: PlaceKind::Server,
                place: self.place.clone(),
                reason,
            });
        }
        let layout = match self.layout.filter(|_| self.hold != Hold::Nothing) {
            Some(layout) => Some(layout),
            None => {
                let (connection, table) = self.parts().await?;
                let layout = table.layout(connection).await;
                self.answer(layout).await?
            }
        };
        let commands = match layout {
            Some(LAYOUT) => return self.table.check_writable(),
            Some(_) => {
                self.table.check_writable()?;
                let (connection, table) = self.parts().await?;
                let owned = table.check_owned(connection).await;
                self.answer(owned).await?;
                vec![self.table.upgrade(&self.settings.actor)]
            }
            None => self.table.make(&self.settings.actor),
        };
        let made = self.transaction(&commands, &[]).await;
        if made.is_ok() {
            self.table.note_made();
            return Ok(());
        }
        // Another session may have been faster, or the connection was lost during COMMIT.
        let (connection, table) = self.parts().await?;
        let layout = table.layout(connection).await;
        match (self.answer(layout).await?, made) {
            (Some(LAYOUT), _) => Ok(()),
            (_, Err(DatabaseError::OutcomeUnknown(reason))) => {
                Err(DatabaseError::ConnectionLost(reason))
            }
            (_, made) => made,
        }
    }

    async fn observe(&mut self, detail: Detail) -> Result<Observed, DatabaseError> {
        let (connection, table) = self.parts().await?;
        let observed = table.observe(connection, detail).await;
        let observed = self.answer(observed).await?;
        self.layout = observed.layout.filter(|_| self.hold != Hold::Nothing);
        Ok(observed)
    }

    async fn scripts(&mut self, subjects: &[Subject]) -> Result<Vec<StoredScripts>, DatabaseError> {
        let (connection, table) = self.parts().await?;
        let scripts = table.scripts(connection, subjects).await;
        self.answer(scripts).await
    }

    async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError> {
        let (connection, table) = self.parts().await?;
        let log = table.log(connection).await;
        self.answer(log).await
    }

    async fn external_records(
        &mut self,
        wanted: &ExternalChoice,
    ) -> Result<ExternalRecords, DatabaseError> {
        let (connection, _) = self.parts().await?;
        let records = external::read(connection, wanted).await;
        self.answer(records).await
    }
}

#[async_trait]
impl Ledger for Postgres {
    async fn record_after(
        &mut self,
        carried: Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        self.ensure().await?;
        let recorder = Recorder {
            table: &self.table,
            actor: &self.settings.actor,
            began: match self.run {
                Some(_) => Began::Message,
                None => Began::Transaction,
            },
            carried,
            indexes: IndexNames::Known,
        };
        let mut commands = recorder.commands(changes, log);
        if !changes.is_empty() {
            commands.insert(0, record::lock_guard(&self.table, self.backend.pid));
        }
        self.transaction(&commands, changes).await?;
        if let Some(run) = &mut self.run {
            run.changes.extend_from_slice(changes);
        }
        Ok(())
    }
}

#[async_trait]
impl Lock for Postgres {
    async fn try_lock(&mut self) -> Result<LockAttempt, DatabaseError> {
        self.find_lock().await?;
        let (connection, table) = self.parts().await?;
        let attempt = lock::attempt(connection, table.key).await;
        let attempt = self.answer(attempt.map_err(Trouble::from)).await?;
        self.layout = None;
        self.hold = match attempt {
            LockAttempt::Acquired => Hold::Lock,
            LockAttempt::Held { .. } => Hold::Nothing,
        };
        Ok(attempt)
    }

    async fn unlock(&mut self) -> Result<(), DatabaseError> {
        let held = std::mem::take(&mut self.hold) != Hold::Nothing;
        // Entering the next schema, or the end of the session, releases the lock.
        let is_roaming = self.backend.path.is_some();
        match &mut self.connection {
            Some(connection) if held && !is_roaming => {
                let released = lock::release(connection).await;
                self.answer(released.map_err(Trouble::from)).await
            }
            // The lock ended with its session.
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Runner for Postgres {
    async fn run_step(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        self.step(step, Work::Statements(progress)).await
    }

    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        let begin = |error| StepError {
            stage: StepStage::Begin,
            error,
        };
        self.ensure_as_psql().await.map_err(begin)?;
        self.enter(step).await.map_err(begin)?;
        self.note_user(step);
        self.layout = None;
        let patient = step.lock_timeout.is_none();
        if patient {
            self.swap_lock_timeout(self.settings.lock_timeout, Duration::ZERO)
                .await
                .map_err(begin)?;
        }
        self.hold.doubt();
        self.running.begin();
        let (outcome, blockers) = self.alone(step).await;
        let cancelled = self.running.end().await;
        let ended = match outcome {
            Ok(done) => {
                progress(done);
                Ok(())
            }
            Err(stop) => Err(self.alone_stopped(stop, cancelled, blockers).await),
        };
        if patient && self.connection.is_some() {
            // If this fails, the next command reports it.
            let _ = self
                .swap_lock_timeout(Duration::ZERO, self.settings.lock_timeout)
                .await;
        }
        ended
    }

    async fn reset_session(&mut self) -> Result<(), DatabaseError> {
        self.session = SessionState::default();
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let mut message = Message::default();
        message.extend(StepStage::Begin, session::reset(&self.backend));
        let sent = message.send(connection, |_, _, _| {}).await;
        self.answer(sent.map_err(|failed| failed.error.into()))
            .await
    }

    async fn begin_run(&mut self, _foreign_keys: bool) -> Result<(), DatabaseError> {
        self.ensure_as_psql().await?;
        let (connection, _) = self.parts().await?;
        let deferrable = session::has_deferrable_constraints(connection).await;
        self.deferrable = self.answer(deferrable.map_err(Trouble::from)).await?;
        let guard = record::lock_guard(&self.table, self.backend.pid);
        let mut message = Message::default();
        message.extend(StepStage::Begin, ["BEGIN", &guard]);
        self.send_own(&message, None).await?;
        let (connection, _) = self.parts().await?;
        let transaction = session::transaction(connection).await;
        let transaction = self.answer(transaction.map_err(Trouble::from)).await?;
        self.run = Some(Run {
            transaction,
            changes: Vec::new(),
        });
        Ok(())
    }

    async fn commit_run(&mut self) -> Result<(), DatabaseError> {
        let Some(Run { changes, .. }) = self.run.take() else {
            return Err(DatabaseError::ConnectionLost(
                "it was lost before COMMIT".into(),
            ));
        };
        let mut message = Message::default();
        message.push(StepStage::Commit, "COMMIT");
        self.running.begin();
        let committed = self.send_own(&message, Some(&changes)).await;
        self.running.end().await;
        committed
    }
}

#[async_trait]
impl Batches for Postgres {
    async fn run_batch(
        &mut self,
        step: &StepRequest<'_>,
        record: RecordRows<'_>,
    ) -> Result<(), StepError> {
        self.step(step, Work::Batch(record)).await
    }

    async fn count_rows(&mut self, table: &str) -> Result<u64, DatabaseError> {
        self.count(table).await
    }
}

#[async_trait]
impl Replicas for Postgres {
    async fn replication(&mut self) -> Result<Replication, DatabaseError> {
        self.lag_of_replicas().await
    }
}

#[async_trait]
impl Indexes for Postgres {
    async fn of_table(
        &mut self,
        created: &ConcurrentIndex,
    ) -> Result<Vec<TableIndex>, DatabaseError> {
        let (connection, _) = self.parts().await?;
        let found = index::all(connection, created).await;
        self.answer(found.map_err(Into::into)).await
    }

    async fn unfinished(&mut self) -> Result<Vec<TableIndex>, DatabaseError> {
        let (connection, _) = self.parts().await?;
        let found = index::unfinished(connection).await;
        self.answer(found.map_err(Into::into)).await
    }

    async fn drop_index(&mut self, name: &str) -> Result<(), DatabaseError> {
        let patience = self.settings.lock_timeout;
        self.swap_lock_timeout(patience, Duration::ZERO).await?;
        let mut message = Message::default();
        message.push(
            StepStage::Begin,
            &format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"),
        );
        let dropped = self.send_own(&message, None).await;
        self.swap_lock_timeout(Duration::ZERO, patience).await?;
        dropped
    }
}

#[async_trait]
impl Database for Postgres {
    fn version_table(&self) -> String {
        self.table.quoted.clone()
    }

    #[cfg(feature = "cli")]
    fn rows(&mut self) -> &mut dyn super::Rows {
        self
    }

    fn indexes(&mut self) -> Option<&mut dyn Indexes> {
        Some(self)
    }

    fn replicas(&mut self) -> Option<&mut dyn Replicas> {
        Some(self)
    }

    #[cfg(feature = "cli")]
    fn tracing(&mut self) -> Option<&mut dyn super::Tracing> {
        Some(self)
    }

    #[cfg(feature = "cli")]
    fn roaming(&mut self) -> Option<&mut dyn super::Roaming> {
        Some(self)
    }

    async fn lock_and_observe(
        &mut self,
        detail: Detail,
    ) -> Result<(LockAttempt, Option<Observed>), DatabaseError> {
        self.find_lock().await?;
        let (connection, table) = self.parts().await?;
        let found = table.lock_and_observe(connection, detail).await;
        if let Some(observed) = self.answer(found).await? {
            self.hold = Hold::Lock;
            self.layout = observed.layout;
            return Ok((LockAttempt::Acquired, Some(observed)));
        }
        lock_then_observe(self, detail).await
    }

    async fn rollback_run(&mut self) -> Result<(), DatabaseError> {
        self.run = None;
        self.clean_up(false).await;
        Ok(())
    }

    fn canceller(&self) -> Arc<dyn Cancel> {
        Arc::new(Canceller {
            options: connect::named(&self.options, "migrator (cancel)"),
            timeout: self.settings.connect_timeout,
            running: Arc::clone(&self.running),
        })
    }

    fn watcher(&self) -> Arc<dyn Watch> {
        Arc::new(Watcher::new(
            connect::named(&self.options, "migrator (what takes so long?)"),
            Arc::clone(&self.running),
        ))
    }

    async fn close(mut self: Box<Self>) -> Result<(), DatabaseError> {
        self.watchdog = None;
        if let Some(connection) = self.connection.take() {
            // A server that does not respond ends the session by itself.
            let _ = tokio::time::timeout(self.settings.connect_timeout, connection.close()).await;
        }
        Ok(())
    }
}

impl Postgres {
    /// Reconnects after the connection was lost.
    async fn ensure(&mut self) -> Result<(), DatabaseError> {
        if self.connection.is_none() {
            let timeout = self.settings.connect_timeout;
            if let Some((since, error)) = &self.silent
                && since.elapsed() < timeout
            {
                return Err(error.clone());
            }
            let defaults = self.usual_timeouts().options();
            let begin = Instant::now();
            let opened =
                connect::open_for_scripts(&self.options, &defaults, timeout, &self.place).await;
            let waited_in_vain = begin.elapsed() >= timeout;
            self.silent = match &opened {
                Err(error) if waited_in_vain => Some((Instant::now(), error.clone())),
                _ => None,
            };
            let (mut connection, mut backend, socket) = opened?;
            self.running.set_pid(backend.pid);
            self.watchdog = Watchdog::over(socket, &self.options, &backend, &self.running);
            backend.path = self.backend.path.take();
            if let Some(path) = &backend.path {
                let set = message::unpinned_rows(&mut connection, &path.session).await;
                set.map_err(|error| DatabaseError::ConnectionLost(error::reason(&error)))?;
            }
            self.backend = backend;
            self.keeps_session = false;
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// The address of the server that a standby follows, if the role may see it.
    async fn primary(&mut self) -> Option<String> {
        let sql = "SELECT r.sender_host::text, r.sender_port::text FROM pg_stat_wal_receiver AS r";
        let found = rows(self.connection.as_mut()?, sql).await.ok()?;
        let row = found.first()?;
        let host: Option<String> = row.try_get(0).ok()?;
        let port: Option<String> = row.try_get(1).ok()?;
        Some(format!("{}:{}", host?, port?))
    }

    /// [`Self::ensure`] for scripts, whose session is to be like that of psql.
    async fn ensure_as_psql(&mut self) -> Result<(), DatabaseError> {
        self.ensure().await?;
        let Some(connection) = self.connection.as_mut().filter(|_| self.run.is_none()) else {
            return Ok(());
        };
        let set = psql::follow(connection, &mut self.backend, &self.options).await;
        self.answer(set.map_err(Trouble::from)).await
    }

    /// Resolves the version table again after a reconnect: the lock is not held, and another
    /// database may have replaced the previous one.
    /// Makes sure that there is one lock, which this session can hold.
    async fn find_lock(&mut self) -> Result<(), DatabaseError> {
        self.refuse_shared_sessions().await?;
        self.find_table_again().await?;
        self.table.ambiguity().cloned().map_or(Ok(()), Err)
    }

    async fn find_table_again(&mut self) -> Result<(), DatabaseError> {
        self.ensure().await?;
        if self.resolved_in.is(&self.backend) || self.run.is_some() {
            return Ok(());
        }
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        match lookup::resolve(connection, &self.settings.version_table).await {
            Ok(table) => self.table = table,
            Err(DatabaseError::ConnectionLost(reason)) => return Err(self.lost(reason).await),
            Err(error) => return Err(error),
        }
        self.resolved_in = self.backend.clone();
        Ok(())
    }

    async fn parts(&mut self) -> Result<(&mut PgConnection, &mut VersionTable), DatabaseError> {
        self.ensure().await?;
        let connection = self.connection.as_mut().expect("it was just ensured");
        Ok((connection, &mut self.table))
    }

    async fn answer<T>(&mut self, answer: Result<T, Trouble>) -> Result<T, DatabaseError> {
        match answer {
            Ok(value) => Ok(value),
            Err(trouble) => Err(self.trouble(trouble).await),
        }
    }

    fn usual_timeouts(&self) -> Timeouts {
        usual_timeouts(&self.settings)
    }

    fn timeouts(&self, step: &StepRequest<'_>) -> Timeouts {
        Timeouts {
            lock: step.lock_timeout.unwrap_or(self.settings.lock_timeout),
            statement: step
                .statement_timeout
                .unwrap_or(self.settings.statement_timeout),
        }
    }
}

/// The timeouts of the configuration, which hold unless a script overrides them.
fn usual_timeouts(settings: &Settings) -> Timeouts {
    Timeouts {
        lock: settings.lock_timeout,
        statement: settings.statement_timeout,
    }
}
