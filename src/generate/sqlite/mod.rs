//! SQLite's SQL.

use super::Block;
use crate::schema::{Cycle, Schema};

/// See [`super::dump`].
pub(super) fn dump(schema: &Schema) -> Result<Vec<Block>, Cycle> {
    let _ = schema;
    Ok(Vec::new())
}
