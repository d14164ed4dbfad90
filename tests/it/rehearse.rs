//! `rehearse`: pending revisions on a copy of the database.

use std::fs;

use serde_json::Value;

use crate::common::{Backend, Env, PostgresDatabase};

/// A project with a filled table, whose first revision is applied, and these revisions, with down scripts.
fn project(backend: Backend, scripts: &[(&str, &str)]) -> Env {
    let env = Env::new(backend);
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{}\"\n", env.url()),
    );
    fs::create_dir_all(env.path("migrations")).unwrap();
    let rows: Vec<String> = (1..=100)
        .map(|n| format!("({n}, 'c{}', {n})", n % 10))
        .collect();
    let first = format!(
        "CREATE TABLE orders (id integer PRIMARY KEY, customer text, total integer);\n\
         INSERT INTO orders VALUES {};\n",
        rows.join(", ")
    );
    let first = (first.as_str(), "DROP TABLE orders;");
    for (number, (up, down)) in (1..).zip(std::iter::once(&first).chain(scripts)) {
        env.write(&format!("migrations/{number}_step.up.sql"), up);
        env.write(&format!("migrations/{number}_step.down.sql"), down);
    }
    let output = env.command().args(["upgrade", "1"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    env
}

fn rehearse(env: &Env, arguments: &[&str]) -> (i32, Value) {
    let arguments = [&["--format", "json", "rehearse"], arguments].concat();
    let output = env.command().args(arguments).output().unwrap();
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json)
}

const INDEX: (&str, &str) = ("CREATE INDEX o ON orders (customer);", "DROP INDEX o;");

#[test]
fn what_a_deployment_does_is_known_before() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let insert = (
            "INSERT INTO orders VALUES (101, 'x', 1);",
            "DELETE FROM orders WHERE id = 101;",
        );
        let env = project(backend, &[INDEX, insert]);
        let before = env.fingerprint();
        let (status, json) = rehearse(&env, &[]);
        assert_eq!(status, 0, "{json:#}");
        assert_eq!(json["reverted"], "restored", "{json:#}");
        let revisions = json["revisions"].as_array().unwrap();
        assert_eq!(revisions.len(), 2);
        let rows = &revisions[1]["rows"][0];
        assert_eq!(
            (&rows["before"], &rows["after"]),
            (&100.into(), &101.into()),
            "{json:#}"
        );
        if backend == Backend::Postgres {
            let lock = &revisions[0]["locks"][0];
            assert_eq!(
                (&lock["relation"], &lock["mode"]),
                (&"public.orders".into(), &"SHARE".into())
            );
            assert_eq!(
                revisions[0]["statements"][0]["works"][0],
                "builds o on public.orders"
            );
        }
        // The database is as before.
        assert!(env.fingerprint() == before);
        let (status, json) = rehearse(&env, &["2"]);
        assert_eq!(
            (status, json["revisions"].as_array().unwrap().len()),
            (0, 1)
        );
    }
}

#[test]
fn failures_on_the_real_rows_are_found() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let unique = (
            "CREATE UNIQUE INDEX u ON orders (customer);",
            "DROP INDEX u;",
        );
        let env = project(backend, &[INDEX, unique, INDEX]);
        let (status, json) = rehearse(&env, &[]);
        assert_eq!(status, 3, "{json:#}");
        assert_eq!(json["revisions"][1]["failed"], true, "{json:#}");
        assert_eq!(json["not_run"], serde_json::json!(["4"]));
        assert_eq!(json["reverted"], "restored", "{json:#}");
        let finding = &json["findings"][0];
        assert_eq!(
            (&finding["code"], &finding["line"]),
            (&"M701".into(), &1.into()),
            "{json:#}"
        );
    }
}

#[test]
fn what_a_down_script_does_not_bring_back_is_found() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let delete = ("DELETE FROM orders WHERE id > 90;", "SELECT 1;");
        let env = project(backend, &[delete]);
        let (status, json) = rehearse(&env, &[]);
        assert_eq!(
            (status, &json["reverted"]),
            (3, &"not_restored".into()),
            "{json:#}"
        );
        assert_eq!(json["findings"][0]["code"], "M904", "{json:#}");
        let (status, json) = rehearse(&env, &["--no-downs"]);
        assert_eq!((status, &json["reverted"]), (0, &"not".into()), "{json:#}");
        let env = project(backend, &[(INDEX.0, "SELECT 1;")]);
        let (status, json) = rehearse(&env, &[]);
        assert_eq!(
            (status, &json["reverted"]),
            (3, &"not_restored".into()),
            "{json:#}"
        );
    }
}

#[test]
fn a_backup_is_rehearsed_on_as_well() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let env = project(backend, &[INDEX]);
        let output = env
            .command()
            .args(["--format", "json", "backup"])
            .output()
            .unwrap();
        let backup: Value = serde_json::from_slice(&output.stdout).unwrap();
        let file = backup["backup"]["file"]
            .as_str()
            .or(backup["file"].as_str())
            .unwrap();
        env.sql("DELETE FROM orders");
        let (status, json) = rehearse(&env, &["--from", file]);
        assert_eq!(status, 0, "{json:#}");
        assert!(!json["backup"].is_null(), "{json:#}");
        let output = env
            .command()
            .args(["rehearse", "--format", "markdown"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("| `2` step |"), "{text}");
    }
}

/// A role that may create databases and read, and nothing else.
#[test]
fn a_role_that_only_reads_is_enough() {
    let env = project(Backend::Postgres, &[INDEX]);
    let role = format!("reader_{}", std::process::id());
    env.sql(&format!(
        "CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'r'; GRANT pg_read_all_data TO {role};"
    ));
    let url = env.url().replacen("postgres@", &format!("{role}:r@"), 1);
    env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    let (status, json) = rehearse(&env, &[]);
    env.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role};"));
    assert_eq!(status, 0, "{json:#}");
}

/// The copy of a killed process is dropped by the next one.
#[test]
fn a_killed_rehearsal_leaves_nothing() {
    let slow = ("SELECT pg_sleep(60);", "SELECT 1;");
    let env = project(Backend::Postgres, &[slow]);
    let copies = || {
        let database = PostgresDatabase::create();
        let name = env.url().rsplit('/').next().unwrap().to_owned();
        let sql = format!("SELECT count(*) FROM pg_database WHERE datname LIKE '{name}\\_%'");
        database.value(&sql).unwrap()
    };
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_migrator"))
        .args(["-c"])
        .arg(env.path("migrator.toml"))
        .arg("rehearse")
        .spawn()
        .unwrap();
    crate::common::wait_until("the copy is used", || copies() != "0");
    child.kill().unwrap();
    child.wait().unwrap();
    env.write("migrations/2_step.up.sql", INDEX.0);
    env.write("migrations/2_step.down.sql", INDEX.1);
    let (status, json) = rehearse(&env, &[]);
    assert_eq!(status, 0, "{json:#}");
    assert_eq!(copies(), "0");
}
