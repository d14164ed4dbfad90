use async_trait::async_trait;

use super::DatabaseError;
use crate::layout::Surroundings;

/// What lies around the version table.
#[async_trait]
pub trait Survey: Send {
    /// Reads what the database holds beside the version table: asked where that is absent or empty.
    /// Writes nothing.
    async fn surroundings(&mut self) -> Result<Surroundings, DatabaseError>;

    /// The version table for people: on PostgreSQL always with its schema.
    fn shown_table(&self) -> String;

    /// Why it is in doubt which table is the version table, as far as connecting has told. Nothing may
    /// be written then.
    fn ambiguity(&self) -> Option<DatabaseError> {
        None
    }
}
