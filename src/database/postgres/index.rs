//! Indexes of a table, for CREATE INDEX CONCURRENTLY, which leaves an invalid index when it fails.

use sqlx::{PgConnection, Row};

use super::{
    super::TableIndex,
    message::{literal, unpinned_rows},
};
use crate::sql::{ConcurrentIndex, in_quotes};

/// Whether a session is building index `i`. Of other roles' sessions the server shows only that
/// they build an index, so their lock on the table must suffice.
const IS_BEING_BUILT: &str = "EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p \
     WHERE p.index_relid OPERATOR(pg_catalog.=) i.indexrelid OR p.index_relid IS NULL AND EXISTS (\
     SELECT 1 FROM pg_catalog.pg_locks AS l WHERE l.pid OPERATOR(pg_catalog.=) p.pid \
     AND l.locktype OPERATOR(pg_catalog.=) 'relation'::pg_catalog.text \
     AND l.relation OPERATOR(pg_catalog.=) i.indrelid \
     AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'::pg_catalog.text AND l.granted))";

/// The indexes of the table that `created` names, by name. The table is resolved as in the
/// statement, with the search path of the session.
pub(super) async fn all(
    connection: &mut PgConnection,
    created: &ConcurrentIndex,
) -> Result<Vec<TableIndex>, sqlx::Error> {
    let named_so = match &created.name {
        Some(name) => format!(
            "c.relname OPERATOR(pg_catalog.=) {}::pg_catalog.name",
            literal(name)
        ),
        None => "false".to_owned(),
    };
    let may_be_it = if created.name.is_some() {
        &named_so
    } else {
        "true"
    };
    let sql = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), i.indisvalid::pg_catalog.text, \
         ({named_so})::pg_catalog.text, \
         ({may_be_it} AND i.indisunique OPERATOR(pg_catalog.=) {} AND NOT i.indisprimary)::pg_catalog.text, \
         (NOT i.indisvalid AND {IS_BEING_BUILT})::pg_catalog.text \
         FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         WHERE i.indrelid OPERATOR(pg_catalog.=) {} ORDER BY 1",
        created.unique,
        table(created),
    );
    read(connection, &sql).await
}

/// The invalid indexes with the names that REINDEX CONCURRENTLY assigns: to the new index until the
/// swap, and to the old index after it.
pub(super) async fn unfinished(
    connection: &mut PgConnection,
) -> Result<Vec<TableIndex>, sqlx::Error> {
    let sql = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), 'false', 'false', 'false', \
         ({IS_BEING_BUILT})::pg_catalog.text \
         FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         WHERE NOT i.indisvalid AND n.nspname OPERATOR(pg_catalog.<>) 'pg_toast'::pg_catalog.name \
         AND c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'::pg_catalog.text ORDER BY 1"
    );
    read(connection, &sql).await
}

async fn read(connection: &mut PgConnection, sql: &str) -> Result<Vec<TableIndex>, sqlx::Error> {
    let found = unpinned_rows(connection, sql).await?;
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

/// A setting of a script's session that stores the names of indexes.
const NOTED: &str = "migrator.indexes";

/// An expression that stores the names of these indexes in the session, as one text. The record
/// that contains them is written under another search path.
pub(super) fn note(created: &ConcurrentIndex) -> String {
    format!(
        "pg_catalog.set_config('{NOTED}', (SELECT pg_catalog.string_agg(s.name, ', ' ORDER BY s.name) FROM \
         (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name \
         FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
         JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
         WHERE i.indrelid OPERATOR(pg_catalog.=) {}) AS s), false)",
        table(created)
    )
}

/// An expression for the names stored by [`note`].
pub(super) fn noted() -> String {
    format!("pg_catalog.current_setting('{NOTED}')")
}

/// A condition that is true if an unusable index blocks the statement.
pub(super) fn is_in_the_way(created: &ConcurrentIndex) -> Option<String> {
    let name = literal(created.name.as_ref()?);
    Some(format!(
        "EXISTS (SELECT FROM pg_catalog.pg_index AS i \
         JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
         WHERE i.indrelid OPERATOR(pg_catalog.=) {} AND c.relname OPERATOR(pg_catalog.=) {name}::pg_catalog.name \
         AND NOT i.indisvalid)",
        table(created)
    ))
}

/// An expression for the OID of the statement's table, resolved with the session's search path. The
/// queries here are therefore fully qualified and not pinned.
fn table(created: &ConcurrentIndex) -> String {
    let schema = created.schema.as_ref();
    let schema: String = schema.iter().map(|name| in_quotes(name) + ".").collect();
    let name = literal(&(schema + &in_quotes(&created.table)));
    format!("pg_catalog.to_regclass({name})::pg_catalog.oid")
}
