//! `--log-file`: every statement of a run as JSON lines.

use std::fs;

use crate::common::{Backend, Env};
use serde_json::Value;

/// Every line of the file, which must be one object each.
fn lines(env: &Env, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(env.path(name)).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let lines = text.lines().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let time = value["time"].as_str().unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{line}");
        value
    });
    lines.collect()
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|it| it["event"].as_str().unwrap())
        .collect()
}

fn project(backend: Backend) -> Env {
    let env = Env::new(backend);
    env.revision(
        "1_a",
        "CREATE TABLE t (x integer);\n\n  INSERT INTO t\n    VALUES (1), (2);\n",
        "DROP TABLE t;\n",
    );
    env
}

#[test]
fn every_statement_is_a_line() {
    for backend in Backend::ALL {
        let mut env = project(backend);
        env.run("upgrade --log-file run.jsonl");
        let up = lines(&env, "run.jsonl");
        let expected = [
            "run_start",
            "step_start",
            "statement",
            "statement",
            "step_done",
            "run_end",
        ];
        assert_eq!(events(&up), expected);
        assert_eq!(up[0]["command"], "upgrade");
        assert!(!up[0]["database"].as_str().unwrap().is_empty());
        let statement = &up[3];
        for (field, value) in [
            ("revision", Value::from("1")),
            ("direction", "up".into()),
            ("file", "migrations/1_a.up.sql".into()),
            ("line", 3.into()),
            ("column", 3.into()),
            ("statement", 2.into()),
            ("statements", 2.into()),
            ("sql", "INSERT INTO t\n    VALUES (1), (2)".into()),
            ("rows", 2.into()),
            ("outcome", "ok".into()),
        ] {
            assert_eq!(statement[field], value, "{field}: {statement}");
        }
        assert!(statement["duration_ms"].is_number(), "{statement}");
        assert_eq!(up[5]["outcome"], "ok");

        // Lines are only added.
        env.run("redo --log-file run.jsonl");
        let all = lines(&env, "run.jsonl");
        assert_eq!(all[..up.len()], up);
        let redo = &all[up.len()..];
        assert_eq!(redo[0]["command"], "redo");
        let ways: Vec<_> = redo
            .iter()
            .filter(|line| line["event"] == "statement")
            .map(|line| line["direction"].as_str().unwrap())
            .collect();
        assert_eq!(ways, ["down", "up", "up"]);
    }
}

#[test]
fn a_failure_is_a_line_with_its_error() {
    for backend in Backend::ALL {
        let mut env = project(backend);
        env.revision(
            "2_b",
            "SELECT 1;\nINSERT INTO nowhere VALUES (1);\n",
            "SELECT 1;\n",
        );
        let output = env.run("upgrade --log-file run.jsonl");
        assert_eq!(output.status.code(), Some(4));
        let lines = lines(&env, "run.jsonl");
        let failed = lines
            .iter()
            .find(|line| line["outcome"] == "failed")
            .unwrap();
        assert_eq!(
            (&failed["event"], &failed["line"]),
            (&"statement".into(), &2.into())
        );
        assert!(
            failed["error"].as_str().unwrap().contains("nowhere"),
            "{failed}"
        );
        let end = lines.last().unwrap();
        assert_eq!(
            (&end["event"], &end["outcome"]),
            (&"run_end".into(), &"failed".into())
        );
        assert_eq!(end["errors"][0]["code"], "M701");
    }
}

#[test]
fn severities_and_the_trace_are_those_of_open_telemetry() {
    for backend in Backend::ALL {
        let mut env = project(backend);
        env.revision("2_b", "INSERT INTO nowhere VALUES (1);\n", "SELECT 1;\n");
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        env.run_with("upgrade --log-file run.jsonl", &[("TRACEPARENT", trace)]);
        let lines = lines(&env, "run.jsonl");
        for line in &lines {
            assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
            assert_eq!(line["span_id"], "00f067aa0ba902b7");
            assert_eq!(line["trace_flags"], "01");
            let is_failure = line["outcome"] == "failed";
            let expected = if is_failure { "ERROR" } else { "INFO" };
            assert_eq!(line["severity"], expected, "{line}");
        }
        let failures = lines.iter().filter(|line| line["severity"] == "ERROR");
        assert_eq!(failures.count(), 2);

        // No trace is made up.
        env.run_with("upgrade --log-file other.jsonl", &[("TRACEPARENT", "01")]);
        let text = fs::read_to_string(env.path("other.jsonl")).unwrap();
        assert!(!text.contains("trace"), "{text}");
    }
}

#[test]
fn what_runs_outside_of_transactions_is_timed_too() {
    let mut env = Env::new(Backend::Postgres);
    let script = "-- migrator: transaction = off\nCREATE TABLE t (x integer);\n\
                  CREATE INDEX CONCURRENTLY i ON t (x);\n";
    env.revision("1_off", script, "DROP TABLE t;\n");
    env.run("upgrade --log-file run.jsonl");
    let lines = lines(&env, "run.jsonl");
    let timed = lines.iter().filter(|line| line["event"] == "statement");
    assert_eq!(
        timed.filter(|line| line["duration_ms"].is_number()).count(),
        2
    );
}

#[test]
fn a_password_is_no_part_of_it() {
    let env = project(Backend::Postgres);
    let url = env.url().replacen("postgres@", "postgres:hunter2@", 1);
    assert!(url.contains("hunter2"), "{url}");
    let mut command = env.command();
    let output = command.args(["--url", &url, "upgrade", "--log-file", "run.jsonl"]);
    assert!(output.output().unwrap().status.success());
    let text = fs::read_to_string(env.path("run.jsonl")).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_configuration_names_it_as_well() {
    let mut env = project(Backend::Sqlite);
    let url = env.url();
    fs::create_dir(env.path("logs")).unwrap();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\nlog-file = \"logs/run.jsonl\"\n"),
    );
    // What runs nothing writes nothing.
    env.run("upgrade --dry-run");
    env.run("upgrade --sql");
    env.run("status");
    assert!(!env.path("logs/run.jsonl").exists());
    env.run("upgrade");
    assert_eq!(lines(&env, "logs/run.jsonl").len(), 6);
    // Of a flag the working directory counts.
    env.run("downgrade base --log-file other.jsonl");
    assert_eq!(lines(&env, "logs/run.jsonl").len(), 6);
    assert_eq!(lines(&env, "other.jsonl").len(), 5);
}

#[test]
fn without_a_file_nothing_runs() {
    for backend in Backend::ALL {
        let mut env = project(backend);
        let before = env.fingerprint();
        let output = env.run("upgrade --log-file nowhere/run.jsonl");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("error[M850]: nowhere/run.jsonl: cannot write to the log file: "),
            "{said}"
        );
        assert_eq!(env.fingerprint(), before);
    }
}
