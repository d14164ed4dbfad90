use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    database::{Location, LocationError},
    revision::{Target, TargetSyntaxError},
};

/// Where a schema is read from.
#[derive(Clone)]
pub enum SchemaSource {
    /// The configured database.
    Live,
    /// The scripts of the project, applied up to a target in a scratch database.
    Revision(Target),
    /// SQL files, run in a scratch database.
    Files {
        /// A file, or a directory of `.sql` files that run in the order of their names.
        path: PathBuf,
        /// The path for display.
        shown: String,
    },
    /// Another database.
    Database(Box<Location>),
}

/// The error of a text that names no source of a schema, or of files that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The text is a URL that names no database.
    #[error(transparent)]
    Url(#[from] LocationError),
    /// The text is no target either.
    #[error(transparent)]
    Target(#[from] TargetSyntaxError),
    /// The file or directory cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The path.
        path: String,
        /// The error of the operating system.
        #[source]
        error: io::Error,
    },
    /// The directory has no `.sql` files.
    #[error("{0} has no .sql files")]
    NoFiles(String),
    /// The directory has down scripts, so running all its files would make no schema.
    #[error("{0} is a directory of migrations, not of a schema")]
    Migrations(String),
    /// The file of statements that add rows cannot be split into statements.
    #[error("{path}: {reason}")]
    Seed {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The other database is of another kind.
    #[error("{0} is another kind of database")]
    OtherDialect(String),
}

impl SchemaSource {
    /// Parses `live`, a target such as `head`, a URL, or a path: one with a separator, of a `.sql`
    /// file, or `.`. Relative paths are relative to `cwd`.
    ///
    /// # Errors
    /// Fails when the text is none of these.
    pub fn parse(text: &str, cwd: &Path) -> Result<Self, SourceError> {
        if text == "live" {
            return Ok(Self::Live);
        }
        let is_sql = Path::new(text)
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("sql"));
        let is_url = text
            .split_once(':')
            .is_some_and(|(scheme, _)| scheme.len() > 1 && scheme.bytes().all(is_scheme));
        if is_url || text.contains("dbname=") {
            return Ok(Self::Database(Box::new(Location::parse(text, cwd)?)));
        }
        if is_sql || text == "." || text.contains(['/', '\\']) {
            return Ok(Self::Files {
                path: cwd.join(text),
                shown: text.to_owned(),
            });
        }
        Ok(Self::Revision(text.parse()?))
    }
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+'
}

/// Formats the source as it is written. Never with a password.
impl fmt::Display for SchemaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Revision(target) => write!(f, "{target}"),
            Self::Files { shown, .. } => f.write_str(shown),
            Self::Database(location) => write!(f, "{location}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart_by_their_form() {
        let kind = |text: &str| match SchemaSource::parse(text, Path::new("/base")) {
            Ok(SchemaSource::Live) => "live",
            Ok(SchemaSource::Revision(_)) => "revision",
            Ok(SchemaSource::Files { .. }) => "files",
            Ok(SchemaSource::Database(_)) => "database",
            Err(_) => "error",
        };
        let check = |text: &str, expected: &str| assert_eq!(kind(text), expected, "{text}");
        check("live", "live");
        check("head", "revision");
        check("20261122093000", "revision");
        check("head-1", "revision");
        check("schema.sql", "files");
        check("SCHEMA.SQL", "files");
        check("./schema", "files");
        check("db/schema", "files");
        check("sqlite:app.db", "database");
        check("postgres://h/db", "database");
        check("host=h dbname=shop", "database");
        check("mysql://h/db", "error");
    }
}
