//! The peers: what they read and how they are called.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::scripts;

/// Calls a tool for the project in a directory and the database of a URL.
type Call = fn(&Path, &str) -> Command;

/// A tool that brings a database to head.
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its program.
    program: &'static str,
    /// Writes the scripts into `migrations/`, and what else it needs.
    write: fn(&Path, usize),
    /// To head.
    pub up: Call,
    /// To base; some go back one at a time only, or not at all.
    pub down: Option<Call>,
    /// To head in one transaction.
    pub up_at_once: Option<Call>,
    /// What it does less than we do, where that makes it faster.
    pub remark: &'static str,
}

/// Ours.
pub const MIGRATOR: &str = "migrator";

/// The tools that are installed, and the names of the others.
pub fn installed() -> (Vec<Tool>, Vec<&'static str>) {
    let there = |tool: &Tool| tool.name == MIGRATOR || is_on_path(tool.program);
    let (tools, missing): (Vec<_>, Vec<_>) = all().into_iter().partition(there);
    (tools, missing.iter().map(|tool| tool.name).collect())
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

impl Tool {
    /// Makes its project below `dir`.
    pub fn project(&self, dir: &Path, size: usize) -> PathBuf {
        let project = dir.join(self.name);
        fs::create_dir_all(project.join("migrations")).unwrap();
        (self.write)(&project, size);
        project
    }
}

fn all() -> Vec<Tool> {
    vec![
        Tool {
            name: MIGRATOR,
            program: env!("CARGO_BIN_EXE_migrator"),
            write: |dir, size| scripts::pairs(&dir.join("migrations"), size),
            up: |dir, url| ours(dir, url, &["upgrade", "head"]),
            down: Some(|dir, url| ours(dir, url, &["downgrade", "base"])),
            up_at_once: Some(|dir, url| {
                ours(dir, url, &["upgrade", "head", "--transaction", "all"])
            }),
            remark: "",
        },
        Tool {
            name: "sqlx",
            program: "sqlx",
            write: |dir, size| scripts::pairs(&dir.join("migrations"), size),
            up: |dir, url| sqlx(dir, url, &["run"]),
            down: Some(|dir, url| sqlx(dir, url, &["revert", "--target-version", "0"])),
            up_at_once: None,
            remark: "no log, no down scripts in the database; takes a lock on PostgreSQL only",
        },
        Tool {
            name: "diesel",
            program: "diesel",
            write: |dir, size| {
                scripts::directories(&dir.join("migrations"), size);
                fs::write(dir.join("diesel.toml"), "").unwrap();
            },
            up: |dir, url| diesel(dir, url, &["run"]),
            down: Some(|dir, url| diesel(dir, url, &["revert", "--all"])),
            up_at_once: None,
            remark: "no lock, no checksums, no log",
        },
        Tool {
            name: "refinery",
            program: "refinery",
            write: |dir, size| scripts::versions(&dir.join("migrations"), size),
            up: refinery,
            down: None,
            up_at_once: None,
            remark: "no lock, no downs, no log",
        },
        Tool {
            name: "dbmate",
            program: "dbmate",
            write: |dir, size| {
                scripts::sections("-- migrate:up", "-- migrate:down")(
                    &dir.join("migrations"),
                    size,
                );
            },
            up: |dir, url| {
                let mut command = Command::new("dbmate");
                command
                    .current_dir(dir)
                    .args(["--url", &without_tls(url), "--no-dump-schema"]);
                command.args(["--migrations-dir", "migrations", "up"]);
                command
            },
            down: None,
            up_at_once: None,
            remark: "no lock, no checksums, no log; back one at a time",
        },
        Tool {
            name: "sql-migrate",
            program: "sql-migrate",
            write: |dir, size| {
                scripts::sections("-- +migrate Up", "-- +migrate Down")(
                    &dir.join("migrations"),
                    size,
                );
            },
            up: |dir, url| sql_migrate(dir, url, &["up"]),
            down: Some(|dir, url| sql_migrate(dir, url, &["down", "-limit=0"])),
            up_at_once: None,
            remark: "no lock, no checksums, no log",
        },
        Tool {
            name: "goose",
            program: "goose",
            write: |dir, size| {
                scripts::sections("-- +goose Up", "-- +goose Down")(&dir.join("migrations"), size);
            },
            up: |dir, url| goose(dir, url, "up"),
            down: Some(|dir, url| goose(dir, url, "reset")),
            up_at_once: None,
            remark: "no lock, no checksums, no log",
        },
        Tool {
            name: "golang-migrate",
            program: "migrate",
            write: |dir, size| scripts::pairs(&dir.join("migrations"), size),
            up: |dir, url| golang_migrate(dir, url, &["up"]),
            down: Some(|dir, url| golang_migrate(dir, url, &["down", "-all"])),
            up_at_once: None,
            remark: "one row in all: no record of what was applied when",
        },
        Tool {
            name: "alembic",
            program: "alembic",
            write: alembic_project,
            up: |dir, url| alembic(dir, url, &["upgrade", "head"]),
            down: Some(|dir, url| alembic(dir, url, &["downgrade", "base"])),
            up_at_once: None,
            remark: "one transaction for all; no lock, no checksums, no log",
        },
    ]
}

fn ours(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrator"));
    command
        .current_dir(dir)
        .args(["-q", "--url", url])
        .args(arguments);
    command
}

fn sqlx(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    if let Some(file) = url.strip_prefix("sqlite:") {
        // It makes no file by itself.
        fs::File::options()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
    }
    let mut command = Command::new("sqlx");
    command.current_dir(dir).arg("migrate").args(arguments);
    command.args(["--source", "migrations", "--database-url", url]);
    command
}

fn diesel(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("diesel");
    command.current_dir(dir).arg("migration").args(arguments);
    command.args(["--migration-dir", "migrations", "--database-url"]);
    command.arg(url.strip_prefix("sqlite:").unwrap_or(url));
    command
}

fn refinery(dir: &Path, url: &str) -> Command {
    let config = match url.strip_prefix("sqlite:") {
        Some(file) => format!("[main]\ndb_type = \"Sqlite\"\ndb_path = \"{file}\"\n"),
        None => {
            let (user, host, port, name) = parts(url);
            format!(
                "[main]\ndb_type = \"Postgres\"\ndb_host = \"{host}\"\ndb_port = \"{port}\"\n\
                 db_user = \"{user}\"\ndb_pass = \"\"\ndb_name = \"{name}\"\n"
            )
        }
    };
    fs::write(dir.join("refinery.toml"), config).unwrap();
    if let Some(file) = url.strip_prefix("sqlite:") {
        fs::File::options()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
    }
    let mut command = Command::new("refinery");
    command
        .current_dir(dir)
        .args(["migrate", "-c", "refinery.toml", "-p", "migrations"]);
    command
}

fn sql_migrate(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    let (dialect, source) = match url.strip_prefix("sqlite:") {
        Some(file) => ("sqlite3", file.to_owned()),
        None => ("postgres", without_tls(url)),
    };
    let config =
        format!("development:\n  dialect: {dialect}\n  datasource: {source}\n  dir: migrations\n");
    fs::write(dir.join("dbconfig.yml"), config).unwrap();
    let mut command = Command::new("sql-migrate");
    command.current_dir(dir).args(arguments);
    command
}

fn goose(dir: &Path, url: &str, verb: &str) -> Command {
    let mut command = Command::new("goose");
    command.current_dir(dir).args(["-dir", "migrations"]);
    match url.strip_prefix("sqlite:") {
        Some(file) => command.args(["sqlite3", file]),
        None => command.args(["postgres", &without_tls(url)]),
    };
    command.arg(verb);
    command
}

fn golang_migrate(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    let url = match url.strip_prefix("sqlite:") {
        Some(file) => format!("sqlite3://{file}"),
        None => without_tls(url),
    };
    let mut command = Command::new("migrate");
    command
        .current_dir(dir)
        .args(["-path", "migrations", "-database", &url])
        .args(arguments);
    command
}

fn alembic(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    let url = match url.strip_prefix("sqlite:") {
        Some(file) => format!("sqlite:///{file}"),
        None => url.replacen("postgres://", "postgresql+psycopg2://", 1),
    };
    let mut command = Command::new("alembic");
    command
        .current_dir(dir)
        .args(["-x", &format!("url={url}")])
        .args(arguments);
    command
}

fn alembic_project(dir: &Path, size: usize) {
    scripts::python(&dir.join("migrations/versions"), size);
    fs::write(
        dir.join("alembic.ini"),
        "[alembic]\nscript_location = migrations\n",
    )
    .unwrap();
    let env = "from alembic import context\nfrom sqlalchemy import create_engine\n\n\
        url = context.get_x_argument(as_dictionary=True)['url']\n\
        with create_engine(url).connect() as connection:\n    \
        context.configure(connection=connection)\n    \
        with context.begin_transaction():\n        context.run_migrations()\n";
    fs::write(dir.join("migrations/env.py"), env).unwrap();
}

/// The libraries of Go ask for TLS unless told not to.
fn without_tls(url: &str) -> String {
    if url.starts_with("postgres") {
        format!("{url}?sslmode=disable")
    } else {
        url.to_owned()
    }
}

/// User, host, port and database of a plain URL.
fn parts(url: &str) -> (String, String, String, String) {
    let rest = &url[url.find("://").unwrap() + 3..];
    let (user, rest) = rest.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let (host, port) = server.split_once(':').unwrap_or((server, "5432"));
    [user, host, port, name].map(str::to_owned).into()
}
