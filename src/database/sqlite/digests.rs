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
use crate::schema::{Digest, StoredTable, TableSums};

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

    async fn sums(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<Result<TableSums, DatabaseError>>, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(tables.iter().map(|_| Ok(TableSums::default())).collect());
        }
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            connection.in_snapshot(|connection| {
                let tables = tables.iter().map(|table| sum(connection, table));
                Ok(tables.collect())
            })
        })
    }
}

fn query(table: &StoredTable) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| quoted(&column.name))
        .collect();
    format!(
        "SELECT {} FROM main.{}",
        columns.join(", "),
        quoted(&table.name.name)
    )
}

fn sum(connection: &mut Connection, table: &StoredTable) -> Result<TableSums, DatabaseError> {
    let key = table.columns.iter().position(|column| column.is_key);
    let mut found = TableSums {
        rows: 0,
        sums: vec![0; table.columns.len()],
    };
    connection.for_each(&query(table), |row| {
        found.rows += 1;
        let digests = row.digests();
        let seed = key.and_then(|key| digests[key]).unwrap_or(0);
        for (sum, digest) in found.sums.iter_mut().zip(&digests) {
            if let Some(digest) = digest {
                let mut hasher = SipHasher13::new();
                (seed, digest).hash(&mut hasher);
                *sum = sum.wrapping_add(i128::from(hasher.finish()));
            }
        }
    })?;
    Ok(found)
}

fn read(connection: &mut Connection, table: &StoredTable) -> TableDigests {
    let mut rows = Vec::new();
    connection.for_each(&query(table), |row| rows.push(row.digests()))?;
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
