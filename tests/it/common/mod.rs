//! Databases and projects of their own for tests.

// Every test file compiles this module, and none needs all of it.
#![allow(dead_code, unused_imports)]

mod choices;
#[macro_use]
mod env;
mod gate;
#[cfg(unix)]
mod pooler;
mod running;
mod shell;
mod sqlite;
#[cfg(unix)]
mod terminal;
mod version;

use std::{
    env as process_env,
    future::Future,
    path::PathBuf,
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use migrator::internals::database::Settings;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, ValueRef,
    postgres::{PgConnectOptions, PgRow},
    raw_sql,
};
use tempfile::TempDir;

pub use choices::{Choices, long_run, quoted, with_choices};
pub use env::{Backend, Env, snapshot_of};
pub use gate::{Gate, wait_for_write};
#[cfg(unix)]
pub use pooler::Pooler;
pub use running::{Finished, Running, Session};
pub use sqlite::sqlite;
#[cfg(unix)]
pub use terminal::on_terminal;
pub use version::leave_out;

/// The names of the commands that a help text lists, in whatever groups; without `help` itself.
pub fn listed_commands(help: &str) -> Vec<&str> {
    let names = help.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        name.starts_with(|c: char| c.is_ascii_lowercase())
            .then_some(name)
    });
    names.filter(|name| *name != "help").collect()
}

/// Whether a command that has others below it does something by itself, too, by its help text.
pub fn does_something(help: &str, name: &str) -> bool {
    let usage = format!("Usage: migrator {name} [OPTIONS]");
    let rest = help.split(&usage).nth(1);
    rest.is_some_and(|rest| rest.starts_with('\n') || rest.starts_with(" -- "))
}

/// Settings of connections in tests.
pub fn settings() -> Settings {
    Settings {
        version_table: "migrator_version".into(),
        actor: "tester@here".into(),
        application_name: "migrator test".into(),
        lock_timeout: Duration::from_secs(5),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(10),
        statement_times: true,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    }
}

/// Polls until `condition` holds.
///
/// # Panics
/// When it does not come true for a time that no machine is too slow for.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A fresh database on the server of `MIGRATOR_TEST_POSTGRES`; dropped with the value.
pub struct PostgresDatabase {
    /// Of the database.
    pub name: String,
    /// Leads to it.
    pub url: String,
    server: String,
}

impl PostgresDatabase {
    /// Makes one.
    ///
    /// # Panics
    /// Without a server: tests that do not run must not pass.
    pub fn create() -> Self {
        let server = process_env::var("MIGRATOR_TEST_POSTGRES").unwrap_or_else(|_| {
            panic!(
                "this test needs a PostgreSQL server: run `tests/run`, which starts one and then \
                 `cargo test`, or set MIGRATOR_TEST_POSTGRES to the URL of one"
            )
        });
        let name = Self::new_name();
        // template0: nobody is ever connected to it.
        make(&server, &name, "template0");
        let url = with_database(&server, &name);
        Self { name, url, server }
    }

    /// A name of at most 38 bytes: that of a scratch database beside it has all of it.
    fn new_name() -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "migrator_test_{}_{}_{:x}",
            process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed),
            SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs(),
        );
        assert!(name.len() <= 38, "{name}");
        name
    }

    /// A copy of this one, to which nobody may be connected.
    pub fn copy(&self) -> Self {
        let name = Self::new_name();
        make(&self.server, &name, &self.name);
        let url = with_database(&self.server, &name);
        let server = self.server.clone();
        Self { name, url, server }
    }

    /// Runs `sql` in a session of its own and returns the rows, as text.
    pub fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        run(&self.url, sql)
    }

    /// The same for each of `messages`, in one session for all.
    pub fn query_each(&self, messages: &[&str]) -> Vec<Vec<Vec<Option<String>>>> {
        run_each(&self.url, messages)
    }

    /// The first column of the first row.
    pub fn value(&self, sql: &str) -> Option<String> {
        self.query(sql).into_iter().next()?.into_iter().next()?
    }

    /// The number of its scratch databases.
    pub fn scratch_databases(&self) -> String {
        let sql = format!(
            "SELECT count(*) FROM pg_database WHERE datname LIKE '{}\\_scratch\\_%'",
            self.name
        );
        self.value(&sql).unwrap()
    }

    /// Rows as text, columns parted by `|`.
    pub fn text(&self, sql: &str) -> String {
        let rows = self.query(sql).into_iter().map(|row| {
            row.into_iter()
                .map(Option::unwrap_or_default)
                .collect::<Vec<_>>()
                .join("|")
                + "\n"
        });
        rows.collect()
    }

    /// `postgres://user@host:port`, where it is.
    pub fn server(&self) -> String {
        let end = self.url.rfind(&format!("/{}", self.name)).unwrap();
        self.url[..end].to_owned()
    }

    /// Schema and rows, as pg_dump has them.
    pub fn dump(&self) -> Vec<u8> {
        self.pg_dump(&[])
    }

    /// The schema without our own tables, as pg_dump has it.
    pub fn schema(&self) -> String {
        let dump = self.pg_dump(&["--schema-only", "--no-owner", "-T", "migrator_version*"]);
        String::from_utf8(dump).unwrap()
    }

    /// Whether pg_dump is not older than the server.
    pub fn knows_pg_dump(&self) -> bool {
        let output = process::Command::new("pg_dump").arg("--version").output();
        let output = output.expect("pg_dump is needed; tests/run puts it on the PATH");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut numbers = text.split(|c: char| !c.is_ascii_digit());
        let program: u32 = numbers.find_map(|it| it.parse().ok()).unwrap();
        let server = self.major();
        if program < server {
            leave_out(&format!(
                "pg_dump {program} cannot read PostgreSQL {server}"
            ));
        }
        program >= server
    }

    /// The whole schema, as pg_dump has it.
    pub fn whole_schema(&self) -> String {
        String::from_utf8(self.pg_dump(&["--schema-only"])).unwrap()
    }

    fn pg_dump(&self, arguments: &[&str]) -> Vec<u8> {
        let output = process::Command::new("pg_dump")
            .args(arguments)
            .arg(&self.url)
            .output();
        let output = output.expect("pg_dump is needed; tests/run puts it on the PATH");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        // The key of \restrict differs from run to run.
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text
            .lines()
            .filter(|l| !l.starts_with("\\restrict") && !l.starts_with("\\unrestrict"));
        lines.collect::<Vec<_>>().join("\n").into_bytes()
    }

    /// A session of its own.
    pub async fn connect(&self) -> PgConnection {
        options(&self.url).connect().await.unwrap()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let name = &self.name;
        let ending = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        run_each(&self.server, &[&ending, &format!("DROP DATABASE {name}")]);
    }
}

/// Makes a database by copying the files of another, which takes half of the time that it takes through
/// the log.
fn make(server: &str, name: &str, template: &str) {
    static STRATEGY: OnceLock<&str> = OnceLock::new();
    let strategy = STRATEGY.get_or_init(|| match version::major(server) {
        ..15 => "",
        _ => " STRATEGY FILE_COPY",
    });
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}{strategy}");
    run(server, &sql);
}

/// A directory with a place for a SQLite file, which is not made yet.
pub struct SqliteDatabase {
    /// Removed with the value.
    pub directory: TempDir,
    /// Of the file.
    pub path: PathBuf,
    /// Leads to it.
    pub url: String,
}

impl SqliteDatabase {
    /// Makes the directory.
    pub fn create() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let url = format!("sqlite:{}", path.display());
        Self {
            directory,
            path,
            url,
        }
    }
}

pub fn options(url: &str) -> PgConnectOptions {
    let options: PgConnectOptions = url.parse().unwrap();
    options.disable_statement_logging()
}

/// `server` with another database.
fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) = server.split_once('?').unwrap_or((server, ""));
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |at| authority + at);
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{}/{name}{mark}{parameters}", &address[..end])
}

fn run(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    run_each(url, &[sql]).remove(0)
}

/// Runs the messages in one session and returns the rows of each.
fn run_each(url: &str, messages: &[&str]) -> Vec<Vec<Vec<Option<String>>>> {
    block_on(async {
        let mut connection = options(url).connect().await.unwrap();
        let mut found = Vec::new();
        for sql in messages {
            let rows = raw_sql(AssertSqlSafe(*sql))
                .fetch_all(&mut connection)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
            found.push(rows.iter().map(texts).collect());
        }
        connection.close().await.unwrap();
        found
    })
}

fn texts(row: &PgRow) -> Vec<Option<String>> {
    let columns = (0..row.len()).map(|column| {
        let value = row.try_get_raw(column).unwrap();
        (!value.is_null()).then(|| value.as_str().unwrap().to_owned())
    });
    columns.collect()
}

/// Works inside and outside a runtime.
fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(future)
        };
        let done = scope.spawn(runtime).join();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
