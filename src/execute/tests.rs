//! Tests of the executor with the fake, which fails at every single call.

mod adopt_tests;
mod batch_tests;
mod migrate_tests;
mod repeatable_tests;
mod script_tests;
mod squash_tests;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;
use crate::{
    database::{
        DatabaseError,
        fake::{Fake, Fault, Stored, sql_error},
    },
    plan::{self, Plan, PlanContext},
    revision::{
        Ahead, Checksum, Direction, Ending, Headers, History, Observed, OutOfOrder, Script,
        ScriptPair, State, StatementsDigest, TransactionMode,
    },
    sql::{Dialect, Vars},
};

type Scripts = [(&'static str, &'static str, &'static str); 3];

const SCRIPTS: Scripts = [
    (
        "1",
        "CREATE TABLE a (x); CREATE INDEX i ON a (x)",
        "DROP TABLE a",
    ),
    ("2", "CREATE TABLE b (x)", "DROP TABLE b"),
    (
        "3",
        "ALTER TABLE b ADD y; INSERT INTO b VALUES (1, 2)",
        "ALTER TABLE b DROP y",
    ),
];

/// A setting that later statements rely on, and statements that cannot share a transaction with
/// their progress.
const OFF_SCRIPTS: Scripts = [
    (
        "1",
        "SET a = 1; CREATE TABLE a (x); CALL fill(); VACUUM",
        "DROP TABLE a",
    ),
    (
        "2",
        "CREATE TABLE b (x)",
        "SET b = 2; CALL empty(); DROP TABLE b",
    ),
    (
        "3",
        "ALTER TABLE b ADD y; INSERT INTO b VALUES (1, 2)",
        "ALTER TABLE b DROP y",
    ),
];

const OFF: &str = "-- migrator: transaction = off\n";

fn scripts(mode: Mode) -> &'static Scripts {
    if mode == Mode::Off {
        &OFF_SCRIPTS
    } else {
        &SCRIPTS
    }
}

/// The statements of a script that leave something in the fake's schema.
fn lasting(text: &str) -> impl Iterator<Item = String> {
    text.split("; ")
        .filter(|one| !one.is_empty() && !crate::database::fake::leaves_nothing(one))
        .map(str::to_owned)
}

fn history(mode: Mode) -> History {
    let header = if mode == Mode::Off { OFF } else { "" };
    let pair = |(id, up, down): &(&str, &str, &str)| {
        let script = |direction: Direction, text: &str| {
            let file = format!("{id}_x.{direction}.sql");
            Script::parse(
                Dialect::Postgres,
                direction,
                file,
                format!("{header}{text}"),
            )
            .unwrap()
        };
        ScriptPair {
            id: id.parse().unwrap(),
            slug: "x".to_owned(),
            up: script(Direction::Up, up),
            down: Some(script(Direction::Down, down)),
        }
    };
    History::new(scripts(mode).iter().map(pair).collect()).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Each,
    All,
    Off,
}

fn plan(stored: &Stored, direction: Direction, mode: Mode) -> Result<Plan, plan::PlanError> {
    let history = history(mode);
    let observed = Observed {
        layout: Some(1),
        ..stored.observed()
    };
    let context = PlanContext {
        history: &history,
        observed: &observed,
        dialect: Dialect::Postgres,
        vars: Vars::none(),
        out_of_order: OutOfOrder::Error,
        ahead: Ahead::Warn,
        one_transaction: mode == Mode::All,
        expand_only: false,
    };
    match direction {
        Direction::Up => plan::upgrade(&context, &"head".parse().unwrap()),
        Direction::Down => plan::downgrade(&context, &"base".parse().unwrap()),
    }
}

fn impatient() -> RunOptions {
    RunOptions {
        attempts: 3,
        first_pause: Duration::ZERO,
        slow_statement: Duration::ZERO,
        longest_pause: Duration::ZERO,
        is_prepared: false,
    }
}

async fn execute(fake: &mut Fake, plan: Plan) -> Result<Outcome, PartialFailure> {
    let sink = Sink::silent();
    run(fake, plan, impatient(), &Stop::default(), &sink).await
}

/// A store with all revisions applied.
async fn applied(mode: Mode) -> Stored {
    let mut fake = Fake::default();
    let plan = plan(&fake.stored, Direction::Up, mode).unwrap();
    execute(&mut fake, plan).await.unwrap();
    fake.stored
}

/// Checks the invariants that hold whenever a process may have died.
fn check_boundary(stored: &Stored, direction: Direction, mode: Mode, context: &str) {
    let scripts = scripts(mode);
    let total = scripts.len();
    let full = stored
        .rows
        .iter()
        .filter(|row| row.state == State::Applied)
        .count();
    let up = if direction == Direction::Up {
        full
    } else {
        total
    };
    let mut expected: Vec<_> = scripts.iter().take(up).flat_map(|s| lasting(s.1)).collect();
    if direction == Direction::Down {
        let reverted = scripts.iter().rev().take(total - stored.rows.len());
        expected.extend(reverted.flat_map(|s| lasting(s.2)));
    }
    for row in &stored.rows {
        let State::Partial(partial) = &row.state else {
            continue;
        };
        let script = scripts
            .iter()
            .find(|s| s.0 == row.revision.as_str())
            .unwrap();
        let text = if partial.direction == Direction::Up {
            script.1
        } else {
            script.2
        };
        let statements: Vec<_> = text.split("; ").collect();
        let (done, rest) = statements.split_at(partial.statements_done);
        expected.extend(lasting(&done.join("; ")));
        let unknown = partial
            .interruption
            .as_ref()
            .is_some_and(|i| i.ending == Ending::Unknown);
        // A statement in doubt may have taken effect, and then it is the last one that did.
        if unknown && stored.schema.len() > expected.len() {
            expected.push(rest[0].to_owned());
        }
        let done = done.iter().map(|statement| checksum_of(statement));
        assert_eq!(
            partial.statements_digest,
            StatementsDigest::of(&done.collect::<Vec<_>>()),
            "{context}"
        );
    }
    assert_eq!(stored.schema, expected, "{context}");
    let events = stored.log.iter().filter(|(_, ok)| *ok).count();
    let done = match direction {
        Direction::Up => full,
        Direction::Down => total + total - stored.rows.len(),
    };
    assert_eq!(events, done, "{context}: the log agrees");
}

/// Causes every fault at every call of a run, checks the remaining state, and continues.
async fn break_everywhere(direction: Direction, mode: Mode) {
    let start = match direction {
        Direction::Up => Stored::default(),
        Direction::Down => applied(mode).await,
    };
    let mut whole = Fake::reopen(start.clone());
    let first = plan(&start, direction, mode).unwrap();
    execute(&mut whole, first.clone()).await.unwrap();
    assert!(whole.calls.len() >= scripts(mode).len());
    for call in 0..whole.calls.len() {
        let lost = DatabaseError::ConnectionLost("cut".to_owned());
        let unknown = DatabaseError::OutcomeUnknown("cut".to_owned());
        let faults = [
            Fault::Fail(call, lost),
            Fault::Fail(call, unknown),
            Fault::Fail(call, sql_error("no")),
            Fault::LoseAnswer(call),
        ];
        for fault in faults {
            let context = format!("{direction} {mode:?} {fault:?} in {}", whole.calls[call]);
            let mut fake = Fake::reopen(start.clone());
            fake.faults = vec![fault];
            let result = execute(&mut fake, first.clone()).await;
            let reset = whole.calls[call] == "reset_session";
            assert_eq!(result.is_err(), !reset, "{context}");
            check_boundary(&fake.stored, direction, mode, &context);
            resume(fake.stored, direction, mode, &whole.stored, &context).await;
        }
    }
}

/// Running the same command again ends in the state of an undisturbed run.
async fn resume(
    mut stored: Stored,
    direction: Direction,
    mode: Mode,
    whole: &Stored,
    context: &str,
) {
    let plan = match plan(&stored, direction, mode) {
        Ok(plan) => plan,
        Err(error) => {
            settle(&mut stored, &error, context);
            plan(&stored, direction, mode).unwrap()
        }
    };
    let mut fake = Fake::reopen(stored);
    execute(&mut fake, plan).await.unwrap();
    assert_eq!(fake.stored.schema, whole.schema, "{context}");
    assert_eq!(fake.stored.rows, whole.rows, "{context}");
}

/// Settles a doubt as a user would: by looking at the schema.
fn settle(stored: &mut Stored, error: &plan::PlanError, context: &str) {
    let [
        plan::PlanProblem::Doubt {
            subject, statement, ..
        },
    ] = error.0.as_slice()
    else {
        panic!("{context}: {error:?}");
    };
    let script = OFF_SCRIPTS
        .iter()
        .find(|s| s.0 == subject.as_str())
        .unwrap();
    let row = stored
        .rows
        .iter_mut()
        .find(|row| *subject == row.revision)
        .unwrap();
    let State::Partial(partial) = &mut row.state else {
        panic!("{context}")
    };
    let text = if partial.direction == Direction::Up {
        script.1
    } else {
        script.2
    };
    let doubtful = text.split("; ").nth(statement - 1).unwrap();
    assert_eq!(*statement, partial.statements_done + 1, "{context}");
    partial.interruption = None;
    if stored.schema.last().is_some_and(|last| last == doubtful) {
        let checksum = checksum_of(doubtful);
        partial.statements_digest = partial.statements_digest.then(&checksum);
        partial.statements_done += 1;
    }
}

fn checksum_of(statement: &str) -> Checksum {
    let canonical = crate::sql::canonicalize(Dialect::Postgres, statement);
    let headers = Headers {
        transaction: TransactionMode::Off,
        ..Headers::default()
    };
    Checksum::of(&canonical, &headers)
}

#[tokio::test]
async fn every_broken_call_leaves_a_boundary() {
    for mode in [Mode::Each, Mode::All, Mode::Off] {
        for direction in [Direction::Up, Direction::Down] {
            break_everywhere(direction, mode).await;
        }
    }
}

#[tokio::test]
async fn a_failing_statement_names_itself_and_what_was_done() {
    let mut fake = Fake::default();
    fake.faults = vec![Fault::Statement(
        "INSERT INTO b VALUES (1, 2)",
        sql_error("no"),
        1,
    )];
    let first = plan(&fake.stored, Direction::Up, Mode::Each).unwrap();
    let failure = execute(&mut fake, first).await.unwrap_err();
    assert_eq!(failure.done.len(), 2);
    assert_eq!(failure.failure.step.subject.as_str(), "3");
    assert_eq!(failure.failure.statement, Some(1));
    assert!(failure.not_run.is_empty());
    check_boundary(&fake.stored, Direction::Up, Mode::Each, "failing statement");
    let (entry, ok) = fake.stored.log.last().unwrap();
    assert_eq!((entry.error.as_deref(), *ok), (Some("no"), false));
    resume(
        fake.stored,
        Direction::Up,
        Mode::Each,
        &applied(Mode::Each).await,
        "fixed",
    )
    .await;
}

#[tokio::test]
async fn one_transaction_is_all_or_nothing() {
    let mut fake = Fake::default();
    fake.faults = vec![Fault::Statement("CREATE TABLE b (x)", sql_error("no"), 1)];
    let all = plan(&fake.stored, Direction::Up, Mode::All).unwrap();
    let failure = execute(&mut fake, all).await.unwrap_err();
    assert!(failure.done.is_empty());
    assert_eq!(failure.failure.step.subject.as_str(), "2");
    let not_run: Vec<_> = failure.not_run.iter().map(ToString::to_string).collect();
    assert_eq!(not_run, ["1", "3"]);
    assert!(fake.stored.schema.is_empty() && fake.stored.rows.is_empty());
}

#[tokio::test]
async fn a_lock_timeout_is_retried_and_the_blockers_named() {
    let timeout = || DatabaseError::LockTimeout {
        failure: Default::default(),
        blockers: vec!["psql (pid 7)".to_owned()],
    };
    for mode in [Mode::Each, Mode::All, Mode::Off] {
        for (times, ends_well) in [(2, true), (3, false)] {
            let events = Arc::new(Mutex::new(Vec::new()));
            let sink: Sink = {
                let events = Arc::clone(&events);
                Sink::new("fake", move |event| {
                    events.lock().unwrap().push(event.kind.clone())
                })
            };
            let mut fake = Fake::default();
            fake.faults = vec![Fault::Statement("CREATE TABLE b (x)", timeout(), times)];
            let plan = plan(&fake.stored, Direction::Up, mode).unwrap();
            let stop = Stop::default();
            let result = run(&mut fake, plan, impatient(), &stop, &sink).await;
            let context = format!("{mode:?} {times}");
            assert_eq!(result.is_ok(), ends_well, "{context}");
            let events = events.lock().unwrap();
            let retries = events.iter().filter(
                |event| matches!(event, EventKind::Retrying { blockers, .. } if blockers.len() == 1),
            );
            assert_eq!(retries.count(), 2, "{context}");
            check_boundary(&fake.stored, Direction::Up, mode, &context);
        }
    }
}

/// A sink that requests a stop when the n-th statement is done.
fn stop_after(statements: usize, requests: u8, stop: &Stop) -> Sink {
    let (stop, seen) = (stop.clone(), Mutex::new(0));
    Sink::new("fake", move |event| {
        if let EventKind::StatementDone(_) = event.kind {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            if *seen == statements {
                for _ in 0..requests {
                    stop.request();
                }
            }
        }
    })
}

#[tokio::test]
async fn the_first_signal_stops_after_the_running_revision() {
    for (mode, statements, rows, partial) in [
        (Mode::Each, 1, 1, false),
        (Mode::Each, 3, 2, false),
        (Mode::Off, 1, 1, true),
        (Mode::Off, 4, 1, false),
        (Mode::All, 3, 0, false),
    ] {
        let context = format!("{mode:?} after statement {statements}");
        let mut fake = Fake::default();
        let plan = plan(&fake.stored, Direction::Up, mode).unwrap();
        let stop = Stop::default();
        let sink = stop_after(statements, 1, &stop);
        let outcome = run(&mut fake, plan, impatient(), &stop, &sink)
            .await
            .unwrap();
        let Outcome::Stopped {
            done,
            not_run,
            partial: inside,
        } = outcome
        else {
            panic!("{context}: {outcome:?}");
        };
        assert_eq!(fake.stored.rows.len(), rows, "{context}");
        assert_eq!(inside.is_some(), partial, "{context}");
        let counted = done.len() + not_run.len() + usize::from(partial);
        assert_eq!(counted, scripts(mode).len(), "{context}");
        check_boundary(&fake.stored, Direction::Up, mode, &context);
    }
}

#[tokio::test]
async fn the_second_signal_rolls_the_running_revision_back() {
    let mut fake = Fake::default();
    let plan = plan(&fake.stored, Direction::Up, Mode::Each).unwrap();
    fake.faults = vec![Fault::Statement(
        "INSERT INTO b VALUES (1, 2)",
        DatabaseError::Interrupted,
        1,
    )];
    let stop = Stop::default();
    let sink = stop_after(4, 2, &stop);
    let outcome = run(&mut fake, plan, impatient(), &stop, &sink)
        .await
        .unwrap();
    let Outcome::Stopped {
        done,
        not_run,
        partial,
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!((done.len(), not_run.len(), partial), (2, 1, None));
    check_boundary(&fake.stored, Direction::Up, Mode::Each, "second signal");
}

#[tokio::test]
async fn a_state_that_changed_asks_for_a_new_plan() {
    let mut fake = Fake::default();
    let plan = plan(&fake.stored, Direction::Up, Mode::Each).unwrap();
    fake.stored = applied(Mode::Each).await;
    let before = fake.stored.clone();
    let outcome = execute(&mut fake, plan).await.unwrap();
    assert!(
        matches!(outcome, Outcome::PlanOutdated { .. }),
        "{outcome:?}"
    );
    assert_eq!(fake.stored, before);
}

#[tokio::test]
async fn the_lock_is_polled_until_its_deadline() {
    let sink = Sink::silent();
    let mut fake = Fake::held_for(2);
    lock(&mut fake, Duration::from_secs(60), &Stop::default(), &sink)
        .await
        .unwrap();
    assert!(fake.locked);

    let mut fake = Fake::held_for(u32::MAX);
    let error = lock(&mut fake, Duration::ZERO, &Stop::default(), &sink)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            LockError::Busy {
                holder: Some(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!fake.locked);

    let mut fake = Fake::held_for(1);
    let gone = |place: &str| DatabaseError::Missing {
        kind: crate::database::PlaceKind::File,
        place: place.to_owned(),
    };
    let lost = DatabaseError::ConnectionLost("terminated".to_owned());
    fake.faults = vec![
        Fault::Fail(1, lost.clone()),
        Fault::Fail(2, gone("renamed")),
        Fault::LoseAnswer(3),
    ];
    lock(&mut fake, Duration::from_secs(60), &Stop::default(), &sink)
        .await
        .unwrap();
    assert!(fake.locked);
    assert_eq!(fake.calls.len(), 5);

    // A database that never existed does not come back, and the wait ends.
    for (error, wait) in [(gone("x"), 60), (lost, 0)] {
        let mut fake = Fake::held_for(0);
        fake.faults = vec![Fault::Fail(0, error.clone())];
        let wait = Duration::from_secs(wait);
        match lock(&mut fake, wait, &Stop::default(), &sink).await {
            Err(LockError::Database(found)) => assert_eq!(found, error),
            other => panic!("{other:?}"),
        }
    }

    let mut fake = Fake::held_for(u32::MAX);
    let stop = Stop::default();
    stop.request();
    let error = lock(&mut fake, Duration::from_secs(60), &stop, &sink)
        .await
        .unwrap_err();
    assert!(matches!(error, LockError::Interrupted), "{error:?}");
}
