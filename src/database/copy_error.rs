use std::path::PathBuf;

use super::DatabaseError;

/// An error of copying, loading or replacing a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// An error of the database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A PostgreSQL client program is missing, or no installed version is suitable.
    #[error("{}", missing_program(.name, *.needed, .found))]
    NoProgram {
        /// The program, such as `pg_dump` or `pg_restore`.
        name: &'static str,
        /// The oldest suitable major version.
        needed: u32,
        /// The installed programs with their major versions.
        found: Vec<(PathBuf, u32)>,
    },
    /// A PostgreSQL client program failed.
    #[error("{name} failed: {reason}")]
    ProgramFailed {
        /// The program, such as `pg_dump` or `pg_restore`.
        name: &'static str,
        /// The last line of its output.
        reason: String,
    },
    /// A file of migrator cannot be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// A backup differs from what was written, or cannot be loaded.
    #[error("the backup is damaged: {reason}")]
    Damaged {
        /// The damage.
        reason: String,
    },
    /// The connection was lost while databases were being renamed, and the server cannot be asked
    /// for the outcome.
    #[error(
        "the connection was lost while {database} was being replaced; whether it was replaced is unknown: {reason}"
    )]
    ReplaceUnknown {
        /// The database's name.
        database: String,
        /// The new name of the old database, if it was replaced; `None` if there was no old
        /// database.
        kept: Option<String>,
        /// The error of the connection.
        reason: String,
    },
}

fn missing_program(name: &str, needed: u32, found: &[(PathBuf, u32)]) -> String {
    let found: Vec<_> = found
        .iter()
        .map(|(path, major)| format!("{} is {major}", path.display()))
        .collect();
    if found.is_empty() {
        format!("no {name} found; version {needed} or newer is required")
    } else {
        let found = found.join(", ");
        format!("no {name} is new enough: version {needed} or newer is required, but {found}")
    }
}
