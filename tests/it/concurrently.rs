//! CREATE INDEX CONCURRENTLY, which waits for everyone and leaves invalid indexes when it fails.
#![cfg(unix)]

use crate::common::{Backend, Env, Finished, Running, Session, wait_until};

/// A table that is there, and a script that is not run yet.
fn project(script: &str) -> Env {
    let env = Env::new(Backend::Postgres);
    let url = env.url();
    // Far shorter than what CONCURRENTLY waits for.
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n\n[postgres]\nlock-timeout = \"50ms\"\n"),
    );
    env.revision(
        "1_table",
        "CREATE TABLE t (x integer NOT NULL, y integer);\nINSERT INTO t VALUES (1, 1), (1, 2);\n",
        "DROP TABLE t;\n",
    );
    upgrade(&env).expect(0);
    env.revision(
        "2_index",
        &format!("-- migrator: transaction = off\n{script}"),
        "DROP INDEX t_x;\n",
    );
    env
}

fn upgrade(env: &Env) -> Finished {
    Running::start(env, "upgrade").finish()
}

/// Name and validity of each index of the table.
fn indexes(env: &Env) -> String {
    env.sql(
        "SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 't'::regclass ORDER BY 1",
    )
}

/// A session whose open transaction has written to the table.
fn writer(env: &Env) -> Session {
    let mut session = Session::open(env);
    session.run("BEGIN; INSERT INTO t VALUES (2, 3)");
    session
}

/// Waits until a CREATE or DROP has waited for the writer, longer than lock_timeout would let it.
fn wait_for_build(env: &Env) {
    wait_until("the index waits for the writer", || {
        let waiting = "SELECT count(*) FROM pg_stat_activity AS a \
             WHERE a.query ~ '(CREATE|DROP) INDEX CONCURRENTLY' AND a.wait_event_type = 'Lock' \
             AND clock_timestamp() - a.query_start > interval '300 ms' AND a.datname = current_database()";
        env.sql(waiting) == "1\n"
    });
}

/// Kills a migrator in the midst of a build, and waits until the server has noticed.
fn kill(env: &Env, migrator: &mut Running) {
    migrator.kill();
    wait_until("the server has noticed", || {
        let building = "SELECT count(*) FROM pg_stat_progress_create_index AS p
                        WHERE p.datname = current_database()";
        env.sql(building) == "0\n"
    });
}

#[test]
fn waiting_migrators_and_a_long_transaction_are_no_deadlock() {
    let env = project("CREATE INDEX CONCURRENTLY t_x ON t (x);\n");
    let mut writer = writer(&env);
    let first = Running::start(&env, "upgrade");
    wait_for_build(&env);
    let mut others: Vec<_> = (0..3).map(|_| Running::start(&env, "upgrade")).collect();
    for other in &mut others {
        other.wait_for("for the lock of migrator upgrade 2");
    }
    writer.run("COMMIT");
    let first = first.finish().expect(0);
    assert!(first.stdout.contains("2  index"), "{first:#?}");
    for other in others {
        let other = other.finish().expect(0);
        assert!(!other.stdout.contains("2  index"), "{other:#?}");
    }
    assert_eq!(indexes(&env), "t_x|t\n");
}

#[test]
fn a_unique_index_on_duplicate_rows_can_be_had_once_they_are_mended() {
    for (statement, index) in [
        ("CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x)", "t_x"),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_x ON t (x)",
            "t_x",
        ),
        ("CREATE UNIQUE INDEX CONCURRENTLY ON t (x)", "t_x_idx"),
    ] {
        let env = project(&format!("{statement};\nINSERT INTO t VALUES (9, 9);\n"));
        // Twice, since the second attempt has the remains of the first in its way.
        for _ in 0..2 {
            let failed = upgrade(&env).expect(4);
            for part in [
                "error[M701]: could not create unique index",
                "2_index.up.sql:2:1",
                "(x)=(1)",
            ] {
                assert!(failed.stderr.contains(part), "{failed:#?}");
            }
            assert_eq!(indexes(&env), format!("{index}|f\n"));
        }
        let status = Running::start(&env, "status").finish().expect(0);
        assert!(
            status.stdout.contains("could not create unique index"),
            "{status:#?}"
        );
        env.sql("UPDATE t SET x = y");
        upgrade(&env).expect(0);
        assert_eq!(indexes(&env), format!("{index}|t\n"));
        assert_eq!(env.sql("SELECT count(*) FROM t"), "3\n");
    }
}

#[test]
fn a_killed_build_is_done_again() {
    if !Env::new(Backend::Postgres).is_since(14, "a look at the client while a statement runs") {
        return;
    }
    for (statement, index) in [
        ("CREATE INDEX CONCURRENTLY t_x ON t (x)", "t_x"),
        (
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_x ON t (x)",
            "t_x",
        ),
        ("CREATE INDEX CONCURRENTLY ON t (x)", "t_x_idx"),
    ] {
        let env = project(&format!("{statement};\n"));
        let mut writer = writer(&env);
        let mut first = Running::start(&env, "upgrade");
        wait_for_build(&env);
        kill(&env, &mut first);
        assert_eq!(indexes(&env), format!("{index}|f\n"));
        let second = Running::start(&env, "upgrade");
        wait_for_build(&env);
        writer.run("COMMIT");
        second.finish().expect(0);
        assert_eq!(indexes(&env), format!("{index}|t\n"));
    }
}

/// Leaves an invalid index `name` that is nobody's.
fn leave_invalid(env: &Env, name: &str) {
    let mut session = Session::open(env);
    let failed = session.try_run(&format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON t (x)"));
    assert!(
        failed
            .unwrap_err()
            .contains("could not create unique index")
    );
}

#[test]
fn an_invalid_index_of_someone_else_is_left_alone() {
    for statement in [
        "CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x)",
        "CREATE UNIQUE INDEX CONCURRENTLY ON t (x)",
    ] {
        let env = project(&format!("{statement};\n"));
        leave_invalid(&env, "other");
        for _ in 0..2 {
            upgrade(&env).expect(4);
        }
        env.sql("UPDATE t SET x = y");
        upgrade(&env).expect(0);
        let found = indexes(&env);
        assert!(found.contains("other|f\n"), "{found}");
        assert!(
            found.contains("t_x|t\n") || found.contains("t_x_idx|t\n"),
            "{found}"
        );
        assert_eq!(found.lines().count(), 2, "{found}");
    }
}

#[test]
fn an_invalid_index_of_the_same_name_is_never_taken_for_a_good_one() {
    for statement in [
        "CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (x)",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_x ON t (x)",
    ] {
        let env = project(&format!("{statement};\n"));
        leave_invalid(&env, "t_x");
        for _ in 0..2 {
            let failed = upgrade(&env).expect(4);
            let error = "error[M509]: the index public.t_x is invalid and existed before";
            assert!(failed.stderr.contains(error), "{failed:#?}");
            assert_eq!(indexes(&env), "t_x|f\n");
        }
        env.sql("UPDATE t SET x = y");
        env.sql("DROP INDEX t_x");
        upgrade(&env).expect(0);
        assert_eq!(indexes(&env), "t_x|t\n");
    }
}

#[test]
fn an_index_that_another_session_builds_is_waited_for_by_hand() {
    let env = project("CREATE INDEX CONCURRENTLY t_x ON t (x);\n");
    let mut writer = writer(&env);
    let other = std::thread::spawn({
        let mut session = Session::open(&env);
        move || session.run("CREATE INDEX CONCURRENTLY t_x ON t (x)")
    });
    wait_for_build(&env);
    let failed = upgrade(&env).expect(4);
    let error = "error[M509]: the index public.t_x is invalid, and a session is building it";
    assert!(failed.stderr.contains(error), "{failed:#?}");
    writer.run("COMMIT");
    other.join().unwrap();
    assert_eq!(indexes(&env), "t_x|t\n");
}

#[test]
fn an_index_whose_end_nobody_saw_is_named() {
    if !Env::new(Backend::Postgres).is_since(14, "a look at the client while a statement runs") {
        return;
    }
    for statement in [
        "CREATE INDEX CONCURRENTLY t_x ON t (x)",
        "CREATE INDEX CONCURRENTLY ON t (x)",
    ] {
        let env = project(&format!("{statement};\nINSERT INTO t VALUES (9, 9);\n"));
        let writer = writer(&env);
        let mut killed = Running::start(&env, "upgrade");
        wait_for_build(&env);
        kill(&env, &mut killed);
        drop(writer);
        // As if the server had brought it to its good end before it noticed.
        let name = indexes(&env).replace("|f\n", "");
        env.sql(&format!("REINDEX INDEX {name}"));
        let failed = upgrade(&env).expect(4);
        let error = format!("error[M509]: the index public.{name} is there and valid");
        assert!(failed.stderr.contains(&error), "{failed:#?}");
        assert!(
            failed
                .stderr
                .contains("`migrator repair --statement 1 --done`"),
            "{failed:#?}"
        );
        Running::start(&env, "repair --statement 1 --done --yes")
            .finish()
            .expect(0);
        upgrade(&env).expect(0);
        assert_eq!(indexes(&env), format!("{name}|t\n"));
    }
}

#[test]
fn an_index_that_exists_is_an_error_of_the_statement() {
    let env = project("CREATE INDEX CONCURRENTLY t_x ON t (x);\n");
    env.sql("CREATE INDEX t_x ON t (x)");
    for _ in 0..2 {
        let failed = upgrade(&env).expect(4);
        let error = "error[M701]: relation \"t_x\" already exists";
        assert!(failed.stderr.contains(error), "{failed:#?}");
    }
    env.sql("DROP INDEX t_x");
    upgrade(&env).expect(0);
    assert_eq!(indexes(&env), "t_x|t\n");
}

#[test]
fn a_reindex_that_was_cancelled_drops_what_it_left() {
    let env = project("REINDEX TABLE CONCURRENTLY t;\n");
    env.sql("CREATE INDEX t_y ON t (y)");
    env.sql("CREATE INDEX t_y_ccnew ON t (x)");
    let mut writer = writer(&env);
    let migrator = Running::start(&env, "upgrade");
    wait_until("the copy is there", || {
        indexes(&env).contains("t_y_ccnew1|f\n")
    });
    for _ in 0..2 {
        migrator.signal("INT");
        wait_until("it has heard", || {
            let said = migrator.stderr();
            said.contains("cancelling") || said.contains("stopping")
        });
    }
    migrator.finish().expect(130);
    assert!(
        indexes(&env).contains("t_y_ccnew1|f\n"),
        "{}",
        indexes(&env)
    );
    writer.run("COMMIT");
    upgrade(&env).expect(0);
    // One of that name that was there before is nobody's remains.
    assert_eq!(indexes(&env), "t_y|t\nt_y_ccnew|t\n");
}
