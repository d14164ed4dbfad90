//! Statements that wait until a test lets them pass.

use sqlx::{Connection, SqliteConnection, raw_sql, sqlite::SqliteConnectOptions};
use tokio::runtime::Runtime;

use super::{Backend, Env, Session, wait_until};

/// Keeps [`Gate::pass`] waiting; opened with [`Gate::open`].
pub enum Gate {
    Postgres(Session),
    Sqlite(Runtime, SqliteConnection),
}

impl Gate {
    /// A closed one. The project must wait for locks as long as it takes, see [`Gate::SETTINGS`].
    pub fn close(env: &Env) -> Self {
        match env.backend {
            Backend::Postgres => {
                let mut session = Session::open(env);
                session.run("CREATE TABLE gate (x integer)");
                session.run("BEGIN; LOCK TABLE gate");
                Self::Postgres(session)
            }
            Backend::Sqlite => {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let options = SqliteConnectOptions::new()
                    .filename(env.path("gate.db"))
                    .create_if_missing(true);
                let connection = runtime.block_on(async {
                    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                    let sql = "CREATE TABLE gate (x integer); BEGIN EXCLUSIVE";
                    raw_sql(sql).execute(&mut connection).await.unwrap();
                    connection
                });
                Self::Sqlite(runtime, connection)
            }
        }
    }

    /// For migrator.toml.
    pub const SETTINGS: &str =
        "allow-nonempty = true\nconnect-timeout = \"5min\"\n[postgres]\nlock-timeout = \"0\"\n";

    /// SQL that waits for the gate, in a transaction that has written before.
    pub fn pass(backend: Backend) -> &'static str {
        match backend {
            Backend::Postgres => "INSERT INTO gate VALUES (1);\n",
            Backend::Sqlite => "ATTACH 'gate.db' AS gate;\n",
        }
    }

    /// Waits until someone waits; `before` as for [`wait_for_write`].
    pub fn wait(env: &Env, before: &str) {
        if env.backend == Backend::Sqlite {
            return wait_for_write(env, before);
        }
        wait_until("someone waits at the gate", || {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                       AND wait_event_type = 'Lock'";
            env.sql(sql) == "1\n"
        });
    }

    /// Lets everyone pass.
    pub fn open(self) {
        match self {
            Self::Postgres(mut session) => drop(session.run("COMMIT")),
            Self::Sqlite(runtime, mut connection) => runtime.block_on(async {
                raw_sql("COMMIT").execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }),
        }
    }
}

/// Waits until a transaction has written to the SQLite database that has begun when the version
/// table held the rows `before`: revision, state, statements done.
pub fn wait_for_write(env: &Env, before: &str) {
    wait_until("a transaction has written", || {
        let made =
            env.sql("SELECT count(*) FROM sqlite_schema WHERE name = 'migrator_version_log'");
        let rows = "SELECT t.revision, t.state, coalesce(p.statements_done, t.statements_done)
            FROM migrator_version AS t LEFT JOIN migrator_version_progress AS p USING (revision)
            ORDER BY t.sequence";
        // In this order: a journal that is seen after the rows is of a later transaction.
        made == "1\n" && env.sql(rows) == before && env.path("app.db-journal").exists()
    });
}
