//! Tests of exchanging the records of replaced revisions, before a run with a database that fails
//! at every single call.

use super::*;

/// The scripts of these tests, as one baseline.
fn baseline() -> History {
    let history = history(Mode::Each);
    let to = history.get(&"2".parse().unwrap()).unwrap();
    let squash = plan::squash(&history, Dialect::Postgres, to, "Baseline", "x").unwrap();
    let text = |direction: Direction| {
        let name = format!("2_x.{direction}.sql");
        let mut files = squash.files.iter().filter(|file| file.to == name);
        let text = files.find_map(|file| file.after.clone()).unwrap();
        Script::parse(Dialect::Postgres, direction, name, text).unwrap()
    };
    let three = history.get(&"3".parse().unwrap()).unwrap();
    let pair = |id: &str, up, down| ScriptPair {
        id: id.parse().unwrap(),
        slug: "x".to_owned(),
        up,
        down,
    };
    let pairs = vec![
        pair("2", text(Direction::Up), Some(text(Direction::Down))),
        pair("3", three.up.clone(), three.down.clone()),
    ];
    History::new(pairs).unwrap()
}

pub(super) fn planned(stored: &Stored) -> Plan {
    let (history, observed) = (baseline(), stored.observed());
    let context = crate::plan::testing::context(&history, &observed, Dialect::Postgres);
    plan::upgrade(&context, &"head".parse().unwrap()).unwrap()
}

async fn upgrade(fake: &mut Fake) -> Result<(), StepFailure> {
    let plan = planned(&fake.stored);
    exchange(fake, &plan.exchanges).await?;
    let ended = execute(fake, plan).await;
    ended.map(drop).map_err(|failure| failure.failure.error)
}

/// A store with the first two of three revisions.
pub(super) async fn two() -> Stored {
    let mut fake = Fake::default();
    let mut plan = plan(&fake.stored, Direction::Up, Mode::Each).unwrap();
    plan.steps.truncate(2);
    execute(&mut fake, plan).await.unwrap();
    fake.stored
}

fn rows(stored: &Stored) -> Vec<(i64, String)> {
    let rows = stored.rows.iter();
    rows.map(|row| (row.sequence, row.revision.to_string()))
        .collect()
}

#[tokio::test]
async fn the_records_are_the_old_ones_or_the_baselines() {
    let start = two().await;
    let mut whole = Fake::reopen(start.clone());
    upgrade(&mut whole).await.unwrap();
    let (one, two, three) = (
        (1, "1".to_owned()),
        (2, "2".to_owned()),
        (3, "3".to_owned()),
    );
    let states = [vec![one, two.clone()], vec![two.clone()], vec![two, three]];
    assert_eq!(rows(&whole.stored), states[2]);
    for call in 0..whole.calls.len() {
        for fault in [
            Fault::Fail(call, DatabaseError::ConnectionLost("cut".to_owned())),
            Fault::Fail(call, sql_error("no")),
            Fault::LoseAnswer(call),
        ] {
            let context = format!("{fault:?} in {}", whole.calls[call]);
            let mut fake = Fake::reopen(start.clone());
            fake.faults = vec![fault];
            assert!(upgrade(&mut fake).await.is_err(), "{context}");
            assert!(states.contains(&rows(&fake.stored)), "{context}");
            let mut again = Fake::reopen(fake.stored);
            upgrade(&mut again).await.unwrap();
            assert_eq!(rows(&again.stored), states[2], "{context}");
            assert_eq!(again.stored.schema, whole.stored.schema, "{context}");
        }
    }
}
