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
    /// The directory of backups cannot be made, read or written.
    #[error("cannot use {} as the backup directory: {reason}", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// Another process holds the lock of the directory of backups.
    #[error("{} is locked by another process; waited {waited:.1?}", file.display())]
    Busy {
        /// The lock file.
        file: PathBuf,
        /// The time spent waiting.
        waited: Duration,
    },
    /// The connection broke while the database was replaced, and nobody can be asked.
    #[error(
        "the connection was lost while {database} was being replaced; whether it was replaced is unknown: {reason}"
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
    #[error("backup {} does not exist: {reason}", file.display())]
    NoBackup {
        /// As it was named.
        file: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// There is none to choose.
    #[error("no backup of {database} in {}", directory.display())]
    NoneYet {
        /// The database.
        database: String,
        /// The directory.
        directory: PathBuf,
    },
    /// The manifest makes no sense, or is of a newer migrator.
    #[error("cannot read {}: {reason}", file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// What is odd.
        reason: String,
    },
    /// The backup is of another kind of database.
    #[error("{} is a backup of {}, but the URL names {}", file.display(), found, wanted)]
    OtherDialect {
        /// The backup.
        file: PathBuf,
        /// What it is of.
        found: Dialect,
        /// What it was to be of.
        wanted: Dialect,
    },
    /// The file is not what was written, or cannot be read into a database.
    #[error("{} is damaged: {reason}", file.display())]
    Damaged {
        /// The backup.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What was read into a database is not what the manifest says.
    #[error("{} was restored, but its content differs from what was copied", file.display())]
    Differs {
        /// The backup.
        file: PathBuf,
        /// Where it differs; never empty.
        differences: Vec<Difference>,
    },
    /// The database may hold what the backup does not.
    #[error("the database may have changed since the backup was made at {made}")]
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
