//! Rows of tables as digests, computed by the database.

use async_trait::async_trait;

use super::DatabaseError;
use crate::schema::{Digest, StoredTable, TableSums};

/// The digests of the rows of a table, or the reason why they cannot be read.
pub type TableDigests = Result<Vec<Box<[Digest]>>, DatabaseError>;

/// Reads rows as digests.
#[async_trait]
pub trait Digests: Send {
    /// Reads the rows of `tables`, each as the digests of its columns, in one snapshot. A table that
    /// cannot be read does not keep the others from being read. Writes nothing.
    ///
    /// # Errors
    /// Fails when the database does not answer.
    async fn digests(&mut self, tables: &[StoredTable])
    -> Result<Vec<TableDigests>, DatabaseError>;

    /// Sums up the rows of `tables`, without keeping any. Writes nothing.
    ///
    /// # Errors
    /// Fails when the database does not answer.
    async fn sums(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<Result<TableSums, DatabaseError>>, DatabaseError>;

    /// Leaves out tables that have no rows, as far as the database knows without reading them.
    ///
    /// # Errors
    /// Fails when the database does not answer.
    async fn perhaps_filled(
        &mut self,
        tables: Vec<StoredTable>,
    ) -> Result<Vec<StoredTable>, DatabaseError> {
        Ok(tables)
    }
}
