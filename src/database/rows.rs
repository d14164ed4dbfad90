//! Rows of user tables: written and read by statements of our own.

use async_trait::async_trait;

use super::{DatabaseError, Digests};
use crate::{lint::Size, schema::Name};

/// What a database and its log take, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The bytes of the database.
    pub bytes: u64,
    /// The bytes of write-ahead log that the server has written so far, for all of its databases; `None`
    /// if there is none.
    pub wal: Option<u64>,
}

/// Rows as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedRows {
    /// The names of the columns; empty if there is no row.
    pub columns: Vec<String>,
    /// The values of each row.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Writes and reads rows. No transaction may be open.
#[async_trait]
pub trait Rows: Digests {
    /// Runs statements in order, each atomically, and commits. A statement that fails changes
    /// nothing, and the next one runs. Returns the number of affected rows or the error of each.
    /// Constraints are checked after each statement, deferrable ones as well.
    ///
    /// On PostgreSQL the statements run in the session's own search path, since triggers may depend
    /// on it, so everything they name must be qualified.
    ///
    /// # Errors
    /// Fails when the connection is lost or the work is interrupted. Nothing is committed then.
    async fn try_each(
        &mut self,
        statements: &[String],
    ) -> Result<Vec<Result<u64, DatabaseError>>, DatabaseError>;

    /// Removes all rows of tables and commits. Returns false if the database refuses to.
    ///
    /// # Errors
    /// Fails when the connection is lost or the work is interrupted.
    async fn clear(&mut self, tables: &[Name]) -> Result<bool, DatabaseError>;

    /// Returns the rows of a query, with all values as text. On SQLite the query must cast real
    /// numbers and blobs.
    ///
    /// # Errors
    /// Fails when the query fails.
    async fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError>;

    /// Returns the rows of a query with names and expressions of a script, as [`Self::texts`] does. The
    /// names are those of the session's search path, and nothing can be written.
    ///
    /// # Errors
    /// Fails when the query fails.
    async fn ask(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError>;

    /// Returns the rows of a query as [`Self::ask`] does, with the names of the columns if there is a row.
    ///
    /// # Errors
    /// Fails when the query fails.
    async fn ask_named(&mut self, sql: &str) -> Result<NamedRows, DatabaseError>;

    /// Returns the sizes of the tables of users, as far as the database knows them without reading
    /// rows; SQLite counts. Writes nothing.
    ///
    /// # Errors
    /// Fails when the database cannot be read.
    async fn table_sizes(&mut self) -> Result<Vec<(Name, Size)>, DatabaseError>;

    /// Returns what the database takes. Writes nothing.
    ///
    /// # Errors
    /// Fails when the database cannot be read.
    async fn usage(&mut self) -> Result<Usage, DatabaseError>;
}
