//! Facts from pragmas and the texts of sqlite_schema.

use async_trait::async_trait;

use super::{
    super::{DatabaseError, Inspect},
    Sqlite,
};
use crate::schema::{Schema, Scope};

#[async_trait]
impl Inspect for Sqlite {
    async fn inspect(&mut self, scope: &Scope) -> Result<Schema, DatabaseError> {
        let _ = scope;
        todo!()
    }
}
