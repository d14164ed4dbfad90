use std::path::PathBuf;

use super::DatabaseError;

/// Why a database was not copied, or a copy not read or put in its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The database said so.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A program that comes with PostgreSQL is not there, or none that fits.
    #[error("{}", missing_program(.name, *.needed, .found))]
    NoProgram {
        /// `pg_dump`, `pg_restore`
        name: &'static str,
        /// The oldest major version that will do.
        needed: u32,
        /// Those that are there, with their major versions.
        found: Vec<(PathBuf, u32)>,
    },
    /// A program that comes with PostgreSQL failed.
    #[error("{name} failed: {reason}")]
    ProgramFailed {
        /// `pg_dump`, `pg_restore`
        name: &'static str,
        /// What it said last.
        reason: String,
    },
    /// A file of ours cannot be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// A backup is not what was written, or cannot be read into a database.
    #[error("the backup is damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
    /// The connection broke while one database was put in the place of another by renaming, and the
    /// server cannot be asked for the outcome.
    #[error(
        "the connection was lost while {database} was being replaced; whether it was replaced is unknown: {reason}"
    )]
    ReplaceUnknown {
        /// The database's name.
        database: String,
        /// What the old one is called if it was replaced; `None` where there was none.
        kept: Option<String>,
        /// How the connection was lost.
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
