//! Facts from the texts of sqlite_schema and from pragmas.

use std::collections::VecDeque;

use async_trait::async_trait;

use super::{
    super::{DatabaseError, Inspect},
    Absent, Sqlite, blocking,
    connect::Connection,
    step::opened,
    value::{Bind, Value},
    version_table::{VersionTable, quoted},
};
use crate::{
    layout::{self, FoundTable},
    schema::{
        Schema, Scope, Unmodelled,
        sqlite::{Catalog, ListedTable, PragmaColumn, RowKind, SchemaRow, TableType},
    },
    sql::Dialect,
};

#[async_trait]
impl Inspect for Sqlite {
    async fn inspect(&mut self, scope: &Scope) -> Result<Schema, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(Schema::new(Dialect::Sqlite, Vec::new()));
        }
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            let (table, seen) = (&self.table, &mut self.seen);
            connection.in_snapshot(|connection| read(connection, table, scope, seen))
        })
    }
}

/// The schemas that were read last, with the texts that they were read from. Where scripts are applied
/// and reverted again and again, most texts have been read before. A session that reads once keeps
/// nothing.
#[derive(Default)]
pub(super) struct Seen {
    is_repeated: bool,
    schemas: VecDeque<(Texts, Scope, Schema)>,
}

/// The rows of sqlite_schema, and those that are not UTF-8.
type Texts = (Vec<SchemaRow>, Vec<Unmodelled>);

/// How many schemas are kept.
const KEPT: usize = 3;

fn read(
    connection: &mut Connection,
    own: &VersionTable,
    scope: &Scope,
    seen: &mut Seen,
) -> Result<Schema, DatabaseError> {
    let texts = rows(connection)?;
    let known = |(other, of, _): &&(Texts, Scope, Schema)| *other == texts && of == scope;
    if let Some((_, _, schema)) = seen.schemas.iter().find(known) {
        return Ok(schema.clone());
    }
    if !seen.is_repeated {
        seen.is_repeated = true;
        return read_texts(connection, own, scope, texts);
    }
    let schema = read_texts(connection, own, scope, texts.clone())?;
    seen.schemas.truncate(KEPT - 1);
    seen.schemas
        .push_front((texts, scope.clone(), schema.clone()));
    Ok(schema)
}

fn read_texts(
    connection: &mut Connection,
    own: &VersionTable,
    scope: &Scope,
    (rows, mut unmodelled): Texts,
) -> Result<Schema, DatabaseError> {
    let mut catalog = Catalog::new(rows, listed(connection)?);
    for table in catalog.unexplained() {
        if let Some(columns) = columns(connection, &table)? {
            catalog.explain(&table, columns);
        }
    }
    let records = record_tables(&catalog);
    let records = records.iter().map(String::as_str);
    let own: [&str; 3] = [&own.name, &own.log_name, &own.progress_name];
    catalog.leave_out(&records.chain(own).collect::<Vec<_>>());
    unmodelled.sort_unstable();
    Ok(Schema {
        unmodelled,
        ..catalog.into_schema(scope)
    })
}

/// The rows of sqlite_schema that have a text, and those that are not UTF-8.
fn rows(connection: &mut Connection) -> Result<Texts, DatabaseError> {
    let (mut rows, mut unmodelled) = (Vec::new(), Vec::new());
    let sql = "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL";
    connection.for_each(sql, |row| {
        match row.values().collect::<Vec<_>>().as_slice() {
            [
                Value::Text(kind),
                Value::Text(name),
                Value::Text(table),
                Value::Text(sql),
            ] => {
                let Some(kind) = RowKind::of(kind) else {
                    return;
                };
                rows.push(SchemaRow {
                    kind,
                    name: (*name).to_owned(),
                    table: (*table).to_owned(),
                    sql: (*sql).to_owned(),
                });
            }
            [Value::Text(kind), name, ..] => unmodelled.push(Unmodelled {
                kind: format!("{kind} whose text is not UTF-8"),
                name: text(name).unwrap_or_default(),
            }),
            _ => {}
        }
    })?;
    Ok((rows, unmodelled))
}

/// What SQLite itself says about the tables and views. This connects virtual tables and resolves
/// views; those that fail have no columns.
fn listed(connection: &mut Connection) -> Result<Vec<(String, ListedTable)>, DatabaseError> {
    let mut listed = Vec::new();
    connection.for_each("PRAGMA main.table_list", |row| {
        let [
            _,
            Value::Text(name),
            Value::Text(kind),
            columns,
            without_rowid,
            strict,
        ] = row.values().collect::<Vec<_>>()[..]
        else {
            return;
        };
        let table_type = match kind {
            "virtual" => TableType::Virtual,
            "shadow" => TableType::Shadow,
            "view" => TableType::View,
            _ => TableType::Ordinary,
        };
        let table = ListedTable {
            table_type,
            columns: usize::try_from(integer(&columns)).unwrap_or_default(),
            without_rowid: integer(&without_rowid) != 0,
            strict: integer(&strict) != 0,
        };
        listed.push((name.to_owned(), table));
    })?;
    Ok(listed)
}

/// The columns of a table; `None` for a virtual table that cannot be connected, such as one whose
/// module is missing.
fn columns(
    connection: &mut Connection,
    table: &str,
) -> Result<Option<Vec<PragmaColumn>>, DatabaseError> {
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk, hidden
        FROM pragma_table_xinfo(?1, 'main') ORDER BY cid";
    let rows = match connection.query(sql, &[Bind::Text(table)]) {
        Err(DatabaseError::Sql(_)) => return Ok(None),
        other => other?,
    };
    let columns = rows.iter().filter_map(|row| match row.as_slice() {
        [
            Value::Text(name),
            declared_type,
            not_null,
            default,
            key,
            hidden,
        ] => Some(PragmaColumn {
            name: name.clone(),
            declared_type: text(declared_type).unwrap_or_default(),
            not_null: integer(not_null) != 0,
            default: text(default),
            primary_key: usize::try_from(integer(key)).unwrap_or_default(),
            hidden: integer(hidden),
        }),
        _ => None,
    });
    Ok(Some(columns.collect()))
}

/// The tables in which other tools keep their records.
fn record_tables(catalog: &Catalog) -> Vec<String> {
    let tables = layout::table_names().into_iter().filter_map(|name| {
        let (shown, columns) = catalog.columns_of(name)?;
        Some(FoundTable {
            name: name.to_owned(),
            shown: shown.to_owned(),
            quoted: format!("main.{}", quoted(shown)),
            columns: columns.into_iter().map(str::to_owned).collect(),
        })
    });
    let tables: Vec<FoundTable> = tables.collect();
    let records = layout::recognise(&tables).into_iter();
    records.map(|(_, table)| table.name.clone()).collect()
}

fn integer<T>(value: &Value<T>) -> i64 {
    match value {
        Value::Integer(value) => *value,
        _ => 0,
    }
}

fn text<T: AsRef<str>>(value: &Value<T>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.as_ref().to_owned()),
        _ => None,
    }
}
