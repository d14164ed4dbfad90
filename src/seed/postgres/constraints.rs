//! Keys, conditions and references of a table.

use super::DIALECT;
use crate::{
    schema::{
        Facts, Kind, Name, Object, ObjectId, Schema,
        postgres::{self, IndexKey},
    },
    seed::{
        hint::names,
        table::{Column, Named, Reference, Table},
    },
    sql::in_quotes,
};

/// Adds the constraints of a table and of the partitioned tables above it.
pub(super) fn add(
    schema: &Schema,
    parents: &[Name],
    conditions: &[(String, String)],
    table: &mut Table,
) {
    table.add_checks(DIALECT, conditions);
    for parent in parents {
        for part in schema.parts(parent) {
            match &part.facts {
                Facts::Key(key) => {
                    let columns = key.columns.iter();
                    let columns = columns.filter_map(|it| table.place(it)).collect();
                    add_key(table, part, columns);
                }
                Facts::Index(index) if index.unique => {
                    let columns = of_keys(table, &index.keys);
                    add_key(table, part, columns);
                }
                Facts::Exclusion(exclusion) => {
                    let columns = of_keys(table, &exclusion.keys);
                    add_key(table, part, columns);
                }
                Facts::ForeignKey(key) if !key.not_enforced => {
                    add_reference(schema, parents, part, key, table);
                }
                _ => {}
            }
        }
    }
}

fn add_key(table: &mut Table, part: &Object, columns: Vec<usize>) {
    table.keys.push(Named {
        name: part.id.name.clone(),
        columns,
    });
}

/// The columns that the keys of an index name.
fn of_keys(table: &Table, keys: &[IndexKey]) -> Vec<usize> {
    let is_named = |column: &Column| {
        keys.iter().any(|key| {
            let expression = key.expression.as_deref();
            key.column.as_ref() == Some(&column.name)
                || expression.is_some_and(|it| names(DIALECT, it, &column.name))
        })
    };
    let columns = table.columns.iter().enumerate();
    let columns = columns.filter(|(_, column)| is_named(column));
    columns.map(|(at, _)| at).collect()
}

fn add_reference(
    schema: &Schema,
    parents: &[Name],
    part: &Object,
    key: &postgres::ForeignKey,
    table: &mut Table,
) {
    let places = key.columns.iter().map(|column| table.place(column));
    let Some(columns) = places.collect::<Option<Vec<usize>>>() else {
        return;
    };
    let known = table
        .references
        .iter()
        .any(|known| known.columns == columns && known.table == key.references);
    if known {
        return;
    }
    let id = ObjectId::new(Kind::Table, &*key.references.schema, &*key.references.name);
    if schema.get(&id).is_none() {
        return;
    }
    let is_own = key.references == table.name || parents.contains(&key.references);
    let own = is_own.then(|| {
        let targets = key.referenced_columns.iter();
        targets.map(|column| table.place(column)).collect()
    });
    table.references.push(Reference {
        name: part.id.name.clone(),
        columns,
        table: key.references.clone(),
        targets: key
            .referenced_columns
            .iter()
            .map(|it| in_quotes(it))
            .collect(),
        own,
        is_full: key.match_full,
    });
}
