use async_trait::async_trait;

use super::{DatabaseError, Settings, StateDigest};

/// Serves targets whose state was looked at before: several schemas of one database over one connection, one
/// after the other, or one file.
#[async_trait]
pub trait Roaming: Send {
    /// Goes to the schema that `settings` name for the version table and for names without a schema. Takes
    /// the lock of the version table and reads its state.
    ///
    /// Returns `None` where only a session of its own can tell what is wrong: the lock is held by others, a
    /// table is not one that migrator has made and nobody has changed, or the database has refused something.
    /// The connection has to be closed then.
    async fn enter(&mut self, settings: &Settings) -> Result<Option<StateDigest>, DatabaseError>;
}
