//! Rows that are made for tables: every definition gets rows, one of them full, always the same.

mod postgres;
mod sqlite;

use std::{path::Path, time::Duration};

use migrator::internals::{
    database::{self, Access, Location, Settings},
    ops::{self, Coverage, Session},
    schema::{Kind, Name, Schema, Scope},
};

fn settings() -> Settings {
    Settings {
        version_table: "migrator_version".into(),
        actor: "tester@here".into(),
        application_name: "migrator test".into(),
        lock_timeout: Duration::from_secs(5),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(10),
        statement_times: false,
        session: Vec::new(),
        statement_marks: false,
    }
}

fn location(url: &str) -> Location {
    Location::parse(url, Path::new("/")).unwrap()
}

/// Makes rows for all tables.
async fn seed(url: &str, number: u64) -> (Coverage, Schema) {
    let mut session = Session::new(location(url), settings());
    let schema = session.inspect(&Scope::default()).await.unwrap();
    let tables: Vec<Name> = schema
        .objects
        .iter()
        .filter(|object| matches!(object.id.kind, Kind::Table | Kind::VirtualTable))
        .map(|object| object.id.qualified())
        .collect();
    let coverage = ops::seed(&mut session, &schema, &tables, number).await;
    let coverage = coverage.unwrap();
    assert_eq!(coverage.filled.len() + coverage.empty.len(), tables.len());
    session.close().await.unwrap();
    (coverage, schema)
}

/// The rows of a query.
async fn texts(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let connected = database::connect(&location(url), Access::Existing, settings()).await;
    let mut database = connected.unwrap();
    let rows = database.rows().texts(sql).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    database.close().await.unwrap();
    rows
}

/// The numbers of all rows and of those without NULLs.
fn counts(rows: &[Vec<Option<String>>]) -> (u64, u64) {
    let count = |at: usize| rows[0][at].as_deref().unwrap().parse().unwrap();
    (count(0), count(1))
}

fn names(list: &[Name]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}
