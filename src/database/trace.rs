//! What statements do to the relations that were there before them, as the database tells it.

use async_trait::async_trait;

use super::DatabaseError;
use crate::lint::Effects;

/// What a statement did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The byte offset of the statement in its script.
    pub offset: usize,
    /// Whether it is the first one of its transaction.
    pub begins: bool,
    /// Whether it ran in a transaction of several statements, or with its record. Otherwise its locks
    /// are not known.
    pub in_transaction: bool,
    /// What it did to relations that existed when [`Tracing::begin`] was called.
    pub effects: Effects,
    /// The bytes of write-ahead log that the server wrote meanwhile, for this session and for others.
    pub wal: u64,
}

/// Observes the statements of steps. This costs a query for each, and is meant for scratch databases.
#[async_trait]
pub trait Tracing: Send {
    /// Observes all statements from now on. The relations that exist now are those that are told of.
    ///
    /// # Errors
    /// Fails when the database does not answer.
    async fn begin(&mut self) -> Result<(), DatabaseError>;

    /// The major version of the server.
    fn major(&self) -> Option<u32>;

    /// Returns what was observed since the last call, in the order of the statements. Statements that
    /// failed, and those that a transaction rolled back with them, are included as far as they came.
    fn take(&mut self) -> Vec<Trace>;
}
