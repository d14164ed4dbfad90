//! Tests of repeated statements with a database that fails at every single call.

use super::*;
use crate::{
    database::{Replication, fake::BATCH},
    plan::{RepairRequest, repair},
    revision::{BatchProgress, LogEvent, Partial},
};

pub(super) const UPDATE: &str = "UPDATE a SET x = 1 WHERE x = 0 LIMIT 10";

/// The rows to change: two full batches and a half one.
const ROWS: u64 = 25;

fn batch_history(directive: &str, update: &str) -> History {
    let text = format!(
        "{OFF}CREATE TABLE a (x);\n-- migrator: batch {directive}\n{update};\nCREATE TABLE b (x)"
    );
    let up = Script::parse(Dialect::Postgres, Direction::Up, "1_x.up.sql", text).unwrap();
    let pair = ScriptPair {
        id: "1".parse().unwrap(),
        slug: "x".to_owned(),
        up,
        down: None,
    };
    History::new(vec![pair]).unwrap()
}

fn context<'a>(history: &'a History, observed: &'a Observed) -> PlanContext<'a> {
    crate::plan::testing::context(history, observed, Dialect::Postgres)
}

fn observed(stored: &Stored) -> Observed {
    Observed {
        layout: Some(1),
        ..stored.observed()
    }
}

pub(super) fn batch_plan(stored: &Stored, directive: &str, update: &str) -> Plan {
    let history = batch_history(directive, update);
    let observed = observed(stored);
    plan::upgrade(&context(&history, &observed), &"head".parse().unwrap()).unwrap()
}

/// A database whose table has `left` rows, all of which are to be changed.
fn fake(left: u64) -> Fake {
    let mut fake = Fake::default();
    fake.stored.left = left;
    fake.table_rows = left;
    fake
}

fn reopen(stored: Stored) -> Fake {
    let mut fake = Fake::reopen(stored);
    fake.table_rows = ROWS;
    fake
}

async fn run_batch(fake: &mut Fake, directive: &str) -> Result<Outcome, PartialFailure> {
    let plan = batch_plan(&fake.stored, directive, UPDATE);
    execute(fake, plan).await
}

/// The recorded progress of the repeated statement.
fn shown(stored: &Stored) -> Option<&BatchProgress> {
    partial(stored)?.batch.as_deref()
}

fn partial(stored: &Stored) -> Option<&Partial> {
    match &stored.rows.first()?.state {
        State::Partial(partial) => Some(partial),
        State::Applied => None,
    }
}

fn totals(stored: &Stored) -> Vec<&str> {
    let rows = stored.log.iter().map(|(entry, _)| entry);
    let totals = rows.filter(|entry| entry.event == LogEvent::Batch);
    let detail = |entry: &'_ crate::revision::LogEntry| entry.detail.is_some();
    totals
        .filter(|entry| detail(entry))
        .map(|entry| entry.detail.as_deref().unwrap_or_default())
        .collect()
}

/// Checks the invariant that holds whenever a process may have died: no row is changed without
/// being counted.
fn check(stored: &Stored, context: &str) {
    assert_eq!(stored.changed + stored.left, ROWS, "{context}");
    match partial(stored) {
        Some(partial) if partial.statements_done == 1 => {
            let rows = partial.batch.as_ref().map_or(0, |batch| batch.rows);
            assert_eq!(rows, stored.changed, "{context}");
            assert!(totals(stored).is_empty(), "{context}");
        }
        Some(partial) if partial.statements_done > 1 => {
            assert_eq!(stored.changed, ROWS, "{context}");
            assert_eq!(partial.batch, None, "{context}");
            assert_eq!(totals(stored).len(), 1, "{context}");
        }
        Some(_) => assert_eq!(stored.changed, 0, "{context}"),
        None if stored.rows.is_empty() => assert_eq!(stored.changed, 0, "{context}"),
        None => assert_eq!(stored.changed, ROWS, "{context}"),
    }
}

#[tokio::test]
async fn every_broken_call_leaves_a_batch_boundary() {
    let mut whole = fake(ROWS);
    run_batch(&mut whole, "max-lag=1h").await.unwrap();
    check(&whole.stored, "undisturbed");
    let batches = whole.calls.iter().filter(|call| **call == "run_batch");
    assert_eq!(batches.count() as u64, ROWS.div_ceil(BATCH) + 1);
    for call in 0..whole.calls.len() {
        let lost = DatabaseError::ConnectionLost("cut".to_owned());
        let unknown = DatabaseError::OutcomeUnknown("cut".to_owned());
        for fault in [
            Fault::Fail(call, lost),
            Fault::Fail(call, unknown),
            Fault::Fail(call, sql_error("no")),
            Fault::LoseAnswer(call),
        ] {
            let context = format!("{fault:?} in {}", whole.calls[call]);
            let mut broken = fake(ROWS);
            broken.faults = vec![fault];
            let result = run_batch(&mut broken, "max-lag=1h").await;
            let reset = whole.calls[call] == "reset_session";
            assert_eq!(result.is_err(), !reset, "{context}");
            check(&broken.stored, &context);
            let mut again = reopen(broken.stored);
            run_batch(&mut again, "max-lag=1h").await.unwrap();
            check(&again.stored, &context);
            assert_eq!(again.stored.rows, whole.stored.rows, "{context}");
            let total = totals(&again.stored);
            assert_eq!(total.len(), 1, "{context}");
            assert!(
                total[0].starts_with("statement 2: rows 25, batches 3, "),
                "{total:?}"
            );
        }
    }
}

#[tokio::test]
async fn totals_go_into_what_is_done() {
    let mut fake = fake(ROWS);
    let Outcome::Complete(done) = run_batch(&mut fake, "").await.unwrap() else {
        panic!("it is complete");
    };
    let totals: Vec<_> = done[0]
        .batches
        .iter()
        .map(|total| (total.statement, total.batches, total.rows))
        .collect();
    assert_eq!(totals, [(2, 3, ROWS)]);
}

#[tokio::test]
async fn a_run_stops_after_its_batches_and_the_next_goes_on() {
    let mut fake = fake(ROWS);
    for (run, rows) in [(1, 20), (2, 25)] {
        let result = run_batch(&mut fake, "max-batches=2").await;
        check(&fake.stored, "after max-batches");
        if run == 2 {
            // This includes the third batch, and the one that finds nothing.
            assert!(matches!(result, Ok(Outcome::Complete(_))));
        } else {
            let failure = result.unwrap_err().failure;
            let expected = StepFailure::BatchesOver {
                limit: 2,
                rows,
                batches: 2,
            };
            assert_eq!(failure.error, expected);
            assert_eq!((failure.units, failure.statement), (Some((1, 3)), Some(1)));
            let left = partial(&fake.stored).unwrap().interruption.as_ref();
            assert!(left.is_some_and(|left| left.ending.to_string().contains("max-batches=2")));
        }
        assert_eq!(fake.stored.changed, rows);
    }
}

#[tokio::test]
async fn more_than_twice_the_rows_is_no_end() {
    let mut fake = fake(1000);
    fake.table_rows = ROWS;
    for attempt in 0..2 {
        let failure = run_batch(&mut fake, "").await.unwrap_err().failure;
        let expected = StepFailure::EndlessBatch {
            rows: 60,
            batches: 6,
            table_rows: ROWS,
        };
        assert_eq!(failure.error, expected);
        // The second attempt changes nothing.
        assert_eq!(fake.stored.changed, 60, "attempt {attempt}");
    }
}

/// A state after three batches, with rows left to change.
async fn in_the_middle() -> Fake {
    let mut fake = fake(1000);
    fake.table_rows = ROWS;
    run_batch(&mut fake, "max-batches=3").await.unwrap_err();
    assert_eq!(
        shown(&fake.stored).map(|it| (it.rows, it.table_rows)),
        Some((30, Some(ROWS)))
    );
    fake
}

#[tokio::test]
async fn a_mended_statement_is_counted_anew_and_another_pace_is_no_change() {
    let mut fake = in_the_middle().await;
    let steady = batch_plan(&fake.stored, "pause=1ms", UPDATE);
    assert_eq!(
        steady.steps[0].resume.as_ref().unwrap().batch.as_ref(),
        shown(&fake.stored)
    );
    let fixed = batch_plan(&fake.stored, "", "UPDATE a SET x = 2");
    assert_eq!(fixed.steps[0].resume.as_ref().unwrap().batch, None);
    let failure = execute(&mut fake, fixed).await.unwrap_err().failure;
    // Its own six batches follow the three of the earlier run.
    assert!(matches!(
        failure.error,
        StepFailure::EndlessBatch { rows: 60, .. }
    ));
    assert_eq!(fake.stored.changed, 90);
}

#[tokio::test]
async fn repair_settles_a_batch() {
    for done in [true, false] {
        let fake = in_the_middle().await;
        let history = batch_history("", UPDATE);
        let observed = observed(&fake.stored);
        let request = RepairRequest::Statement { number: 2, done };
        let repairs = repair(&context(&history, &observed), &request).unwrap();
        let mut fake = reopen(fake.stored);
        write_repairs(&mut fake, &[], &repairs).await.unwrap();
        assert_eq!(shown(&fake.stored), None);
        fake.stored.left = 5;
        run_batch(&mut fake, "").await.unwrap();
        // A statement marked as done does not run again.
        assert_eq!(fake.stored.left, if done { 5 } else { 0 });
        assert_eq!(totals(&fake.stored).len(), usize::from(!done));
    }
}

#[tokio::test]
async fn each_batch_is_retried_by_itself() {
    let timeout = || DatabaseError::LockTimeout {
        failure: Default::default(),
        blockers: Vec::new(),
    };
    for (times, ends_well) in [(2, true), (3, false)] {
        let mut fake = fake(ROWS);
        fake.faults = vec![Fault::Statement(UPDATE, timeout(), times)];
        let result = run_batch(&mut fake, "").await;
        assert_eq!(result.is_ok(), ends_well);
        check(&fake.stored, "after timeouts");
    }
}

#[tokio::test]
async fn a_signal_stops_between_batches() {
    for (directive, batches) in [("", 1), ("pause=1h", 1), ("", 2)] {
        let mut fake = fake(ROWS);
        let plan = batch_plan(&fake.stored, directive, UPDATE);
        let stop = Stop::default();
        let sink: Sink = {
            let stop = stop.clone();
            Sink::new("fake", move |event| {
                if matches!(&event.kind, EventKind::BatchDone { batch, .. } if batch.batches == batches)
                {
                    stop.request();
                }
            })
        };
        let outcome = run(&mut fake, plan, impatient(), &stop, &sink).await;
        let Ok(Outcome::Stopped { partial, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(partial.is_some());
        assert_eq!(fake.stored.changed, batches * BATCH);
        check(&fake.stored, "after a signal");
        assert_eq!(
            super::batch_tests::partial(&fake.stored)
                .unwrap()
                .interruption,
            None
        );
    }
}

#[tokio::test]
async fn replicas_that_are_behind_are_waited_for() {
    let near = Replication {
        hidden: 2,
        written: 100,
        replayed: Some(100),
        ..Replication::default()
    };
    let behind = Replication {
        lag: Duration::from_secs(9),
        replayed: Some(50),
        ..near
    };
    let run_with = async |replicas: Vec<Replication>, stops: bool| {
        let mut fake = fake(ROWS);
        fake.replicas = replicas;
        let plan = batch_plan(&fake.stored, "max-lag=2ms", UPDATE);
        let stop = Stop::default();
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink: Sink = {
            let (stop, events) = (stop.clone(), Arc::clone(&events));
            Sink::new("fake", move |event| {
                if stops && matches!(event.kind, EventKind::WaitingForReplicas { .. }) {
                    stop.request();
                }
                events.lock().unwrap().push(event.kind.clone());
            })
        };
        let outcome = run(&mut fake, plan, impatient(), &stop, &sink)
            .await
            .unwrap();
        let count = |wanted: fn(&EventKind) -> bool| {
            events
                .lock()
                .unwrap()
                .iter()
                .filter(|event| wanted(event))
                .count()
        };
        let waits = count(|event| matches!(event, EventKind::WaitingForReplicas { .. }));
        let hidden = count(|event| matches!(event, EventKind::ReplicasHidden { replicas: 2 }));
        check(&fake.stored, "with replicas");
        (
            matches!(outcome, Outcome::Stopped { .. }),
            fake.stored.changed,
            waits,
            hidden,
        )
    };
    let all = run_with(vec![near, behind, behind, near], false).await;
    assert_eq!(all, (false, ROWS, 2, 1));
    let stopped = run_with(vec![near, behind], true).await;
    assert_eq!(stopped, (true, BATCH, 1, 1));
}
