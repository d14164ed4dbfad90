//! Keys, conditions and references of a table.

use super::{DIALECT, primary_key};
use crate::{
    schema::{
        Facts, Kind, Name, Object, ObjectId, Schema,
        sqlite::{self, Identifier, KeyColumn},
    },
    seed::{
        hint::names,
        table::{Column, Named, Reference, Table},
    },
    sql::in_quotes,
};

/// Adds the constraints of a table.
pub(super) fn add(
    schema: &Schema,
    name: &Name,
    conditions: &[(String, String)],
    table: &mut Table,
) {
    table.add_checks(DIALECT, conditions);
    for part in schema.parts(name) {
        let columns = match &part.facts {
            Facts::SqlitePrimaryKey(key) => of_columns(table, &key.columns),
            Facts::SqliteUnique(key) => of_columns(table, &key.columns),
            Facts::SqliteIndex(index) if index.unique => of_index(table, index),
            Facts::SqliteForeignKey(key) => {
                add_reference(schema, part, key, table);
                continue;
            }
            _ => continue,
        };
        table.keys.push(Named {
            name: part.id.name.clone(),
            columns,
        });
    }
}

/// The place of a column, whatever its case.
pub(super) fn place(table: &Table, column: &str) -> Option<usize> {
    let mut columns = table.columns.iter();
    columns.position(|known| known.name.eq_ignore_ascii_case(column))
}

fn of_columns(table: &Table, columns: &[KeyColumn]) -> Vec<usize> {
    let columns = columns.iter();
    columns.filter_map(|it| place(table, &it.column)).collect()
}

fn of_index(table: &Table, index: &sqlite::Index) -> Vec<usize> {
    let is_named = |column: &Column| {
        index.keys.iter().any(|key| {
            let named = key.column.as_ref();
            let expression = key.expression.as_ref();
            named.is_some_and(|it| *it == *column.name.as_str())
                || expression.is_some_and(|it| names(DIALECT, it, &column.name))
        })
    };
    let columns = table.columns.iter().enumerate();
    let columns = columns.filter(|(_, column)| is_named(column));
    columns.map(|(at, _)| at).collect()
}

fn add_reference(schema: &Schema, part: &Object, key: &sqlite::ForeignKey, table: &mut Table) {
    let places = key.columns.iter().map(|column| place(table, column));
    let Some(columns) = places.collect::<Option<Vec<usize>>>() else {
        return;
    };
    let id = ObjectId::new(Kind::Table, "", &*key.references);
    // SQLite lets tables refer to what does not exist.
    let Some(referenced) = schema.get(&id) else {
        return;
    };
    let name = referenced.id.qualified();
    let targets: Vec<&Identifier> = match key.referenced_columns.is_empty() {
        true => {
            let key = primary_key(schema.parts(&name)).iter();
            key.map(|column| &column.column).collect()
        }
        false => key.referenced_columns.iter().collect(),
    };
    if targets.len() != columns.len() {
        return;
    }
    let own = (name == table.name).then(|| targets.iter().map(|it| place(table, it)).collect());
    table.references.push(Reference {
        name: part.id.name.clone(),
        columns,
        table: name,
        targets: targets.iter().map(|it| in_quotes(it)).collect(),
        own,
        is_full: false,
    });
}
