use async_trait::async_trait;

use super::DatabaseError;
use crate::layout::Surroundings;

/// A survey of the objects around the version table.
#[async_trait]
pub trait Survey: Send {
    /// Reads the contents of the database apart from the version table, which is absent or empty.
    /// Writes nothing.
    async fn surroundings(&mut self) -> Result<Surroundings, DatabaseError>;

    /// The version table for display; on PostgreSQL always with its schema.
    fn shown_table(&self) -> String;

    /// The schema of the version table, if databases of this kind have schemas.
    fn home_schema(&self) -> Option<String> {
        None
    }

    /// The reason why the choice of the version table is ambiguous, as determined while connecting.
    /// Nothing may be written in that case.
    fn ambiguity(&self) -> Option<DatabaseError> {
        None
    }
}
