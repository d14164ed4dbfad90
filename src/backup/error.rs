use std::{path::PathBuf, time::Duration};

use super::Difference;
use crate::{
    database::{CopyError, DatabaseError},
    sql::Dialect,
};

/// An error of a backup or restore.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The backup directory cannot be created, read or written.
    #[error("cannot use {} as the backup directory: {reason}", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// Another process holds the lock of the backup directory.
    #[error("{} is locked by another process; waited {waited:.1?}", file.display())]
    Busy {
        /// The lock file.
        file: PathBuf,
        /// The time spent waiting.
        waited: Duration,
    },
    /// The connection was lost while the database was being replaced, and the outcome is unknown.
    #[error(
        "the connection was lost while {database} was being replaced; whether it was replaced is unknown: {reason}"
    )]
    OutcomeUnknown {
        /// The database's name.
        database: String,
        /// The new name of the old database, if it was replaced.
        kept: Option<String>,
        /// The error of the connection.
        reason: String,
    },
    /// The backup or its manifest does not exist.
    #[error("backup {} does not exist: {reason}", file.display())]
    NoBackup {
        /// The file as given.
        file: PathBuf,
        /// The missing part.
        reason: String,
    },
    /// There is no backup of the database.
    #[error("no backup of {database} in {}", directory.display())]
    NoneYet {
        /// The database.
        database: String,
        /// The directory.
        directory: PathBuf,
    },
    /// The manifest is invalid, or belongs to a newer migrator.
    #[error("cannot read {}: {reason}", file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// The inconsistency.
        reason: String,
    },
    /// The backup is of another kind of database.
    #[error("{} is a backup of {}, but the URL names {}", file.display(), found, wanted)]
    OtherDialect {
        /// The backup.
        file: PathBuf,
        /// The kind of database in the backup.
        found: Dialect,
        /// The kind of database in the URL.
        wanted: Dialect,
    },
    /// The file differs from what was written, or cannot be loaded.
    #[error("{} is damaged: {reason}", file.display())]
    Damaged {
        /// The backup.
        file: PathBuf,
        /// The damage.
        reason: String,
    },
    /// The restored contents differ from the manifest.
    #[error("{} was restored, but its content differs from what was copied", file.display())]
    Differs {
        /// The backup.
        file: PathBuf,
        /// The differences; never empty.
        differences: Vec<Difference>,
    },
    /// The database may contain changes that the backup does not.
    #[error("the database may have changed since the backup was made at {made}")]
    Changed {
        /// The time of the backup, for display.
        made: String,
        /// Whether the changes were made during the restore.
        meanwhile: bool,
    },
    /// The operation was interrupted and left nothing behind.
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
