//! Facts from the catalogs.

use async_trait::async_trait;

use super::{
    super::{DatabaseError, Inspect},
    Postgres,
};
use crate::schema::{Schema, Scope};

#[async_trait]
impl Inspect for Postgres {
    async fn inspect(&mut self, scope: &Scope) -> Result<Schema, DatabaseError> {
        let _ = scope;
        todo!()
    }
}
