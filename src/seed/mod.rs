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
mod order;
mod postgres;
mod random;
mod row;
mod sqlite;
mod statement;
mod table;
mod wanted;
mod work;

use std::collections::HashMap;

use self::table::{Source, Table, Way};
use crate::{
    schema::{Name, Schema},
    sql::Dialect,
};

pub use blame::Failure;
pub use work::{Coverage, Work};

/// Work that makes rows for those of `tables` that are in the schema. `seed` determines the values.
pub fn work(schema: &Schema, tables: &[Name], seed: u64) -> Work {
    let found: Vec<Table> = tables
        .iter()
        .filter_map(|name| table(schema, name))
        .collect();
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
    Work::new(found, sources, seed)
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
