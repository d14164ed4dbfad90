//! Records of another migration tool.

use super::{
    super::DatabaseError,
    connect::Connection,
    value::{Bind, Row, Value},
    version_table::{VersionTable, is_table, quoted},
};
use crate::layout::{
    self, ExternalChoice, ExternalRecords, ExternalRow, ExternalShape, FoundTable, Surroundings,
    TABLES_NAMED, UnreadableTable,
};

/// Reads the records that are wanted, or those of the only tool that is found, in one snapshot.
pub(super) fn read(
    connection: &mut Connection,
    wanted: &ExternalChoice,
) -> Result<ExternalRecords, DatabaseError> {
    connection.in_snapshot(|connection| {
        let names = match wanted.table() {
            Some((None, name)) => vec![name],
            // There are no schemas.
            Some((Some(_), _)) => Vec::new(),
            None => layout::table_names(),
        };
        let found = tables(connection, &names)?;
        let (shape, table) = layout::choose(&found, wanted)?;
        records(connection, shape, table)
    })
}

/// Reads the records of all tools and the names of all tables except those of `own`, in one
/// snapshot.
pub(super) fn survey(
    connection: &mut Connection,
    own: &VersionTable,
) -> Result<Surroundings, DatabaseError> {
    connection.in_snapshot(|connection| {
        let mut surroundings = Surroundings::default();
        for (shape, table) in layout::recognise(&tables(connection, &layout::table_names())?) {
            match records(connection, shape, table) {
                Ok(records) => surroundings.records.push(records),
                Err(DatabaseError::Untrusted { reason, .. }) => {
                    surroundings.unreadable.push(UnreadableTable {
                        tool: shape.tool,
                        table: table.shown.clone(),
                        reason: reason.to_string(),
                    });
                }
                Err(error) => return Err(error),
            }
        }
        let names = [&own.name, &own.log_name, &own.progress_name];
        let rows = connection.query(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table'
             AND lower(substr(name, 1, 7)) <> 'sqlite_'
             AND lower(name) NOT IN (lower(?1), lower(?2), lower(?3)) ORDER BY name",
            &names.map(|name| Bind::Text(name)),
        )?;
        surroundings.table_count = rows.len();
        surroundings.tables = rows
            .into_iter()
            .filter_map(first)
            .take(TABLES_NAMED)
            .collect();
        Ok(surroundings)
    })
}

fn records(
    connection: &mut Connection,
    shape: &ExternalShape,
    table: &FoundTable,
) -> Result<ExternalRecords, DatabaseError> {
    is_table(connection, &table.name)?;
    let rows = connection.query(&query(shape, table), &[])?;
    let entries = rows.into_iter().map(|row| shape.entry(read_row(row)));
    Ok(ExternalRecords {
        tool: shape.tool,
        table: table.shown.clone(),
        entries: entries.collect(),
    })
}

fn tables(connection: &mut Connection, names: &[&str]) -> Result<Vec<FoundTable>, DatabaseError> {
    let mut found = Vec::new();
    for name in names.iter().copied() {
        let rows = connection.query(
            "SELECT x.name FROM main.sqlite_schema AS s, pragma_table_xinfo(s.name, 'main') AS x
             WHERE s.type IN ('table', 'view') AND lower(s.name) = lower(?1)",
            &[Bind::Text(name)],
        )?;
        if !rows.is_empty() {
            found.push(FoundTable {
                name: name.to_owned(),
                shown: name.to_owned(),
                quoted: format!("main.{}", quoted(name)),
                columns: rows.into_iter().filter_map(first).collect(),
            });
        }
    }
    Ok(found)
}

fn query(shape: &ExternalShape, table: &FoundTable) -> String {
    let text = |column: Option<&str>| match column {
        Some(column) => format!("CAST({} AS TEXT)", quoted(column)),
        None => "NULL".to_owned(),
    };
    let hex = |column: &str| format!("lower(hex({}))", quoted(column));
    format!(
        "SELECT {} FROM {} ORDER BY {}",
        shape.selected(text, hex),
        table.quoted,
        quoted(shape.order)
    )
}

fn read_row(row: Row) -> ExternalRow {
    let mut values = row.into_iter().map(|value| match value {
        Value::Text(text) => Some(text),
        Value::Integer(value) => Some(value.to_string()),
        Value::Null | Value::Other(_) => None,
    });
    let mut next = || values.next().flatten();
    ExternalRow {
        id: next(),
        name: next(),
        kind: next(),
        flag: next(),
        at: next(),
        duration: next(),
        checksum: next(),
    }
}

fn first(row: Row) -> Option<String> {
    match row.into_iter().next() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}
