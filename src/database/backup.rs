//! Copies of whole databases: made in one snapshot, put into a scratch database, put in the place
//! of one. Where copies are kept and what is known of them is decided above.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

use super::{CopyError, Database, DatabaseError, stream::Digest};
use crate::{files::Compression, revision::Observed};

/// What a database holds, in one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Rows of every table; on PostgreSQL by `schema.table`.
    pub tables: BTreeMap<String, u64>,
    /// A fingerprint of tables, columns, indexes, views and the like.
    pub schema: String,
    /// Why not all of it could be looked into, in the database's words: SQLite, where something of
    /// the application is missing.
    pub unchecked: Option<String>,
}

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped {
    /// What is in it.
    pub contents: Contents,
    /// The version table, in the same snapshot.
    pub observed: Observed,
    /// The file.
    pub stored: Digest,
    /// Before compression.
    pub plain: Digest,
    /// See [`Target::state`].
    pub mark: Option<String>,
    /// How a missing database is to be made, as the database wants it.
    pub properties: BTreeMap<String, String>,
    /// What tells the server from every other one; `None` where there is none, or it does not say.
    pub cluster: Option<String>,
}

/// A copy that was kept.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    /// The file.
    pub file: &'a Path,
    /// How.
    pub compression: Compression,
    /// What the file must be.
    pub stored: &'a Digest,
    /// See [`Dumped::mark`].
    pub mark: Option<&'a str>,
    /// See [`Dumped::properties`].
    pub properties: &'a BTreeMap<String, String>,
    /// Whether it was made on this machine, so that numbers of users mean the same.
    pub same_machine: bool,
}

/// What is happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The database is copied.
    Copying,
    /// The copy is compressed.
    Compressing,
    /// What is in the copy is counted, and its hash is taken.
    Counting,
    /// A backup is read into a database beside.
    Loading,
    /// What was read is checked.
    Checking,
    /// The database that is to be replaced is kept.
    Keeping,
    /// The new one takes its place.
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

/// Told how far it is: the phase, what is done of it, and of how much; 0 where that is not known.
pub type Progress = Arc<dyn Fn(Phase, u64, u64) + Send + Sync>;

/// Something that people should know while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Another process holds the lock of the directory of backups. Told once a wait.
    Waiting {
        /// The lock file.
        file: PathBuf,
        /// How long it is waited for at most.
        limit: Duration,
    },
    /// What the owners of tables have written is about to run with the rights of another role.
    OwnersCode(OwnersCode),
    /// The database was replaced, but the old one cannot be dropped, and is kept.
    NotDropped {
        /// The name.
        name: String,
        /// The reason.
        reason: String,
    },
}

/// Code that a backup holds and that runs while it is loaded, such as functions in CHECK
/// constraints, and the role that it runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnersCode {
    /// The role that loads the backup.
    pub role: String,
    /// Whether that is a superuser.
    pub superuser: bool,
    /// The other roles that own something in the backup; `None` where its manifest does not say.
    pub owners: Option<Vec<String>>,
}

/// Sees long work from outside.
#[derive(Clone)]
pub struct Observer {
    /// Is told how far it is.
    pub progress: Progress,
    /// Is told what people should know.
    pub tell: Arc<dyn Fn(Note) + Send + Sync>,
    /// Whether it is to end.
    pub stopped: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}

impl Observer {
    /// Says how far it is.
    ///
    /// # Errors
    /// [`DatabaseError::Interrupted`] when it is to end.
    pub fn at(&self, phase: Phase, done: u64, total: u64) -> Result<(), DatabaseError> {
        (self.progress)(phase, done, total);
        if (self.stopped)() {
            return Err(DatabaseError::Interrupted);
        }
        Ok(())
    }
}

/// Makes copies of one database.
#[async_trait]
pub trait Source: Send {
    /// The version of the database's software, for people.
    fn server(&self) -> String;

    /// What the file of a copy ends with.
    fn extension(&self) -> &'static str;

    /// Copies everything, in one snapshot, into `file`, which is there and empty.
    ///
    /// # Errors
    /// What went wrong; there is nothing of use in the file then.
    async fn dump(
        &mut self,
        file: &Path,
        compression: Compression,
        watch: &Observer,
    ) -> Result<Dumped, CopyError>;
}

/// How a database stands to a copy that is to replace it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// There is none.
    Missing,
    /// There is nothing in it.
    Empty,
    /// It is proven to be what the copy is.
    Unchanged,
    /// It is something else, or may be.
    Changed,
}

/// The outcome for the database that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There was nothing worth keeping, or it was not to be kept.
    Nothing,
    /// It is in this file.
    File(PathBuf),
    /// It is a database of that name on the same server.
    Database(String),
}

/// A place beside a database, into which copies are read.
#[async_trait(?Send)]
pub trait Target {
    /// Reads a copy into a database beside. Says what is in there.
    ///
    /// # Errors
    /// When the file is not what was written, or cannot be read into a database.
    async fn load(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<Contents, CopyError>;

    /// What holds the lock that all runs share; `None` where there is no database to hold it in.
    fn lockable(&mut self) -> Option<&mut dyn Database>;

    /// How the database stands to a copy. What it finds holds until [`Self::replace`], which
    /// notices when someone writes meanwhile.
    ///
    /// # Errors
    /// When the database cannot be asked.
    async fn state(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<TargetState, CopyError>;

    /// Puts what was loaded in the place of the database, in one step: whenever the process
    /// dies there is the old one or the new one.
    ///
    /// # Errors
    /// When it cannot be replaced; it is the old one then. [`DatabaseError::StateChanged`] when
    /// someone has written since [`Self::state`] and that matters (`only_unchanged`).
    async fn replace(
        &mut self,
        options: ReplaceOptions,
        watch: &Observer,
    ) -> Result<Kept, CopyError>;

    /// Whose code ran as another role when the copy was loaded. Told to the observer before it ran.
    fn owners_code(&self) -> Option<OwnersCode> {
        None
    }

    /// Removes what is beside, and leaves.
    ///
    /// # Errors
    /// When it cannot be removed.
    async fn leave(self: Box<Self>) -> Result<(), CopyError>;
}

/// How a database is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplaceOptions {
    /// Only if nobody has written since it was looked at.
    pub only_unchanged: bool,
    /// The old one is kept under another name.
    pub keep_old: bool,
}

/// What copies are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To see that they can be.
    Verify,
    /// To replace the database.
    Restore {
        /// PostgreSQL: everything belongs to the role that restores.
        no_owner: bool,
    },
}
