//! Rows for the tables of a scratch database, made from schema facts.
//!
//! [`Work`] makes INSERT statements for a few rows of each table: a full one, one with NULLs and
//! defaults, and some with values at the limits of the types. Tables come after those that they refer
//! to, and foreign keys take their values from rows by subqueries. Values come from types, and from
//! what check constraints say about columns (`hint`). Whether a row is right only the database can
//! tell: of those that it refuses, the columns that the error is about get other values.
//!
//! This module is pure: the statements are run elsewhere. The same schema, seed and answers always
//! make the same statements.

mod blame;
mod condition;
mod example;
mod hint;
mod later;
mod order;
mod postgres;
mod random;
mod retry;
mod row;
mod sqlite;
mod statement;
mod table;
mod value;
mod wanted;
mod work;

use std::collections::HashMap;

use self::{
    later::foresee,
    table::{Reference, Source, Table, Way},
};
use crate::{
    schema::{Name, Schema},
    sql::Dialect,
};

pub use blame::Failure;
pub use work::{Coverage, Work};

/// Work that makes rows for those of `tables` that are in the schema. The rows also satisfy the
/// constraints of `later` schemas, as far as they can. `seed` determines the values.
pub fn work(schema: &Schema, later: &[&Schema], tables: &[Name], seed: u64) -> Work {
    let (mut found, mut fallbacks) = (Vec::new(), HashMap::new());
    for name in tables {
        let Some(today) = table(schema, name) else {
            continue;
        };
        let mut wanted = today.clone();
        for later in later {
            if let Some(then) = table(later, name) {
                foresee(&mut wanted, &then, &|table, reference, columns| {
                    can_refer(schema, table, reference, columns)
                });
            }
        }
        if !later.is_empty() {
            fallbacks.insert(found.len(), today);
        }
        found.push(wanted);
    }
    let mut sources = HashMap::new();
    let mut missing: Vec<Name> = Vec::new();
    for table in &found {
        missing.push(table.name.clone());
        missing.extend(table.references.iter().map(|it| it.table.clone()));
    }
    while let Some(name) = missing.pop() {
        if sources.contains_key(&name) {
            continue;
        }
        if let Some(source) = source(schema, &name) {
            if let Way::Through(parts) = &source.way {
                missing.extend(parts.iter().cloned());
            }
            sources.insert(name, source);
        }
    }
    Work::new(found, fallbacks, sources, seed)
}

/// Whether the columns of a foreign key of a later schema have the types of what they refer to.
fn can_refer(schema: &Schema, from: &Table, reference: &Reference, columns: &[usize]) -> bool {
    let Some(to) = table(schema, &reference.table) else {
        return false;
    };
    let mut pairs = columns.iter().zip(&reference.targets);
    pairs.all(|(column, target)| {
        let mut targets = to.columns.iter();
        let target = targets.find(|it| it.sql == *target);
        target.is_some_and(|it| it.data_type == from.columns[*column].data_type)
    })
}

fn table(schema: &Schema, name: &Name) -> Option<Table> {
    match schema.dialect {
        Dialect::Postgres => postgres::table(schema, name),
        Dialect::Sqlite => sqlite::table(schema, name),
    }
}

fn source(schema: &Schema, name: &Name) -> Option<Source> {
    match schema.dialect {
        Dialect::Postgres => postgres::source(schema, name),
        Dialect::Sqlite => sqlite::source(schema, name),
    }
}
