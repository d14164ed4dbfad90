use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    arrange::Arrange as _,
    files,
    lint::Size,
    ops::{Error, Session, schema::write},
    schema::Name,
};

/// The sizes of the tables of a database at one moment, as written to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeSnapshot {
    /// The version of the format.
    pub version: u32,
    /// The tables, sorted by name.
    pub tables: Vec<TableSize>,
}

/// The size of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSize {
    /// The name with its schema.
    pub table: Name,
    /// The number of rows, as the database estimates it.
    pub rows: u64,
    /// The number of pages of 8 KiB.
    pub pages: u64,
}

/// The format that is written.
const VERSION: u32 = 1;

/// A reason why a file of sizes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SizesError {
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file, for display.
        path: String,
        /// The error.
        #[source]
        error: std::io::Error,
    },
    /// The file is no snapshot of sizes.
    #[error("{path} is not a file of table sizes: {reason}")]
    Format {
        /// The file, for display.
        path: String,
        /// The reason.
        reason: String,
    },
}

impl SizeSnapshot {
    /// The sizes by table.
    pub fn sizes(&self) -> BTreeMap<Name, Size> {
        let tables = self.tables.iter();
        tables
            .map(|it| {
                let size = Size {
                    rows: it.rows,
                    pages: it.pages,
                };
                (it.table.clone(), size)
            })
            .collect()
    }
}

/// Reads a file of sizes.
///
/// # Errors
/// Fails when the file cannot be read or has another format.
pub fn read_sizes(path: &Path, shown: &str) -> Result<SizeSnapshot, SizesError> {
    let text = files::read(path).map_err(|error| SizesError::File {
        path: shown.to_owned(),
        error,
    })?;
    let format = |reason: String| SizesError::Format {
        path: shown.to_owned(),
        reason,
    };
    let found: SizeSnapshot =
        serde_json::from_slice(&text).map_err(|error| format(error.to_string()))?;
    match found.version {
        VERSION => Ok(found),
        other => Err(format(format!("its version is {other}, not {VERSION}"))),
    }
}

/// Writes a file of sizes.
///
/// # Errors
/// Fails when the file cannot be written.
pub fn write_sizes(path: &Path, shown: &str, snapshot: &SizeSnapshot) -> Result<(), SizesError> {
    let file = |error: std::io::Error| SizesError::File {
        path: shown.to_owned(),
        error,
    };
    let mut text = serde_json::to_string_pretty(snapshot).map_err(|error| file(error.into()))?;
    text.push('\n');
    write(path, &text).map_err(file)
}

/// Reads the sizes of the tables of the configured database. Writes nothing.
///
/// # Errors
/// Fails when the database cannot be read.
pub async fn measure_sizes(session: &mut Session) -> Result<SizeSnapshot, Error> {
    let found = session.table_sizes().await?.into_iter();
    let mut tables: Vec<TableSize> = found
        .map(|(table, size)| TableSize {
            table,
            rows: size.rows,
            pages: size.pages,
        })
        .collect();
    tables.arrange_by(|a, b| a.table.cmp(&b.table));
    Ok(SizeSnapshot {
        version: VERSION,
        tables,
    })
}
