//! Indexes that CREATE INDEX CONCURRENTLY makes, or leaves invalid when it fails.

use sqlx::{PgConnection, Row};

use super::{
    super::FoundIndex,
    message::{literal, rows},
};
use crate::sql::ConcurrentIndex;

/// The invalid indexes of the table that `created` names, and the valid one of the name that it
/// gives. The table is looked for as the statement would: in the search path of the session.
pub(super) async fn found(
    connection: &mut PgConnection,
    created: &ConcurrentIndex,
) -> Result<Vec<FoundIndex>, sqlx::Error> {
    let schema = created.schema.as_ref();
    let table = schema
        .iter()
        .map(|schema| quoted(schema) + ".")
        .collect::<String>();
    let table = table + &quoted(&created.table);
    let is_named = created
        .name
        .as_ref()
        .map(|name| format!("c.relname = {}", literal(name)));
    let like_it = is_named.as_deref().unwrap_or("true");
    let named = is_named.as_deref().unwrap_or("false");
    let sql = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), \
         ({like_it} AND i.indisunique = {} AND NOT i.indisprimary)::text, \
         EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p \
         WHERE p.index_relid = i.indexrelid)::text, i.indisvalid::text \
         FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE (NOT i.indisvalid OR {named}) AND i.indrelid = pg_catalog.to_regclass({}) ORDER BY 1",
        created.unique,
        literal(&table),
    );
    let found = rows(connection, &sql).await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let is = |column: usize| row.try_get::<String, _>(column).map(|text| text == "true");
        Ok(FoundIndex {
            name: row.try_get(0)?,
            is_like_it: is(1)?,
            is_being_built: is(2)?,
            is_valid: is(3)?,
        })
    };
    found.iter().map(read).collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
