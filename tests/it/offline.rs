//! `--sql`: what the databases' own shells make of the scripts is what a run would have made.

use std::process::Output;

use crate::common::{Backend, Env};

/// A revision: `ID_slug`, its up and its down script.
type Revision = (&'static str, &'static str, &'static str);

/// The rows of the version table and of the log, without times, as far as they went well.
fn records(env: &Env) -> String {
    let table = match env.backend {
        Backend::Postgres => "to_regclass('migrator_version') IS NOT NULL",
        Backend::Sqlite => "count(*) = 1 FROM sqlite_schema WHERE name = 'migrator_version'",
    };
    if !matches!(env.sql(&format!("SELECT {table}")).trim(), "t" | "1") {
        return "no table".to_owned();
    }
    env.sql(
        "SELECT sequence, revision, kind, message, parents, depends_on, up_checksum, down_checksum,
            down_script, up_script, state, direction, script, statements_done, statements_total,
            statement_checksums, error, applied_by, tool_version,
            CASE WHEN started_at <= applied_at AND duration_ms >= 0 THEN 'in order' END AS times
         FROM migrator_version ORDER BY sequence",
    ) + &env.sql(
        "SELECT sequence, event, revision, message, outcome, actor, tool_version, error, detail
         FROM migrator_version_log ORDER BY sequence",
    )
}

/// What `line` prints, which must succeed.
fn out(env: &mut Env, line: &str) -> String {
    let output = env.run(line);
    assert!(output.status.success(), "{}", env.transcript());
    String::from_utf8(output.stdout).unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs a script that must come to its end, and not run again.
fn run(env: &Env, script: &str) {
    let output = env.shell(script);
    assert!(output.status.success(), "{}\n{script}", text(&output));
    stops(env, script, "this script goes from ");
}

/// Runs a script that must stop with `why` before it changes anything.
fn stops(env: &Env, script: &str, why: &str) {
    let before = env.fingerprint();
    let output = env.shell(script);
    assert!(!output.status.success(), "{script}");
    assert!(text(&output).contains(why), "{}", text(&output));
    assert!(env.fingerprint() == before, "it has changed something");
}

/// All rows of the tables of a SQLite database, or of PostgreSQL's as pg_dump has them.
fn rows(env: &Env) -> String {
    if env.backend == Backend::Postgres {
        let dump = String::from_utf8(env.fingerprint()).unwrap();
        let of_ours = |part: &&str| !part.contains("migrator_version");
        return dump.split("\n--\n").filter(of_ours).collect();
    }
    let tables = env.sql(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'migrator%' ORDER BY name",
    );
    let all = |table: &str| env.sql(&format!("SELECT * FROM {table} ORDER BY rowid"));
    tables.lines().map(all).collect()
}

fn same(name: &str, online: &Env, offline: &Env) {
    assert_eq!(rows(online), rows(offline), "{name}: rows");
    assert_eq!(online.schema(), offline.schema(), "{name}: schema");
    assert_eq!(records(online), records(offline), "{name}: records");
}

fn project(backend: Backend, revisions: &[Revision]) -> Env {
    let env = Env::new(backend);
    for (id, up, down) in revisions {
        env.revision(id, up, down);
    }
    env
}

/// Up and down, by a run and by scripts: at once, in two parts, and in one transaction where
/// that is possible.
fn check(backend: Backend, name: &str, revisions: &[Revision]) {
    let mut online = project(backend, revisions);
    let mut offline = project(backend, revisions);
    out(&mut online, "upgrade heads");
    let range = out(&mut offline, "upgrade :heads --sql");
    let whole = out(&mut offline, "upgrade heads --sql");
    if backend == Backend::Sqlite {
        // On PostgreSQL the database has told the schema.
        assert_eq!(range, whole, "{name}");
    }
    run(&offline, &range);
    same(name, &online, &offline);
    let status = out(&mut offline, "status");
    assert!(status.contains("Drift     none"), "{status}");
    assert!(out(&mut offline, "upgrade heads").contains("Nothing to do"));

    out(&mut online, "downgrade base");
    let script = out(&mut offline, "downgrade heads:base --sql");
    assert_eq!(script, out(&mut offline, "downgrade base --sql"), "{name}");
    run(&offline, &script);
    same(name, &online, &offline);

    let first = revisions[0].0.split('_').next().unwrap();
    for line in [
        format!("upgrade :{first} --sql"),
        format!("upgrade {first}:heads --sql"),
    ] {
        let mut halves = project(backend, revisions);
        let script = out(&mut halves, &line);
        if line.contains(" :") {
            run(&halves, &script);
        } else {
            stops(&halves, &script, "there is no version table");
            out(&mut halves, &format!("upgrade {first}"));
            run(&halves, &script);
            let mut online = project(backend, revisions);
            out(&mut online, "upgrade heads");
            same(name, &online, &halves);
        }
    }

    let own = |script: &str| {
        let own = ["transaction = off", "foreign-keys = on", "SERIALIZABLE"];
        own.iter().any(|words| script.contains(words))
    };
    if !revisions.iter().any(|(_, up, down)| own(up) || own(down)) {
        let (mut online, mut offline) = (project(backend, revisions), project(backend, revisions));
        for line in ["upgrade heads", "downgrade base"] {
            out(&mut online, &format!("{line} --transaction all"));
            let script = out(&mut offline, &format!("{line} --transaction all --sql"));
            let commits = script.lines().filter(|line| *line == "COMMIT;").count();
            assert_eq!(commits, 1, "{script}");
            run(&offline, &script);
            same(name, &online, &offline);
        }
    }
}

fn on_both(name: &str, revisions: &[Revision]) {
    for backend in Backend::ALL {
        check(backend, name, revisions);
    }
}

const A: Revision = (
    "1_a",
    "CREATE TABLE a (id integer PRIMARY KEY, x text);",
    "DROP TABLE a;",
);

const B: Revision = (
    "2_b",
    "CREATE TABLE b (id integer PRIMARY KEY, x text);",
    "DROP TABLE b;",
);

const C: Revision = ("3_c", "CREATE TABLE z (x integer);", "DROP TABLE z;");

#[test]
fn plain_statements() {
    on_both("plain", &[A, B]);
}

#[test]
fn texts_that_need_quotes() {
    on_both(
        "quotes",
        &[
            (
                "007_it_s",
                "-- It's a \"message\" with 100 % \\ and $1, ?1, :x\n\
                 CREATE TABLE q (x text DEFAULT 'it''s \\ ; -- no comment');\n\
                 INSERT INTO q VALUES ('two\n.lines\n/\ngo\n#'), ('$$'), ('\\.');",
                "-- do not; \\\n/* 'x' $migrator0$ */\nDROP TABLE q;\n-- ?1 ?2 :'a' :b",
            ),
            (
                "8_crlf",
                "CREATE TABLE r (\r\n  x text DEFAULT 'a\r\nb'\r\n);\r\nINSERT INTO r VALUES ('c\r\nd');\r\n",
                "DROP TABLE r\r\n",
            ),
            ("9_empty", "-- nothing\n", ""),
        ],
    );
}

#[test]
fn wrapped_scripts() {
    on_both(
        "wrapper",
        &[
            (
                "1_a",
                "BEGIN;\nCREATE TABLE a (x integer);\nCOMMIT;",
                "BEGIN; DROP TABLE a; COMMIT;",
            ),
            (
                "2_b",
                "CREATE TABLE b (x integer);\nSAVEPOINT s;\nINSERT INTO b VALUES (1);\n\
                 ROLLBACK TO s;\nRELEASE s;",
                "DROP TABLE b",
            ),
        ],
    );
}

#[test]
fn branches_and_dependencies() {
    on_both(
        "branches",
        &[
            (
                "1_root",
                "CREATE TABLE root (x integer);",
                "DROP TABLE root;",
            ),
            (
                "2_left",
                "-- migrator: revises = 1\nCREATE TABLE l (x integer);",
                "DROP TABLE l;",
            ),
            (
                "3_right",
                "-- migrator: revises = 1\nCREATE TABLE r (x integer);",
                "DROP TABLE r;",
            ),
            (
                "4_merge",
                "-- migrator: revises = 2, 3\nCREATE TABLE m (x integer);",
                "DROP TABLE m;",
            ),
            (
                "5_other",
                "-- migrator: revises = base\n-- migrator: depends-on = 2\nCREATE TABLE o (x integer);",
                "DROP TABLE o;",
            ),
        ],
    );
}

#[test]
fn bodies_and_data_on_postgres() {
    check(
        Backend::Postgres,
        "bodies",
        &[
            (
                "1_f",
                "CREATE TABLE t (a int[], x text, at timestamptz DEFAULT '2026-01-01 12:00');\n\
                 CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $body$\n\
                 BEGIN\n  NEW.x := ':x'; -- a; b\n  RETURN NEW;\nEND;\n$body$;\n\
                 CREATE FUNCTION g(n int) RETURNS int[] LANGUAGE sql BEGIN ATOMIC\n\
                   SELECT t.a[1:n] FROM t; SELECT '{}'::int[]; END;\n\
                 CREATE VIEW v AS SELECT a[1:x::int] AS s FROM t;\n\
                 CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
                "DROP VIEW v; DROP FUNCTION g(int); DROP TABLE t; DROP FUNCTION f();",
            ),
            (
                "2_copy",
                "COPY t (x) FROM stdin;\nit's; \\\\d :x\n\\N\n\\.\n\nCREATE TABLE after (x int);\n\
                 COPY after FROM stdin;\n\\.\n",
                "DROP TABLE after; DELETE FROM t;",
            ),
            (
                "3_session",
                "SET search_path TO pg_catalog; SET client_encoding TO 'LATIN1'; SET ROLE pg_monitor;\n\
                 SELECT 1; RESET ROLE; SET \"TimeZone\" TO 'Asia/Tokyo'; CREATE TEMP TABLE tmp (x int);",
                "",
            ),
            (
                "4_modes",
                "BEGIN ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE żółć (x timestamptz DEFAULT '2026-01-01 00:00');\nCOMMIT;",
                "DROP TABLE żółć;",
            ),
        ],
    );
}

#[test]
fn unit_by_unit_on_postgres() {
    check(
        Backend::Postgres,
        "off",
        &[
            A,
            (
                "2_off",
                "-- migrator: transaction = off\nSET search_path TO public, pg_catalog;\n\
                 BEGIN; CREATE TABLE c (x int); INSERT INTO c VALUES (1); COMMIT;\n\
                 CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (x);\nVACUUM a;\n\
                 COPY c FROM stdin;\n2\n\\.\nDO $$ BEGIN CREATE TABLE d (); END $$;\n",
                "-- migrator: transaction = off\nDROP INDEX CONCURRENTLY i;\nDROP TABLE c;\nDROP TABLE d;",
            ),
            C,
        ],
    );
}

#[test]
fn what_the_sqlite_shell_could_take_amiss() {
    check(
        Backend::Sqlite,
        "shell",
        &[
            (
                "1_t",
                "CREATE TABLE t (id INTEGER PRIMARY KEY, x DEFAULT \"text\");\n\
                 CREATE TRIGGER tr AFTER INSERT ON t BEGIN\n  UPDATE t SET x = ';'; SELECT 1;\nEND;\n\
                 INSERT INTO t (x) SELECT 8\n/\n2 AS\ngo\n;\nINSERT INTO t (x) VALUES (\"quoted\");\n\
                 CREATE VIEW v AS SELECT x FROM t -- ;\n;",
                "DROP VIEW v; DROP TABLE t;",
            ),
            (
                "2_left",
                "CREATE TEMP TABLE scratch AS SELECT 1 AS x; CREATE TEMP VIEW w AS SELECT 1;\n\
                 ATTACH ':memory:' AS other; PRAGMA recursive_triggers = 1;\n\
                 PRAGMA ignore_check_constraints = 1; PRAGMA case_sensitive_like = 1;\n\
                 CREATE TABLE u AS SELECT 'A' LIKE 'a' AS x FROM scratch;",
                "CREATE TEMP TABLE scratch (x); DROP TABLE u;",
            ),
            (
                "3_after",
                "CREATE TABLE scratch AS SELECT 'A' LIKE 'a' AS x;",
                "BEGIN EXCLUSIVE; DROP TABLE main.scratch; COMMIT;",
            ),
        ],
    );
}

#[test]
fn unit_by_unit_on_sqlite() {
    check(
        Backend::Sqlite,
        "off",
        &[
            A,
            (
                "2_off",
                "-- migrator: transaction = off\nPRAGMA foreign_keys = ON;\nCREATE TABLE c (x REFERENCES a);\n\
                 BEGIN; INSERT INTO a VALUES (1, 'x'); INSERT INTO c VALUES (1); COMMIT;\n\
                 PRAGMA foreign_keys = OFF;\nVACUUM;\nDELETE FROM c;\nDELETE FROM a;",
                "-- migrator: transaction = off\nDROP TABLE c;\nVACUUM;",
            ),
            C,
        ],
    );
}

const PARENT: Revision = (
    "1_p",
    "CREATE TABLE p (id INTEGER PRIMARY KEY, x);\n\
     CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE);\n\
     INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (1, 1), (2, 2);",
    "DROP TABLE c; DROP TABLE p;",
);

#[test]
fn a_rebuild_loses_no_children() {
    let rebuild = (
        "2_rebuild",
        "CREATE TABLE n (id INTEGER PRIMARY KEY, x NOT NULL); INSERT INTO n SELECT * FROM p;\n\
         DROP TABLE p; ALTER TABLE n RENAME TO p;",
        "-- migrator: foreign-keys = on\nUPDATE p SET id = id;",
    );
    check(Backend::Sqlite, "rebuild", &[PARENT, rebuild]);
    let mut env = project(Backend::Sqlite, &[PARENT, rebuild]);
    let script = out(&mut env, "upgrade --sql");
    run(&env, &script);
    assert_eq!(env.sql("SELECT count(*) FROM c"), "2\n");
}

#[test]
fn violated_foreign_keys_stop_a_script() {
    let orphan = ("2_orphan", "DELETE FROM p WHERE id = 2;", "");
    let mut env = project(Backend::Sqlite, &[PARENT, orphan]);
    out(&mut env, "upgrade 1");
    // Violated before, and no worse afterwards.
    env.sql("INSERT INTO c VALUES (3, 9)");
    let script = out(&mut env, "upgrade --sql");
    stops(&env, &script, "without a parent in p: 2 of c (p)");
    stops(&env, &script, "upgrade 2: new foreign key violations");
}

#[test]
fn another_state_stops_a_script() {
    for backend in Backend::ALL {
        let mut env = project(backend, &[A, B]);
        let both = out(&mut env, "upgrade :2 --sql");
        let second = out(&mut env, "upgrade 1:2 --sql");
        let down = out(&mut env, "downgrade 2:1 --sql");
        stops(
            &env,
            &second,
            "from 1 to 2 (head), but there is no version table",
        );
        out(&mut env, "upgrade 1");
        stops(&env, &both, "and creates the version table");
        stops(
            &env,
            &down,
            "this script goes from 2 (head) to 1, but the database is at 1 (1 applied",
        );
        out(&mut env, "upgrade 2");
        stops(
            &env,
            &second,
            "from 1 to 2 (head), but the database is at 2 (2 applied",
        );
        // As many as there should be, and others.
        env.sql("UPDATE migrator_version SET revision = '3' WHERE sequence = 1");
        stops(&env, &down, "but the database is at 2 (2 applied");
        env.sql("UPDATE migrator_version SET revision = '1' WHERE sequence = 1");
        run(&env, &down);
        run(&env, &second);
        out(&mut env, "downgrade base");
        // The table is there, and empty: the database must be asked.
        stops(&env, &both, "and creates the version table");
        let script = out(&mut env, "upgrade --sql");
        run(&env, &script);
    }
}

#[test]
fn a_failing_statement_leaves_nothing() {
    for backend in Backend::ALL {
        let bad = (
            "2_bad",
            "CREATE TABLE b (x integer); INSERT INTO nowhere VALUES (1);",
            "",
        );
        let mut env = project(backend, &[A, bad]);
        let script = out(&mut env, "upgrade :head --sql");
        let output = env.shell(&script);
        assert!(!output.status.success());
        assert!(text(&output).contains("nowhere"), "{}", text(&output));
        assert!(out(&mut env, "current").starts_with('1'));
        assert!(!env.schema().contains("TABLE b"));
        env.revision("2_bad", "CREATE TABLE b (x integer);", "DROP TABLE b;");
        out(&mut env, "upgrade");

        let mut env = project(backend, &[A, bad]);
        let script = out(&mut env, "upgrade :head --transaction all --sql");
        let before = env.schema();
        assert!(!env.shell(&script).status.success());
        assert_eq!((env.schema(), records(&env).as_str()), (before, "no table"));
    }
}

/// The row says how far it came, and the command continues there.
#[test]
fn a_half_done_script_is_resumed() {
    for backend in Backend::ALL {
        let alone = match backend {
            Backend::Postgres => "CREATE UNIQUE INDEX CONCURRENTLY i ON a (x);",
            Backend::Sqlite => "VACUUM INTO 'no/such/directory';",
        };
        let up = format!(
            "-- migrator: transaction = off\nCREATE TABLE c (x integer);\n\
             INSERT INTO a VALUES (1, 'twice'), (2, 'twice');\n{alone}\nCREATE TABLE d (x integer);"
        );
        let mut env = project(backend, &[A]);
        env.revision("2_off", &up, "DROP TABLE d; DROP TABLE c;");
        let script = out(&mut env, "upgrade :head --sql");
        assert!(!env.shell(&script).status.success());
        let (done, progress) = match backend {
            Backend::Postgres => ("t.statements_done", ""),
            Backend::Sqlite => (
                "p.statements_done",
                "JOIN migrator_version_progress AS p USING (revision)",
            ),
        };
        let row = env.sql(&format!(
            "SELECT t.state, {done}, t.statements_total FROM migrator_version AS t {progress}
             WHERE t.revision = '2'"
        ));
        assert_eq!(row, "partial|2|4\n");
        let refused = env.run("upgrade --sql");
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused).contains("M432"), "{}", text(&refused));
        stops(&env, &script, "this script goes from base");
        match backend {
            Backend::Postgres => {
                // One that was there before is not taken for what the statement has left.
                let error = env.sql("SELECT error FROM migrator_version WHERE revision = '2'");
                assert!(
                    error.ends_with("\nindexes before it: public.a_pkey\n"),
                    "{error:?}"
                );
                env.sql("DELETE FROM a WHERE id = 2");
            }
            Backend::Sqlite => {
                let output = env.run("repair --statement 3 --done --yes");
                assert!(output.status.success(), "{}", env.transcript());
            }
        }
        out(&mut env, "upgrade");
        assert!(out(&mut env, "status").contains("Drift     none"));
        assert_eq!(env.sql("SELECT count(*) FROM d"), "0\n");
    }
}

#[test]
fn another_migrator_keeps_a_script_out() {
    let mut env = project(Backend::Postgres, &[A]);
    let script = out(&mut env, "upgrade :head --sql");
    let key: String = script
        .split("pg_try_advisory_xact_lock(")
        .nth(1)
        .unwrap()
        .chars()
        .take_while(|c| *c != ')')
        .collect();
    // Another session of the server holds the key while the script runs.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        use sqlx::Connection;
        let mut other = sqlx::PgConnection::connect(&env.url()).await.unwrap();
        let sql = format!("SELECT pg_advisory_lock({key})");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut other)
            .await
            .unwrap();
        stops(&env, &script, "another migrator is at work");
        other.close().await.unwrap();
    });
    run(&env, &script);
}

#[test]
fn variables_of_psql_stay_out() {
    let view = (
        "1_v",
        "CREATE TABLE t (a int[], n int);\nCREATE VIEW v AS SELECT a[1:n] AS x, ':n' AS y FROM t;",
        "DROP VIEW v; DROP TABLE t;",
    );
    let mut env = project(Backend::Postgres, &[view]);
    let script = out(&mut env, "upgrade :head --sql");
    let output = env.shell_with(&script, &["-v", "n=2"]);
    assert!(output.status.success(), "{}", text(&output));
    let mut online = project(Backend::Postgres, &[view]);
    out(&mut online, "upgrade");
    same("variables", &online, &env);
}

#[test]
fn the_schema_is_seen_or_named_or_public() {
    let mut env = project(Backend::Postgres, &[A]);
    let name = env.sql("SELECT current_database()");
    env.sql(&format!(
        "CREATE SCHEMA app; ALTER DATABASE {} SET search_path TO app",
        name.trim()
    ));
    let script = out(&mut env, "upgrade :head --sql");
    stops(&env, &script, "but this role's search path leads to app");
    let script = out(&mut env, "upgrade --sql");
    run(&env, &script);
    assert_eq!(env.sql("SELECT revision FROM app.migrator_version"), "1\n");
    env.write(
        "migrator.toml",
        format!(
            "[migrator]\nurl = \"{}\"\nversion-table = \"app.migrator_version\"\n",
            env.url()
        ),
    );
    let script = out(&mut env, "downgrade :base --sql");
    run(&env, &script);
    assert_eq!(env.sql("SELECT revision FROM app.migrator_version"), "");
}

#[test]
fn a_range_asks_no_database() {
    for (backend, url) in [
        (Backend::Sqlite, "sqlite:no/such/directory/x.db"),
        (Backend::Postgres, "postgres://nobody@127.0.0.1:1/x"),
    ] {
        let mut env = project(backend, &[A, B]);
        let up = out(&mut env, &format!("--url {url} upgrade 1: --sql"));
        assert!(up.contains("-- upgrade from 1 to 2 (head)\n"), "{up}");
        let down = out(&mut env, &format!("--url {url} downgrade :1 --sql"));
        assert!(down.contains("-- downgrade from 2 (head) to 1\n"), "{down}");
        let json = out(
            &mut env,
            &format!("--url {url} --format json upgrade 1: --sql"),
        );
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["sql"], up);
        assert_eq!(json["revisions"], serde_json::json!(["2"]));
    }
}

#[test]
fn printing_a_script_changes_nothing() {
    for backend in Backend::ALL {
        let mut env = project(backend, &[A, B]);
        let files = env.files();
        out(&mut env, "upgrade --sql");
        out(&mut env, "upgrade :1 --sql");
        assert_eq!(env.files(), files);
        out(&mut env, "upgrade 1");
        let before = env.fingerprint();
        out(&mut env, "upgrade --sql");
        out(&mut env, "downgrade base --sql");
        let nothing = out(&mut env, "upgrade 1 --sql");
        assert!(
            nothing.ends_with("-- Nothing is to be done.\n\n-- end of script: 0 revisions\n"),
            "{nothing}"
        );
        assert_eq!(env.fingerprint(), before);
        let output = env.shell(&nothing);
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(env.fingerprint(), before);
    }
}

/// A script's own statements can be told from the others.
#[test]
fn each_script_is_headed_by_its_file_and_message() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision(
            "1_users",
            "-- Create users\nCREATE TABLE users (id int);\nCREATE TABLE more (id int);\n",
            "DROP TABLE more;\nDROP TABLE users;\n",
        );
        let off = "-- migrator: transaction = off\n";
        env.revision(
            "2_posts",
            &format!("{off}CREATE TABLE posts (id int);\nSELECT 1;\n"),
            "DROP TABLE posts;\n",
        );
        for (line, heads) in [
            (
                "upgrade --sql",
                [
                    "-- migrations/1_users.up.sql: Create users\nCREATE TABLE users (id int);\n",
                    "-- migrations/2_posts.up.sql: posts\nCREATE TABLE posts (id int);\n",
                ],
            ),
            (
                "downgrade head:base --sql",
                [
                    "-- migrations/2_posts.down.sql: posts\nDROP TABLE posts;\n",
                    "-- migrations/1_users.down.sql: Create users\nDROP TABLE more;\n",
                ],
            ),
        ] {
            let script = out(&mut env, line);
            for head in heads {
                assert_eq!(script.matches(head).count(), 1, "{head}{script}");
            }
            assert_eq!(script.matches("-- migrations/").count(), 2, "{script}");
        }
        let script = out(&mut env, "upgrade --sql");
        run(&env, &script);
    }
}
