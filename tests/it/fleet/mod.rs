//! Fleets: many databases of one project.
#![cfg(unix)]

mod config;
mod files;
mod killed;
mod order;
mod schemas;
mod servers;

use std::{collections::BTreeMap, fs};

use crate::common::{Backend, Env, sqlite};
use serde_json::Value;

/// A project with two revisions and a fleet of the environment `shops`.
fn project(backend: Backend, fleet: &str) -> Env {
    let env = Env::new(backend);
    configure(&env, "", fleet);
    env.revision(
        "20260101000001_users",
        "CREATE TABLE users (id integer);\n",
        "DROP TABLE users;\n",
    );
    env.revision(
        "20260101000002_posts",
        "CREATE TABLE posts (id integer);\n",
        "DROP TABLE posts;\n",
    );
    env
}

fn configure(env: &Env, environment: &str, fleet: &str) {
    let text =
        format!("[environments.shops]\n{environment}\n[environments.shops.fleet]\n{fleet}\n");
    env.write("migrator.toml", text);
}

/// Empty SQLite files `t/NAME.db`.
fn files(env: &Env, names: &[&str]) {
    for name in names {
        env.write(&format!("t/{name}.db"), "");
    }
}

/// What a command has printed.
struct Printed {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Printed {
    /// The one object.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// The lines of `--format ndjson`: those of targets by name, and the result.
    fn lines(&self) -> (Vec<Value>, Value) {
        let lines = self.stdout.lines();
        let mut lines: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let result = lines.pop().unwrap();
        (lines, result)
    }

    /// The outcomes by the names of targets, with the codes of errors.
    fn outcomes(&self) -> BTreeMap<String, String> {
        let (lines, _) = self.lines();
        let lines = lines.iter().map(|line| {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            let code = text("code");
            let space = if code.is_empty() { "" } else { " " };
            (text("name"), format!("{}{space}{code}", text("outcome")))
        });
        lines.collect()
    }
}

/// Runs `migrator -n shops WORDS`.
fn run(env: &Env, words: &[&str]) -> Printed {
    let output = env
        .command()
        .args(["-n", "shops"])
        .args(words)
        .output()
        .unwrap();
    Printed {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `fleet upgrade` as lines of JSON.
fn upgrade(env: &Env, words: &[&str]) -> Printed {
    run(
        env,
        &[&["--format", "ndjson", "fleet", "upgrade"], words].concat(),
    )
}

/// The revisions that are applied in `t/NAME.db`, in order.
fn applied(env: &Env, name: &str) -> String {
    let path = env.path(&format!("t/{name}.db"));
    let has_table = "SELECT count(*) FROM sqlite_schema WHERE name = 'migrator_version'";
    if fs::metadata(&path).is_ok_and(|found| found.len() == 0) || sqlite(&path, has_table) == "0\n"
    {
        return String::new();
    }
    sqlite(
        &path,
        "SELECT group_concat(substr(revision, -1), '') FROM migrator_version",
    )
}

/// A map of outcomes.
fn outcomes(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    let expected = expected.iter();
    expected
        .map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned()))
        .collect()
}
