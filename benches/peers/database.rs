//! Empty databases of both kinds.

use std::{env, fs, path::Path};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, raw_sql};

/// Where it is measured.
pub enum Database {
    /// A file in the project's directory.
    Sqlite,
    /// A database of this server.
    Postgres(String),
}

/// The database's name on the server.
const NAME: &str = "migrator_bench";

impl Database {
    /// SQLite, and the server that is there.
    pub fn all() -> Vec<Self> {
        let server = env::var("MIGRATOR_BENCH_PG").or_else(|_| env::var("MIGRATOR_TEST_POSTGRES"));
        let server = server.expect("a server: tests/run -- cargo bench --bench peers");
        vec![Self::Sqlite, Self::Postgres(server)]
    }

    /// For people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Makes it again for the project in `dir`; its URL.
    pub fn fresh(&self, dir: &Path) -> String {
        match self {
            Self::Sqlite => {
                for end in ["", "-journal", "-wal", "-shm", ".migrator-lock"] {
                    let _ = fs::remove_file(dir.join(format!("bench.db{end}")));
                }
                format!("sqlite:{}", dir.join("bench.db").display())
            }
            Self::Postgres(server) => {
                super::floor::block_on(async {
                    let mut connection = PgConnection::connect(server).await.unwrap();
                    for sql in [
                        format!("DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"),
                        format!("CREATE DATABASE {NAME}"),
                        "CHECKPOINT".to_owned(),
                    ] {
                        connection
                            .execute(raw_sql(AssertSqlSafe(sql)))
                            .await
                            .unwrap();
                    }
                    connection.close().await.unwrap();
                });
                let end = server.rfind('/').unwrap();
                format!("{}/{NAME}", &server[..end])
            }
        }
    }
}
