//! A cheap look at a file: it is opened once and read in one snapshot.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, types::ValueRef};
use sha2::{Digest as _, Sha256};

use super::{
    super::{Access, DatabaseError, Detail, Glance, Known, Settings, state_digest},
    connect::Source,
    row::applied,
    value::Present,
    version_table::{VersionTable, quoted},
};
use crate::revision::{LAYOUT, Observed};

/// The columns that plans depend on. Rows differ in others by times and actors alone, unless a revision
/// is partially applied.
const COLUMNS: &str =
    "sequence, revision, kind, message, parents, depends_on, up_checksum, down_checksum, state";

/// The index of the state in [`COLUMNS`].
const STATE: usize = 8;

/// Looks at a file. Everything that is unusual is [`Glance::Doubtful`].
pub(in crate::database) fn glance(file: &Path, settings: &Settings, known: Known<'_>) -> Glance {
    let exists = Source::new(file).and_then(|source| source.exists(Access::Existing));
    match exists {
        Ok(true) => {}
        Ok(false) | Err(DatabaseError::Missing { .. }) => return Glance::Missing,
        Err(_) => return Glance::Doubtful,
    }
    let Ok(table) = VersionTable::new(&settings.version_table) else {
        return Glance::Doubtful;
    };
    look(file, &table, known)
        .ok()
        .flatten()
        .unwrap_or(Glance::Doubtful)
}

/// The state; `None` if it is in doubt.
fn look(file: &Path, table: &VersionTable, known: Known<'_>) -> rusqlite::Result<Option<Glance>> {
    // A file is opened for writing, since a transaction of a killed process is rolled back by the next
    // reader; it is not created.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    // A session waits for a busy file; there may be thousands of others to look at.
    connection.busy_timeout(Duration::ZERO)?;
    connection.execute_batch("BEGIN")?;
    match found(&connection, table)? {
        Found::Nothing => {
            let observed = Observed::default();
            state_digest(&observed)
                .map(|digest| state(digest, known, || Ok(observed)))
                .transpose()
        }
        Found::Doubtful => Ok(None),
        Found::State(digest) => {
            let rows = || rows(&connection, table);
            state(digest, known, rows).map(Some).or(Ok(None))
        }
    }
}

/// The digest of the state, in one snapshot; `None` if it is in doubt or there is no version table.
pub(super) fn state_of(connection: &Connection, table: &VersionTable) -> Option<[u8; 32]> {
    connection.execute_batch("BEGIN").ok()?;
    let found = found(connection, table);
    // Nothing was written.
    connection.execute_batch("ROLLBACK").ok()?;
    match found.ok()? {
        Found::State(digest) => Some(digest),
        Found::Nothing | Found::Doubtful => None,
    }
}

/// What there is of the version table and its companions.
enum Found {
    Nothing,
    Doubtful,
    State([u8; 32]),
}

fn found(connection: &Connection, table: &VersionTable) -> rusqlite::Result<Found> {
    let names = [&table.name, &table.log_name, &table.progress_name];
    let mut kinds = Vec::new();
    for name in names {
        kinds.push(kind(connection, name)?);
    }
    let kinds: Vec<_> = kinds.iter().map(Option::as_deref).collect();
    match kinds.as_slice() {
        [None, None, None] => return Ok(Found::Nothing),
        [Some("table"), Some("table"), Some("table")] => {}
        _ => return Ok(Found::Doubtful),
    }
    if !is_usual(connection, table)? {
        return Ok(Found::Doubtful);
    }
    Ok(digest(connection, table)?.map_or(Found::Doubtful, Found::State))
}

fn state(
    digest: [u8; 32],
    known: Known<'_>,
    rows: impl FnOnce() -> rusqlite::Result<Observed>,
) -> rusqlite::Result<Glance> {
    let observed = match known(&digest) {
        true => None,
        false => Some(rows()?),
    };
    Ok(Glance::State { digest, observed })
}

/// The kind of the table with that name: `table`, `view`, `virtual`; `None` if there is none.
fn kind(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut list = connection.prepare(&format!("PRAGMA main.table_list({})", quoted(name)))?;
    let mut rows = list.raw_query();
    match rows.next()? {
        Some(row) => row.get(2).map(Some),
        None => Ok(None),
    }
}

/// Whether the tables have the current layout and no revision is partially applied.
fn is_usual(connection: &Connection, table: &VersionTable) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT (SELECT CAST(detail AS TEXT) FROM {} WHERE event = 'layout' ORDER BY sequence DESC LIMIT 1), \
         EXISTS (SELECT 1 FROM {})",
        table.log, table.progress
    );
    connection.query_row(&sql, [], |row| {
        let layout: Option<String> = row.get(0)?;
        let is_current = layout.is_none_or(|layout| layout == LAYOUT.to_string());
        Ok(is_current && !row.get::<_, bool>(1)?)
    })
}

/// The digest of all rows; `None` if one is in doubt.
fn digest(connection: &Connection, table: &VersionTable) -> rusqlite::Result<Option<[u8; 32]>> {
    let sql = format!("SELECT {COLUMNS} FROM {} ORDER BY sequence", table.table);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.raw_query();
    let mut hash = Sha256::new();
    let mut buffer = Vec::with_capacity(512);
    buffer.extend_from_slice(b"sqlite");
    while let Some(row) = rows.next()? {
        for column in 0..=STATE {
            let value = row.get_ref(column)?;
            if column == STATE && value != ValueRef::Text(b"applied") {
                // A repeatable script is never partially applied.
                return Ok(None);
            }
            match value {
                ValueRef::Null => buffer.push(0),
                ValueRef::Integer(number) => {
                    buffer.push(1);
                    buffer.extend_from_slice(&number.to_le_bytes());
                }
                ValueRef::Text(text) => {
                    buffer.push(2);
                    buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
                    buffer.extend_from_slice(text);
                }
                ValueRef::Real(_) | ValueRef::Blob(_) => return Ok(None),
            }
        }
        hash.update(&buffer);
        buffer.clear();
    }
    hash.update(&buffer);
    Ok(Some(hash.finalize().into()))
}

/// All rows, in the snapshot of the digest.
fn rows(connection: &Connection, table: &VersionTable) -> rusqlite::Result<Observed> {
    let mut statement = connection.prepare(&table.query(false, Detail::Brief))?;
    let mut rows = statement.raw_query();
    let mut observed = Observed::of([], LAYOUT);
    while let Some(row) = rows.next()? {
        let row = applied(&table.name, Present::new(row));
        observed.add(row.map_err(|_| rusqlite::Error::InvalidQuery)?);
    }
    Ok(observed)
}
