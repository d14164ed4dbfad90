//! The first signal stops after what runs, the second cancels it; nothing is left in doubt.
#![cfg(unix)]

use crate::common::{Backend, Env, Finished, Gate, Running, wait_for_write, wait_until};

const SIGNALS: [&str; 3] = ["INT", "TERM", "HUP"];
const OFF: &str = "-- migrator: transaction = off\n";

/// Three revisions; the second one is `script`.
fn project(backend: Backend, script: &str) -> Env {
    let env = Env::new(backend);
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n{}", Gate::SETTINGS),
    );
    env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
    env.revision("2_b", script, "DROP TABLE b;\n");
    env.revision("3_c", "CREATE TABLE c (x integer);\n", "DROP TABLE c;\n");
    env
}

/// A script that never ends, after it has written.
fn endless(backend: Backend) -> String {
    let statement = match backend {
        Backend::Sqlite => {
            "INSERT INTO b WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
             SELECT x FROM n WHERE x < 0"
        }
        Backend::Postgres => "SELECT pg_sleep(600)",
    };
    format!(
        "CREATE TABLE b (x integer);\nBEGIN;\nINSERT INTO a VALUES (2);\n{statement};\nCOMMIT;\n"
    )
}

/// Waits until the endless statement runs; `before` as for [`wait_for_write`].
fn wait_for_endless(env: &Env, before: &str) {
    if env.backend == Backend::Sqlite {
        return wait_for_write(env, before);
    }
    wait_until("the endless statement runs", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND wait_event = 'PgSleep'";
        env.sql(sql) == "1\n"
    });
}

/// Waits at a gate after it has written.
fn gated(backend: Backend) -> String {
    format!(
        "CREATE TABLE b (x integer);\nINSERT INTO b VALUES (1);\n{}",
        Gate::pass(backend)
    )
}

/// The first signal changes nothing yet, the second ends it.
fn signal_twice(mut running: Running, signal: &str) -> Finished {
    running.signal(signal);
    running.wait_for("stopping after the running revision; press Ctrl-C again to cancel it");
    assert!(running.is_running());
    running.signal(signal);
    // The gate stays closed: only a cancelled statement lets it end.
    let finished = running.finish().expect(130);
    let said = "cancelling the running statement";
    assert!(finished.stderr.contains(said), "{finished:#?}");
    finished
}

fn upgrade(env: &Env) -> Finished {
    Running::start(env, "upgrade").finish()
}

/// Each applied revision and whether it is complete.
fn applied(env: &Env) -> String {
    env.sql("SELECT revision, state FROM migrator_version ORDER BY sequence")
}

#[track_caller]
fn nothing_runs(env: &Env) {
    if env.backend == Backend::Postgres {
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                      AND pid <> pg_backend_pid() AND application_name LIKE 'migrator%'";
        wait_until("the sessions are gone", || env.sql(others) == "0\n");
    }
}

#[track_caller]
fn everything_is_there(env: &Env) {
    assert_eq!(applied(env), "1|applied\n2|applied\n3|applied\n");
    assert_eq!(env.sql("SELECT count(*) FROM c"), "0\n");
    nothing_runs(env);
}

#[test]
fn the_second_signal_ends_what_runs_and_rolls_it_back() {
    for backend in Backend::ALL {
        for signal in SIGNALS {
            let env = project(backend, "");
            // All of it one transaction.
            let script = endless(backend)
                .replace("BEGIN;\n", "")
                .replace("COMMIT;\n", "");
            env.write("migrations/2_b.up.sql", script);
            let running = Running::start(&env, "upgrade");
            wait_for_endless(&env, "1|applied|\n");
            signal_twice(running, signal);
            assert_eq!(applied(&env), "1|applied\n");
            assert_eq!(env.sql("SELECT count(*) FROM a"), "0\n");
            nothing_runs(&env);
            env.write("migrations/2_b.up.sql", "CREATE TABLE b (x integer);\n");
            upgrade(&env).expect(0);
            everything_is_there(&env);
        }
    }
}

#[test]
fn the_second_signal_leaves_a_resumable_script_at_a_statement() {
    for backend in Backend::ALL {
        for signal in SIGNALS {
            let env = project(backend, &format!("{OFF}{}", endless(backend)));
            let running = Running::start(&env, "upgrade");
            wait_for_endless(&env, "1|applied|\n2|partial|1\n");
            signal_twice(running, signal);
            assert_eq!(applied(&env), "1|applied\n2|partial\n");
            assert_eq!(env.sql("SELECT count(*) FROM a"), "0\n");
            assert_eq!(env.sql("SELECT count(*) FROM b"), "0\n");
            nothing_runs(&env);
            let fixed = format!("{OFF}CREATE TABLE b (x integer);\nINSERT INTO a VALUES (3);\n");
            env.write("migrations/2_b.up.sql", fixed);
            upgrade(&env).expect(0);
            assert_eq!(env.sql("SELECT x FROM a"), "3\n");
            everything_is_there(&env);
        }
    }
}

#[test]
fn the_second_signal_rolls_a_whole_run_back() {
    for backend in Backend::ALL {
        let script = endless(backend)
            .replace("BEGIN;\n", "")
            .replace("COMMIT;\n", "");
        let env = project(backend, &script);
        let running = Running::start(&env, "upgrade --transaction all");
        wait_for_endless(&env, "");
        signal_twice(running, "INT");
        assert_eq!(applied(&env), "");
        nothing_runs(&env);
        env.write("migrations/2_b.up.sql", "CREATE TABLE b (x integer);\n");
        Running::start(&env, "upgrade --transaction all")
            .finish()
            .expect(0);
        everything_is_there(&env);
    }
}

#[test]
fn the_first_signal_lets_the_running_revision_finish() {
    for backend in Backend::ALL {
        for signal in SIGNALS {
            let env = project(backend, &gated(backend));
            let gate = Gate::close(&env);
            let mut running = Running::start(&env, "upgrade");
            Gate::wait(&env, "1|applied|\n");
            running.signal(signal);
            running.wait_for("stopping after the running revision");
            gate.open();
            let finished = running.finish().expect(130);
            assert!(finished.stdout.contains("✓ 2"), "{finished:#?}");
            assert_eq!(applied(&env), "1|applied\n2|applied\n");
            nothing_runs(&env);
            upgrade(&env).expect(0);
            everything_is_there(&env);
        }
    }
}

#[test]
fn the_first_signal_lets_the_running_statement_of_a_resumable_script_finish() {
    for backend in Backend::ALL {
        let script = format!(
            "{OFF}CREATE TABLE b (x integer);\nBEGIN;\nINSERT INTO b VALUES (1);\n{}COMMIT;\n\
             INSERT INTO b VALUES (2);\n",
            Gate::pass(backend),
        );
        let env = project(backend, &script);
        let gate = Gate::close(&env);
        let mut running = Running::start(&env, "upgrade");
        Gate::wait(&env, "1|applied|\n2|partial|1\n");
        running.signal("INT");
        running.wait_for("stopping after the running revision");
        gate.open();
        let finished = running.finish().expect(130);
        assert!(!finished.stdout.contains("✓ 2"), "{finished:#?}");
        assert_eq!(applied(&env), "1|applied\n2|partial\n");
        assert_eq!(env.sql("SELECT x FROM b"), "1\n");
        nothing_runs(&env);
        upgrade(&env).expect(0);
        assert_eq!(env.sql("SELECT x FROM b ORDER BY x"), "1\n2\n");
        everything_is_there(&env);
    }
}

#[test]
fn the_first_signal_ends_a_whole_run_without_a_trace() {
    for backend in Backend::ALL {
        let env = project(backend, &gated(backend));
        let gate = Gate::close(&env);
        let mut running = Running::start(&env, "upgrade --transaction all");
        Gate::wait(&env, "");
        running.signal("INT");
        running.wait_for("stopping after the running revision");
        gate.open();
        running.finish().expect(130);
        assert_eq!(applied(&env), "");
        nothing_runs(&env);
        upgrade(&env).expect(0);
        everything_is_there(&env);
    }
}
