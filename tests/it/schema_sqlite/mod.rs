//! The schema of SQLite files: facts, comparison and dump.

mod equal;
mod fixed_point;
mod hostile;
pub(crate) mod mutations;
mod random;

use std::{fmt::Write as _, path::Path, time::Duration};

use migrator::internals::{
    database::{self, Access, Location, Settings},
    generate,
    schema::{Change, Difference, Schema, Scope},
};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::common::SqliteDatabase;

fn settings() -> Settings {
    Settings {
        version_table: "migrator_version".into(),
        actor: "tester@here".into(),
        application_name: "migrator schema".into(),
        lock_timeout: Duration::from_secs(1),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(1),
        statement_times: false,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    }
}

/// A connection of another program.
pub(crate) async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .foreign_keys(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

pub(crate) async fn run(file: &Path, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = connect(file).await;
    let sql = AssertSqlSafe(sql.to_owned());
    let result = sqlx::raw_sql(sql).execute(&mut connection).await;
    connection.close().await.unwrap();
    result.map(drop)
}

/// A file with what `sql` makes.
pub(crate) async fn file_of(sql: &str) -> SqliteDatabase {
    let file = SqliteDatabase::create();
    run(&file.path, sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    file
}

async fn inspect_in(file: &Path, scope: &Scope) -> Schema {
    let location = Location::Sqlite(file.to_owned());
    let opened = database::connect(&location, Access::Existing, settings());
    let mut database = opened.await.unwrap();
    let schema = database.inspect(scope).await.unwrap();
    database.close().await.unwrap();
    schema
}

pub(crate) async fn inspect(file: &Path) -> Schema {
    inspect_in(file, &Scope::default()).await
}

/// The schema that `sql` makes.
async fn schema_of(sql: &str) -> Schema {
    let schema = inspect(&file_of(sql).await.path).await;
    assert_eq!(schema.unreadable, [], "{sql}");
    assert_eq!(schema.unmodelled, [], "{sql}");
    schema
}

/// The rows of sqlite_schema without what depends on the layout of the file, sorted.
async fn rows(file: &Path) -> Vec<[String; 4]> {
    let mut connection = connect(file).await;
    let sql = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema
        WHERE name NOT LIKE 'sqlite\\_stat_' ESCAPE '\\' ORDER BY 1, 2, 3";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let rows = rows.iter();
    rows.map(|row| [0, 1, 2, 3].map(|column| row.get(column)))
        .collect()
}

fn dump(schema: &Schema) -> String {
    let mut text = String::new();
    for block in generate::dump(schema).unwrap() {
        for statement in block.statements {
            writeln!(text, "{statement};").unwrap();
        }
    }
    text
}

/// The changes as one line each.
pub(crate) fn lines(difference: &Difference) -> Vec<String> {
    let line = |change: &Change| match change {
        Change::Add { object } => format!("+ {object}"),
        Change::Drop { object } => format!("- {object}"),
        Change::Alter {
            object,
            attribute,
            from,
            to,
        } => format!("{object}: {attribute} {from} -> {to}"),
    };
    difference.changes.iter().map(line).collect()
}
