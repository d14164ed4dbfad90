//! Upgrades of a file whose state was looked at before.

use async_trait::async_trait;

use super::{
    super::{DatabaseError, Lock, LockAttempt, Roaming, Settings, StateDigest},
    Absent, Sqlite, blocking, glance,
};

#[async_trait]
impl Roaming for Sqlite {
    async fn enter(&mut self, _: &Settings) -> Result<Option<StateDigest>, DatabaseError> {
        if !self.open(Absent::Leave).await? || self.try_lock().await? != LockAttempt::Acquired {
            return Ok(None);
        }
        let Some(connection) = &self.connection else {
            return Ok(None);
        };
        let state = blocking(|| glance::state_of(connection.handle.connection(), &self.table));
        self.is_prepared = state.is_some();
        Ok(state)
    }
}
