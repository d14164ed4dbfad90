//! Copies of whole databases: dumping in one snapshot, loading into a scratch database, replacing a
//! database. `backup` decides where copies are kept and what is recorded of them.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

use super::{CopyError, Database, DatabaseError, Location, stream::Digest};
use crate::{files::Compression, revision::Observed};

/// The contents of a database, from one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The number of rows of every table; on PostgreSQL keyed by `schema.table`.
    pub tables: BTreeMap<String, u64>,
    /// A fingerprint of tables, columns, indexes, views and other objects.
    pub schema: String,
    /// The reason why some content could not be checked, in the words of the database. In SQLite,
    /// an extension or function of the application may be missing.
    pub unchecked: Option<String>,
}

/// A finished copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped {
    /// The contents of the copy.
    pub contents: Contents,
    /// The version table in the same snapshot.
    pub observed: Observed,
    /// The digest of the file.
    pub stored: Digest,
    /// The digest before compression.
    pub plain: Digest,
    /// The mark of [`Target::state`].
    pub mark: Option<String>,
    /// The properties with which a missing database is created.
    pub properties: BTreeMap<String, String>,
    /// The unique identifier of the server; `None` if there is none or the role may not see it.
    pub cluster: Option<String>,
}

/// A stored copy.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    /// The file of the copy.
    pub file: &'a Path,
    /// The compression of the file.
    pub compression: Compression,
    /// The expected digest of the file.
    pub stored: &'a Digest,
    /// See [`Dumped::mark`].
    pub mark: Option<&'a str>,
    /// See [`Dumped::properties`].
    pub properties: &'a BTreeMap<String, String>,
    /// Whether the copy was made on this machine, so that numeric user IDs mean the same.
    pub same_machine: bool,
}

/// A phase of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The database is copied.
    Copying,
    /// The copy is compressed.
    Compressing,
    /// The contents of the copy are counted and hashed.
    Counting,
    /// A backup is loaded into a scratch database.
    Loading,
    /// The loaded contents are checked.
    Checking,
    /// The old database is saved.
    Keeping,
    /// The new database replaces the old one.
    Replacing,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Copying => "copying",
            Self::Compressing => "compressing",
            Self::Counting => "counting rows",
            Self::Loading => "loading",
            Self::Checking => "checking",
            Self::Keeping => "keeping the old database",
            Self::Replacing => "replacing",
        })
    }
}

/// Receives progress: the phase, the amount done and the total, which is 0 if unknown.
pub type Progress = Arc<dyn Fn(Phase, u64, u64) + Send + Sync>;

/// A note for users about running work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Another process holds the lock of the backup directory. Reported once per wait.
    Waiting {
        /// The lock file.
        file: PathBuf,
        /// The longest time to wait.
        limit: Duration,
    },
    /// Code of table owners is about to run with the privileges of another role.
    OwnersCode(OwnersCode),
    /// The database was replaced, but the old one cannot be dropped and is kept.
    NotDropped {
        /// The name of the old database.
        name: String,
        /// The reason.
        reason: String,
    },
}

/// Code in a backup that runs while it is loaded, such as functions in CHECK constraints, and the
/// role that it runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnersCode {
    /// The role that loads the backup.
    pub role: String,
    /// Whether that role is a superuser.
    pub superuser: bool,
    /// The other roles that own objects in the backup; `None` if its manifest does not say.
    pub owners: Option<Vec<String>>,
}

/// Observes long work and can stop it.
#[derive(Clone)]
pub struct Observer {
    /// Receives progress.
    pub progress: Progress,
    /// Receives notes for users.
    pub tell: Arc<dyn Fn(Note) + Send + Sync>,
    /// Whether the work should stop.
    pub stopped: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

impl Observer {
    /// Reports progress.
    ///
    /// # Errors
    /// [`DatabaseError::Interrupted`] when the work should stop.
    pub fn at(&self, phase: Phase, done: u64, total: u64) -> Result<(), DatabaseError> {
        (self.progress)(phase, done, total);
        if (self.stopped)() {
            return Err(DatabaseError::Interrupted);
        }
        Ok(())
    }
}

/// About how much room a copy takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopySize {
    /// The bytes of the file without compression.
    pub file: u64,
    /// The bytes of the database that it is loaded into.
    pub database: u64,
}

/// Copies one database.
#[async_trait]
pub trait Source: Send {
    /// The version of the database software, for display.
    fn server(&self) -> String;

    /// The file name extension of a copy.
    fn extension(&self) -> &'static str;

    /// About how many bytes a copy takes, as a file and then as a database. Reads no rows.
    ///
    /// # Errors
    /// Fails when the database does not answer.
    async fn size(&mut self) -> Result<CopySize, CopyError>;

    /// Prefers time to size: the next copy is removed soon.
    fn hurry(&mut self) {}

    /// Copies everything in one snapshot into `file`, which must exist and be empty.
    ///
    /// # Errors
    /// Fails when the database cannot be copied; the contents of the file are then useless.
    async fn dump(
        &mut self,
        file: &Path,
        compression: Compression,
        watch: &Observer,
    ) -> Result<Dumped, CopyError>;
}

/// The state of a database compared with the copy that is to replace it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// The database does not exist.
    Missing,
    /// The database is empty.
    Empty,
    /// The database is proven to equal the copy.
    Unchanged,
    /// The database differs from the copy, or may differ.
    Changed,
}

/// What happened to the replaced database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing was kept: the database was missing or empty, or was to be discarded.
    Nothing,
    /// The old database was kept in this file.
    File(PathBuf),
    /// The old database was kept under this name on the same server.
    Database(String),
}

/// A database to replace, and a scratch database beside it into which copies are loaded.
#[async_trait(?Send)]
pub trait Target {
    /// Loads a copy into a scratch database. Returns the contents found there.
    ///
    /// # Errors
    /// Fails when the file differs from its digest or cannot be loaded.
    async fn load(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<Contents, CopyError>;

    /// The scratch database with the loaded copy; `None` before [`Self::load`].
    fn loaded(&self) -> Option<Location>;

    /// Gives the loaded copy what a database in use has, and a copy of its content lacks: statistics, and
    /// the settings of the database `like`.
    ///
    /// # Errors
    /// Fails when the databases do not answer.
    async fn settle(&mut self, like: &Location, watch: &Observer) -> Result<(), CopyError> {
        let _ = (like, watch);
        Ok(())
    }

    /// The connection that can hold the lock shared by all runs; `None` if the database does not
    /// exist.
    fn lockable(&mut self) -> Option<&mut dyn Database>;

    /// Compares the database with a copy. [`Self::replace`] detects later writes.
    ///
    /// # Errors
    /// Fails when the database cannot be read.
    async fn state(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<TargetState, CopyError>;

    /// Replaces the database with the loaded copy in one step. If the process dies, either the old
    /// or the new database is in place.
    ///
    /// # Errors
    /// Fails when the database cannot be replaced; the old one is then still in place.
    /// [`DatabaseError::StateChanged`] if the database was written to since [`Self::state`] and
    /// `only_unchanged` is set.
    async fn replace(
        &mut self,
        options: ReplaceOptions,
        watch: &Observer,
    ) -> Result<Kept, CopyError>;

    /// The code that ran as another role while the copy was loaded. The observer was notified
    /// before it ran.
    fn owners_code(&self) -> Option<OwnersCode> {
        None
    }

    /// Removes the scratch database and disconnects.
    ///
    /// # Errors
    /// Fails when the scratch database cannot be removed.
    async fn leave(self: Box<Self>) -> Result<(), CopyError>;
}

/// Options for replacing a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaceOptions {
    /// Whether to replace the database only if it was not written to since [`Target::state`].
    pub only_unchanged: bool,
    /// Whether to keep the old database under another name.
    pub keep_old: bool,
}

/// The purpose of loading a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To verify that the copy can be restored.
    Verify,
    /// To replace the database.
    Restore {
        /// PostgreSQL: whether all objects are owned by the restoring role.
        no_owner: bool,
    },
}
