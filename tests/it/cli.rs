//! Every command end to end on both databases: stdout, stderr and exit status in one snapshot.

use crate::common::{Backend, Env};

/// Three revisions that both databases understand.
fn three(env: &Env) {
    env.revision(
        "20260101000001_create_users",
        "-- Create users\n-- migrator: revises = base\nCREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\nINSERT INTO users VALUES (1, 'Ada');\n",
        "DROP TABLE users;\n",
    );
    env.revision(
        "20260101000002_index_names",
        "-- migrator: revises = 20260101000001\nCREATE INDEX users_name ON users (name);\n",
        "DROP INDEX users_name;\n",
    );
    env.revision(
        "20260101000003_create_posts",
        "-- migrator: revises = 20260101000002\nCREATE TABLE posts (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id));\n",
        "DROP TABLE posts;\n",
    );
}

fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        scenario(&mut env);
        snapshot!(env, name);
    }
}

#[test]
fn a_tour() {
    on_both("a_tour", |env| {
        env.run("current");
        env.run("revision -m \"Create users\" --rev-id 20260101000001");
        env.write(
            "migrations/20260101000001_create_users.up.sql",
            "-- Create users\n-- migrator: revises = base\nCREATE TABLE users (id integer PRIMARY KEY);\n",
        );
        env.write(
            "migrations/20260101000001_create_users.down.sql",
            "DROP TABLE users;\n",
        );
        env.run("upgrade");
        env.run("revision -m \"Add e-mail\" --rev-id 20260101000002");
        env.run("status");
        env.run("upgrade head");
        env.run("upgrade head");
        env.run("current");
        env.run("history");
        env.run("downgrade -1");
        env.run("current");
        env.run("downgrade base");
        env.run("current");
        let files = env.files().join("\n");
        env.note(&files);
    });
}

#[test]
fn up_and_down_to_every_kind_of_target() {
    on_both("targets", |env| {
        three(env);
        let empty = env.schema();
        env.run("upgrade +1");
        env.run("upgrade index_names");
        env.run("upgrade 20260101000002+1");
        env.run("downgrade head-1");
        env.run("downgrade create_users");
        env.run("upgrade heads");
        env.run("downgrade current-2");
        env.run("upgrade +9");
        env.run("downgrade -2");
        env.run("downgrade base");
        env.run("downgrade base");
        assert_eq!(env.schema(), empty);
    });
}

#[test]
fn showing() {
    on_both("showing", |env| {
        three(env);
        env.run("upgrade 20260101000002");
        env.run("history");
        env.run("history -v");
        env.run("heads");
        env.run("show head");
        env.run("show migrations/20260101000001_create_users.up.sql");
        env.run("show -v index_names");
        env.run("status");
        env.run("current -v");
        env.run("current --check-heads");
        env.run("-q status");
        env.run("-q upgrade");
        env.run("-v downgrade base");
    });
}

#[test]
fn json_of_every_command() {
    on_both("json", |env| {
        three(env);
        for line in [
            "revision -m \"add tags\" --rev-id 20260101000004",
            "upgrade --dry-run",
            "upgrade 20260101000002",
            "current",
            "history",
            "heads",
            "show create_users",
            "status",
            "downgrade -1",
            "stamp head",
            "downgrade 9999",
        ] {
            env.run(&format!("--format json {line}"));
        }
    });
}

#[test]
fn a_dry_run_makes_nothing() {
    on_both("dry_run", |env| {
        three(env);
        let (files, before) = (env.files(), env.fingerprint());
        env.run("upgrade --dry-run");
        env.run("upgrade --dry-run -v +1");
        env.run("stamp head --dry-run");
        env.run("downgrade base --dry-run");
        assert_eq!(env.files(), files);
        assert_eq!(env.fingerprint(), before);
        env.run("upgrade");
        let before = env.fingerprint();
        env.run("downgrade base --dry-run");
        assert_eq!(env.fingerprint(), before);
    });
}

#[test]
fn reading_makes_nothing() {
    on_both("reading", |env| {
        three(env);
        let (files, before) = (env.files(), env.fingerprint());
        for line in ["current", "history", "heads", "show head", "status"] {
            env.run(line);
        }
        assert_eq!(env.files(), files);
        assert_eq!(env.fingerprint(), before);
    });
}

#[test]
fn a_failing_statement_leaves_no_trace_of_its_revision() {
    on_both("failing_statement", |env| {
        for n in 1..=7 {
            let up = format!(
                "CREATE TABLE t{n} (x integer);\nINSERT INTO t{n} VALUES (1);\n{};\nINSERT INTO t{n} VALUES (3);\n",
                if n == 5 {
                    "INSERT INTO żółw_t5 VALUES (2)"
                } else {
                    "INSERT INTO t1 VALUES (2)"
                }
            );
            env.revision(
                &format!("2026010100000{n}_table_{n}"),
                &up,
                &format!("DROP TABLE t{n};\n"),
            );
        }
        env.run("upgrade head");
        env.run("current");
        assert!(!env.schema().contains("t5"));
        let fixed = "CREATE TABLE t5 (x integer);\nINSERT INTO t5 VALUES (2);\n";
        env.write("migrations/20260101000005_table_5.up.sql", fixed);
        env.run("upgrade head");
        assert!(env.schema().contains("t5"));
    });
}

#[test]
fn errors_of_the_database_in_every_place() {
    on_both("database_errors", |env| {
        let cases = [
            (
                "syntax",
                "CREATE TABLE a (x);\n  -- a comment\n  SELEC 1;\n",
            ),
            (
                "unique",
                "CREATE TABLE a (x integer PRIMARY KEY);\nINSERT INTO a VALUES (1), (1);\n",
            ),
            (
                "no_table",
                "\n\nINSERT INTO \"nirgendwo ß\" VALUES ('ü'); SELECT 1;\n",
            ),
            (
                "crlf",
                "CREATE TABLE a (x integer);\r\nINSERT INTO b\r\nVALUES (1);\r\n",
            ),
        ];
        for (name, up) in cases {
            let file = format!("migrations/1_{name}.up.sql");
            env.write(&file, up);
            env.run("upgrade");
            env.remove(&file);
        }
    });
}

#[test]
fn branches() {
    on_both("branches", |env| {
        three(env);
        env.write(
            "migrations/20260101000004_tags.up.sql",
            "-- Tags\n-- migrator: revises = 20260101000002\n-- migrator: label = tags\nCREATE TABLE tags (id integer);\n",
        );
        env.write(
            "migrations/20260101000004_tags.down.sql",
            "DROP TABLE tags;\n",
        );
        env.run("heads");
        env.run("history");
        env.run("upgrade head");
        env.run("revision -m more");
        env.run("upgrade tags@head");
        env.run("upgrade heads");
        env.run("current");
        env.run("show 20260101000002");
        env.run("downgrade 20260101000002+1");
        env.run("downgrade -1");
        let joined = "20260101000003 --head 20260101000004 --rev-id 20260101000005";
        env.run("revision -m Join --head 20260101000003 --head create_posts");
        env.run(&format!("revision -m Join --head {joined}"));
        env.run("upgrade head");
        env.run("history");
        env.run("downgrade -1");
        env.run("downgrade 20260101000001");
    });
}

#[test]
fn dependencies_come_first_and_go_last() {
    on_both("dependencies", |env| {
        env.revision(
            "1_a",
            "-- migrator: revises = base\nCREATE TABLE a (x integer);\n",
            "DROP TABLE a;\n",
        );
        env.revision(
            "2_b",
            "-- migrator: revises = base\n-- migrator: depends-on = 3\nCREATE TABLE b (x integer);\n",
            "DROP TABLE b;\n",
        );
        env.revision(
            "3_c",
            "-- migrator: revises = 1\nCREATE TABLE c (x integer);\n",
            "DROP TABLE c;\n",
        );
        env.run("upgrade 2");
        env.run("current");
        env.run("downgrade 1");
    });
}

#[test]
fn stamping() {
    on_both("stamping", |env| {
        three(env);
        env.run("stamp 20260101000002");
        env.run("current");
        env.run("stamp head");
        env.run("stamp create_users");
        env.run("stamp base");
        env.run("stamp +1");
        env.run("stamp nowhere");
        env.run("stamp head --purge");
        let count = env.sql("SELECT count(*) FROM migrator_version_log WHERE event = 'stamp'");
        env.note(&format!("log rows of stamps: {}", count.trim()));
    });
}

#[test]
fn a_down_script_is_stored_when_its_revision_is_applied() {
    on_both("stored_down", |env| {
        three(env);
        env.run("upgrade");
        env.remove("migrations/20260101000003_create_posts.up.sql");
        env.remove("migrations/20260101000003_create_posts.down.sql");
        env.run("status");
        env.run("downgrade -1");
        env.remove("migrations/20260101000002_index_names.down.sql");
        env.run("downgrade -1");
        env.write(
            "migrations/20260101000001_create_users.down.sql",
            "DROP TABLE users; SELECT 1;\n",
        );
        env.run("downgrade -1");
    });
}

#[test]
fn down_scripts_are_read_when_something_is_to_be_done() {
    on_both("cli_downs_when_needed", |env| {
        three(env);
        env.run("upgrade 20260101000002");
        env.write(
            "migrations/20260101000001_create_users.down.sql",
            "-- migrator: transaction = perhaps\nDROP TABLE users;\n",
        );
        env.run("upgrade 20260101000002");
        let (before, files) = (env.fingerprint(), env.files());
        env.run("upgrade");
        env.run("check");
        env.write(
            "migrations/20260101000003_create_posts.up.sql",
            "-- migrator: revises = 7\n",
        );
        env.run("upgrade 20260101000002");
        assert_eq!((env.fingerprint(), env.files()), (before, files));
    });
}

#[test]
fn drift() {
    on_both("drift", |env| {
        three(env);
        env.run("upgrade 20260101000002");
        let file = "migrations/20260101000002_index_names.up.sql";
        env.note("# reformatted: no drift");
        env.write(file, "/* other words */\n-- migrator: revises = 20260101000001\r\nCREATE   INDEX users_name\r\n  ON users (name)\r\n");
        env.run("status");
        env.note("# changed");
        env.write(
            file,
            "-- migrator: revises = 20260101000001\nCREATE INDEX users_name ON users (id, name);\n",
        );
        env.run("status");
        env.run("upgrade");
        env.run("downgrade -1");
        env.run("current");
    });
}

#[test]
fn an_older_release_looks_at_a_newer_database() {
    on_both("ahead", |env| {
        three(env);
        env.run("upgrade");
        env.remove("migrations/20260101000003_create_posts.up.sql");
        env.remove("migrations/20260101000003_create_posts.down.sql");
        env.run("upgrade");
        env.run("current");
        let url = env.url();
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\nahead = \"error\"\n"),
        );
        env.run("upgrade");
    });
}

#[test]
fn out_of_order() {
    on_both("out_of_order", |env| {
        env.revision("1_a", "CREATE TABLE a (x integer);", "DROP TABLE a;");
        env.revision("3_c", "CREATE TABLE c (x integer);", "DROP TABLE c;");
        env.run("upgrade");
        env.revision("2_b", "CREATE TABLE b (x integer);", "DROP TABLE b;");
        env.run("status");
        env.run("upgrade");
        let url = env.url();
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\nout-of-order = \"warn\"\n"),
        );
        env.run("upgrade");
        env.run("current");
        env.run("downgrade -1");
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\nout-of-order = \"allow\"\n"),
        );
        env.run("upgrade");
        env.run("downgrade base");
    });
}

#[test]
fn one_transaction_for_the_whole_run() {
    on_both("one_transaction", |env| {
        three(env);
        let file = "migrations/20260101000003_create_posts.up.sql";
        env.write(
            file,
            "-- migrator: revises = 20260101000002\nCREATE TABLE posts (id integer);\nnonsense;\n",
        );
        let before = env.schema();
        env.run("upgrade --transaction all");
        env.run("current");
        assert_eq!(env.schema(), before);
        env.write(
            file,
            "-- migrator: revises = 20260101000002\nCREATE TABLE posts (id integer);\n",
        );
        env.run("upgrade --transaction all");
        env.run("downgrade base --transaction all");
        env.write(file, "-- migrator: revises = 20260101000002\n-- migrator: transaction = off\nCREATE TABLE posts (id integer);\n");
        env.run("upgrade --transaction all");
    });
}

#[test]
fn a_script_without_a_transaction() {
    on_both("transaction_off", |env| {
        let alone = match env.backend {
            Backend::Sqlite => "VACUUM",
            Backend::Postgres => "CREATE INDEX CONCURRENTLY a_x ON a (x)",
        };
        env.revision(
            "1_off",
            &format!("-- migrator: transaction = off\nCREATE TABLE a (x integer);\n{alone};\nBEGIN;\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\nCOMMIT;\n"),
            "-- migrator: transaction = off\nDROP TABLE a;\n",
        );
        env.run("upgrade --dry-run");
        env.run("upgrade");
        env.run("downgrade base");
        env.write(
            "migrations/1_off.up.sql",
            "-- migrator: transaction = off\nCREATE TABLE a (x integer);\nINSERT INTO a VALUES (1);\nINSERT INTO nowhere VALUES (1);\n",
        );
        env.run("upgrade");
        env.run("status");
        env.run("show 1_off");
        env.note("# nothing was fixed: it stops there again");
        env.run("upgrade");
        env.run("downgrade base");
    });
}

const OFF: &str = "-- migrator: transaction = off\n";

#[test]
fn a_script_that_stopped_in_its_middle_goes_on() {
    on_both("resume", |env| {
        let up = |rest: &str| {
            format!("{OFF}CREATE TABLE a (x integer);\nINSERT INTO a VALUES (1);\n{rest}")
        };
        env.revision(
            "1_off",
            &up("INSERT INTO b VALUES (2);\n"),
            &format!("{OFF}DROP TABLE b;\nDROP TABLE a;\n"),
        );
        env.revision("2_next", "CREATE TABLE c (x integer);", "DROP TABLE c;");
        env.run("upgrade");
        let file = "migrations/1_off.up.sql";
        env.note("# what is done is changed");
        env.write(
            file,
            up("INSERT INTO b VALUES (2);\n").replace("(1)", "(7)"),
        );
        env.run("upgrade");
        env.note("# what comes after it is fixed");
        env.write(
            file,
            up("-- first\nCREATE TABLE b (x integer);\nINSERT INTO b VALUES (2);\n"),
        );
        env.run("stamp head");
        env.run("downgrade base");
        env.run("upgrade --dry-run");
        env.run("upgrade");
        let rows = env.sql("SELECT count(*) FROM a");
        env.note(&format!(
            "rows of the statement that was done: {}",
            rows.trim()
        ));
        env.run("status");
        env.note("# the same on the way down");
        env.write(
            "migrations/1_off.down.sql",
            format!("{OFF}DROP TABLE b;\nDROP TABLE nowhere;\n"),
        );
        env.run("downgrade base");
        env.run("upgrade");
        env.write(
            "migrations/1_off.down.sql",
            format!("{OFF}DROP TABLE b;\nDROP TABLE a;\n"),
        );
        env.run("downgrade base");
        env.run("current");
        assert!(!env.schema().contains("TABLE"), "{}", env.transcript());
    });
}

#[test]
fn repairs() {
    on_both("repair", |env| {
        three(env);
        env.run("repair");
        env.run("upgrade");
        env.run("repair");
        env.write(
            "migrations/20260101000002_index_names.up.sql",
            "-- migrator: revises = 20260101000001\nCREATE INDEX users_name ON users (id, name);\n",
        );
        env.write(
            "migrations/20260101000003_create_posts.down.sql",
            "-- gone\nDROP TABLE IF EXISTS posts;\n",
        );
        env.run("repair --dry-run");
        env.run("repair");
        env.run("repair create_posts --yes");
        env.run("repair --yes");
        env.run("status");
        env.run("repair --statement 1 --done");
        env.run("repair --mark applied");
        env.run("repair --statement 1");
        env.run("repair nowhere");
        let log = env.sql("SELECT revision, detail FROM migrator_version_log WHERE event = 'repair' ORDER BY sequence");
        for line in log.lines() {
            env.note(line.split(": v1").next().unwrap());
        }
    });
}

#[test]
fn a_revision_in_its_middle_is_settled_by_hand() {
    on_both("settle", |env| {
        env.revision(
            "1_off",
            &format!("{OFF}CREATE TABLE a (x integer);\nnonsense;\nCREATE TABLE b (x integer);\n"),
            "DROP TABLE a;",
        );
        env.run("upgrade");
        env.run("repair --statement 1 --done --yes");
        env.run("repair --statement 2 --done --dry-run");
        env.run("repair --statement 2 --done --yes");
        env.run("upgrade");
        env.run("downgrade base");
        env.sql("DROP TABLE b");
        env.run("upgrade");
        env.run("repair --mark unapplied --yes");
        env.run("current");
        env.sql("DROP TABLE a");
        env.run("upgrade");
        env.run("repair --mark applied --yes");
        env.run("current");
        env.run("status");
    });
}

#[test]
fn a_wrapper_is_replaced_by_our_own_transaction() {
    on_both("wrapper", |env| {
        let (before, last, after) = match env.backend {
            Backend::Sqlite => (
                "PRAGMA foreign_keys = OFF;\n",
                "PRAGMA foreign_keys = ON;\nPRAGMA foreign_key_check;\n",
                "PRAGMA foreign_keys = ON;\n",
            ),
            Backend::Postgres => ("", "", ""),
        };
        env.revision(
            "1_a",
            &format!("{before}BEGIN;\nCREATE TABLE a (x integer);\n{last}COMMIT;\n{after}"),
            "BEGIN;\nSAVEPOINT s;\nDROP TABLE a;\nRELEASE s;\nCOMMIT;\n",
        );
        env.revision(
            "2_b",
            "BEGIN;\nCREATE TABLE b (x integer);\nnonsense;\nCOMMIT;\n",
            "DROP TABLE b;\n",
        );
        env.run("upgrade");
        assert!(!env.schema().contains("TABLE b"), "{}", env.schema());
        env.run("downgrade base");
    });
}

#[test]
fn copy_data() {
    let mut env = Env::new(Backend::Postgres);
    env.revision(
        "1_copy",
        "CREATE TABLE t (a integer, b text);\nCOPY t (a, b) FROM stdin;\n1\tone; not a statement\n2\t\\N\n\\.\n\nINSERT INTO t VALUES (3, 'three');\nCOPY t FROM stdin WITH (FORMAT csv);\n4,\"fo;ur\"\n\\.\n",
        "DROP TABLE t;",
    );
    env.run("upgrade");
    let rows = env.sql("SELECT a, b FROM t ORDER BY a");
    env.note(&rows);
    env.revision("2_bad", "COPY t FROM stdin;\nx\ty\n\\.\n", "");
    env.run("upgrade");
    snapshot!(env, "copy_data");
}

#[test]
fn foreign_keys_of_sqlite() {
    let mut env = Env::new(Backend::Sqlite);
    env.revision(
        "1_tables",
        "CREATE TABLE p (id integer PRIMARY KEY);\nCREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id) ON DELETE CASCADE);\nINSERT INTO p VALUES (1), (2);\nINSERT INTO c VALUES (10, 1), (20, 2);\n",
        "DROP TABLE c; DROP TABLE p;",
    );
    env.revision(
        "2_rebuild",
        "CREATE TABLE new_p (id integer PRIMARY KEY, name text);\nINSERT INTO new_p (id) SELECT id FROM p;\nDROP TABLE p;\nALTER TABLE new_p RENAME TO p;\n",
        "ALTER TABLE p DROP COLUMN name;",
    );
    env.run("upgrade");
    let kept = env.sql("SELECT count(*) FROM c");
    env.note(&format!("children kept: {}", kept.trim()));
    env.revision("3_orphans", "DELETE FROM p WHERE id = 1;", "");
    env.run("upgrade");
    env.write(
        "migrations/3_orphans.up.sql",
        "-- migrator: foreign-keys = on\nDELETE FROM p WHERE id = 1;",
    );
    env.run("upgrade");
    let kept = env.sql("SELECT count(*) FROM c");
    env.note(&format!(
        "children after a cascade that was asked for: {}",
        kept.trim()
    ));
    snapshot!(env, "foreign_keys");
}

#[test]
fn what_a_script_leaves_in_the_session_reaches_nobody() {
    on_both("session", |env| {
        let dirty = match env.backend {
            Backend::Sqlite => {
                "CREATE TABLE a (x integer);\nCREATE TEMP TABLE migrator_version (x);\nPRAGMA case_sensitive_like = ON;\n"
            }
            Backend::Postgres => {
                "CREATE TABLE a (x integer);\nSELECT pg_catalog.set_config('search_path', '', false);\nSET standard_conforming_strings = off;\nCREATE TEMP TABLE migrator_version (x integer);\nSELECT pg_advisory_unlock_all();\n"
            }
        };
        env.revision("1_dirty", dirty, "DROP TABLE a;\n");
        env.revision(
            "2_clean",
            "CREATE TABLE b (x integer);\nINSERT INTO b SELECT 1 WHERE 'A' LIKE 'A';\n",
            "DROP TABLE b;\n",
        );
        env.run("upgrade");
        env.run("current");
        env.run("downgrade base");
    });
}

#[test]
fn environments() {
    on_both("environments", |env| {
        three(env);
        let url = env.url();
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"sqlite:wrong.db\"\n\n[environments.staging]\nurl = \"{url}\"\n\n[environments.production]\nurl = \"${{PRODUCTION_URL}}\"\nprotected = true\n\n[environments.empty]\n"),
        );
        env.run_with(
            "-n staging upgrade +1",
            &[("DATABASE_URL", "sqlite:other.db")],
        );
        env.run_with("-n empty current", &[("DATABASE_URL", "sqlite:other.db")]);
        env.run("-n production current");
        env.run("-n productoin current");
        env.run_with("-n production current", &[("PRODUCTION_URL", &url)]);
        env.run_with("-n production downgrade base", &[("PRODUCTION_URL", &url)]);
        env.run_with("-n staging downgrade base", &[("PRODUCTION_URL", &url)]);
        env.run_with(
            "-n production stamp base --yes",
            &[("PRODUCTION_URL", &url)],
        );
        env.write(".env", format!("PRODUCTION_URL={url}\n"));
        env.run("-n production current");
        let files = env.files();
        assert!(
            !files
                .iter()
                .any(|file| file.contains("wrong") || file.contains("other")),
            "{files:?}"
        );
    });
}

#[test]
fn the_project_is_found_upwards() {
    let mut env = Env::new(Backend::Sqlite);
    three(&env);
    env.write("deep/er/keep", "");
    let output = env
        .command()
        .current_dir(env.path("deep/er"))
        .arg("upgrade")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(env.path("app.db").exists());
    env.run("current");
    snapshot!(env, "upwards");
}

#[test]
fn init_begins_a_project() {
    let mut env = Env::new(Backend::Sqlite);
    env.run("init new");
    env.run("init new");
    env.run("-c new/migrator.toml upgrade");
    env.remove("migrator.toml");
    env.run("init");
    env.run("upgrade");
    env.run("-c new/migrator.toml revision -m \"first one\" --rev-id 1");
    env.run("-c new/migrator.toml upgrade");
    let files = env.files().join("\n");
    env.note(&files);
    snapshot!(env, "init");
}

#[test]
fn nothing_is_to_be_done_without_revisions() {
    on_both("no_revisions", |env| {
        env.run("upgrade --dry-run");
        env.run("upgrade");
        env.run("upgrade heads");
        env.run("upgrade +1");
        env.run("status");
        env.run("downgrade head");
        env.run("downgrade base");
        env.run("stamp head");
        env.run("upgrade tags@head");
        env.note("# nor is everything undone that was there before");
        env.revision("1_a", "CREATE TABLE a (x integer);", "DROP TABLE a;");
        env.run("upgrade");
        env.remove("migrations/1_a.up.sql");
        env.remove("migrations/1_a.down.sql");
        env.run("upgrade");
        env.run("stamp head --purge");
        env.run("downgrade head");
    });
}

#[test]
fn a_half_done_revision_is_called_that_everywhere() {
    on_both("half_done", |env| {
        env.revision("1_a", "CREATE TABLE a (x integer);", "DROP TABLE a;");
        env.revision(
            "2_off",
            &format!("{OFF}INSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2);\nINSERT INTO a VALUES (3);\n"),
            "DROP TABLE b;",
        );
        env.run("upgrade");
        env.run("status");
        env.run("show off");
        env.run("--format json show off");
        env.run("repair");
        env.run("--format json repair");
        env.run("upgrade -v --dry-run");
        env.run("stamp head");
        env.run("stamp head --purge");
    });
}

#[test]
fn a_variable_that_is_misspelt_is_named() {
    let mut env = Env::new(Backend::Sqlite);
    three(&env);
    let variables = [("MIGRATOR_LOCK_WIAT", "5s"), ("MIGRATOR_HOME", "/nowhere")];
    env.run_with("heads", &variables);
    env.run_with("-q heads", &variables);
    snapshot!(env, "misspelt");
}

#[test]
fn a_revision_can_be_shown_without_its_database() {
    let mut env = Env::new(Backend::Sqlite);
    three(&env);
    env.run("show create_posts");
    env.write("migrator.toml", "[migrator]\n");
    env.run("show create_posts");
    snapshot!(env, "show_alone");
}

#[test]
fn a_stored_script_that_fails_can_be_mended() {
    on_both("stored_down_fails", |env| {
        env.revision("1_a", "CREATE TABLE a (x integer);", "DROP TABLE b;");
        env.run("upgrade");
        env.remove("migrations/1_a.down.sql");
        env.run("downgrade base");
        env.write("migrations/1_a.down.sql", "DROP TABLE a;");
        env.run("downgrade base");
    });
}

#[test]
fn a_role_that_may_not_make_the_version_table_is_told_so() {
    let mut env = Env::new(Backend::Postgres);
    three(&env);
    let role = format!("plain_{}", env.sql("SELECT current_database()").trim());
    // Older servers let everyone make tables.
    env.sql(&format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE {role} LOGIN"
    ));
    let url = env.url().replacen("postgres@", &format!("{role}@"), 1);
    env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    env.run("upgrade");
    env.run("stamp head");
    env.sql(&format!("GRANT CREATE ON SCHEMA public TO {role}"));
    env.run("upgrade");
    env.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    snapshot!(env, "role_without_rights");
}

#[test]
fn records_name_the_user_without_its_variable() {
    let env = Env::new(Backend::Sqlite);
    three(&env);
    let mut command = env.command();
    command.env_remove("USER").arg("upgrade");
    assert!(command.output().unwrap().status.success());
    let actor = env.sql("SELECT DISTINCT applied_by FROM migrator_version");
    let (user, host) = actor.trim().split_once('@').unwrap();
    assert!(!user.is_empty() && user != "unknown", "{actor}");
    assert!(!host.is_empty(), "{actor}");
}

#[test]
fn help() {
    let mut env = Env::new(Backend::Sqlite);
    for line in [
        "--help",
        "init --help",
        "revision --help",
        "upgrade --help",
        "downgrade --help",
        "current --help",
        "history --help",
        "heads --help",
        "show --help",
        "status --help",
        "stamp --help",
        "repair --help",
        "--version",
        "",
    ] {
        env.run(line);
    }
    snapshot!(env, "help");
}

#[test]
fn colours_only_when_asked_for_or_on_a_terminal() {
    let env = Env::new(Backend::Sqlite);
    three(&env);
    let run = |arguments: &[&str]| env.command().args(arguments).output().unwrap().stdout;
    assert!(run(&["--color", "always", "history"]).contains(&0x1b));
    assert!(!run(&["history"]).contains(&0x1b));
    assert!(!run(&["--color", "never", "history"]).contains(&0x1b));
}
