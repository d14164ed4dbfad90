//! Squashing end to end on both databases.

use crate::common::{Backend, Env};

fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        for (id, table) in [(1, "users"), (2, "posts"), (3, "tags"), (4, "votes")] {
            let revises = if id == 1 {
                "base".to_owned()
            } else {
                (id - 1).to_string()
            };
            let up = format!(
                "-- Make {table}\n-- migrator: revises = {revises}\nCREATE TABLE {table} (x integer);\n\
                 INSERT INTO {table} VALUES ({id});\n"
            );
            env.revision(
                &format!("{id}_{table}"),
                &up,
                &format!("DROP TABLE {table};\n"),
            );
        }
        scenario(&mut env);
        snapshot!(env, name);
    }
}

fn rows(env: &mut Env) {
    let rows = env
        .sql("SELECT sequence, revision, parents, state FROM migrator_version ORDER BY sequence");
    env.note(rows.trim_end());
    let log = env.sql("SELECT event, revision, outcome, detail FROM migrator_version_log WHERE event = 'squash' ORDER BY sequence");
    env.note(log.trim_end());
    env.note("");
}

fn show(env: &mut Env, file: &str) {
    let text = std::fs::read_to_string(env.path(file)).unwrap();
    env.note(&format!("{file}:\n{text}"));
}

#[test]
fn a_database_that_has_all_of_it_takes_the_baseline_as_applied() {
    on_both("squash", |env| {
        env.run("-q upgrade 3");
        env.run("squash --to 3 --dry-run");
        env.run("squash --to 3 -m \"First year\"");
        let files = env.files().join("\n");
        env.note(&files);
        show(env, "migrations/3_first_year.up.sql");
        show(env, "migrations/3_first_year.down.sql");
        let before = env.fingerprint();
        env.run("status");
        env.run("current");
        env.run("history -i");
        env.run("check --pending-ok");
        env.run("show 3");
        env.run("upgrade --dry-run");
        assert_eq!(env.fingerprint(), before, "reading writes nothing");
        env.run("upgrade");
        rows(env);
        env.run("upgrade");
        env.run("status");
        env.run("downgrade base");
        let schema = env.sql("SELECT count(*) FROM migrator_version");
        env.note(&schema);
        env.run("upgrade");
        rows(env);
        env.run("history --log --format json -q");
    });
}

#[test]
fn nothing_but_the_records_is_to_be_done() {
    on_both("squash_records", |env| {
        env.run("-q upgrade");
        env.run("-q squash --to 3");
        env.run("upgrade");
        rows(env);
        env.run("-q squash --to 4 -m Second");
        show(env, "migrations/4_second.up.sql");
        env.run("downgrade -1");
        rows(env);
    });
}

#[test]
fn a_database_in_the_middle_is_told_what_to_do() {
    on_both("squash_middle", |env| {
        env.run("-q upgrade 2");
        env.run("-q squash --to 3");
        let before = env.fingerprint();
        env.run("upgrade");
        env.run("downgrade base --yes");
        env.run("stamp head --yes");
        env.run("status");
        env.run("check");
        assert_eq!(env.fingerprint(), before, "nothing was changed");
        env.run("stamp 3 --purge --yes");
        env.run("upgrade");
        rows(env);
    });
}

#[test]
fn other_commands_know_it() {
    on_both("squash_others", |env| {
        env.run("-q upgrade 3");
        env.run("-q squash --to 3");
        env.run("redo --dry-run");
        env.run("stamp head --yes");
        rows(env);
        env.run("-q stamp 3 --yes");
        env.run("redo");
        rows(env);
    });
}

#[test]
fn what_can_not_be_squashed_is_named() {
    on_both("squash_refused", |env| {
        env.run("squash --to 1");
        env.run("squash --to 9");
        env.revision("5_late", "-- migrator: revises = 2\nSELECT 1;\n", "");
        let set = match env.backend {
            Backend::Postgres => "SET search_path = public",
            Backend::Sqlite => "PRAGMA recursive_triggers = on",
        };
        env.revision(
            "2_posts",
            &format!("-- migrator: revises = 1\nSELECT 2;\n{set};\n"),
            "",
        );
        env.run("squash --to 3");
        env.remove("migrations/5_late.up.sql");
        env.remove("migrations/5_late.down.sql");
        env.revision(
            "3_tags",
            "-- migrator: revises = 1\n-- migrator: replaces = 2\nSELECT 3;\n",
            "",
        );
        env.run("heads");
        for code in ["M470", "M471", "M472", "M473"] {
            env.run(&format!("explain {code}"));
        }
    });
}

#[test]
fn a_script_for_the_shell_exchanges_the_records() {
    on_both("squash_sql", |env| {
        env.run("-q upgrade 3");
        env.run("-q squash --to 3");
        let output = env.command().args(["upgrade", "--sql"]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        let ran = env.shell(&script);
        assert!(ran.status.success(), "{ran:?}\n{script}");
        env.run("upgrade");
        rows(env);
    });
}

/// What the scripts have made, without our own tables.
fn schema(env: &Env) -> String {
    let dump = env.schema();
    // The dump has a mark of its own in every run.
    let lines = dump.lines().filter(|line| !line.contains("restrict"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_empty_database_gets_the_same_schema() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.revision(
            "1_a",
            "BEGIN;\nCREATE TABLE a (x integer, y text DEFAULT ';');\nCOMMIT;\n",
            "DROP TABLE a;\n",
        );
        let index = match backend {
            Backend::Postgres => "CREATE INDEX CONCURRENTLY i ON a (x)",
            Backend::Sqlite => "CREATE INDEX i ON a (x)",
        };
        env.revision(
            "2_i",
            &format!("-- migrator: transaction = off\n{index};\n"),
            "DROP INDEX i;\n",
        );
        env.revision(
            "3_v",
            "CREATE VIEW v AS SELECT y FROM a;\nINSERT INTO a VALUES (3, 'c');\n",
            "DROP VIEW v;\n",
        );
        env.run("-q upgrade");
        let (made, filled) = (schema(&env), env.sql("SELECT * FROM a"));
        env.run("-q squash --to 3");
        env.run("-q upgrade");
        env.run("-q downgrade base");
        assert_ne!(schema(&env), made);
        env.run("upgrade");
        assert_eq!(schema(&env), made, "{}", env.transcript());
        assert_eq!(env.sql("SELECT * FROM a"), filled);
        assert_eq!(env.sql("SELECT count(*) FROM migrator_version").trim(), "1");
    }
}
