//! Migrations from inside a program, through the library's public interface.

use std::{
    env, fs,
    future::{Future, poll_fn},
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    task::Poll,
    thread,
    time::Duration,
};

use migrator::{
    DatabaseErrorKind, Direction, Done, Error, EventKind, Migrator, Revision, RevisionId, Scratch,
    Session, Stop, Subject,
};
use tokio::runtime::{Builder, Runtime};

use crate::common::{Backend, PostgresDatabase, SqliteDatabase, sqlite, wait_until};

/// The last one is resumed where it stopped; all of them run on both databases.
const SCRIPTS: [(&str, &str); 6] = [
    (
        "1_users.up.sql",
        "CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (1);",
    ),
    ("1_users.down.sql", "DROP TABLE users;"),
    (
        "2_posts.up.sql",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY); CREATE INDEX posts_id ON posts (id);",
    ),
    ("2_posts.down.sql", "DROP TABLE posts;"),
    (
        "3_tags.up.sql",
        "-- migrator: transaction = off\n\
         CREATE TABLE tags (id INTEGER PRIMARY KEY);\n\
         INSERT INTO tags VALUES (1);\n\
         INSERT INTO tags VALUES (2);",
    ),
    ("3_tags.down.sql", "DROP TABLE tags;"),
];

/// A database of its own, dropped with the value.
enum Place {
    Sqlite(SqliteDatabase),
    Postgres(PostgresDatabase),
}

impl Place {
    fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite(SqliteDatabase::create()),
            Backend::Postgres => Self::Postgres(PostgresDatabase::create()),
        }
    }

    fn url(&self) -> &str {
        match self {
            Self::Sqlite(database) => &database.url,
            Self::Postgres(database) => &database.url,
        }
    }

    /// Works inside a runtime, too.
    fn query(&self, sql: &str) -> String {
        let text = match self {
            Self::Sqlite(database) => thread::scope(|scope| {
                let query = scope.spawn(|| sqlite(&database.path, sql));
                query.join().unwrap()
            }),
            Self::Postgres(database) => database.text(sql),
        };
        text.trim().to_owned()
    }
}

fn on_both(test: impl Fn(Place)) {
    for backend in Backend::ALL {
        test(Place::new(backend));
    }
}

/// As small as a runtime can be.
fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn several_threads() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

fn lines(lines: &[Revision]) -> Vec<&str> {
    lines.iter().map(|line| line.id.as_str()).collect()
}

fn names(ids: &[RevisionId]) -> Vec<&str> {
    ids.iter().map(RevisionId::as_str).collect()
}

fn done(done: &[Done]) -> Vec<&str> {
    done.iter().map(|done| done.subject.as_str()).collect()
}

#[test]
fn up_and_down_and_where_it_stands() {
    on_both(|place| {
        one_thread().block_on(async {
            let migrator = Migrator::embedded(SCRIPTS);
            let mut session = migrator.connect(place.url()).await.unwrap();
            assert!(session.current().await.unwrap().is_empty());
            let report = session.upgrade("2").await.unwrap();
            assert_eq!(done(&report.done), ["1", "2"]);
            assert_eq!(names(&report.current.unwrap()), ["2"]);
            let status = session.status().await.unwrap();
            assert_eq!(lines(&status.current), ["2"]);
            assert_eq!(lines(&status.heads), ["3"]);
            assert_eq!(lines(&status.pending), ["3"]);
            assert!(status.drift.is_empty());
            let report = session.upgrade("head").await.unwrap();
            assert_eq!(done(&report.done), ["3"]);
            assert!(session.upgrade("head").await.unwrap().done.is_empty());
            assert_eq!(place.query("SELECT count(*) FROM tags"), "2");
            let report = session.downgrade("-2").await.unwrap();
            assert_eq!(done(&report.done), ["3", "2"]);
            assert_eq!(names(&session.current().await.unwrap()), ["1"]);
            session.close().await.unwrap();
        });
    });
}

/// The databases beside that of a URL, other than itself.
fn beside(place: &Place, purpose: &str) -> String {
    place.query(&format!(
        "SELECT count(*) FROM pg_database
         WHERE starts_with(datname, current_database() || '_{purpose}_')"
    ))
}

#[test]
fn a_scratch_database_has_the_scripts_applied() {
    on_both(|place| {
        let is_server = matches!(place, Place::Postgres(_));
        one_thread().block_on(async {
            let migrator = Migrator::embedded(SCRIPTS);
            let first = Scratch::at_head(&migrator, place.url()).await.unwrap();
            let second = Scratch::at(&migrator, place.url(), "2").await.unwrap();
            assert_ne!(first.url(), second.url());
            for (scratch, current) in [(&first, "3"), (&second, "2")] {
                let mut session = migrator.connect(&scratch.url()).await.unwrap();
                assert_eq!(names(&session.current().await.unwrap()), [current]);
                session.close().await.unwrap();
            }
            // Nothing happened to the database itself.
            let mut session = migrator.connect(place.url()).await.unwrap();
            assert!(session.current().await.unwrap().is_empty());
            session.close().await.unwrap();
            if is_server {
                assert_eq!(beside(&place, "scratch"), "2");
                assert_eq!(beside(&place, "template"), "2");
            }
            // The file of one that is dropped without being closed is gone at once; a database on a
            // server with the next scratch database.
            let file = first.url().replace("sqlite:///", "");
            drop(first);
            assert!(is_server || !std::path::Path::new(&file).exists());
            second.close().await.unwrap();
            let third = Scratch::at_head(&migrator, place.url()).await.unwrap();
            if is_server {
                wait_until("the lock of the first is gone", || {
                    let next = thread::scope(|scope| {
                        let next = || {
                            one_thread().block_on(async {
                                let next = Scratch::at(&migrator, place.url(), "base").await;
                                next.unwrap().close().await.unwrap();
                            })
                        };
                        scope.spawn(next).join()
                    });
                    next.unwrap();
                    beside(&place, "scratch") == "1"
                });
                assert_eq!(beside(&place, "template"), "2");
            }
            third.close().await.unwrap();
        });
        if is_server {
            let drops = place.query(
                "SELECT string_agg(format('DROP DATABASE %I', datname), ';') FROM pg_database
                 WHERE starts_with(datname, current_database() || '_')",
            );
            drops.split(';').for_each(|sql| drop(place.query(sql)));
        }
    });
}

#[test]
fn a_scratch_database_fails_like_an_upgrade() {
    on_both(|place| {
        one_thread().block_on(async {
            let broken = [(
                "1_a.up.sql",
                "CREATE TABLE a (x integer); DROP TABLE nosuch;",
            )];
            let migrator = Migrator::embedded(broken);
            let error = Scratch::at_head(&migrator, place.url()).await.unwrap_err();
            let Error::Failed(failure) = error else {
                panic!("{error:?}");
            };
            assert_eq!(
                (failure.subject.as_str(), failure.statement),
                ("1", Some(1))
            );
            let error = Scratch::at(&migrator, place.url(), "nosuch")
                .await
                .unwrap_err();
            assert!(matches!(error, Error::Target(_)), "{error:?}");
            let error = Scratch::at_head(&migrator, "nothing:x").await.unwrap_err();
            assert!(matches!(error, Error::Url(_)), "{error:?}");
            if matches!(place, Place::Postgres(_)) {
                assert_eq!(beside(&place, "scratch"), "0");
                assert_eq!(beside(&place, "template"), "0");
            }
        });
    });
}

/// Futures of the library can be spawned, and its types shared between threads.
#[test]
fn a_scratch_database_can_be_shared() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    let runtime = several_threads();
    runtime.block_on(async {
        let made = tokio::spawn(async {
            let migrator = Migrator::embedded(SCRIPTS);
            Scratch::at_head(&migrator, "sqlite::memory:")
                .await
                .unwrap()
        });
        let scratch = made.await.unwrap();
        is_shared(&scratch);
        tokio::spawn(scratch.close()).await.unwrap().unwrap();
    });
}

#[test]
fn a_plan_is_data_and_changes_nothing() {
    on_both(|place| {
        one_thread().block_on(async {
            let migrator = Migrator::embedded(SCRIPTS);
            let mut session = migrator.connect(place.url()).await.unwrap();
            let plan = session.plan(Direction::Up, "head").await.unwrap();
            let steps: Vec<_> = plan
                .steps
                .iter()
                .map(|step| step.statements.len())
                .collect();
            assert_eq!(steps, [2, 2, 3]);
            session.close().await.unwrap();
        });
        match &place {
            Place::Sqlite(database) => {
                assert!(!database.path.exists());
                assert_eq!(fs::read_dir(&database.directory).unwrap().count(), 0);
            }
            Place::Postgres(database) => {
                let tables = database.text("SELECT count(*) FROM pg_stat_user_tables");
                assert_eq!(tables, "0\n");
            }
        }
    });
}

/// The two are one program to the database: what one applies, the other reverts.
#[test]
fn the_command_and_the_library_agree() {
    on_both(|place| {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in SCRIPTS {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let command = |line: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_migrator"));
            let command = command.current_dir(&dir).args(["--url", place.url()]);
            let command = command.env("MIGRATOR_MIGRATIONS", dir.path()).args(line);
            command.status().unwrap().code()
        };
        let runtime = several_threads();
        let migrator = Migrator::open(dir.path()).actor("the library");
        let mut session = runtime.block_on(migrator.connect(place.url())).unwrap();
        runtime.block_on(session.upgrade("head")).unwrap();
        assert_eq!(command(&["current", "--check-heads"]), Some(0));
        let actors = place.query("SELECT DISTINCT applied_by FROM migrator_version");
        assert_eq!(actors, "the library");
        assert_eq!(command(&["downgrade", "1"]), Some(0));
        let current = runtime.block_on(session.current()).unwrap();
        assert_eq!(names(&current), ["1"]);
        runtime.block_on(session.downgrade("base")).unwrap();
        assert_eq!(command(&["current", "--check-heads"]), Some(3));
    });
}

#[test]
fn what_is_wrong_before_a_connection_is_typed() {
    one_thread().block_on(async {
        let connect = |files: Vec<(&'static str, &'static str)>, url: &'static str| async move {
            Migrator::embedded(files).connect(url).await.unwrap_err()
        };
        let nowhere = "postgres://localhost:1/x";
        let broken = vec![("1_a.down.sql", ""), ("2.sql", ""), ("3_c.up.sql", "\0")];
        let error = connect(broken, nowhere).await;
        assert!(matches!(&error, Error::Scripts(problems) if problems.len() == 3));
        assert_eq!(error.to_string().lines().count(), 3, "{error}");
        let error = connect(Vec::new(), "mysql://localhost/x").await;
        assert!(matches!(error, Error::Url(_)), "{error}");
        let error = connect(Vec::new(), nowhere).await;
        let Error::Database(unreachable) = &error else {
            panic!("{error}");
        };
        assert_eq!(unreachable.kind(), DatabaseErrorKind::Unreachable);
        let migrator = Migrator::open("nowhere").version_table("a.b.c");
        let error = migrator.connect("sqlite:x.db").await.unwrap_err();
        assert!(matches!(error, Error::VersionTable { .. }), "{error}");
        let error = Migrator::open("nowhere").connect("sqlite:x.db").await;
        assert!(matches!(error, Err(Error::Scripts(_))));
    });
}

#[test]
fn failures_are_typed_and_give_the_lock_back() {
    on_both(|place| {
        one_thread().block_on(async {
            let at_once = |files: Vec<(&'static str, &'static str)>| {
                Migrator::embedded(files).lock_wait(Duration::ZERO)
            };
            let broken = vec![SCRIPTS[0], ("2_x.up.sql", "SELECT 1;\nSELECT nonsense;")];
            let mut session = at_once(broken).connect(place.url()).await.unwrap();
            let Err(Error::Failed(failure)) = session.upgrade("head").await else {
                panic!("it should fail");
            };
            assert_eq!(done(&failure.done), ["1"]);
            assert_eq!(failure.subject.as_str(), "2");
            assert_eq!(failure.file, "2_x.up.sql");
            assert_eq!(
                (failure.statement, failure.position),
                (Some(1), Some((2, 1)))
            );
            assert_eq!(failure.error.kind(), DatabaseErrorKind::Statement);
            assert!(failure.error.code().is_some());
            let unclosed = vec![SCRIPTS[0], ("2_x.up.sql", "SELECT 1;\nSELECT 'a;")];
            let mut other = at_once(unclosed).connect(place.url()).await.unwrap();
            let error = other.upgrade("head").await.unwrap_err();
            assert!(matches!(error, Error::Plan(_)));
            assert!(error.to_string().starts_with("2_x.up.sql:2:8: "), "{error}");
            let error = other.upgrade("").await.unwrap_err();
            assert!(matches!(error, Error::Target(_)), "{error}");
            let error = other.downgrade("9999").await.unwrap_err();
            assert!(matches!(error, Error::Plan(_)), "{error}");
            // All sessions are open still, and none of them has the lock.
            let mut last = at_once(SCRIPTS.into()).connect(place.url()).await.unwrap();
            let report = last.upgrade("head").await.unwrap();
            assert_eq!(done(&report.done), ["2", "3"]);
        });
    });
}

#[test]
fn a_script_that_was_changed_comes_with_its_diff() {
    on_both(|place| {
        one_thread().block_on(async {
            let up = |sql| Migrator::embedded([("1_a.up.sql", sql)]);
            let mut session = up("SELECT 1;\n").connect(place.url()).await.unwrap();
            session.upgrade("head").await.unwrap();
            session.close().await.unwrap();
            let mut session = up("SELECT 2;\n").connect(place.url()).await.unwrap();
            for planned in [true, false] {
                let error = match planned {
                    true => session.plan(Direction::Up, "head").await.unwrap_err(),
                    false => session.upgrade("head").await.unwrap_err(),
                };
                let Error::Plan(problems) = error else {
                    panic!("{error}");
                };
                let diff = problems[0].diff.as_deref();
                let expected = "--- applied\n+++ 1_a.up.sql\n@@ -1 +1 @@\n-SELECT 1;\n+SELECT 2;\n";
                assert_eq!(diff, Some(expected), "{problems:?}");
            }
            session.close().await.unwrap();
        });
    });
}

#[test]
fn who_waits_in_vain_for_the_lock_is_told_so() {
    on_both(|place| {
        let runtime = one_thread();
        let url = place.url().to_owned();
        // From inside a run, that is while its lock is held.
        let found = Arc::new(Mutex::new(None));
        let result = Arc::clone(&found);
        let migrator = Migrator::embedded(SCRIPTS).on_event(move |event| {
            if let EventKind::StepDone { index: 0, .. } = event.kind {
                let url = url.clone();
                let second = thread::spawn(move || {
                    one_thread().block_on(async {
                        let migrator = Migrator::embedded(SCRIPTS).lock_wait(Duration::ZERO);
                        let mut session = migrator.connect(&url).await.unwrap();
                        session.upgrade("head").await
                    })
                });
                *result.lock().unwrap() = Some(second.join().unwrap());
            }
        });
        let mut session = runtime.block_on(migrator.connect(place.url())).unwrap();
        let report = runtime.block_on(session.upgrade("head")).unwrap();
        assert_eq!(report.done.len(), 3);
        let second = found.lock().unwrap().take().unwrap();
        let busy = matches!(
            second,
            Err(Error::LockBusy {
                holder: Some(_),
                ..
            })
        );
        assert!(busy, "{second:?}");
    });
}

#[test]
fn events_tell_the_run_in_order() {
    on_both(|place| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        let migrator = Migrator::embedded(SCRIPTS).on_event(move |event| {
            let line = match &event.kind {
                EventKind::Planned { steps, .. } => format!("{steps} planned"),
                EventKind::RunStarted { steps, .. } => format!("{steps} steps"),
                EventKind::StepStarted { step, .. } => format!("> {}", step.subject),
                EventKind::StatementDone(ended) => format!("  {}", ended.index),
                EventKind::StepDone { step, .. } => format!("< {}", step.subject),
                other => format!("{other:?}"),
            };
            list.lock().unwrap().push(line);
        });
        one_thread().block_on(async {
            let mut session = migrator.connect(place.url()).await.unwrap();
            session.upgrade("2").await.unwrap();
        });
        let told = told.lock().unwrap().join("\n");
        let expected = "2 planned\n2 steps\n> 1\n  0\n  1\n< 1\n> 2\n  0\n  1\n< 2";
        assert_eq!(told, expected);
    });
}

#[test]
fn a_stop_ends_the_run_at_a_boundary() {
    on_both(|place| {
        let stop = Stop::default();
        let asked = stop.clone();
        let migrator = Migrator::embedded(SCRIPTS)
            .stop(stop)
            .on_event(move |event| {
                if matches!(event.kind, EventKind::StepStarted { index: 1, .. }) {
                    asked.request();
                }
            });
        one_thread().block_on(async {
            let mut session = migrator.connect(place.url()).await.unwrap();
            let report = session.upgrade("head").await.unwrap();
            assert!(report.interrupted && report.partial.is_none());
            assert_eq!(done(&report.done), ["1", "2"]);
            assert_eq!(
                report
                    .not_run
                    .iter()
                    .map(Subject::as_str)
                    .collect::<Vec<_>>(),
                ["3"]
            );
        });
    });
}

/// Nothing of the process is ours: what the server says goes nowhere, unless the program has a
/// logger.
#[test]
fn no_logger_is_installed() {
    on_both(|place| {
        let files = [("1_a.up.sql", "SELECT 1;")];
        one_thread().block_on(async {
            let mut session = Migrator::embedded(files)
                .connect(place.url())
                .await
                .unwrap();
            session.upgrade("head").await.unwrap();
        });
        assert_eq!(log::max_level(), log::LevelFilter::Off);
    });
}

#[test]
fn it_can_be_spawned() {
    on_both(|place| {
        let runtime = several_threads();
        let url = place.url().to_owned();
        let task = runtime.spawn(async move {
            let mut session = Migrator::embedded(SCRIPTS).connect(&url).await?;
            session.upgrade("head").await?;
            session.close().await
        });
        runtime.block_on(task).unwrap().unwrap();
        assert_eq!(place.query("SELECT count(*) FROM tags"), "2");
    });
}

/// Polls `future` up to `polls` times; dropped then, in the middle of what it waits for.
async fn up_to<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn all_is_there(place: &Place, session: &mut Session) {
    session.upgrade("head").await.unwrap();
    let rows = place.query("SELECT revision FROM migrator_version ORDER BY revision");
    assert_eq!(rows, "1\n2\n3");
    let counts = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM posts), \
                  (SELECT count(*) FROM tags)";
    assert_eq!(place.query(counts), "1|0|2");
}

/// Whatever it was waiting for: the next run continues from there, in the same session or another.
#[test]
fn a_future_is_dropped_at_every_point() {
    on_both(|place| {
        several_threads().block_on(async {
            let migrator = Migrator::embedded(SCRIPTS);
            let mut dropped = 0;
            for direction in [Direction::Up, Direction::Down] {
                for polls in 1.. {
                    let mut session = migrator.connect(place.url()).await.unwrap();
                    let ended = if direction == Direction::Up {
                        up_to(polls, session.upgrade("head")).await
                    } else {
                        up_to(polls, session.downgrade("base")).await
                    };
                    if polls % 2 == 0 {
                        session = migrator.connect(place.url()).await.unwrap();
                    }
                    all_is_there(&place, &mut session).await;
                    if direction == Direction::Up {
                        session.downgrade("base").await.unwrap();
                    }
                    session.close().await.unwrap();
                    match ended {
                        Some(report) => {
                            report.unwrap();
                            break;
                        }
                        None => dropped += 1,
                    }
                }
                let mut session = migrator.connect(place.url()).await.unwrap();
                all_is_there(&place, &mut session).await;
            }
            // How often must be waited is up to the machine; on SQLite perhaps never.
            assert!(
                dropped > 0 || matches!(place, Place::Sqlite(_)),
                "{dropped}"
            );
        });
    });
}

/// The server is asked to stop: nobody waits an hour for the lock.
#[test]
fn a_task_is_aborted_in_the_middle_of_a_statement() {
    let place = Place::new(Backend::Postgres);
    let sleeping = || {
        let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%3600%'";
        place.query(running) == "1"
    };
    let runtime = several_threads();
    let url = place.url().to_owned();
    let files = [
        SCRIPTS[0],
        ("2_x.up.sql", "CREATE TABLE x (); SELECT pg_sleep(3600);"),
    ];
    let task = runtime.spawn(async move {
        let mut session = Migrator::embedded(files).connect(&url).await?;
        session.upgrade("head").await
    });
    wait_until("the statement runs", sleeping);
    task.abort();
    assert!(runtime.block_on(task).unwrap_err().is_cancelled());
    wait_until("the statement is cancelled", || !sleeping());
    runtime.block_on(async {
        let migrator = Migrator::embedded(SCRIPTS);
        let mut session = migrator.connect(place.url()).await.unwrap();
        assert_eq!(names(&session.current().await.unwrap()), ["1"]);
        all_is_there(&place, &mut session).await;
    });
    assert_eq!(place.query("SELECT to_regclass('x') IS NULL"), "t");
}

/// Examples are built with the tests, beside them.
fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().unwrap().parent().unwrap();
    profile
        .join("examples")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

#[test]
fn the_example_applies_its_scripts() {
    on_both(|place| {
        let run = |url: &str| {
            let mut command = Command::new(example("embedded"));
            let output = command.arg(url).output().unwrap_or_else(|error| {
                panic!("{error}; alone, this test needs `cargo build --example embedded` first")
            });
            let text = String::from_utf8(output.stdout).unwrap();
            (output.status.code(), text)
        };
        let first = "applied 20261122093000\napplied 20261122094500\n2 revisions applied\n";
        assert_eq!(run(place.url()), (Some(0), first.to_owned()));
        assert_eq!(
            run(place.url()),
            (Some(0), "0 revisions applied\n".to_owned())
        );
        assert_eq!(place.query("SELECT count(*) FROM posts"), "0");
        assert_eq!(run("nonsense").0, Some(1));
    });
}

#[test]
fn placeholders_and_repeatable_scripts_are_those_of_the_command() {
    on_both(|place| {
        let scripts = [
            (
                "1_t.up.sql",
                "-- migrator: vars = on\nCREATE TABLE :{table} (x integer);",
            ),
            ("R_view.sql", "CREATE VIEW v AS SELECT x FROM t;"),
        ];
        one_thread().block_on(async {
            let mut session = Migrator::embedded(scripts)
                .connect(place.url())
                .await
                .unwrap();
            assert!(matches!(session.upgrade("head").await, Err(Error::Plan(_))));
            let migrator = Migrator::embedded(scripts).var("table", "t");
            let mut session = migrator.connect(place.url()).await.unwrap();
            let report = session.upgrade("head").await.unwrap();
            assert_eq!(done(&report.done), ["1", "R_view"]);
            let status = session.status().await.unwrap();
            assert!(status.due.is_empty());
            assert!(session.upgrade("head").await.unwrap().done.is_empty());
        });
    });
}
