//! Digests of rows, computed where the rows are read.

use std::hash::{Hash, Hasher};

use async_trait::async_trait;
use siphasher::sip::SipHasher13;

use super::{
    super::{DatabaseError, Digests, TableDigests},
    Absent, Sqlite, blocking,
    connect::Connection,
    step::opened,
    version_table::quoted,
};
use crate::schema::{Digest, StoredTable};

#[async_trait]
impl Digests for Sqlite {
    async fn digests(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<TableDigests>, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(tables.iter().map(|_| Ok(Vec::new())).collect());
        }
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            connection.in_snapshot(|connection| {
                let tables = tables.iter().map(|table| read(connection, table));
                Ok(tables.collect())
            })
        })
    }
}

fn read(connection: &mut Connection, table: &StoredTable) -> TableDigests {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| quoted(&column.name))
        .collect();
    let sql = format!(
        "SELECT {} FROM main.{}",
        columns.join(", "),
        quoted(&table.name.name)
    );
    let mut rows = Vec::new();
    connection.for_each(&sql, |row| rows.push(row.digests()))?;
    Ok(rows)
}

/// The digest of a value with its storage class.
pub(super) fn digest(value: rusqlite::types::ValueRef<'_>) -> Digest {
    use rusqlite::types::ValueRef;
    let mut hasher = SipHasher13::new();
    match value {
        ValueRef::Null => return None,
        ValueRef::Integer(value) => (1_u8, value).hash(&mut hasher),
        ValueRef::Real(value) => (2_u8, value.to_bits()).hash(&mut hasher),
        ValueRef::Text(text) => (3_u8, text).hash(&mut hasher),
        ValueRef::Blob(bytes) => (4_u8, bytes).hash(&mut hasher),
    }
    Some(hasher.finish())
}
