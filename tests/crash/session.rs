//! One connection that stays open, for looking at a database while something else works on it.

use std::{path::PathBuf, time::Duration};

use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Connection, PgConnection, Row, SqliteConnection,
    ValueRef, postgres::PgConnectOptions, raw_sql, sqlite::SqliteConnectOptions,
};
use tokio::runtime::{Builder, Runtime};

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Place {
    /// What `--url` takes.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }
}

pub type Rows = Vec<Vec<String>>;

pub struct Session {
    runtime: Runtime,
    link: Link,
}

enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Session {
    /// How long a SQLite session waits for others.
    const PATIENCE: Duration = Duration::from_secs(10);

    pub fn open(place: &Place) -> Result<Self, String> {
        Self::with_patience(place, Self::PATIENCE)
    }

    /// One that stands in nobody's way: it never waits.
    pub fn glancing(place: &Place) -> Result<Self, String> {
        Self::with_patience(place, Duration::ZERO)
    }

    fn with_patience(place: &Place, patience: Duration) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let link = runtime.block_on(async {
            match place {
                Place::Sqlite(path) => {
                    let options = SqliteConnectOptions::new()
                        .filename(path)
                        .foreign_keys(false)
                        .busy_timeout(patience);
                    options.connect().await.map(Link::Sqlite)
                }
                Place::Postgres(url) => {
                    let options: PgConnectOptions = url.parse()?;
                    let options = options.disable_statement_logging();
                    options.connect().await.map(Link::Postgres)
                }
            }
        });
        let link = link.map_err(|error| error.to_string())?;
        Ok(Self { runtime, link })
    }

    /// Runs `sql` as it is. Every column must be text or an integer; NULL is "".
    pub fn rows(&mut self, sql: &str) -> Result<Rows, String> {
        let sql = AssertSqlSafe(sql.to_owned());
        let rows = self.runtime.block_on(async {
            match &mut self.link {
                Link::Sqlite(link) => {
                    let rows = raw_sql(sql).fetch_all(link).await?;
                    Ok::<_, sqlx::Error>(rows.iter().map(sqlite_row).collect())
                }
                Link::Postgres(link) => {
                    let rows = raw_sql(sql).fetch_all(link).await?;
                    Ok(rows.iter().map(postgres_row).collect())
                }
            }
        });
        rows.map_err(|error| error.to_string())
    }

    /// The first column of the first row.
    pub fn value(&mut self, sql: &str) -> Result<String, String> {
        let first = self.rows(sql)?.into_iter().next();
        Ok(first
            .and_then(|row| row.into_iter().next())
            .unwrap_or_default())
    }

    pub fn close(self) {
        let Self { runtime, link } = self;
        // What is closed in bad order is closed all the same.
        let _ = runtime.block_on(async {
            match link {
                Link::Sqlite(link) => link.close().await,
                Link::Postgres(link) => link.close().await,
            }
        });
    }
}

fn sqlite_row(row: &sqlx::sqlite::SqliteRow) -> Vec<String> {
    let column = |at| {
        if row.try_get_raw(at).unwrap().is_null() {
            return String::new();
        }
        let number = |_| row.try_get_unchecked::<i64, _>(at).map(|n| n.to_string());
        row.try_get_unchecked::<String, _>(at)
            .or_else(number)
            .unwrap()
    };
    row.columns()
        .iter()
        .map(|one| column(one.ordinal()))
        .collect()
}

fn postgres_row(row: &sqlx::postgres::PgRow) -> Vec<String> {
    let column = |at| {
        let value = row.try_get_raw(at).unwrap();
        if value.is_null() {
            return String::new();
        }
        value.as_str().unwrap().to_owned()
    };
    (0..row.len()).map(column).collect()
}
