//! Many processes at once: every revision runs exactly once, and nobody waits for ever.
#![cfg(unix)]

use std::fmt::Write as _;

use crate::common::{Backend, Env, Finished, Running, Session, wait_for_write, wait_until};

/// Revisions that each add a row to a table that would take it twice.
fn counting(env: &Env, revisions: usize) {
    for number in 1..=revisions {
        count_in(env, "migrations", number, "");
    }
}

fn count_in(env: &Env, directory: &str, number: usize, extra: &str) {
    let table = if number == 1 {
        "CREATE TABLE runs (number integer NOT NULL);\n"
    } else {
        ""
    };
    env.write(
        &format!("{directory}/{number}_run.up.sql"),
        format!("{table}{extra}INSERT INTO runs VALUES ({number});\n"),
    );
}

/// Starts `count` of each of `lines` and waits for all of them.
fn at_once(env: &Env, count: usize, lines: &[&str]) -> Vec<Finished> {
    let start = |_| lines.iter().map(|line| Running::start(env, line));
    let running: Vec<_> = (0..count).flat_map(start).collect();
    running.into_iter().map(Running::finish).collect()
}

#[track_caller]
fn each_ran_once(env: &Env, revisions: usize) {
    let numbers = |from| (from..=revisions).map(|number| format!("{number}\n"));
    let expected: String = numbers(1).collect();
    assert_eq!(env.sql("SELECT number FROM runs ORDER BY number"), expected);
    let log = env.sql(
        "SELECT revision, outcome FROM migrator_version_log WHERE event = 'upgrade' ORDER BY sequence",
    );
    let mut expected = String::new();
    for number in 1..=revisions {
        writeln!(expected, "{number}|ok").unwrap();
    }
    assert_eq!(log, expected);
    let layouts = "SELECT count(*) FROM migrator_version_log WHERE event = 'layout'";
    assert_eq!(env.sql(layouts), "1\n");
}

/// A statement that never ends, behind one that has written.
fn endless(backend: Backend) -> String {
    let statement = match backend {
        Backend::Sqlite => {
            "INSERT INTO endless WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
             SELECT x FROM n WHERE x < 0"
        }
        Backend::Postgres => "SELECT pg_sleep(600)",
    };
    format!("CREATE TABLE endless (x integer);\n{statement};\n")
}

/// A run that is in the midst of an endless statement.
fn holder(env: &Env) -> Running {
    env.revision("1_endless", &endless(env.backend), "");
    let holder = Running::start(env, "upgrade");
    match env.backend {
        Backend::Sqlite => wait_for_write(env, ""),
        Backend::Postgres => wait_until("the endless statement runs", || {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                       AND wait_event = 'PgSleep'";
            env.sql(sql) == "1\n"
        }),
    }
    holder
}

fn configure(env: &Env, settings: &str) {
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n{settings}\n"),
    );
}

#[test]
fn two_at_once_on_an_empty_database() {
    for backend in Backend::ALL {
        for _ in 0..5 {
            let env = Env::new(backend);
            counting(&env, 3);
            for finished in at_once(&env, 2, &["upgrade"]) {
                finished.expect(0);
            }
            each_ran_once(&env, 3);
        }
    }
}

#[test]
fn sixty_four_at_once_on_an_empty_database() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        counting(&env, 5);
        for finished in at_once(&env, 64, &["upgrade"]) {
            finished.expect(0);
        }
        each_ran_once(&env, 5);
    }
}

#[test]
fn one_directory_is_ahead_of_the_other() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        counting(&env, 6);
        for number in 1..=3 {
            count_in(&env, "older", number, "");
        }
        env.write(
            "older.toml",
            format!(
                "[migrator]\nurl = \"{}\"\nmigrations = \"older\"\n",
                env.url()
            ),
        );
        for finished in at_once(&env, 6, &["upgrade", "-c older.toml upgrade"]) {
            finished.expect(0);
        }
        each_ran_once(&env, 6);
    }
}

#[test]
fn a_script_that_gives_the_lock_away_lets_nothing_run_twice() {
    let unlock = "SELECT pg_advisory_unlock_all();\n";
    let hidden = "SELECT unlock();\n";
    for extra in [unlock, hidden] {
        let env = Env::new(Backend::Postgres);
        env.sql(
            "CREATE FUNCTION unlock() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_unlock_all()'",
        );
        for number in 1..=8 {
            count_in(&env, "migrations", number, extra);
        }
        for finished in at_once(&env, 8, &["upgrade"]) {
            finished.expect(0);
        }
        each_ran_once(&env, 8);
    }
}

#[test]
fn a_resumable_script_that_gives_the_lock_away_is_not_overtaken() {
    for extra in [
        "SELECT pg_advisory_unlock_all();\n",
        "DISCARD ALL;\n",
        "SELECT unlock();\n",
    ] {
        let env = Env::new(Backend::Postgres);
        env.sql(
            "CREATE FUNCTION unlock() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_unlock_all()'",
        );
        counting(&env, 1);
        env.write(
            "migrations/2_off.up.sql",
            format!(
                "-- migrator: transaction = off\n{extra}\
                 CREATE INDEX CONCURRENTLY runs_a ON runs (number);\n{extra}\
                 INSERT INTO runs VALUES (2);\n{extra}VACUUM runs;\n{extra}\
                 CREATE INDEX CONCURRENTLY runs_b ON runs (number);\n{extra}",
            ),
        );
        for finished in at_once(&env, 8, &["upgrade"]) {
            finished.expect(0);
        }
        each_ran_once(&env, 2);
    }
}

#[test]
fn waiting_names_the_holder_and_has_an_end() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        configure(&env, "lock-wait = \"300ms\"");
        let holder = holder(&env);
        let name = match backend {
            Backend::Sqlite => format!("migrator upgrade (pid {},", holder.pid()),
            Backend::Postgres => {
                let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                           AND wait_event = 'PgSleep'";
                format!("migrator upgrade 1 2/2 (pid {},", env.sql(sql).trim())
            }
        };
        for line in ["upgrade", "stamp head", "downgrade base"] {
            let finished = Running::start(&env, line).finish().expect(5);
            let waiting = format!("waiting up to 300 ms for the lock of {name}");
            assert!(finished.stderr.contains(&waiting), "{finished:#?}");
            let error = format!("error[M705]: the lock is held by {name}");
            assert!(finished.stderr.contains(&error), "{finished:#?}");
        }
        // Reading waits for nobody.
        Running::start(&env, "status").finish().expect(0);
    }
}

#[test]
fn a_signal_ends_the_wait() {
    for backend in Backend::ALL {
        for signal in ["INT", "TERM"] {
            let env = Env::new(backend);
            let _holder = holder(&env);
            let mut waiting = Running::start(&env, "upgrade");
            waiting.wait_for("waiting up to 1 min 0 s for the lock of migrator upgrade");
            waiting.signal(signal);
            let finished = waiting.finish().expect(130);
            assert!(finished.stderr.contains("error[M706]"), "{finished:#?}");
        }
    }
}

#[test]
fn a_killed_holder_frees_the_lock() {
    for backend in Backend::ALL {
        let env = Env::new(backend);
        let mut holder = holder(&env);
        let mut waiting = Running::start(&env, "upgrade");
        waiting.wait_for("waiting up to 1 min 0 s for the lock of migrator upgrade");
        env.revision("1_endless", "CREATE TABLE endless (x integer);\n", "");
        holder.kill();
        // It has read the directory before.
        waiting.wait_for("got the lock after");
        waiting.kill();
        Running::start(&env, "upgrade").finish().expect(0);
        let rows = "SELECT revision, state FROM migrator_version";
        assert_eq!(env.sql(rows), "1|applied\n");
    }
}

#[test]
fn a_lock_that_someone_else_has_taken_is_named() {
    let env = Env::new(Backend::Postgres);
    configure(&env, "lock-wait = \"0s\"");
    counting(&env, 1);
    Running::start(&env, "stamp base").finish().expect(0);
    let mut session = Session::open(&env);
    // The key is frozen, see its test.
    session.run("SELECT pg_advisory_lock(4269383724586612489)");
    let finished = Running::start(&env, "upgrade").finish().expect(5);
    assert!(
        finished.stderr.contains("held by someone else (pid "),
        "{finished:#?}"
    );
    session.run("SELECT pg_advisory_unlock_all()");
    Running::start(&env, "upgrade").finish().expect(0);
    each_ran_once(&env, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn hard_links_of_a_database_share_a_lock() {
    let env = Env::new(Backend::Sqlite);
    let prepared = Running::start(&env, "ensure-version");
    prepared.finish().expect(0);
    std::fs::create_dir(env.path("other")).unwrap();
    std::fs::hard_link(env.path("app.db"), env.path("other/name.db")).unwrap();
    configure(&env, "lock-wait = \"100ms\"");
    let holder = holder(&env);
    let line = "upgrade --url sqlite:other/name.db";
    let waiting = Running::start(&env, line).finish().expect(5);
    assert!(waiting.stderr.contains("error[M705]"), "{waiting:#?}");
    drop(holder);
}

#[test]
fn readers_beside_an_upgrade_see_one_state_after_the_other() {
    let env = Env::new(Backend::Sqlite);
    for number in 1..=60 {
        let up = format!(
            "CREATE TABLE t{number} (x integer);\nCREATE INDEX i{number} ON t{number} (x);\n"
        );
        env.revision(
            &format!("{number}_t"),
            &up,
            &format!("DROP TABLE t{number};\n"),
        );
    }
    Running::start(&env, "upgrade 1").finish().expect(0);
    let mut writer = Running::start(&env, "upgrade");
    let mut last = 1;
    while writer.is_running() {
        let output = env
            .command()
            .args(["--format", "json", "status"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let applied = json["applied"].as_i64().unwrap();
        let pending = json["pending"].as_array().unwrap().len();
        assert_eq!(applied + i64::try_from(pending).unwrap(), 60);
        assert!(applied >= last, "{applied} after {last}");
        last = applied;
        Running::start(&env, "history --log").finish().expect(0);
    }
    writer.finish().expect(0);
}
