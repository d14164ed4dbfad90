use std::path::PathBuf;

use async_trait::async_trait;

use super::super::{DatabaseError, Location, Scratch};

/// A database in memory, which ends with its connection.
pub(in crate::database) struct InMemory(Location);

impl InMemory {
    pub(in crate::database) fn new() -> Self {
        Self(Location::Sqlite(PathBuf::from(":memory:")))
    }
}

#[async_trait]
impl Scratch for InMemory {
    fn location(&self) -> &Location {
        &self.0
    }

    fn shares_server(&self) -> bool {
        false
    }

    async fn drop(self: Box<Self>) -> Result<(), DatabaseError> {
        Ok(())
    }
}
