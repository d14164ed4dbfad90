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

/// Every format holds what happened, and nothing that names or SQL contain is markup.
#[test]
fn every_format_shows_hostile_names_as_text() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let name = "\"t\"\"</script></title><b a='\n|`\"";
        let make = format!("CREATE TABLE {name} (id integer PRIMARY KEY);");
        let drop = format!("DROP TABLE {name};");
        let fill = format!("INSERT INTO {name} VALUES (1); -- </style><script>alert(1)</script>");
        let index = format!("CREATE INDEX i ON {name} (id);\n{fill}");
        let clear = format!("DELETE FROM {name};\nDROP INDEX i;");
        let env = project(backend, &[(&make, &drop), (&index, &clear)]);
        let output = env.command().args(["upgrade", "2"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let run = |format: &str| {
            let output = env
                .command()
                .args(["--format", format, "rehearse"])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let page = run("html");
        let count = |text: &str| page.matches(text).count();
        assert_eq!((count("<script>"), count("</script>")), (1, 1));
        assert_eq!((count("<style>"), count("</style>")), (1, 1));
        assert!(!page.contains("<b a="), "{page}");
        assert!(page.contains("&lt;/script&gt;&lt;/title&gt;&lt;b a=&#39;"));
        assert!(page.contains("default-src 'none'"));
        for request in ["src=", "url(", "@import", "fetch("] {
            assert!(!page.contains(request), "{request}");
        }
        assert!(page.contains("Nothing failed") && page.contains("class=\"lanes\""));
        let comment = run("markdown");
        assert!(comment.contains(r"\</title\>\<b a='"), "{comment}");
        assert!(run("human").contains("A deployment: statements take"));
    }
}

/// Locks last to the end of their transaction, and a TRUNCATE rewrites nothing.
#[test]
fn locks_are_told_with_their_times() {
    let strong = (
        "CREATE INDEX o ON orders (customer);\nTRUNCATE orders;\nUPDATE orders SET total = 1;",
        "DROP INDEX o;",
    );
    let env = project(Backend::Postgres, &[strong]);
    let (status, json) = rehearse(&env, &[]);
    // The rows do not come back.
    assert_eq!(status, 3, "{json:#}");
    let statements = &json["revisions"][0]["statements"];
    assert_eq!(statements[1]["works"], serde_json::json!([]), "{json:#}");
    let row = &json["revisions"][0]["rows"][0];
    assert_eq!((&row["before"], &row["after"]), (&100.into(), &0.into()));
    let times: Vec<_> = json["lock_times"].as_array().unwrap().iter().collect();
    let blocks: Vec<_> = times
        .iter()
        .map(|it| it["blocks"].as_str().unwrap())
        .collect();
    assert_eq!(blocks, ["writes", "reads_and_writes"], "{json:#}");
    assert_eq!(times[0]["until_ms"], times[1]["from_ms"]);
    let millis = |value: &Value| value.as_f64().unwrap();
    let end = millis(&statements[2]["begin_ms"]) + millis(&statements[2]["duration_ms"]);
    assert!(
        (millis(&times[1]["until_ms"]) - end).abs() < 0.01,
        "{json:#}"
    );
    let hold = &json["revisions"][0]["locks"][0];
    assert_eq!((&hold["rows"], &hold["line"]), (&100.into(), &1.into()));
    assert!(millis(&hold["writes_wait_ms"]) > millis(&hold["reads_wait_ms"]));
}

/// With `transaction = all`, locks of the first revision are held until the last one has ended.
#[test]
fn one_transaction_holds_its_locks_to_the_end() {
    let env = project(
        Backend::Postgres,
        &[INDEX, ("SELECT pg_sleep(0.2);", "SELECT 1;")],
    );
    let config = format!(
        "[migrator]\nurl = \"{}\"\ntransaction = \"all\"\n",
        env.url()
    );
    env.write("migrator.toml", config);
    let (status, json) = rehearse(&env, &[]);
    assert_eq!(status, 0, "{json:#}");
    let wait = json["revisions"][0]["locks"][0]["writes_wait_ms"].as_f64();
    assert!(wait.unwrap() > 200.0, "{json:#}");
    assert_eq!(json["revisions"][1]["locks"], serde_json::json!([]));
}

/// What locks, waits and fails outside transactions is known as well.
#[test]
fn scripts_without_a_transaction_are_followed() {
    let concurrent = (
        "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY o ON orders (customer);\n\
         CREATE UNIQUE INDEX u ON orders (customer);",
        "SELECT 1;",
    );
    let env = project(Backend::Postgres, &[concurrent]);
    let (status, json) = rehearse(&env, &[]);
    assert_eq!(status, 3, "{json:#}");
    let times = json["lock_times"].as_array().unwrap();
    assert_eq!(times.len(), 2, "{json:#}");
    assert_eq!(times[0]["mode"], "SHARE UPDATE EXCLUSIVE");
    assert_eq!(
        (&times[1]["mode"], &times[1]["blocks"]),
        (&"SHARE".into(), &"writes".into())
    );
    assert_eq!(times[1]["relation"], "public.orders");
    assert_eq!(json["revisions"][0]["statements"][1]["failed"], true);
}

#[test]
fn growth_and_log_are_told() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let copy = (
            "CREATE TABLE more AS SELECT a.id AS n, b.customer FROM orders a, orders b;",
            "DROP TABLE more;",
        );
        let env = project(backend, &[copy]);
        let (status, json) = rehearse(&env, &[]);
        assert_eq!(status, 0, "{json:#}");
        let revision = &json["revisions"][0];
        assert!(
            revision["growth_bytes"].as_i64().unwrap() > 100_000,
            "{json:#}"
        );
        match backend {
            Backend::Postgres => {
                let wal = revision["statements"][0]["wal_bytes"].as_u64();
                assert!(
                    revision["wal_bytes"].as_u64() >= wal && wal > Some(1000),
                    "{json:#}"
                );
            }
            Backend::Sqlite => assert!(revision["wal_bytes"].is_null(), "{json:#}"),
        }
    }
}

/// Repeatable scripts run after the revisions, and nothing is expected to take back what they made.
#[test]
fn repeatable_scripts_are_rehearsed() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let env = project(backend, &[INDEX]);
        let view = "CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;";
        env.write("migrations/R_totals.sql", view);
        let (status, json) = rehearse(&env, &[]);
        assert_eq!(status, 0, "{json:#}");
        let revisions = json["revisions"].as_array().unwrap();
        let names: Vec<_> = revisions
            .iter()
            .map(|it| it["revision"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["2", "R_totals"], "{json:#}");
        assert_eq!(revisions[1]["statements"].as_array().unwrap().len(), 1);
        assert_eq!(json["reverted"], "restored");
    }
}

/// A table that gets another name keeps its rows.
#[test]
fn renamed_tables_lose_no_rows() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let rename = (
            "ALTER TABLE orders RENAME TO sales;\nINSERT INTO sales VALUES (101, 'x', 1);",
            "DELETE FROM sales WHERE id = 101;\nALTER TABLE sales RENAME TO orders;",
        );
        let env = project(backend, &[rename]);
        let (status, json) = rehearse(&env, &[]);
        assert_eq!(status, 0, "{json:#}");
        let rows = json["revisions"][0]["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{json:#}");
        assert_eq!(
            (&rows[0]["before"], &rows[0]["after"]),
            (&100.into(), &101.into())
        );
    }
}

/// Without rows, a role suffices that may read nothing but the version table.
#[test]
fn a_schema_is_rehearsed_on_without_rows() {
    let widen = (
        "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
        "ALTER TABLE orders ALTER COLUMN total TYPE integer;",
    );
    let env = project(Backend::Postgres, &[widen]);
    let role = format!("blind_{}", std::process::id());
    env.sql("ANALYZE orders");
    env.sql(&format!(
        "CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'r'; \
         GRANT SELECT ON migrator_version, migrator_version_log TO {role};"
    ));
    let url = env.url().replacen("postgres@", &format!("{role}:r@"), 1);
    env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    let refused = env.command().arg("rehearse").output().unwrap();
    let (status, json) = rehearse(&env, &["--schema-only"]);
    let run = |format: &str| {
        let arguments = ["--format", format, "rehearse", "--schema-only"];
        let output = env.command().args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = ["human", "markdown", "html"].map(run);
    env.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role};"));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(status, 0, "{json:#}");
    assert_eq!(
        (&json["copied"], &json["lacks"]),
        (&"schema".into(), &serde_json::json!([]))
    );
    let revision = &json["revisions"][0];
    for unknown in ["duration_ms", "growth_bytes", "wal_bytes"] {
        assert!(revision[unknown].is_null(), "{json:#}");
    }
    assert_eq!(
        revision["statements"][0]["works"],
        serde_json::json!(["rewrites public.orders"])
    );
    let lock = &revision["locks"][0];
    assert_eq!(
        (&lock["mode"], &lock["rows"]),
        (&"ACCESS EXCLUSIVE".into(), &100.into())
    );
    assert!(lock["writes_wait_ms"].is_null(), "{json:#}");
    assert_eq!(json["reverted"], "restored");
    for text in shown {
        assert!(text.contains("No rows were copied"), "{text}");
    }
    let env = project(Backend::Sqlite, &[INDEX]);
    let (status, json) = rehearse(&env, &["--schema-only"]);
    assert_eq!(
        (status, &json["errors"][0]["code"]),
        (2, &"M907".into()),
        "{json:#}"
    );
}

/// A role that may create databases and read, and nothing else.
#[test]
fn a_role_that_only_reads_is_enough() {
    let env = project(Backend::Postgres, &[INDEX]);
    let role = format!("reader_{}", std::process::id());
    env.sql(&format!(
        "CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'r'; GRANT USAGE ON SCHEMA public TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};"
    ));
    let url = env.url().replacen("postgres@", &format!("{role}:r@"), 1);
    env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    let (status, json) = rehearse(&env, &[]);
    env.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role};"));
    assert_eq!(status, 0, "{json:#}");
}

/// The copy of a SQLite file is a file in the directory for temporary files.
#[test]
fn a_killed_rehearsal_leaves_no_file() {
    let endless =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;";
    let env = project(Backend::Sqlite, &[(endless, "SELECT 1;")]);
    let temporary = env.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let left = || fs::read_dir(&temporary).unwrap().count();
    let mut child = env.command();
    let mut child = child
        .env("TMPDIR", &temporary)
        .arg("rehearse")
        .spawn()
        .unwrap();
    crate::common::wait_until("the copy is used", || left() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(left(), 1);
    env.write("migrations/2_step.up.sql", INDEX.0);
    env.write("migrations/2_step.down.sql", INDEX.1);
    let output = env
        .command()
        .env("TMPDIR", &temporary)
        .arg("rehearse")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(left(), 0);
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
