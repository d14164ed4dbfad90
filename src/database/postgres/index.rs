//! Indexes of a table, for CREATE INDEX CONCURRENTLY, which leaves invalid ones when it fails.

use sqlx::{PgConnection, Row};

use super::{
    super::TableIndex,
    message::{literal, rows},
};
use crate::sql::ConcurrentIndex;

/// Whether some session is building index `i`. Of other roles' sessions the server shows only
/// that they build something; their lock on the table then has to do.
const IS_BEING_BUILT: &str = "EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p \
     WHERE p.index_relid = i.indexrelid OR p.index_relid IS NULL AND EXISTS (\
     SELECT 1 FROM pg_catalog.pg_locks AS l WHERE l.pid = p.pid AND l.locktype = 'relation' \
     AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted))";

/// The indexes of the table that `created` names, by name. The table is looked for as the
/// statement would: in the search path of the session.
pub(super) async fn all(
    connection: &mut PgConnection,
    created: &ConcurrentIndex,
) -> Result<Vec<TableIndex>, sqlx::Error> {
    let named_so = match &created.name {
        Some(name) => format!("c.relname = {}", literal(name)),
        None => "false".to_owned(),
    };
    let may_be_it = if created.name.is_some() {
        &named_so
    } else {
        "true"
    };
    let sql = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), i.indisvalid::text, \
         ({named_so})::text, \
         ({may_be_it} AND i.indisunique = {} AND NOT i.indisprimary)::text, \
         (NOT i.indisvalid AND {IS_BEING_BUILT})::text \
         FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE i.indrelid = pg_catalog.to_regclass({}) ORDER BY 1",
        created.unique,
        table(created),
    );
    let found = rows(connection, &sql).await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let is = |column: usize| row.try_get::<String, _>(column).map(|text| text == "true");
        Ok(TableIndex {
            name: row.try_get(0)?,
            is_valid: is(1)?,
            is_named_so: is(2)?,
            is_like_it: is(3)?,
            is_being_built: is(4)?,
        })
    };
    found.iter().map(read).collect()
}

/// The names of these indexes in one text, as an expression.
pub(super) fn names(created: &ConcurrentIndex) -> String {
    format!(
        "(SELECT pg_catalog.string_agg(s.name, ', ' ORDER BY s.name) FROM \
         (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name \
         FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE i.indrelid = pg_catalog.to_regclass({})) AS s)",
        table(created)
    )
}

/// A condition that holds where an unusable index stands in the statement's way.
pub(super) fn is_in_the_way(created: &ConcurrentIndex) -> Option<String> {
    let name = literal(created.name.as_ref()?);
    Some(format!(
        "EXISTS (SELECT FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
         WHERE i.indrelid = pg_catalog.to_regclass({}) AND c.relname = {name} \
         AND NOT i.indisvalid)",
        table(created)
    ))
}

/// The name of its table as a literal.
fn table(created: &ConcurrentIndex) -> String {
    let schema = created.schema.as_ref();
    let schema: String = schema.iter().map(|name| quoted(name) + ".").collect();
    literal(&(schema + &quoted(&created.table)))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
