//! What a wrong guess would destroy is refused: databases and directories that migrator does not know.

use std::process::Output;

use crate::common::{Backend, Env};

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// `migrator LINE` ends with that code, says these words, and the database is as it was.
fn refused(env: &mut Env, line: &str, code: &str, words: &[&str]) {
    let before = env.fingerprint();
    rolled_back(env, line, code, words);
    assert!(env.fingerprint() == before, "{line} has written");
}

/// The same where scripts have run and were rolled back.
fn rolled_back(env: &mut Env, line: &str, code: &str, words: &[&str]) {
    let said = refused_by_scripts(env, line, code);
    for word in words {
        assert!(said.contains(word), "{line}: no {word:?} in\n{said}");
    }
}

/// The same where there need be no database.
fn refused_by_scripts(env: &mut Env, line: &str, code: &str) -> String {
    let output = env.run(line);
    let said = text(&output);
    assert!(!output.status.success(), "{line}:\n{said}");
    assert!(said.contains(&format!("error[{code}]")), "{line}:\n{said}");
    said
}

fn works(env: &mut Env, line: &str) -> String {
    let output = env.run(line);
    assert!(output.status.success(), "{line}:\n{}", text(&output));
    text(&output)
}

/// Tables of tools that have applied revision 1, each with the text that names it.
const RECORDS: [(&str, &str); 8] = [
    (
        "sqlx",
        "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, installed_on timestamp, \
         success boolean, checksum bytea, execution_time bigint); \
         INSERT INTO _sqlx_migrations VALUES (1, 'a', '2026-01-01 00:00:00', true, NULL, 1);",
    ),
    (
        "golang-migrate",
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean); \
         INSERT INTO schema_migrations VALUES (1, false);",
    ),
    (
        "dbmate",
        "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); \
         INSERT INTO schema_migrations VALUES ('1');",
    ),
    (
        "diesel",
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp); \
         INSERT INTO __diesel_schema_migrations VALUES ('1', '2026-01-01 00:00:00');",
    ),
    (
        "goose",
        "CREATE TABLE goose_db_version (id integer PRIMARY KEY, version_id bigint, is_applied boolean, \
         tstamp timestamp); \
         INSERT INTO goose_db_version VALUES (1, 0, true, NULL), (2, 1, true, NULL);",
    ),
    (
        "flyway",
        "CREATE TABLE flyway_schema_history (installed_rank integer PRIMARY KEY, version varchar(50), \
         description text, type varchar(20), script text, checksum integer, installed_by text, \
         installed_on timestamp, execution_time integer, success boolean); \
         INSERT INTO flyway_schema_history VALUES \
         (1, '1', 'a', 'SQL', 'V1__a.sql', 1, 'x', '2026-01-01 00:00:00', 1, true);",
    ),
    (
        "refinery",
        "CREATE TABLE refinery_schema_history (version integer PRIMARY KEY, name text, applied_on text, \
         checksum text); \
         INSERT INTO refinery_schema_history VALUES (1, 'a', NULL, '1');",
    ),
    (
        "sql-migrate",
        "CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamp); \
         INSERT INTO gorp_migrations VALUES ('1_a.sql', NULL);",
    ),
];

#[test]
fn what_another_tool_has_applied_is_not_applied_again() {
    for backend in Backend::ALL {
        for (tool, records) in RECORDS {
            let mut env = Env::new(backend);
            env.revision(
                "1_a",
                "CREATE TABLE IF NOT EXISTS t (a int);\nDELETE FROM t;",
                "",
            );
            env.load(&format!(
                "CREATE TABLE t (a int); INSERT INTO t VALUES (7); {records}"
            ));
            let words = [tool, "migrator adopt --from"];
            for line in [
                "upgrade",
                "upgrade --dry-run",
                "upgrade --sql",
                "stamp head",
            ] {
                refused(&mut env, line, "M497", &words);
            }
            // The permission for tables is none for records.
            refused(&mut env, "upgrade --allow-nonempty", "M497", &words);
            assert!(works(&mut env, "status").contains("migrator adopt --from"));
            let checked = text(&env.run("check"));
            assert!(
                checked.contains("M808") && checked.contains(tool),
                "{checked}"
            );
            assert_eq!(env.sql("SELECT a FROM t").trim(), "7", "{tool}");
            works(&mut env, "adopt --yes");
            works(&mut env, "upgrade");
            assert_eq!(env.sql("SELECT a FROM t").trim(), "7", "{tool}");
        }
    }
}

#[test]
fn an_empty_version_table_does_not_hide_other_records() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE t (a int);", "");
        env.load(RECORDS[0].1);
        works(&mut env, "ensure-version");
        refused(&mut env, "upgrade", "M497", &["sqlx"]);
        // Only records of these revisions count.
        env.sql("UPDATE _sqlx_migrations SET version = 99");
        works(&mut env, "upgrade");
    }
}

#[test]
fn a_tools_table_that_cannot_be_read_is_in_the_way() {
    let mut env = Env::new(Backend::Postgres);
    env.revision("1_a", "CREATE TABLE t (a int);", "");
    env.sql(&RECORDS[0].1.replace("bytea", "integer"));
    refused(&mut env, "upgrade", "M497", &["sqlx", "cannot be read"]);
    env.sql("DROP TABLE _sqlx_migrations; CREATE SCHEMA other; SET search_path TO other;");
    // Off the search path, too.
    env.sql(&format!("SET search_path TO other; {}", RECORDS[2].1));
    refused(
        &mut env,
        "upgrade",
        "M497",
        &["dbmate", "other.schema_migrations"],
    );
}

#[test]
fn records_of_others_can_be_ignored() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE t (a int);", "");
        env.load(RECORDS[2].1);
        let ignore = [("MIGRATOR_RECORDS_OF", "ignore")];
        let output = env.run_with("upgrade", &ignore);
        assert!(text(&output).contains("M518"), "{}", text(&output));
        let output = env.run_with("upgrade --allow-nonempty", &ignore);
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(env.sql("SELECT count(*) FROM t").trim(), "0");
    }
}

#[test]
fn a_database_that_is_not_empty_is_asked_about() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE t (a int);", "DROP TABLE t;");
        env.load("CREATE TABLE b (a int); CREATE TABLE c (a int)");
        for line in ["upgrade", "upgrade --dry-run", "upgrade --sql"] {
            let words = ["b", "c", "stamp", "adopt", "--allow-nonempty"];
            refused(&mut env, line, "M518", &words);
        }
        assert!(works(&mut env, "status").contains("M518"));
        works(&mut env, "upgrade --allow-nonempty");
        works(&mut env, "downgrade base");
        // There is a version table from now on.
        works(&mut env, "upgrade");
    }
}

#[test]
fn a_database_that_is_not_empty_can_be_stamped_or_allowed() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE t (a int);", "");
        env.load("CREATE TABLE t (a int)");
        works(&mut env, "stamp head");
        assert!(works(&mut env, "upgrade").contains("Nothing to do"));

        let mut env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE t (a int);", "");
        env.load("CREATE TABLE b (a int)");
        let output = env.run_with("upgrade", &[("MIGRATOR_ALLOW_NONEMPTY", "true")]);
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn views_and_what_extensions_own_leave_a_database_empty() {
    let mut env = Env::new(Backend::Postgres);
    env.revision("1_a", "CREATE TABLE t (a int);", "");
    env.sql(
        "CREATE VIEW v AS SELECT 1; CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.x (a int); \
         CREATE TYPE color AS ENUM ('red');",
    );
    works(&mut env, "upgrade");
}

#[test]
fn the_version_table_does_not_follow_the_search_path() {
    let mut env = Env::new(Backend::Postgres);
    let script = "CREATE SCHEMA IF NOT EXISTS app; \
        DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END$$;";
    env.revision("1_a", script, "SELECT 1;");
    works(&mut env, "upgrade");
    let lines = [
        "upgrade",
        "upgrade --sql",
        "stamp head",
        "downgrade base",
        "repair",
        "ensure-version",
        "redo",
    ];
    for line in lines {
        refused(&mut env, line, "M507", &["public.migrator_version"]);
    }
    for line in ["status", "current", "history --log", "check --pending-ok"] {
        let said = text(&env.run(line));
        assert!(
            said.contains("warning[M507]") && said.contains("public.migrator_version"),
            "{said}"
        );
    }
    let output = env.run_with(
        "upgrade",
        &[("MIGRATOR_VERSION_TABLE", "public.migrator_version")],
    );
    assert!(text(&output).contains("Nothing to do"), "{}", text(&output));
    assert!(output.status.success());
}

#[test]
fn version_tables_that_differ_in_case_are_one_name() {
    let mut env = Env::new(Backend::Postgres);
    env.revision("1_a", "SELECT 1;", "SELECT 1;");
    works(&mut env, "upgrade");
    for name in ["Migrator_Version", "public.MIGRATOR_VERSION"] {
        let output = env.run_with("upgrade", &[("MIGRATOR_VERSION_TABLE", name)]);
        assert!(text(&output).contains("error[M507]"), "{}", text(&output));
    }
    for line in ["status", "upgrade"] {
        let output = env.run_with(line, &[("MIGRATOR_VERSION_TABLE", "nosuch.x")]);
        assert!(text(&output).contains("error[M519]"), "{}", text(&output));
    }
    assert!(works(&mut env, "status").contains("public.migrator_version"));
}

#[test]
fn rows_that_are_hidden_are_no_empty_table() {
    let mut env = Env::new(Backend::Postgres);
    env.revision("1_a", "CREATE TABLE IF NOT EXISTS t (a int);", "");
    works(&mut env, "upgrade");
    for table in ["migrator_version", "migrator_version_log"] {
        let role = format!("hidden_{}_{table}", std::process::id());
        env.sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT ALL ON migrator_version, migrator_version_log TO {role}; \
             GRANT ALL ON SCHEMA public TO {role}; ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        ));
        let url = env.url().replacen("postgres@", &format!("{role}@"), 1);
        for line in ["status", "upgrade"] {
            let output = env.run(&format!("--url {url} {line}"));
            assert!(text(&output).contains("error[M517]"), "{}", text(&output));
        }
        env.sql(&format!(
            "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY; DROP OWNED BY {role}; DROP ROLE {role};"
        ));
    }
}

#[test]
fn a_log_may_be_pruned() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision("1_a", "CREATE TABLE t (a int);", "DROP TABLE t;");
        works(&mut env, "upgrade");
        for rows in ["WHERE event = 'layout'", ""] {
            env.sql(&format!("DELETE FROM migrator_version_log {rows}"));
            assert!(works(&mut env, "status").contains("1 revision"));
            assert!(works(&mut env, "upgrade").contains("Nothing to do"));
            works(&mut env, "downgrade base");
            works(&mut env, "upgrade");
            works(&mut env, "history --log");
            works(&mut env, "repair --yes");
            works(&mut env, "ensure-version");
        }
    }
}

#[test]
fn what_may_undo_a_script_does_not_run_after_it() {
    for backend in Backend::ALL {
        for marker in [
            "-- DOWN",
            "-- +micrate Down",
            "---- create above / drop below ----",
            "/* Undo */",
        ] {
            let mut env = Env::new(backend);
            let script = format!("CREATE TABLE t (a int);\n{marker}\nDROP TABLE t;\n");
            env.write("migrations/1_a.sql", &script);
            let said = refused_by_scripts(&mut env, "upgrade", "M223");
            assert!(
                said.contains("migrations/1_a.sql:2:1") && said.contains("layout"),
                "{said}"
            );
            refused_by_scripts(&mut env, "check", "M223");
            refused_by_scripts(&mut env, "convert --to new", "M223");
            // What is said is no guess.
            let output = env.run_with("upgrade", &[("MIGRATOR_LAYOUT", "sqlx")]);
            assert!(output.status.success(), "{}", text(&output));
        }
        let mut env = Env::new(backend);
        env.write(
            "migrations/1_a.sql",
            "-- migrate:up\nCREATE TABLE t (a int);\n-- DOWN\nDROP TABLE t;\n-- migrate:down\n-- rollback\nSELECT 1;\n",
        );
        let said = refused_by_scripts(&mut env, "upgrade", "M223");
        assert!(said.contains("migrations/1_a.sql:3:1"), "{said}");
        env.write(
            "migrations/1_a.sql",
            "--liquibase formatted sql\n--changeset joe:1 dbms:oracle\nSELECT 1;\n",
        );
        refused_by_scripts(&mut env, "upgrade", "M223");
    }
}

#[test]
fn programs_among_scripts_are_not_passed_over() {
    for (script, program, layout) in [
        ("1_a.up.sql", "2_b.up.go", ""),
        ("1_a.up.sql", "12_postmigrate.go", "golang-migrate"),
        ("1_a.sql", "2_b.py", "sqlx"),
        (
            "2024-01-01-000000_a/up.sql",
            "2024-01-02-000000_b/up.rs",
            "diesel",
        ),
    ] {
        let mut env = Env::new(Backend::Sqlite);
        env.write(&format!("migrations/{script}"), "CREATE TABLE t (a int);");
        env.write(&format!("migrations/{program}"), "package main");
        let layout = [("MIGRATOR_LAYOUT", layout)];
        let variables = if layout[0].1.is_empty() {
            &[][..]
        } else {
            &layout[..]
        };
        let output = env.run_with("upgrade", variables);
        let said = text(&output);
        assert!(
            said.contains("error[M222]") && said.contains(program),
            "{said}"
        );
        let leave_out = [layout[0], ("MIGRATOR_LEAVE_OUT", program)];
        let variables = if layout[0].1.is_empty() {
            &leave_out[1..]
        } else {
            &leave_out[..]
        };
        let output = env.run_with("upgrade", variables);
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn diesel_keeps_its_own_order() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        for (name, up, down) in [
            (
                "2024-03-06-170000_a",
                "CREATE TABLE t (a int);",
                "DROP TABLE t;",
            ),
            (
                "2024-03-13_170000_b",
                "ALTER TABLE t ADD COLUMN b int;",
                "ALTER TABLE t DROP COLUMN b;",
            ),
            (
                "2024-03-14-000000",
                "INSERT INTO t VALUES (1, 2);",
                "DELETE FROM t;",
            ),
        ] {
            env.write(&format!("migrations/{name}/up.sql"), up);
            env.write(&format!("migrations/{name}/down.sql"), down);
        }
        works(&mut env, "upgrade");
        assert!(works(&mut env, "status").contains("Drift     none"));
        works(&mut env, "downgrade base");
        works(&mut env, "convert --to new");
        let moved = [("MIGRATOR_MIGRATIONS", "new")];
        let output = env.run_with("upgrade", &moved);
        assert!(output.status.success(), "{}", text(&output));
        let output = env.run_with("downgrade base", &moved);
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn scripts_that_are_elsewhere_are_not_nothing_to_do() {
    for (files, words) in [
        (
            &["2024/1_a.up.sql", "2025/2_b.up.sql"][..],
            &["2024/1_a.up.sql", "recursive = true"][..],
        ),
        (
            &["20240101000000_init/migration.sql"],
            &["Prisma", "migration.sql"],
        ),
        (&["sqitch.plan", "deploy/a.sql"], &["sqitch.plan"]),
        (&["changelog.xml"], &["changelog.xml", "Liquibase"]),
        (&["a/b/c/1_deep.sql"], &["a/b/c/1_deep.sql"]),
    ] {
        for line in [
            "upgrade",
            "check",
            "convert --to new",
            "status",
            "upgrade --dry-run",
        ] {
            let mut env = Env::new(Backend::Sqlite);
            for file in files {
                env.write(&format!("migrations/{file}"), "SELECT 1;");
            }
            let said = refused_by_scripts(&mut env, line, "M229");
            for word in words {
                assert!(said.contains(word), "{line}: no {word} in\n{said}");
            }
            assert!(!env.path("app.db").exists());
        }
    }
    // What is hidden or left out is not there.
    let mut env = Env::new(Backend::Sqlite);
    env.write("migrations/.git/1_a.sql", "");
    env.write("migrations/old/1_a.sql", "");
    env.write("migrations/README.md", "");
    let output = env.run_with("upgrade", &[("MIGRATOR_LEAVE_OUT", "old/")]);
    assert!(text(&output).contains("Nothing to do"), "{}", text(&output));
}

#[test]
fn scripts_below_are_read_or_named() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.write("migrations/2024/1_a.up.sql", "CREATE TABLE a (a int);");
        env.write("migrations/2024/1_a.down.sql", "DROP TABLE a;");
        env.write("migrations/3_c.up.sql", "CREATE TABLE c (a int);");
        env.write("migrations/3_c.down.sql", "DROP TABLE c;");
        for line in ["upgrade", "upgrade", "status", "convert --to new"] {
            let said = works(&mut env, line);
            assert!(
                said.contains("warning") && said.contains("2024/1_a."),
                "{line}: {said}"
            );
        }
        assert!(text(&env.run("check")).contains("M809"));
        let output = env.run_with("upgrade", &[("MIGRATOR_LEAVE_OUT", "2024/")]);
        assert!(!text(&output).contains("warning"), "{}", text(&output));
        works(&mut env, "downgrade base");
        let recursive = [("MIGRATOR_RECURSIVE", "true")];
        for line in ["upgrade", "check", "downgrade base"] {
            let output = env.run_with(line, &recursive);
            let said = text(&output);
            assert!(
                output.status.success() && !said.contains("warning"),
                "{line}: {said}"
            );
        }
        assert!(env.transcript().contains("1  a"));
    }
}

#[test]
fn other_layouts_are_found_below_as_well() {
    for (file, script) in [
        (
            "2024/1_a.sql",
            "-- migrate:up\nCREATE TABLE t (a int);\n-- migrate:down\nDROP TABLE t;\n",
        ),
        (
            "2024/01/1_a.sql",
            "-- +goose Up\nCREATE TABLE t (a int);\n-- +goose Down\nDROP TABLE t;\n",
        ),
    ] {
        let mut env = Env::new(Backend::Sqlite);
        env.write(&format!("migrations/{file}"), script);
        let recursive = [("MIGRATOR_RECURSIVE", "true")];
        for line in ["upgrade", "downgrade base"] {
            let output = env.run_with(line, &recursive);
            assert!(output.status.success(), "{}", text(&output));
        }
    }
}

/// A table whose key has a collation that only its application knows.
fn with_collation(env: &Env) {
    env.load("CREATE TABLE parents (n text PRIMARY KEY); CREATE TABLE others (a int); \
         PRAGMA writable_schema = ON; \
         UPDATE sqlite_schema SET sql = 'CREATE TABLE parents (n text COLLATE unicase PRIMARY KEY)' \
         WHERE name = 'parents';",
    );
}

#[test]
fn foreign_keys_that_cannot_be_checked_are_no_foreign_keys_that_hold() {
    let mut env = Env::new(Backend::Sqlite);
    with_collation(&env);
    let script =
        "CREATE TABLE children (n REFERENCES parents);\nINSERT INTO children VALUES ('zzz');\n";
    let down = "DROP TABLE children;";
    env.revision("1_a", script, down);
    let words = ["children (n) to parents", "unicase", "unchecked"];
    rolled_back(&mut env, "upgrade --allow-nonempty", "M707", &words);
    env.revision(
        "1_a",
        &format!("-- migrator: foreign-keys = unchecked\n{script}"),
        down,
    );
    works(&mut env, "upgrade --allow-nonempty");
    // A script that does not touch either table can't have made it worse.
    env.revision("2_b", "INSERT INTO others VALUES (1);", "SELECT 1;");
    works(&mut env, "upgrade");
    env.revision("3_c", "INSERT INTO Children VALUES ('yyy');", "SELECT 1;");
    rolled_back(&mut env, "upgrade", "M707", &words);
    env.remove("migrations/3_c.up.sql");
    env.remove("migrations/3_c.down.sql");
    env.sql("CREATE TRIGGER g AFTER INSERT ON others BEGIN INSERT INTO children VALUES ('q'); END");
    env.revision("4_d", "INSERT INTO others VALUES (2);", "SELECT 1;");
    rolled_back(&mut env, "upgrade", "M707", &words);
}

#[test]
fn a_key_that_matches_no_more_is_named_as_such() {
    let mut env = Env::new(Backend::Sqlite);
    env.revision(
        "1_a",
        "CREATE TABLE p (a INTEGER PRIMARY KEY, b int); CREATE TABLE c (p int REFERENCES p (a)); \
         INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (1);",
        "SELECT 1;",
    );
    works(&mut env, "upgrade");
    let script = "CREATE TABLE q (a int, b INTEGER PRIMARY KEY);\nINSERT INTO q SELECT a, b FROM p;\n\
                  DROP TABLE p;\nALTER TABLE q RENAME TO p;\n";
    env.revision("2_b", script, "SELECT 1;");
    rolled_back(
        &mut env,
        "upgrade",
        "M707",
        &["foreign key mismatch", "unchecked"],
    );
    let orphan =
        format!("-- migrator: foreign-keys = unchecked\n{script}INSERT INTO c VALUES (9);\n");
    env.revision("2_b", &orphan, "SELECT 1;");
    rolled_back(&mut env, "upgrade", "M702", &["no parent in p"]);
    env.revision(
        "2_b",
        &format!("-- migrator: foreign-keys = unchecked\n{script}"),
        "SELECT 1;",
    );
    works(&mut env, "upgrade");
    env.revision("3_c", "INSERT INTO c VALUES (1);", "SELECT 1;");
    works(&mut env, "upgrade");
}

#[test]
fn a_check_reads_every_statement_of_every_script() {
    for (backend, bad, code) in [
        (Backend::Postgres, "SELECT 'open;", "M301"),
        (Backend::Postgres, "\\d\n", "M302"),
        (Backend::Postgres, "SELECT 1; COMMIT; SELECT 2;", "M303"),
        (Backend::Postgres, "SELECT 1; VACUUM;", "M304"),
        (
            Backend::Postgres,
            "-- migrator: vars = on\nSELECT :{missing};",
            "M243",
        ),
        (Backend::Sqlite, "SELECT 'open;", "M301"),
        (Backend::Sqlite, ".schema\n", "M302"),
        (Backend::Sqlite, "SELECT 1; COMMIT; SELECT 2;", "M303"),
        (Backend::Sqlite, "SELECT 1; VACUUM;", "M304"),
        (
            Backend::Sqlite,
            "-- migrator: vars = on\nSELECT :{missing};",
            "M243",
        ),
    ] {
        for (up, down, file) in [
            (bad, "SELECT 1;", "1_a.up.sql"),
            ("SELECT 1;", bad, "1_a.down.sql"),
        ] {
            let mut env = Env::new(backend);
            env.revision("1_a", up, down);
            let output = env.run("check --no-database");
            let said = text(&output);
            assert_eq!(output.status.code(), Some(3), "{said}");
            assert!(said.contains(code) && said.contains(file), "{bad}:\n{said}");
            if file == "1_a.up.sql" {
                continue;
            }
            // What is stored for the emergency is said to be broken while there is time.
            let said = works(&mut env, "upgrade");
            assert!(
                said.contains("warning") && said.contains(file),
                "{bad}:\n{said}"
            );
        }
    }
    let mut env = Env::new(Backend::Sqlite);
    env.revision(
        "1_a",
        "-- migrator: vars = on\nSELECT :{given};",
        "SELECT 1;",
    );
    works(&mut env, "check --no-database --var given=1");
}

#[test]
fn scripts_without_statements_are_told_of() {
    for backend in Backend::ALL {
        for empty in ["", "-- nothing yet\n", "BEGIN;\nCOMMIT;\n", ";\n"] {
            let mut env = Env::new(backend);
            env.revision("1_a", "CREATE TABLE t (a int);", empty);
            env.revision("2_b", empty, "SELECT 1;");
            let checked = env.run("check --no-database");
            let said = text(&checked);
            assert_eq!(checked.status.code(), Some(3), "{said}");
            for words in [
                "down script of revision 1",
                "up script of revision 2",
                "M810",
            ] {
                assert!(said.contains(words), "{empty:?}: {said}");
            }
            let said = works(&mut env, "upgrade");
            for words in [
                "down script of revision 1",
                "up script of revision 2",
                "warning",
            ] {
                assert!(said.contains(words), "{empty:?}: {said}");
            }
        }
    }
    // A revision that joins branches has nothing to do.
    let mut env = Env::new(Backend::Sqlite);
    env.revision("1_a", "SELECT 1;", "SELECT 1;");
    env.revision("2_b", "-- migrator: revises = 1\nSELECT 1;", "SELECT 1;");
    env.revision("3_c", "-- migrator: revises = 1\nSELECT 1;", "SELECT 1;");
    works(&mut env, "merge -m join");
    works(&mut env, "check --no-database");
    assert!(!works(&mut env, "upgrade").contains("warning"));
}
