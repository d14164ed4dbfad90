//! Statements that take long: reported while they run and afterwards, and kept in the log.
#![cfg(unix)]

use std::process::{Command, Output};

use crate::common::{Backend, Env, Running, Session};
use serde_json::Value;

/// A statement that takes a while on SQLite. Nothing else is slow there.
const BUSY: &str = "CREATE TABLE busy AS WITH RECURSIVE n (i) AS \
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500000) SELECT count(*) AS c FROM n";

/// From how long on a statement is slow in these tests.
const LIMIT: &str = "50ms";

fn slow(backend: Backend, seconds: &str) -> String {
    match backend {
        Backend::Sqlite => BUSY.to_owned(),
        Backend::Postgres => format!("SELECT pg_sleep({seconds})"),
    }
}

/// With a limit that slow statements exceed.
fn command(env: &Env, words: &[&str]) -> Command {
    let mut command = env.command();
    command.env("MIGRATOR_SLOW_STATEMENT", LIMIT).args(words);
    command
}

fn run(env: &Env, words: &[&str]) -> Output {
    command(env, words).output().unwrap()
}

#[track_caller]
fn succeeded(output: &Output) {
    assert!(output.status.success(), "{output:#?}");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:#?}"))
}

/// The log's rows about slow statements.
fn logged(env: &Env) -> Vec<Value> {
    let log = json(&run(env, &["--format", "json", "history", "--log"]));
    let rows = log["log"].as_array().unwrap().clone();
    rows.into_iter()
        .filter(|row| row["event"] == "slow")
        .collect()
}

#[test]
fn a_slow_statement_is_told_of_and_kept() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        let script = format!("CREATE TABLE t (x integer);\n\n{};\n", slow(backend, "0.8"));
        env.revision("1_slow", &script, "DROP TABLE t;\n");
        let output = run(&env, &["upgrade"]);
        succeeded(&output);
        let said = stderr(&output);
        for part in [
            "    migrations/1_slow.up.sql:3 runs for ",
            "    migrations/1_slow.up.sql:3 took ",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }

        let rows = logged(&env);
        assert_eq!(rows.len(), 1, "{rows:#?}");
        assert_eq!(rows[0]["revision"], "1");
        // On a busy machine the first statement may be slow, too.
        let kept = rows[0]["slow_statements"].as_array().unwrap();
        let kept = kept.iter().find(|kept| kept["line"] == 3);
        let kept = kept.unwrap_or_else(|| panic!("{rows:#?}"));
        assert_eq!(kept["file"], "migrations/1_slow.up.sql");
        assert_eq!(
            (&kept["statement"], &kept["last_statement"]),
            (&2.into(), &2.into())
        );
        assert_eq!(kept["outcome"], "ok");
        assert!(kept["duration_ms"].is_u64(), "{kept:#?}");

        let human = |words: &[&str]| {
            let output = run(&env, words);
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert!(!human(&["history", "--log"]).contains("slow"));
        let verbose = human(&["history", "--log", "-v"]);
        assert!(
            verbose.contains("    migrations/1_slow.up.sql:3 took "),
            "{verbose}"
        );
    }
}

#[test]
fn nothing_is_told_below_the_limit_or_when_it_is_off() {
    for backend in Backend::ALL {
        for limit in ["1h", "0"] {
            let env = Env::new(backend);
            env.revision(
                "1_slow",
                &format!("{};\n", slow(backend, "0.2")),
                "SELECT 1;\n",
            );
            let mut command = env.command();
            let command = command.env("MIGRATOR_SLOW_STATEMENT", limit);
            let output = command.arg("upgrade").output().unwrap();
            succeeded(&output);
            assert_eq!(stderr(&output), "");
            assert!(logged(&env).is_empty());
        }
    }
}

#[test]
fn quiet_says_nothing_and_json_has_it_all() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        env.revision(
            "1_slow",
            &format!("{};\n", slow(backend, "0.3")),
            "SELECT 1;\n",
        );
        let output = run(&env, &["--format", "json", "upgrade"]);
        succeeded(&output);
        assert_eq!(stderr(&output), "");
        let result = json(&output);
        let slow = result["slow_statements"].as_array().unwrap();
        assert_eq!(slow.len(), 1, "{result:#}");
        assert_eq!(slow[0]["line"], 1);
        assert_eq!(slow[0]["at_most"], false);

        let env = Env::new(backend);
        env.revision(
            "1_slow",
            &format!("{};\n", self::slow(backend, "0.3")),
            "SELECT 1;\n",
        );
        let output = run(&env, &["-q", "upgrade"]);
        succeeded(&output);
        assert_eq!((output.stdout, output.stderr), (Vec::new(), Vec::new()));
    }
}

#[test]
fn a_failure_tells_how_long_it_took() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        let failing = match backend {
            // The row of a CHECK comes last.
            Backend::Sqlite => {
                "CREATE TABLE t (c CHECK (c < 2));\nINSERT INTO t WITH RECURSIVE n (i) AS \
                 (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500000) SELECT count(*) FROM n"
            }
            Backend::Postgres => {
                "CREATE TABLE t (c integer);\nSELECT 1 / (length(pg_sleep(0.6)::text))"
            }
        };
        env.revision("1_fails", &format!("{failing};\n"), "SELECT 1;\n");
        let output = run(&env, &["upgrade"]);
        assert_eq!(output.status.code(), Some(1), "{output:#?}");
        let said = stderr(&output);
        assert!(
            said.contains("    migrations/1_fails.up.sql:2 failed after "),
            "{said}"
        );
        let rows = logged(&env);
        assert_eq!(rows.len(), 1, "{rows:#?}");
        let kept = rows[0]["slow_statements"].as_array().unwrap();
        let outcomes: Vec<_> = kept.iter().map(|kept| &kept["outcome"]).collect();
        assert!(outcomes.contains(&&Value::from("failed")), "{rows:#?}");
    }
}

#[test]
fn whoever_is_in_the_way_is_named() {
    for (headers, how) in [
        ("-- in one\n", ""),
        ("-- migrator: transaction = off\n", "CONCURRENTLY"),
    ] {
        let env = Env::new(Backend::Postgres);
        env.revision(
            "1_table",
            "CREATE TABLE t (x integer);\n",
            "DROP TABLE t;\n",
        );
        succeeded(&run(&env, &["upgrade"]));
        env.revision(
            "2_index",
            &format!("{headers}-- migrator: lock-timeout = 0\n\nCREATE INDEX {how} i ON t (x);\n"),
            "DROP INDEX i;\n",
        );
        let mut session = Session::open(&env);
        session.run("SET application_name = 'nightly billing'");
        session.run("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let mut command = command(&env, &["upgrade"]);
        let mut running = Running::spawn(&mut command);
        running.wait_for("up.sql:4 runs for ");
        running.wait_for("Lock on public.t, held by nightly billing (pid ");
        running.wait_for("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        session.run("COMMIT");
        let finished = running.finish().expect(0);
        let line = "    migrations/2_index.up.sql:4 took ";
        let told = finished.stderr.lines().find(|told| told.starts_with(line));
        let told = told.unwrap_or_else(|| panic!("{finished:#?}"));
        assert!(
            told.contains(" on public.t, held by nightly billing (pid "),
            "{told}"
        );
        let waits = &logged(&env)[0]["slow_statements"][0]["waited_for"];
        assert!(
            waits[0].as_str().unwrap().contains("nightly billing"),
            "{waits}"
        );
    }
}

#[test]
fn an_index_tells_how_far_it_is() {
    let env = Env::new(Backend::Postgres);
    // A function that is slow makes an index that is.
    let table = "CREATE TABLE t AS SELECT generate_series(1, 40) AS x;\n";
    env.revision("0_table", table, "DROP TABLE t;\n");
    let script = "CREATE FUNCTION slow(x integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN x; END $$;
CREATE INDEX i ON t (slow(x));
";
    env.revision("1_index", script, "DROP INDEX i;\n");
    let output = run(&env, &["upgrade"]);
    succeeded(&output);
    let said = stderr(&output);
    assert!(
        said.contains("1_index.up.sql:3 runs for ")
            && said.contains(", CREATE INDEX on public.t: building index: scanning table"),
        "{said}"
    );
}

#[test]
fn a_statement_among_many_is_found() {
    let env = Env::new(Backend::Postgres);
    let mut script = "CREATE TABLE t (x integer);\n".to_owned();
    script += &"INSERT INTO t VALUES (1);\n".repeat(50);
    script += "SELECT pg_sleep(0.5);\nINSERT INTO t SELECT 1 FROM pg_sleep(0.5);\n";
    script += &"INSERT INTO t VALUES (1);\n".repeat(50);
    script += "UPDATE t SET x = 2 FROM pg_sleep(0.5);\n";
    env.revision("1_many", &script, "DROP TABLE t;\n");
    let output = run(&env, &["upgrade"]);
    succeeded(&output);
    let said = stderr(&output);
    // INSERTs in a row are not told apart.
    for part in [
        "up.sql:52 took ",
        "up.sql:53 (statements 53 to 103) took ",
        "up.sql:104 took ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Where the server takes the times it is known which one.
    let env = Env::new(Backend::Postgres);
    env.revision("1_many", &script, "DROP TABLE t;\n");
    let output = run(&env, &["-v", "upgrade", "--format", "json"]);
    succeeded(&output);
    let result = json(&output);
    let lines: Vec<_> = result["slow_statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slow| (slow["line"].as_u64().unwrap(), slow["at_most"].clone()))
        .collect();
    assert!(lines.contains(&(53, false.into())), "{result:#}");
}

#[test]
fn a_script_may_name_its_session() {
    let env = Env::new(Backend::Postgres);
    let script = "SET application_name = 'ours';
CREATE TABLE t AS SELECT current_setting('application_name') AS name, pg_sleep(0.4)::text AS slept;
";
    env.revision("1_named", script, "DROP TABLE t;\n");
    let output = run(&env, &["upgrade"]);
    succeeded(&output);
    assert_eq!(env.sql("SELECT name FROM t"), "ours\n");
    let said = stderr(&output);
    assert!(said.contains("up.sql:1 (statements 1 to 2) "), "{said}");
}

#[test]
fn verbose_lists_every_statement() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        env.revision(
            "1_a",
            "CREATE TABLE t (x integer);\nINSERT INTO t\n    VALUES (1), (2);\n",
            "DROP TABLE t;\n",
        );
        let output = env.command().args(["-v", "upgrade"]).output().unwrap();
        succeeded(&output);
        let said = stderr(&output);
        let lines: Vec<_> = said.lines().collect();
        let [origin, lines @ ..] = lines.as_slice() else {
            panic!("{said}");
        };
        assert_eq!(*origin, "the url is from migrator.toml:2:7");
        assert_eq!(lines.len(), 2, "{said}");
        assert!(lines[0].starts_with("    1 of 2  migrations/1_a.up.sql:1  "));
        assert!(lines[0].ends_with("  CREATE TABLE t (x integer)"));
        assert!(lines[1].starts_with("    2 of 2  migrations/1_a.up.sql:2  "));
        assert!(lines[1].ends_with("ms  2 rows  INSERT INTO t VALUES (1), (2)"));
    }
}

/// What others see in pg_stat_activity while a script runs.
#[test]
fn no_second_connection_without_a_slow_statement() {
    let env = Env::new(Backend::Postgres);
    let script = "CREATE TABLE seen (name text);
SELECT pg_sleep(0.3);
INSERT INTO seen SELECT to_jsonb(a) ->> ('application' || '_name') FROM pg_stat_activity AS a
    WHERE datname = current_database() AND backend_type = 'client backend';
";
    env.revision("1_seen", script, "DROP TABLE seen;\n");
    let upgraded = |limit: &str| {
        let mut command = env.command();
        let output = command
            .env("MIGRATOR_SLOW_STATEMENT", limit)
            .arg("upgrade")
            .output()
            .unwrap();
        succeeded(&output);
        let mut names: Vec<_> = env
            .sql("SELECT name FROM seen ORDER BY name")
            .lines()
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    };
    assert_eq!(upgraded("1h"), ["migrator upgrade 1 3/3"]);
    let down = env.command().args(["downgrade", "-1"]).output().unwrap();
    succeeded(&down);
    assert_eq!(
        upgraded("100ms"),
        ["migrator (what takes so long?)", "migrator upgrade 1 3/3"]
    );
}
