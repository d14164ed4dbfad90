//! The rows of a database, as texts.

use std::collections::BTreeMap;

use crate::common::PostgresDatabase;

/// Rows for the tables of the mutations.
pub const OF_START: &str = "\
    INSERT INTO shop.customers (name, mail, home, kind, note) VALUES \
        ('a', 'a@b.c', ROW('s', 'c', 'z'), 'k', 'n'), ('b', 'b@c.d', NULL, 'l', '7'); \
    INSERT INTO shop.orders (customer, state, price, amount, code, data) \
        VALUES (1, 'new', 5, 3, '1', '{\"a\": 1}'), (2, 'paid', 6, 4, '2', NULL); \
    INSERT INTO shop.events VALUES (1, '2026-05-05', 'x'); \
    INSERT INTO shop.typed VALUES ('s', 'c', 'z'); \
    INSERT INTO shop.scratch VALUES (1);";

/// The values of each column, sorted, by table and column.
pub type Rows = BTreeMap<(String, String), Column>;

/// A column with its values.
#[derive(Debug, PartialEq)]
pub struct Column {
    data_type: String,
    values: Vec<Option<String>>,
}

/// All rows of a database.
pub fn of(database: &PostgresDatabase) -> Rows {
    let columns = database.query(
        "SELECT c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, NULL) \
         FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
         AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'",
    );
    let columns: Vec<[String; 3]> = columns
        .into_iter()
        .filter_map(|row| row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok())
        .collect();
    let values: Vec<String> = columns
        .iter()
        .map(|[table, column, _]| format!("SELECT {column}::text FROM ONLY {table} ORDER BY 1"))
        .collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let values = database.query_each(&values).into_iter();
    let rows = columns
        .into_iter()
        .zip(values)
        .map(|([table, column, data_type], values)| {
            let values = values.into_iter().flatten().collect();
            ((table, column), Column { data_type, values })
        });
    rows.collect()
}

/// The columns that both have whose values are not the same. Of another type, only their number and
/// NULLs are compared.
pub fn lost<'a>(before: &'a Rows, after: &Rows) -> Vec<&'a (String, String)> {
    let is_same = |old: &Column, new: &Column| match old.data_type == new.data_type {
        true => old.values == new.values,
        false => {
            let nulls = |column: &Column| column.values.iter().filter(|it| it.is_none()).count();
            old.values.len() == new.values.len() && nulls(old) == nulls(new)
        }
    };
    let differs = |(name, old): &(&'a (String, String), &Column)| {
        after.get(*name).is_some_and(|new| !is_same(old, new))
    };
    before
        .iter()
        .filter(differs)
        .map(|(name, _)| name)
        .collect()
}
