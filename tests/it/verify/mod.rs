//! `verify`: down scripts that do not undo their up scripts, each beside one that does.

mod postgres;
mod sqlite;

use std::{collections::BTreeMap, fmt::Write as _, process::Command};

use serde_json::Value;

use crate::common::{Backend, Env};

/// An up script with a down script that undoes it and one that does not.
pub struct Case {
    name: &'static str,
    /// What is there before; `{t}` is a name of the case's own.
    start: &'static str,
    up: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// The codes of the findings about the wrong one, each with a part of its message.
    expected: &'static [(&'static str, &'static str)],
}

/// Rows of `"name": start "SQL", up "SQL", right "SQL", wrong "SQL" => "CODE" "part of the message", …;`.
macro_rules! cases {
    ($( $name:literal: start $start:literal, up $up:literal, right $right:literal, wrong $wrong:literal
        => $($code:literal $part:literal),* ; )*) => {
        &[ $( $crate::verify::Case {
            name: $name,
            start: $start,
            up: $up,
            right: $right,
            wrong: $wrong,
            expected: &[ $( ($code, $part) ),* ],
        }, )* ]
    };
}
pub(crate) use cases;

/// A project with all cases: the revisions of each in a row, so that findings about one must not spoil
/// the next.
fn project(backend: Backend, cases: &[Case]) -> Env {
    let env = Env::new(backend);
    env.write(
        "migrator.toml",
        format!(
            "[migrator]\nurl = \"{}\"\ndowns = \"optional\"\n",
            env.url()
        ),
    );
    for (index, case) in cases.iter().enumerate() {
        for (place, (kind, down)) in [("right", case.right), ("wrong", case.wrong)]
            .into_iter()
            .enumerate()
        {
            let table = format!("{}_{kind}", case.name);
            let fill = |sql: &str| sql.replace("{t}", &table);
            let id = 1_000 + index * 10 + place * 4;
            if !case.start.is_empty() {
                env.write(
                    &format!("migrations/{id}_{table}_start.up.sql"),
                    fill(case.start),
                );
            }
            let name = format!("{}_{table}", id + 1);
            env.revision(&name, &fill(case.up), &fill(down));
        }
    }
    env
}

/// The findings of each revision with a down script, by the name of its case and kind.
fn findings(env: &Env, arguments: &[&str]) -> BTreeMap<String, Vec<(String, String)>> {
    let output = env
        .command()
        .args(["--format", "json", "verify"])
        .args(arguments)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let revisions = report["revisions"]
        .as_array()
        .unwrap_or_else(|| panic!("{report}"));
    let mut found = BTreeMap::new();
    for revision in revisions {
        let Some(down) = revision["down"].as_str() else {
            assert_eq!(revision["verdict"], "no_down", "{revision}");
            continue;
        };
        let name = down.rsplit('/').next().unwrap();
        let name = name
            .split_once('_')
            .unwrap()
            .1
            .strip_suffix(".down.sql")
            .unwrap();
        assert_eq!(revision["verdict"], "complete", "{revision}");
        let text = |value: &Value| {
            let notes = value["notes"].as_array().unwrap().iter();
            let notes: Vec<&str> = notes.filter_map(Value::as_str).collect();
            format!(
                "{}; {}",
                value["message"].as_str().unwrap(),
                notes.join("; ")
            )
        };
        let findings = revision["findings"].as_array().unwrap().iter();
        let findings = findings.map(|it| (it["code"].as_str().unwrap().to_owned(), text(it)));
        found.insert(name.to_owned(), findings.collect());
    }
    found
}

/// Checks that each case has the expected findings, and its twin none.
fn check(backend: Backend, cases: &[Case]) {
    let env = project(backend, cases);
    let found = findings(&env, &[]);
    let mut faults = String::new();
    for case in cases {
        let right = &found[&format!("{}_right", case.name)];
        if !right.is_empty() {
            writeln!(faults, "{}: found in the right one: {right:?}", case.name).unwrap();
        }
        let wrong = &found[&format!("{}_wrong", case.name)];
        let is_found = |(code, part): &(&str, &str)| {
            let mut found = wrong.iter();
            found.any(|(other, message)| other == code && message.contains(part))
        };
        let as_expected = wrong.len() == case.expected.len() && case.expected.iter().all(is_found);
        if !as_expected {
            writeln!(
                faults,
                "{}: expected {:?}, found {wrong:?}",
                case.name, case.expected
            )
            .unwrap();
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn postgres_cases() {
    check(Backend::Postgres, postgres::CASES);
}

#[test]
fn sqlite_cases() {
    check(Backend::Sqlite, sqlite::CASES);
}

#[test]
fn there_are_enough_cases() {
    assert!(postgres::CASES.len() + sqlite::CASES.len() >= 60);
}

/// The databases' own clients say the same of every down script of the cases, without rows.
#[test]
fn the_clients_agree() {
    let compare = |backend, cases: &[Case]| {
        let env = project(backend, cases);
        let mut command = Command::new("python3");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/raw_downs.py"))
            .arg(env!("CARGO_BIN_EXE_migrator"))
            .arg(env.path("migrations"));
        if backend == Backend::Postgres {
            command.arg(env.url());
        }
        let output = command.output().expect("python3 is needed for this test");
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{error}");
        assert!(text.contains(" 0 disagreements"), "{text}");
    };
    compare(Backend::Sqlite, sqlite::CASES);
    compare(Backend::Postgres, postgres::CASES);
}
