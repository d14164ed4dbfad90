//! The survey of objects around the version table.

use async_trait::async_trait;
use sqlx::{PgConnection, Row};

use super::{
    super::{DatabaseError, Survey},
    Postgres, external,
    message::{literal, rows},
    version_table::{Trouble, VersionTable},
};
use crate::layout::{Surroundings, TABLES_NAMED};

#[async_trait]
impl Survey for Postgres {
    async fn surroundings(&mut self) -> Result<Surroundings, DatabaseError> {
        let (connection, table) = self.parts().await?;
        let found = survey(connection, table).await;
        self.answer(found).await
    }

    fn shown_table(&self) -> String {
        self.table.shown()
    }

    fn home_schema(&self) -> Option<String> {
        Some(self.table.names().0.to_owned())
    }

    fn ambiguity(&self) -> Option<DatabaseError> {
        self.table.ambiguity().cloned()
    }
}

/// A query for the publications of all tables.
const PUBLICATIONS: &str = "SELECT ARRAY(SELECT p.pubname::text FROM pg_publication AS p \
     WHERE p.puballtables ORDER BY p.pubname)";

async fn survey(
    connection: &mut PgConnection,
    table: &VersionTable,
) -> Result<Surroundings, Trouble> {
    let mut surroundings = Surroundings::default();
    let queries = format!(
        "{};\n{PUBLICATIONS};\n{}",
        external::are_possible(),
        tables(table)
    );
    let found = rows(connection, &queries).await?;
    let [external, publications, tables @ ..] = &found[..] else {
        return Err(sqlx::Error::RowNotFound.into());
    };
    surroundings.publications = publications.try_get(0)?;
    if external.try_get(0)? {
        external::survey(connection, &mut surroundings).await?;
    }
    surroundings.table_count = tables.len();
    for row in tables.iter().take(TABLES_NAMED) {
        surroundings.tables.push(row.try_get(0)?);
    }
    Ok(surroundings)
}

/// A query for tables in the schema of the version table, without migrator's own and those of
/// extensions.
fn tables(table: &VersionTable) -> String {
    let (schema, name, log) = table.names();
    format!(
        "SELECT concat(n.nspname, '.', c.relname) FROM pg_class AS c \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = {} AND c.relkind IN ('r', 'p', 'f') AND c.relname NOT IN ({}, {}) \
         AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass \
          AND d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname",
        literal(schema),
        literal(name),
        literal(&log),
    )
}
