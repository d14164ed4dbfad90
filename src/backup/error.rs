use std::{path::PathBuf, time::Duration};

use super::Difference;
use crate::{
    database::{CopyError, DatabaseError},
    sql::Dialect,
};

/// What goes wrong with backups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The directory of backups can't be made, read or written.
    #[error("{} can't be used as the directory of backups: {reason}", path.display())]
    Directory {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another process holds the lock of the directory of backups.
    #[error("{} is locked by another process; waited {waited:.1?}", file.display())]
    Busy {
        /// The lock file.
        file: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The connection broke while the database was replaced, and nobody can be asked.
    #[error(
        "the connection was lost while {database} was replaced; whether it was is unknown: {reason}"
    )]
    OutcomeUnknown {
        /// The database's name.
        database: String,
        /// What the old one is called if it was replaced.
        kept: Option<String>,
        /// How the connection was lost.
        reason: String,
    },
    /// There is no such file, or nothing beside it says what it is.
    #[error("there is no backup {}: {reason}", file.display())]
    NoBackup {
        /// As it was named.
        file: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// There is none to choose.
    #[error("there is no backup of {database} in {}", directory.display())]
    NoneYet {
        /// Of which database.
        database: String,
        /// Where.
        directory: PathBuf,
    },
    /// The manifest makes no sense, or is of a newer migrator.
    #[error("{} can't be read: {reason}", file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// What is odd.
        reason: String,
    },
    /// The backup is of another kind of database.
    #[error("{} is a backup of {}, and the url leads to {}", file.display(), found, wanted)]
    OtherDialect {
        /// The backup.
        file: PathBuf,
        /// What it is of.
        found: Dialect,
        /// What it was to be of.
        wanted: Dialect,
    },
    /// The file is not what was written, or can't be read into a database.
    #[error("{} is damaged: {reason}", file.display())]
    Damaged {
        /// The backup.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What was read into a database is not what the manifest says.
    #[error("{} was read, but what it holds is not what was copied", file.display())]
    Differs {
        /// The backup.
        file: PathBuf,
        /// Where it differs; never empty.
        differences: Vec<Difference>,
    },
    /// The database may hold what the backup does not.
    #[error("the database is not proven to be what it was when the backup was made, at {made}")]
    Changed {
        /// When the backup was made, for people.
        made: String,
        /// Whether someone wrote only while it was restored.
        meanwhile: bool,
    },
    /// It was stopped; nothing is left of it.
    #[error("interrupted; nothing was changed")]
    Interrupted,
    /// The database could not be copied or replaced.
    #[error(transparent)]
    Copy(CopyError),
}

impl From<CopyError> for BackupError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Database(DatabaseError::Interrupted) => Self::Interrupted,
            CopyError::ReplaceUnknown {
                database,
                kept,
                reason,
            } => Self::OutcomeUnknown {
                database,
                kept,
                reason,
            },
            error => Self::Copy(error),
        }
    }
}

impl From<DatabaseError> for BackupError {
    fn from(error: DatabaseError) -> Self {
        CopyError::from(error).into()
    }
}
