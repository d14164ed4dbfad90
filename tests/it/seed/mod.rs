//! Rows that are made for tables: every definition gets rows, one of them full, always the same.

mod postgres;
mod sqlite;

use std::path::Path;

use crate::common::settings;
use migrator::internals::{
    database::{self, Access, DatabaseError, Location},
    ops::{self, Coverage, Session},
    schema::{Kind, Name, Schema, Scope},
};

fn location(url: &str) -> Location {
    Location::parse(url, Path::new("/")).unwrap()
}

async fn inspect(url: &str) -> Schema {
    let mut session = Session::new(location(url), settings());
    let schema = session.inspect(&Scope::default()).await.unwrap();
    session.close().await.unwrap();
    schema
}

/// Makes rows for all tables.
async fn seed(url: &str, number: u64) -> Coverage {
    seed_toward(url, &[], number).await
}

/// Makes rows for all tables that satisfy later schemas as well.
async fn seed_toward(url: &str, later: &[&Schema], number: u64) -> Coverage {
    let mut session = Session::new(location(url), settings());
    let schema = session.inspect(&Scope::default()).await.unwrap();
    let tables: Vec<Name> = schema
        .objects
        .iter()
        .filter(|object| matches!(object.id.kind, Kind::Table | Kind::VirtualTable))
        .map(|object| object.id.qualified())
        .collect();
    let coverage = match later {
        [] => ops::seed(&mut session, &schema, &tables, number).await,
        later => ops::seed_toward(&mut session, &schema, later, &tables, number).await,
    };
    let coverage = coverage.unwrap();
    assert_eq!(coverage.filled.len() + coverage.empty.len(), tables.len());
    session.close().await.unwrap();
    coverage
}

/// Tries statements.
async fn try_each(url: &str, statements: &[&str]) -> Vec<Result<u64, DatabaseError>> {
    let connected = database::connect(&location(url), Access::Existing, settings()).await;
    let mut database = connected.unwrap();
    let statements: Vec<String> = statements.iter().map(|it| (*it).to_owned()).collect();
    let outcomes = database.rows().try_each(&statements).await.unwrap();
    database.close().await.unwrap();
    outcomes
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
