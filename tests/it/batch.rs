//! Statements that are repeated until they change no row, end to end on both databases.

use std::{thread, time::Duration};

use crate::common::{Backend, Env, Running, Session, wait_until};

const OFF: &str = "-- migrator: transaction = off\n";

/// Changes rows that are not done, so many at a time.
fn update(limit: u32) -> String {
    format!(
        "UPDATE t SET n = n + 1 WHERE id IN (\n  SELECT id FROM t WHERE n = 0 ORDER BY id LIMIT {limit}\n)"
    )
}

/// A project whose first revision makes `t` with so many rows; it is applied.
fn project(backend: Backend, rows: u32) -> Env {
    let mut env = Env::new(backend);
    let up = format!(
        "CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL);\n\
         INSERT INTO t WITH RECURSIVE ids (id) AS (\n  SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < {rows}\n) \
         SELECT id, 0 FROM ids;\n"
    );
    env.revision("1_make_t", &up, "DROP TABLE t;\n");
    let made = env.run("upgrade");
    assert!(made.status.success(), "{made:?}");
    env.forget();
    env
}

/// The second revision: the statement is repeated.
fn backfill(env: &Env, options: &str, statement: &str) {
    let up = format!("{OFF}-- migrator: batch {options}\n{statement};\n");
    env.revision("2_fill_n", &up, "SELECT 1;\n");
}

/// Rows by how often they were changed.
fn changed(env: &Env) -> String {
    env.sql("SELECT n, count(*) FROM t GROUP BY n ORDER BY n")
}

const TOTAL: &str = "SELECT detail FROM migrator_version_log WHERE event = 'batch'";

/// What the log says of the statement, without its time.
fn logged(env: &Env) -> String {
    let detail = env.sql(TOTAL);
    let (total, _) = detail.rsplit_once(", ").unwrap_or((&detail, ""));
    total.to_owned()
}

#[test]
fn a_backfill_is_shown_and_logged() {
    for backend in Backend::ALL {
        let mut env = project(backend, 1005);
        backfill(&env, "", &update(100));
        env.run("upgrade --dry-run");
        env.run("upgrade");
        env.run("history --log -v");
        assert_eq!(changed(&env), "1|1005\n");
        env.run("downgrade 1");
        env.sql("UPDATE t SET n = 0 WHERE id <= 150");
        env.run("--format json upgrade");
        snapshot!(env, "batch_shown");
    }
}

#[test]
fn a_directive_that_would_do_something_else_is_refused() {
    let cases: &[(&str, &str)] = &[
        (
            "unknown option",
            "-- migrator: batch pasue=50ms\nDELETE FROM t",
        ),
        (
            "bad value",
            "-- migrator: batch pause=50 max-batches=0\nDELETE FROM t",
        ),
        (
            "option twice",
            "-- migrator: batch pause=1s pause=2s\nDELETE FROM t",
        ),
        ("almost", "SELECT 1;\n-- Migrator: batch\nDELETE FROM t"),
        (
            "no change of rows",
            "-- migrator: batch\nCREATE TABLE u (x integer)",
        ),
        (
            "hidden change",
            "-- migrator: batch\nWITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x",
        ),
        ("not above", "-- migrator: batch\n\nDELETE FROM t"),
        ("within", "DELETE FROM t\n-- migrator: batch\nWHERE true"),
        ("behind", "SELECT 1; -- migrator: batch\nDELETE FROM t"),
        (
            "block",
            "BEGIN;\n-- migrator: batch\nDELETE FROM t;\nCOMMIT",
        ),
        (
            "twice",
            "-- migrator: batch\n-- migrator: batch pause=1s\nDELETE FROM t",
        ),
        ("end", "DELETE FROM t;\n-- migrator: batch"),
        ("no bound", "-- migrator: batch\nINSERT INTO t SELECT 1, 1"),
    ];
    for backend in Backend::ALL {
        let mut env = project(backend, 3);
        let before = env.fingerprint();
        let refused = |env: &mut Env, name: &str, text: &str| {
            env.note(&format!("# {name}"));
            env.write("migrations/2_x.up.sql", text);
            let status = env.run("upgrade").status.code();
            assert_eq!(
                (status, env.fingerprint() == before),
                (Some(1), true),
                "{name}"
            );
        };
        for (name, text) in cases {
            refused(&mut env, name, &format!("{OFF}{text}"));
        }
        let text = "-- migrator: batch\nDELETE FROM t";
        refused(&mut env, "in a transaction", text);
        if backend == Backend::Sqlite {
            let text = format!("{OFF}-- migrator: batch max-lag=5s\nDELETE FROM t");
            refused(&mut env, "no replicas", &text);
        }
        env.note("# a script cannot do it");
        env.write("migrations/2_x.up.sql", format!("{OFF}{text}"));
        let status = env.run("upgrade --sql").status.code();
        assert_eq!((status, env.fingerprint() == before), (Some(1), true));
        snapshot!(env, "batch_refused");
    }
}

#[test]
fn limits_stop_a_run_and_the_next_goes_on() {
    for backend in Backend::ALL {
        let mut env = project(backend, 100);
        backfill(&env, "max-batches=3", &update(30));
        for status in [4, 0] {
            let output = env.run("upgrade");
            assert_eq!(output.status.code(), Some(status));
            if status == 4 {
                assert_eq!(changed(&env), "0|10\n1|90\n");
                env.run("status");
            }
        }
        assert_eq!(logged(&env), "statement 1: rows 100, batches 4");
        env.run("downgrade 1");
        env.note("# without an end");
        backfill(&env, "", "UPDATE t SET n = n + 1 WHERE id <= 30");
        for _ in 0..2 {
            // The second run changes nothing: it knows how many were changed.
            assert_eq!(env.run("upgrade").status.code(), Some(4));
            assert_eq!(changed(&env), "1|70\n8|30\n");
        }
        env.run("status");
        env.note("# fixed");
        backfill(&env, "", "UPDATE t SET n = 1 WHERE n > 1");
        assert!(env.run("upgrade").status.success());
        assert_eq!(changed(&env), "1|100\n");
        snapshot!(env, "batch_limits");
    }
}

#[test]
fn repair_passes_over_a_batch() {
    for backend in Backend::ALL {
        let mut env = project(backend, 100);
        backfill(&env, "max-batches=1", &update(30));
        assert_eq!(env.run("upgrade --log-file run.log").status.code(), Some(4));
        let lines = std::fs::read_to_string(env.path("run.log")).unwrap();
        let batches: Vec<_> = lines
            .lines()
            .filter(|line| line.contains("\"batch\""))
            .collect();
        assert_eq!(batches.len(), 1, "{lines}");
        assert!(batches[0].contains("\"rows\":30,"), "{lines}");
        assert!(
            env.run("repair --statement 1 --done --yes")
                .status
                .success()
        );
        assert!(env.run("upgrade").status.success());
        assert_eq!(changed(&env), "0|70\n1|30\n");
    }
}

#[test]
fn rows_can_be_added_to_an_empty_table() {
    for backend in Backend::ALL {
        let mut env = project(backend, 250);
        let up = format!(
            "{OFF}CREATE TABLE u (id integer PRIMARY KEY);\n\
             -- migrator: batch max-batches=10\n\
             INSERT INTO u SELECT id FROM t WHERE id > (SELECT coalesce(max(id), 0) FROM u) \
             ORDER BY id LIMIT 100;\n\
             -- migrator: batch\nDELETE FROM u WHERE id IN (SELECT id FROM u WHERE id > 50 LIMIT 70);\n"
        );
        env.revision("2_fill_u", &up, "DROP TABLE u;\n");
        assert!(env.run("upgrade").status.success());
        assert_eq!(env.sql("SELECT count(*), max(id) FROM u"), "50|50\n");
        let details = env.sql(&format!("{TOTAL} ORDER BY sequence"));
        let totals: Vec<_> = details
            .lines()
            .filter_map(|line| line.rsplit_once(", "))
            .collect();
        let totals: Vec<_> = totals.into_iter().map(|(total, _)| total).collect();
        assert_eq!(
            totals,
            [
                "statement 2: rows 250, batches 3",
                "statement 3: rows 200, batches 3"
            ]
        );
    }
}

/// Killed again and again, it changes each row once and counts it once.
#[test]
fn killed_at_any_moment_it_goes_on() {
    for backend in Backend::ALL {
        let env = project(backend, 2000);
        backfill(&env, "pause=10ms", &update(20));
        for attempt in 0u64..12 {
            let before = changed(&env);
            let mut running = Running::start(&env, "upgrade");
            if attempt % 2 == 0 {
                wait_until("a batch is committed", || {
                    !running.is_running() || changed(&env) != before
                });
            }
            // At any point between two batches, or before the first.
            thread::sleep(Duration::from_millis(attempt * 13 % 40));
            running.kill();
        }
        Running::start(&env, "upgrade").finish().expect(0);
        assert_eq!(changed(&env), "1|2000\n", "{backend:?}");
        assert_eq!(
            logged(&env),
            "statement 1: rows 2000, batches 100",
            "{backend:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn the_first_signal_stops_after_the_running_batch() {
    for backend in Backend::ALL {
        let env = project(backend, 100);
        backfill(&env, "pause=1h", &update(30));
        let running = Running::start(&env, "upgrade");
        wait_until("the first batch is committed", || {
            changed(&env) == "0|70\n1|30\n"
        });
        // Between two batches nothing is locked.
        let locked = match backend {
            Backend::Postgres => "SET lock_timeout = '5s'; ",
            Backend::Sqlite => "",
        };
        env.sql(&format!("{locked}UPDATE t SET n = 7 WHERE id IN (1, 100)"));
        running.signal("INT");
        let finished = running.finish().expect(130);
        assert!(
            finished.stderr.contains("stopping after the running batch"),
            "{finished:#?}"
        );
        backfill(&env, "", &update(30));
        Running::start(&env, "upgrade").finish().expect(0);
        assert_eq!(changed(&env), "1|98\n7|2\n");
        assert_eq!(logged(&env), "statement 1: rows 99, batches 4");
    }
}

#[test]
fn the_session_of_the_script_is_kept_between_batches() {
    let mut env = project(Backend::Postgres, 100);
    let statement = update(30);
    let up = format!(
        "{OFF}SET search_path TO elsewhere, public;\nCREATE SCHEMA elsewhere;\n\
         ALTER TABLE public.t SET SCHEMA elsewhere;\n-- migrator: batch max-lag=5s\n{statement};\n"
    );
    env.revision("2_move", &up, "DROP SCHEMA elsewhere CASCADE;\n");
    env.run("upgrade");
    assert_eq!(
        env.sql("SELECT n, count(*) FROM elsewhere.t GROUP BY n"),
        "1|100\n"
    );
    assert_eq!(logged(&env), "statement 4: rows 100, batches 4");
}

#[test]
fn a_batch_is_retried_when_a_row_is_locked() {
    let env = project(Backend::Postgres, 100);
    let url = env.url();
    let config = format!("[migrator]\nurl = \"{url}\"\n[postgres]\nlock-timeout = \"50ms\"\n");
    env.write("migrator.toml", config);
    backfill(&env, "", &update(30));
    let mut session = Session::open(&env);
    session.run("BEGIN; UPDATE t SET n = n WHERE id = 75");
    let mut running = Running::start(&env, "upgrade");
    running.wait_for("timed out waiting for a lock");
    assert_eq!(changed(&env), "0|40\n1|60\n");
    session.run("COMMIT");
    running.finish().expect(0);
    assert_eq!(changed(&env), "1|100\n");
    assert_eq!(logged(&env), "statement 1: rows 100, batches 4");
}

/// SQLite counts no rows that only triggers change, so such a statement would end at once.
#[test]
fn a_view_that_triggers_write_through_is_refused() {
    let mut env = project(Backend::Sqlite, 10);
    env.sql(
        "CREATE VIEW v AS SELECT * FROM t; CREATE TRIGGER w INSTEAD OF UPDATE ON v \
         BEGIN UPDATE t SET n = new.n WHERE id = new.id; END",
    );
    backfill(&env, "", "UPDATE v SET n = 1 WHERE n = 0");
    let output = env.run("upgrade");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(changed(&env), "0|10\n");
    snapshot!(env, "batch_of_a_view");
}
