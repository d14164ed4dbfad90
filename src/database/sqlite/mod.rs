//! SQLite.

pub(super) mod admin;
#[cfg(feature = "cli")]
pub(super) mod backup;
mod cancel;
mod command;
mod connect;
#[cfg(feature = "cli")]
mod digests;
mod error;
mod external;
mod foreign_keys;
#[cfg(feature = "cli")]
pub(super) mod glance;
mod handle;
mod inode_lock;
mod inspect;
mod lock;
#[cfg(feature = "cli")]
mod permissions;
mod record;
#[cfg(feature = "cli")]
mod roam;
mod row;
#[cfg(feature = "cli")]
mod rows;
mod run;
pub(super) mod scratch;
mod script;
mod script_guards;
mod session;
mod step;
#[cfg(feature = "cli")]
pub(super) mod target;
#[cfg(feature = "cli")]
mod unchanged;
pub(super) mod url;
mod value;
mod version_table;

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::runtime::{Handle as Runtime, RuntimeFlavor};

pub use script::SqliteScript;

use super::{
    Access, Batches, Cancel, Database, DatabaseError, Detail, Ledger, Lock, LockAttempt, PlaceKind,
    Progress, RecordRows, Records, Runner, Settings, StepError, StepRequest, StepStage, Survey,
};
use crate::{
    layout::{ExternalChoice, ExternalError, ExternalRecords, Surroundings},
    revision::{LogEntry, LogRow, Observed, RecordChange, StoredScripts, Subject},
};
use cancel::{Canceller, Control};
use connect::{Connection, Source};
use foreign_keys::ForeignKeyState;
use lock::{Attempt, LockFile};
use record::{Occasion, Record};
use run::Run;
use step::{Work, opened};
use version_table::VersionTable;

/// A connection to a SQLite file.
pub struct Sqlite {
    /// The connection; `None` while the file does not exist. It comes before `lock`, so that it is
    /// dropped first.
    connection: Option<Connection>,
    lock: Option<LockFile>,
    source: Source,
    /// Whether to create a missing file. Once the file has existed, it is never created again.
    access: Access,
    settings: Settings,
    table: VersionTable,
    control: Arc<Control>,
    run: Option<Run>,
    /// Whether a script has changed the session, so that the file must be reopened before its next
    /// use.
    stale: bool,
    /// Whether the file can be reopened. An in-memory database ends with its connection.
    can_reopen: bool,
    keys_before_script: Option<ForeignKeyState>,
    seen: inspect::Seen,
    /// Whether the version table was seen in the layout of this version since the lock was taken, before any
    /// script has run.
    is_prepared: bool,
}

impl Sqlite {
    /// Connects. A missing file is created by [`Records::prepare`], not here.
    ///
    /// # Errors
    /// Fails when the file is missing (with [`Access::Existing`]) or is not a database.
    pub async fn connect(
        file: &Path,
        access: Access,
        settings: Settings,
    ) -> Result<Self, DatabaseError> {
        let source = Source::new(file)?;
        let mut sqlite = Self {
            connection: None,
            lock: None,
            access,
            table: VersionTable::new(&settings.version_table)?,
            control: Control::new(settings.connect_timeout),
            run: None,
            stale: false,
            can_reopen: source != Source::Memory,
            keys_before_script: None,
            seen: inspect::Seen::default(),
            is_prepared: false,
            source,
            settings,
        };
        sqlite.open(Absent::Leave).await?;
        Ok(sqlite)
    }

    /// Opens the file if it is closed, and reopens it if a script has changed the session. Returns
    /// whether the file exists.
    async fn open(&mut self, absent: Absent) -> Result<bool, DatabaseError> {
        if self.stale && self.run.is_none() {
            if let Some(connection) = self.connection.take() {
                connection.close().await?;
            }
            self.stale = false;
        }
        if self.connection.is_some() {
            return Ok(true);
        }
        let exists = self.source.exists(self.access)?;
        if !exists && absent == Absent::Leave {
            return Ok(false);
        }
        let connection = Connection::open(&self.source, !exists, &self.control).await?;
        self.connection = Some(connection);
        self.access = Access::Existing;
        Ok(true)
    }

    /// Like [`Self::open`], but requires that the file exists.
    async fn open_existing(&mut self) -> Result<(), DatabaseError> {
        if self.open(Absent::Leave).await? {
            return Ok(());
        }
        let place = self.source.place();
        Err(DatabaseError::Missing {
            kind: PlaceKind::File,
            place,
        })
    }

    /// Takes the lock again if its file was deleted.
    fn keep_lock(&mut self) -> Result<(), DatabaseError> {
        let (Some(lock), Source::File(file)) = (&self.lock, &self.source) else {
            return Ok(());
        };
        if lock.is_in_place() {
            return Ok(());
        }
        self.lock = None;
        match LockFile::attempt(file, &self.settings)? {
            Attempt::Acquired(lock) => self.lock = Some(lock),
            Attempt::Held(_) => return Err(DatabaseError::LockLost),
        }
        Ok(())
    }
}

/// The handling of a missing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    Leave,
    Make,
}

#[async_trait]
impl Survey for Sqlite {
    async fn surroundings(&mut self) -> Result<Surroundings, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(Surroundings::default());
        }
        blocking(|| external::survey(opened(&mut self.connection)?, &self.table))
    }

    fn shown_table(&self) -> String {
        self.settings.version_table.clone()
    }
}

#[async_trait]
impl Records for Sqlite {
    async fn prepare(&mut self) -> Result<(), DatabaseError> {
        self.open(Absent::Make).await?;
        if std::mem::take(&mut self.is_prepared) && self.lock.is_some() {
            return Ok(());
        }
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            self.table.prepare(connection, &self.settings.actor)
        })
    }

    async fn observe(&mut self, detail: Detail) -> Result<Observed, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(Observed::default());
        }
        blocking(|| {
            self.write_waiting()?;
            self.table.observe(opened(&mut self.connection)?, detail)
        })
    }

    async fn scripts(&mut self, subjects: &[Subject]) -> Result<Vec<StoredScripts>, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(Vec::new());
        }
        blocking(|| {
            self.write_waiting()?;
            (self.table).scripts(opened(&mut self.connection)?, subjects)
        })
    }

    async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(Vec::new());
        }
        blocking(|| {
            self.write_waiting()?;
            self.table.read_log(opened(&mut self.connection)?)
        })
    }

    async fn external_records(
        &mut self,
        wanted: &ExternalChoice,
    ) -> Result<ExternalRecords, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Err(ExternalError::None(wanted.clone()).into());
        }
        blocking(|| external::read(opened(&mut self.connection)?, wanted))
    }
}

#[async_trait]
impl Ledger for Sqlite {
    async fn record_after(
        &mut self,
        carried: Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        self.open_existing().await?;
        blocking(|| {
            let occasion = Occasion::begin(carried);
            let connection = opened(&mut self.connection)?;
            let query_only = session::allow_writing(connection)?;
            let result = connection.in_transaction_of_its_own(|connection| {
                session::unhook(connection, &self.table)?;
                let record = Record::of(&occasion, changes, log);
                record::write(connection, &self.table, &self.settings.actor, &[record])
            });
            if query_only {
                session::forbid_writing(connection, true)?;
            }
            result
        })
    }
}

#[async_trait]
impl Lock for Sqlite {
    async fn try_lock(&mut self) -> Result<LockAttempt, DatabaseError> {
        let Source::File(file) = &self.source else {
            return Ok(LockAttempt::Acquired);
        };
        if self.lock.is_some() {
            return Ok(LockAttempt::Acquired);
        }
        match LockFile::attempt(file, &self.settings)? {
            Attempt::Acquired(lock) => {
                self.lock = Some(lock);
                Ok(LockAttempt::Acquired)
            }
            Attempt::Held(holder) => Ok(LockAttempt::Held { holder }),
        }
    }

    async fn unlock(&mut self) -> Result<(), DatabaseError> {
        self.lock = None;
        self.is_prepared = false;
        Ok(())
    }
}

#[async_trait]
impl Runner for Sqlite {
    async fn run_step(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        self.open_existing().await.map_err(at_begin)?;
        self.is_prepared = false;
        blocking(|| self.run_step_now(step, Work::Statements(progress)))
    }

    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        self.open_existing().await.map_err(at_begin)?;
        self.is_prepared = false;
        blocking(|| self.run_alone_now(step, progress))
    }

    async fn reset_session(&mut self) -> Result<(), DatabaseError> {
        self.keys_before_script = None;
        if self.can_reopen {
            self.stale = true;
            return self.open_existing().await;
        }
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            session::restore(connection)?;
            foreign_keys::enforce(connection, false)
        })
    }

    async fn begin_run(&mut self, foreign_keys: bool) -> Result<(), DatabaseError> {
        self.open_existing().await?;
        blocking(|| self.begin_run_now(foreign_keys))
    }

    async fn commit_run(&mut self) -> Result<(), DatabaseError> {
        blocking(|| self.end_run_now(true))
    }
}

#[async_trait]
impl Batches for Sqlite {
    async fn run_batch(
        &mut self,
        step: &StepRequest<'_>,
        record: RecordRows<'_>,
    ) -> Result<(), StepError> {
        self.open_existing().await.map_err(at_begin)?;
        blocking(|| self.run_step_now(step, Work::Batch(record)))
    }

    async fn count_rows(&mut self, table: &str) -> Result<u64, DatabaseError> {
        self.open_existing().await?;
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            let _running = self.control.start();
            let sql = format!("SELECT count(*) FROM {table}");
            let count = connection.integer(&sql)?.unwrap_or_default();
            Ok(count.unsigned_abs())
        })
    }
}

#[async_trait]
impl Database for Sqlite {
    fn version_table(&self) -> String {
        self.settings.version_table.clone()
    }

    #[cfg(feature = "cli")]
    fn rows(&mut self) -> &mut dyn super::Rows {
        self
    }

    #[cfg(feature = "cli")]
    fn roaming(&mut self) -> Option<&mut dyn super::Roaming> {
        Some(self)
    }

    async fn rollback_run(&mut self) -> Result<(), DatabaseError> {
        blocking(|| self.end_run_now(false))
    }

    fn canceller(&self) -> Arc<dyn Cancel> {
        Arc::new(Canceller(Arc::clone(&self.control)))
    }

    async fn close(mut self: Box<Self>) -> Result<(), DatabaseError> {
        let result = match self.connection.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        };
        self.lock = None;
        result
    }
}

fn at_begin(error: DatabaseError) -> StepError {
    let stage = StepStage::Begin;
    StepError { stage, error }
}

/// Runs blocking SQLite work. In a multi-threaded runtime, other threads take over the tasks of
/// this one.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Runtime::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
