//! PostgreSQL: scripts that wait for the locks of others.
#![cfg(unix)]

use crate::common::{Backend, Env, Running, Session, wait_until};

/// A table, and a pending script that alters it.
fn project(settings: &str, headers: &str) -> Env {
    let env = Env::new(Backend::Postgres);
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n\n[postgres]\n{settings}\n"),
    );
    env.revision(
        "1_table",
        "CREATE TABLE t (x integer);\n",
        "DROP TABLE t;\n",
    );
    Running::start(&env, "upgrade").finish().expect(0);
    env.revision(
        "2_alter",
        &format!("{headers}CREATE TABLE u (x integer);\nALTER TABLE t ADD COLUMN y integer;\n"),
        "ALTER TABLE t DROP COLUMN y;\nDROP TABLE u;\n",
    );
    env
}

/// A session that keeps others from altering the table.
fn blocker(env: &Env, sql: &str) -> (Session, String) {
    let mut session = Session::open(env);
    let pid = session.run("SELECT pg_backend_pid()::text").unwrap();
    session.run(&format!("BEGIN; {sql}"));
    (session, pid)
}

const READ: &str = "SELECT count(*) FROM t";
const LOCK: &str = "LOCK TABLE t IN ACCESS EXCLUSIVE MODE";

#[test]
fn a_revision_is_tried_until_the_others_are_done() {
    let off = "-- migrator: transaction = off\n";
    for (line, headers, sql) in [
        ("upgrade", "", READ),
        ("upgrade", "", LOCK),
        ("upgrade", off, READ),
        ("upgrade --transaction all", "", LOCK),
    ] {
        let env = project("lock-timeout = \"300ms\"\nlock-attempts = 100", headers);
        let (mut session, pid) = blocker(&env, sql);
        let mut running = Running::start(&env, line);
        running.wait_for("2: timed out waiting for a lock (attempt 1 of 100); retrying in");
        running.wait_for(&format!("held by someone else (pid {pid}, "));
        session.run("COMMIT");
        running.finish().expect(0);
        let columns =
            "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0";
        assert_eq!(env.sql(columns), "x\ny\n");
        let log = "SELECT event, outcome FROM migrator_version_log WHERE revision = '2'";
        assert_eq!(env.sql(log), "upgrade|ok\n");
    }
}

#[test]
fn after_all_attempts_it_fails_and_names_who_blocks() {
    let env = project("lock-timeout = \"1s\"\nlock-attempts = 2", "");
    let (_session, pid) = blocker(&env, READ);
    let failed = Running::start(&env, "upgrade").finish().expect(1);
    for part in [
        "error[M703]: canceling statement due to lock timeout",
        "migrations/2_alter.up.sql:2:1",
        &format!("held by someone else (pid {pid}, "),
        "idle in transaction)",
        "tried 2 times",
        "it was rolled back completely",
    ] {
        assert!(failed.stderr.contains(part), "{part}: {failed:#?}");
    }
    assert_eq!(env.sql("SELECT to_regclass('u')"), "\n");
    assert_eq!(env.sql("SELECT revision FROM migrator_version"), "1\n");
    let log = "SELECT event, outcome FROM migrator_version_log WHERE revision = '2'";
    assert_eq!(env.sql(log), "upgrade|failed\n");
}

#[test]
fn the_header_has_the_last_word_on_how_long() {
    let env = project(
        "lock-timeout = \"0\"\nlock-attempts = 1",
        "-- migrator: lock-timeout = 50ms\n",
    );
    let (_session, _) = blocker(&env, READ);
    let failed = Running::start(&env, "upgrade").finish().expect(1);
    assert!(failed.stderr.contains("error[M703]"), "{failed:#?}");

    let env = project(
        "lock-timeout = \"50ms\"\nlock-attempts = 1",
        "-- migrator: lock-timeout = 0\n",
    );
    let (mut session, _) = blocker(&env, READ);
    let running = Running::start(&env, "upgrade");
    wait_until("it has waited for longer than that", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '300 ms'";
        env.sql(waiting) == "1\n"
    });
    session.run("COMMIT");
    running.finish().expect(0);
}

#[test]
fn a_statement_that_takes_too_long_is_shown() {
    for headers in ["", "-- migrator: transaction = off\n"] {
        let env = project("statement-timeout = \"1h\"", "");
        let script = format!(
            "{headers}-- migrator: statement-timeout = 50ms\nCREATE TABLE u (x integer);\nSELECT pg_sleep(600);\n"
        );
        env.write("migrations/2_alter.up.sql", script);
        let status = if headers.is_empty() { 1 } else { 4 };
        let failed = Running::start(&env, "upgrade").finish().expect(status);
        for part in [
            "error[M701]: canceling statement due to statement timeout",
            "SELECT pg_sleep(600);",
            "code: 57014",
            "increase statement-timeout",
        ] {
            assert!(failed.stderr.contains(part), "{part}: {failed:#?}");
        }
    }
}

#[test]
fn administrators_see_what_runs() {
    for headers in ["", "-- migrator: transaction = off\n"] {
        let env = project("", headers);
        let (mut session, _) = blocker(&env, LOCK);
        let running = Running::start(&env, "upgrade");
        wait_until("migrator upgrade 2 is seen", || {
            let seen = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name ~ '^migrator upgrade 2( 2/2)?$' AND wait_event_type = 'Lock'";
            env.sql(seen) == "1\n"
        });
        session.run("COMMIT");
        running.finish().expect(0);
        let (mut session, _) = blocker(&env, LOCK);
        let running = Running::start(&env, "downgrade 1");
        wait_until("migrator downgrade 2 is seen", || {
            let seen = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name ~ '^migrator downgrade 2( 1/2)?$'";
            env.sql(seen) == "1\n"
        });
        session.run("COMMIT");
        running.finish().expect(0);
    }
}
