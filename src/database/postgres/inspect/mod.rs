//! Facts from the catalogs.
//!
//! All queries go to the server as one message, in one read-only transaction with one snapshot. They
//! read the columns of the catalogs; the server's deparsing is only used for expressions, which
//! depend on nothing but the settings of `session.rs`.

mod bare;
mod catalog;
mod columns;
mod constraints;
mod dependencies;
mod fields;
mod indexes;
mod kept;
mod left_out;
mod privileges;
mod query;
mod relations;
mod routines;
mod rules;
mod servers;
mod session;
mod text;
mod types;
mod unmodelled;
mod watch;

use async_trait::async_trait;
use sqlx::Row;

pub(super) use self::session::Reads;
use self::{
    catalog::Catalog,
    fields::Fault,
    query::{OF_RELATIONS, Query, Reach},
    session::Reader,
};
use super::{
    super::{DatabaseError, Inspect},
    Postgres, error,
    message::{rows, unpinned_rows},
    version_table::Trouble,
};
use crate::schema::{Schema, Scope};

/// How many times the catalogs are read if objects are dropped meanwhile.
const ATTEMPTS: u32 = 4;

/// The version of a server, as `server_version_num`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32);

impl Version {
    /// Returns `column` if the server has it, that is, from version `major` on, otherwise
    /// `constant`.
    fn since<'a>(self, major: u32, column: &'a str, constant: &'a str) -> &'a str {
        if self.has(major) { column } else { constant }
    }

    /// Whether the server is of version `major` or newer.
    fn has(self, major: u32) -> bool {
        self.0 / 10_000 >= major
    }
}

/// All queries, in the order in which their rows are read: what others refer to comes first.
fn queries(version: Version, schema: &str, table: &str) -> Vec<Query> {
    let mut queries = privileges::queries(version, schema, table);
    queries.extend(catalog::queries());
    queries.extend(servers::first_queries());
    queries.extend(types::queries(version));
    queries.extend(relations::queries());
    queries.extend(columns::queries(version));
    queries.extend(indexes::queries(version));
    queries.extend(constraints::queries(version));
    queries.extend(routines::queries(version));
    queries.extend(rules::queries(version));
    queries.extend(servers::queries(version));
    queries.extend(privileges::last_queries());
    queries.extend(unmodelled::queries(version));
    queries.extend(dependencies::queries(version));
    queries
}

#[async_trait]
impl Inspect for Postgres {
    fn expect_inspections(&mut self) {
        if self.reads.is_none() {
            self.reads = Reads::expected();
        }
    }

    async fn is_bare(&mut self) -> Result<bool, DatabaseError> {
        let (connection, table) = self.parts().await?;
        let found = rows(connection, &bare::query(&table.quoted, &table.log)).await;
        let found = self.answer(found.map_err(Trouble::from)).await?;
        let first = found.first().map(|row| row.try_get::<&str, _>(0));
        Ok(matches!(first, Some(Ok("false"))))
    }

    async fn inspect(&mut self, scope: &Scope) -> Result<Schema, DatabaseError> {
        if self.run.is_some() {
            let reason = "the schema cannot be read in the middle of a run";
            return Err(DatabaseError::Other(reason.into()));
        }
        self.ensure().await?;
        let mut attempt = 1;
        loop {
            self.running.begin();
            let reads = std::mem::take(&mut self.reads);
            let is_first = reads.is_none();
            let read = self.read_catalogs(reads).await;
            let cancelled = self.running.end().await;
            let fault = match read {
                Ok((catalog, reads)) => {
                    self.reads = reads;
                    return Ok(catalog.into_schema(scope));
                }
                Err(fault) => fault,
            };
            if let Some(connection) = &mut self.connection
                && !fault.is_of_connection()
            {
                let ended = unpinned_rows(connection, "ROLLBACK").await.map(drop);
                self.answer(ended.map_err(Trouble::from)).await?;
            }
            match fault {
                Fault::Sql(error) if cancelled && is_cancel(&error) => {
                    return Err(DatabaseError::Interrupted);
                }
                // The session is another one, or what was prepared is gone.
                fault if !is_first && fault.is_of_server() => {}
                fault if fault.is_change() && attempt < ATTEMPTS => attempt += 1,
                fault if fault.is_change() => return Err(changed(&fault)),
                Fault::Sql(error) => return Err(self.trouble(error.into()).await),
                fault => return Err(DatabaseError::Other(fault.to_string())),
            }
        }
    }
}

fn is_cancel(error: &sqlx::Error) -> bool {
    error::from_server(error).is_some_and(error::is_cancel)
}

fn changed(fault: &Fault) -> DatabaseError {
    DatabaseError::Other(format!(
        "the schema changed while it was read, {ATTEMPTS} times in a row: {fault}"
    ))
}

impl Postgres {
    /// Reads the catalogs after earlier `reads`. Returns what the next reading has to know.
    async fn read_catalogs(&mut self, reads: Reads) -> Result<(Catalog, Reads), Fault> {
        let (schema, table, log) = self.table.names();
        let (schema, table) = (schema.to_owned(), table.to_owned());
        let Some(connection) = &mut self.connection else {
            return Err(Fault::Malformed("no connection".into()));
        };
        let version = Version(connection.server_version_num().unwrap_or(0));
        let mut reader = Reader {
            connection,
            version,
            queries: queries(version, &schema, &table),
        };
        let own = [table, log];
        let empty = || Catalog::new(version, schema.clone(), own.clone());
        reader.read(reads, empty).await
    }
}
