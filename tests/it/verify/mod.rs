//! `verify`: down scripts that do not undo their up scripts, each beside one that does.

mod postgres;
mod sqlite;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::common::{Backend, Env, PostgresDatabase};

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
fn project<'a>(backend: Backend, cases: impl Iterator<Item = &'a Case>) -> Env {
    let env = Env::new(backend);
    env.write(
        "migrator.toml",
        format!(
            "[migrator]\nurl = \"{}\"\ndowns = \"optional\"\n",
            env.url()
        ),
    );
    for (index, case) in cases.enumerate() {
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

/// What `verify` reports as JSON.
fn report(env: &Env, arguments: &[&str]) -> Value {
    let output = env
        .command()
        .args(["--format", "json", "verify"])
        .args(arguments)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// The findings of each revision with a down script, by the name of its case and kind.
fn findings(env: &Env, arguments: &[&str]) -> BTreeMap<String, Vec<(String, String)>> {
    let report = report(env, arguments);
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
    let env = project(backend, cases.iter());
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

#[test]
fn the_clients_agree_on_sqlite() {
    clients_agree(Backend::Sqlite, sqlite::CASES.iter());
}

/// pg_dump is slow, so they are asked about every third case.
#[test]
fn the_clients_agree_on_postgres() {
    clients_agree(Backend::Postgres, postgres::CASES.iter().step_by(3));
}

/// The databases' own clients say the same of the down scripts, without rows.
fn clients_agree<'a>(backend: Backend, cases: impl Iterator<Item = &'a Case>) {
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
}

/// Enforced foreign keys delete the children of a table that is dropped to be rebuilt.
#[test]
fn children_that_a_rebuild_deletes_are_named() {
    let env = Env::new(Backend::Sqlite);
    let start = "CREATE TABLE parent (id INTEGER PRIMARY KEY, a TEXT);
         CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER NOT NULL REFERENCES parent ON DELETE CASCADE);
         CREATE TABLE grandchild (id INTEGER PRIMARY KEY, c INTEGER NOT NULL REFERENCES child ON DELETE CASCADE);
         CREATE TABLE other (id INTEGER PRIMARY KEY);";
    let downs = "DROP TABLE other; DROP TABLE grandchild; DROP TABLE child; DROP TABLE parent;";
    env.revision("1_start", start, downs);
    let rebuild = "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, a TEXT);
         INSERT INTO parent_new SELECT id, a FROM parent;
         DROP TABLE parent; ALTER TABLE parent_new RENAME TO parent;";
    let with_keys = format!("-- migrator: foreign-keys = on\n{rebuild}");
    env.revision("2_rebuild", rebuild, rebuild);
    env.revision("3_rebuild_with_keys", &with_keys, rebuild);
    let found = findings(&env, &[]);
    assert_eq!(found["start"], []);
    assert_eq!(found["rebuild"], []);
    let lost: Vec<&str> = found["rebuild_with_keys"]
        .iter()
        .filter(|(code, _)| code == "M885")
        .map(|(_, message)| message.split(" of ").nth(1).unwrap())
        .collect();
    assert_eq!(lost, ["child; ", "grandchild; "]);
}

/// What makes up scripts fail leaves the revisions that need them unverified, and the others not.
#[test]
fn the_rest_goes_on_after_an_up_script_that_fails() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        env.revision(
            "1_a",
            "CREATE TABLE a (id integer PRIMARY KEY);",
            "DROP TABLE a;",
        );
        env.revision(
            "2_bad",
            "-- migrator: revises = 1\nCREATE TABLE a (id integer);",
            "DROP TABLE a;",
        );
        env.revision(
            "3_above",
            "-- migrator: revises = 2\nCREATE TABLE b (id integer);",
            "DROP TABLE b;",
        );
        env.revision(
            "4_beside",
            "-- migrator: revises = 1\nCREATE TABLE c (id integer);",
            "SELECT 1;",
        );
        let report = report(&env, &[]);
        let verdicts: Vec<(&str, &str)> = report["revisions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                (
                    it["revision"].as_str().unwrap(),
                    it["verdict"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            verdicts,
            [
                ("1", "complete"),
                ("2", "not_verified"),
                ("3", "not_verified"),
                ("4", "complete")
            ]
        );
        let code = |index: usize| report["revisions"][index]["findings"][0]["code"].clone();
        assert_eq!((code(1), code(3)), ("M880".into(), "M882".into()));
        assert_eq!(
            report["revisions"][2]["reason"],
            "it needs 2, which could not be applied"
        );
    }
}

/// A history of two parts, with scripts that fail and down scripts that restore nothing in each.
fn parts(env: &Env) {
    for number in 0..70 {
        let id = 100 + number;
        let table = format!("t{number}");
        let create = format!("CREATE TABLE {table} (id integer PRIMARY KEY, a text NOT NULL);");
        let drop = format!("DROP TABLE {table};");
        let keeps = "SELECT 1;".to_owned();
        let fails = "INSERT INTO missing VALUES (1);";
        let (headers, up, down) = match number {
            0 => ("", create, drop),
            5 => (
                "revises = 104",
                "CREATE TABLE t0 (id integer);".to_owned(),
                keeps,
            ),
            6 => ("revises = 104", create, drop),
            7 => (
                "revises = 106\n-- migrator: transaction = off",
                format!("CREATE TABLE p7 (id integer);\n{fails}"),
                keeps,
            ),
            8 => ("revises = 106", create, drop),
            40 => ("revises = 105", create, drop),
            41 => ("revises = 139", create, drop),
            _ => match number % 10 {
                2 => ("", create, format!("DROP TABLE {table};\n{fails}")),
                3 => ("", create, keeps),
                4 => {
                    let key = format!("REFERENCES t{} ON DELETE CASCADE", number - 2);
                    let create = create.replace(");", &format!(", r integer {key});"));
                    ("", create, drop)
                }
                6 => ("", "DELETE FROM t0;".to_owned(), keeps),
                _ => ("", create, drop),
            },
        };
        let headers = match headers {
            "" if number > 0 => format!("-- migrator: revises = {}\n", id - 1),
            "" => String::new(),
            headers => format!("-- migrator: {headers}\n"),
        };
        env.revision(&format!("{id}_r"), &format!("{headers}{up}"), &down);
    }
}

/// How many parts are verified at once makes no difference.
#[test]
fn parts_beside_each_other_are_verified_as_one_after_another() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        parts(&env);
        for rows in [&[][..], &["--no-rows"]] {
            let verified = |jobs: &str| {
                let mut report = report(&env, &[&["--jobs", jobs], rows].concat());
                report.as_object_mut().unwrap().remove("duration_ms");
                for revision in report["revisions"].as_array_mut().unwrap() {
                    revision.as_object_mut().unwrap().remove("duration_ms");
                }
                report
            };
            let (one, four) = (verified("1"), verified("4"));
            assert!(one == four, "{one}\n{four}");
            check_parts(&one, rows.is_empty());
        }
    }
}

/// Checks what is said of the revisions of [`parts`].
fn check_parts(report: &Value, with_rows: bool) {
    for revision in report["revisions"].as_array().unwrap() {
        let number: u32 = revision["revision"].as_str().unwrap().parse().unwrap();
        let findings = revision["findings"].as_array().unwrap().iter();
        let codes: Vec<&str> = findings.map(|it| it["code"].as_str().unwrap()).collect();
        let rows = with_rows.then_some("M885").into_iter();
        let expected: Vec<&str> = match number - 100 {
            5 | 7 => vec!["M880"],
            number if number % 10 == 2 => vec!["M881"],
            number if number % 10 == 3 => vec!["M882", "M883"],
            6 | 8 | 40 => vec![],
            number if number % 10 == 6 => rows.collect(),
            _ => vec![],
        };
        assert_eq!(codes, expected, "{revision}");
        let verdict = match number {
            105 | 107 | 140 => "not_verified",
            _ => "complete",
        };
        assert_eq!(revision["verdict"], verdict, "{revision}");
    }
}

/// A script that changes what is recorded is named, and the others are verified.
#[test]
fn a_script_that_changes_the_version_table_is_named() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        for id in 1..=4 {
            let create = format!("CREATE TABLE t{id} (id integer PRIMARY KEY);");
            let up = match id {
                2 => format!("{create}\nDELETE FROM migrator_version;"),
                _ => create,
            };
            env.revision(&format!("{id}_r"), &up, &format!("DROP TABLE t{id};"));
        }
        for arguments in [&["--no-rows"][..], &[]] {
            let report = report(&env, arguments);
            let revisions = report["revisions"].as_array().unwrap();
            let verdicts: Vec<&str> = revisions
                .iter()
                .map(|it| it["verdict"].as_str().unwrap())
                .collect();
            let expected = ["complete", "not_verified", "complete", "complete"];
            assert_eq!(verdicts, expected, "{report}");
            let reason = "a script of this revision changes the version table";
            assert_eq!(revisions[1]["reason"], reason, "{report}");
            assert_eq!(report["passed"], true, "{report}");
        }
    }
}

/// Values that nobody would store are no fault of a script.
#[test]
fn a_failure_that_depends_on_values_is_a_note() {
    let env = Env::new(Backend::Postgres);
    env.revision(
        "1_a",
        "CREATE TABLE a (id integer PRIMARY KEY, t text NOT NULL);",
        "DROP TABLE a;",
    );
    env.revision("2_b", "SELECT 1 / length(t) FROM a;", "SELECT 1;");
    let report = report(&env, &[]);
    assert_eq!(report["passed"], true, "{report}");
    let notes = report["revisions"][1]["notes"].to_string();
    assert!(notes.contains("division by zero"), "{notes}");
}

/// A revision that fails with the rows that were made and has findings without them is applied all the same
/// when the next ones are verified.
#[test]
fn what_was_verified_without_rows_stays_applied() {
    for down in ["SELECT 1;", "ALTER TABLE a ALTER t TYPE text;"] {
        let env = Env::new(Backend::Postgres);
        env.revision(
            "1_a",
            "CREATE TABLE a (id integer PRIMARY KEY, t text NOT NULL);",
            "DROP TABLE a;",
        );
        env.revision(
            "2_b",
            "ALTER TABLE a ALTER t TYPE integer USING t::integer; CREATE TABLE b (id integer PRIMARY KEY);",
            down,
        );
        env.revision(
            "3_c",
            "CREATE TABLE c (id integer PRIMARY KEY REFERENCES b);",
            "DROP TABLE c;",
        );
        let found = findings(&env, &[]);
        let codes: Vec<&str> = found["b"].iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, ["M882", "M883"]);
        assert_eq!(found["c"], []);
    }
}

/// Rights and extensions that are missing say nothing about a script.
#[test]
fn what_cannot_be_run_here_is_not_verified() {
    let env = Env::new(Backend::Postgres);
    env.revision(
        "1_a",
        "CREATE EXTENSION no_such_extension;",
        "DROP EXTENSION no_such_extension;",
    );
    env.revision(
        "2_b",
        "CREATE ROLE migrator_verify_role;",
        "DROP ROLE migrator_verify_role;",
    );
    env.revision(
        "3_c",
        "CREATE TABLE c (id integer PRIMARY KEY);",
        "DROP TABLE c;",
    );
    let report = report(&env, &[]);
    assert_eq!(report["passed"], true, "{report}");
    let reason = |index: usize| {
        report["revisions"][index]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(reason(0).contains("no_such_extension"), "{report}");
    assert!(reason(1).contains("creates a role"), "{report}");
    assert_eq!(report["revisions"][2]["verdict"], "complete");
}

#[test]
fn the_seed_file_adds_rows() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.write(
            "migrator.toml",
            format!(
                "[migrator]\nurl = \"{}\"\n[verify]\nseed = \"seed.sql\"\n",
                env.url()
            ),
        );
        env.write(
            "seed.sql",
            "INSERT INTO a VALUES (77, 'x');\nINSERT INTO none VALUES (1);\n",
        );
        env.revision(
            "1_a",
            "CREATE TABLE a (id integer PRIMARY KEY, t text);",
            "DROP TABLE a;",
        );
        env.revision("2_b", "DELETE FROM a WHERE id = 77;", "SELECT 1;");
        let report = report(&env, &[]);
        assert_eq!(
            report["revisions"][1]["findings"][0]["message"],
            format!("the up script loses 1 row of {}a", schema(backend))
        );
        assert_eq!(report["unused_seeds"][0]["place"], "seed.sql:2:1");
        env.run("verify --no-rows");
        assert!(
            env.transcript().contains("nothing found"),
            "{}",
            env.transcript()
        );
    }
}

fn schema(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "",
        Backend::Postgres => "public.",
    }
}

#[test]
fn branches_ranges_and_repeatables() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        env.revision(
            "1_a",
            "CREATE TABLE a (id integer PRIMARY KEY);",
            "SELECT 1;",
        );
        env.revision(
            "2_b",
            "-- migrator: revises = 1\nCREATE TABLE b (id integer);",
            "DROP TABLE b;",
        );
        env.revision(
            "3_c",
            "-- migrator: revises = 1\nCREATE TABLE c (id integer);",
            "DROP TABLE c;",
        );
        env.revision("4_d", "-- migrator: revises = 2, 3\n", "-- nothing\n");
        env.write(
            "migrations/R_v.sql",
            "INSERT INTO nothing_there VALUES (1);",
        );
        let report = report(&env, &["2:"]);
        let revisions = report["revisions"].as_array().unwrap().iter();
        let revisions: Vec<&str> = revisions
            .map(|it| it["revision"].as_str().unwrap())
            .collect();
        assert_eq!(revisions, ["2", "4"], "{report}");
        assert_eq!(report["repeatable"]["code"], "M887", "{report}");
        assert_eq!(report["passed"], false);
    }
}

/// `check --verify` verifies what the base does not have.
#[test]
fn check_verifies_what_is_new() {
    let env = Env::new(Backend::Sqlite);
    let git = |line: &str| {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@localhost"])
            .args(line.split(' '))
            .current_dir(env.path("."))
            .output()
            .unwrap();
        assert!(done.status.success(), "{line}");
    };
    git("init -q -b main");
    env.revision(
        "1_a",
        "CREATE TABLE a (id INTEGER PRIMARY KEY);",
        "SELECT 1;",
    );
    git("add .");
    git("commit -q -m a");
    env.revision(
        "2_b",
        "CREATE TABLE b (id INTEGER PRIMARY KEY);",
        "SELECT 1;",
    );
    assert!(
        env.command()
            .args(["upgrade", "head"])
            .status()
            .unwrap()
            .success()
    );
    let codes = |line: &str| {
        let mut command = env.command();
        let output = command
            .args(["--format", "json"])
            .args(line.split(' '))
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = report["findings"].as_array().unwrap().iter();
        let found: Vec<String> = found
            .map(|it| {
                format!(
                    "{} {}",
                    it["code"].as_str().unwrap(),
                    it["file"].as_str().unwrap_or_default()
                )
            })
            .collect();
        (output.status.code(), found)
    };
    let of = |id: &str, name: &str, kind: &str, code: &str| {
        format!("{code} migrations/{id}_{name}.{kind}.sql")
    };
    let (status, found) = codes("check --verify --base main");
    let expected = [of("2", "b", "down", "M882"), of("2", "b", "up", "M883")];
    assert_eq!((status, found.as_slice()), (Some(3), expected.as_slice()));
    let (status, found) = codes("check --verify");
    assert_eq!((status, found.len()), (Some(3), 4));
}

/// Enough tables for `verify` to take a while.
fn slow_project(env: &Env) {
    for number in 1..=20 {
        env.revision(
            &format!("{number}_t"),
            &format!("CREATE TABLE t{number} (id integer PRIMARY KEY, a text);"),
            &format!("DROP TABLE t{number};"),
        );
    }
}

/// A role that may read the database and create others writes nothing to it.
#[test]
fn nothing_is_written_to_the_database() {
    let database = PostgresDatabase::create();
    let role = format!("{}_reader", database.name);
    database.query(&format!("CREATE ROLE {role} LOGIN CREATEDB"));
    database.query(&format!(
        "CREATE TABLE kept (id integer); REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
         ALTER DATABASE {} SET default_transaction_read_only = off",
        database.name
    ));
    let env = Env::new(Backend::Postgres);
    slow_project(&env);
    let before = database.whole_schema();
    let reader = database.url.replace("postgres@", &format!("{role}@"));
    let verify = |url: &str, scratch: &str| {
        let mut command = env.command();
        command.args(["--url", url, "verify"]);
        command.env("MIGRATOR_SCRATCH_URL", scratch);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
    };
    verify(&reader, "");
    // Without the right to create databases, on the server of scratch-url.
    database.query(&format!("ALTER ROLE {role} NOCREATEDB"));
    verify(&reader, &env.url());
    assert_eq!(database.whole_schema(), before);
    assert_eq!(database.scratch_databases(), "0");
    database.query(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// What killed processes leave is removed by the next one, which leaves those of living ones alone.
#[test]
fn killed_processes_leave_nothing_for_long() {
    let database = PostgresDatabase::create();
    let env = Env::new(Backend::Postgres);
    slow_project(&env);
    let verify = || {
        let mut command = env.command();
        command.args(["--url", &database.url, "verify"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    for kill in 0..8_u64 {
        let mut running = verify().spawn().unwrap();
        thread::sleep(Duration::from_millis(20 + 45 * kill));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    let mut living = verify().spawn().unwrap();
    let mut others = verify().spawn().unwrap();
    assert!(living.wait().unwrap().success());
    assert!(others.wait().unwrap().success());
    assert_eq!(database.scratch_databases(), "0");
}

/// A signal ends the work, and what was found until then is reported.
#[test]
fn a_signal_gives_the_findings_so_far() {
    let env = Env::new(Backend::Postgres);
    env.revision(
        "1_a",
        "CREATE TABLE a (id integer PRIMARY KEY);",
        "SELECT 1;",
    );
    env.revision("2_b", "SELECT pg_sleep(60);", "SELECT 1;");
    let mut command = env.command();
    command.args(["--format", "json", "verify", "--no-rows"]);
    let running = command.stdout(Stdio::piped()).spawn().unwrap();
    let database = PostgresDatabase::create();
    let url = env.url();
    let name = url.rsplit('/').next().unwrap();
    crate::common::wait_until("the script sleeps", || {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname LIKE '{name}\\_scratch\\_%'"
        );
        database.value(&sql).as_deref() == Some("1")
    });
    let pid = i32::try_from(running.id()).unwrap();
    // SAFETY: kill has no preconditions.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);
    let output = running.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(report["interrupted"], true, "{report}");
    assert_eq!(report["revisions"][0]["findings"][0]["code"], "M882");
}
