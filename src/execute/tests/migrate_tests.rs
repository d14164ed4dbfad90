//! Tests of plans that are created again.

use super::*;
use crate::{
    database::{Detail, Lock as _},
    layout::Surroundings,
};

/// The errors with which a migration can end in these tests.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Ended {
    #[error("busy")]
    Busy,
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("no plan")]
    NoPlan,
}

impl From<LockError> for Ended {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Database(error) => Self::Database(error),
            _ => Self::Busy,
        }
    }
}

/// Upgrades `fake` with at most `plans` plans; returns how many it took.
async fn upgrade(fake: &mut Fake, plans: usize) -> (Result<Migrated, Aborted<Ended>>, usize) {
    upgrade_after(fake, plans, |_: &Plan| std::future::ready(Ok(()))).await
}

/// Upgrades `fake` after `before`.
async fn upgrade_after<F: Future<Output = Result<(), Ended>>>(
    fake: &mut Fake,
    plans: usize,
    before: impl FnMut(&Plan) -> F,
) -> (Result<Migrated, Aborted<Ended>>, usize) {
    upgrade_known(fake, plans, None, before).await
}

/// Upgrades `fake`, of which something is known, after `before`.
async fn upgrade_known<F: Future<Output = Result<(), Ended>>>(
    fake: &mut Fake,
    plans: usize,
    known: Option<Known>,
    before: impl FnMut(&Plan) -> F,
) -> (Result<Migrated, Aborted<Ended>>, usize) {
    let options = MigrateOptions {
        detail: Detail::Brief,
        lock_wait: Duration::ZERO,
        run: impatient(),
        replan_midway: true,
        survey: true,
        tells_state: known.is_none(),
        alone: false,
    };
    let mut planned = 0;
    let history = history(Mode::Each);
    let make = |observed: &Observed, _: Option<&Surroundings>| {
        planned += 1;
        let context = crate::plan::testing::context(&history, observed, Dialect::Postgres);
        let plan = plan::upgrade(&context, &"head".parse().unwrap());
        plan.ok().filter(|_| planned <= plans).ok_or(Ended::NoPlan)
    };
    let sink = Sink::silent();
    let parts = (make, before);
    let result = migrate(fake, options, known, parts, &Stop::default(), &sink).await;
    (result, planned)
}

fn ids(done: &[Done]) -> Vec<&str> {
    done.iter().map(|done| done.subject.as_str()).collect()
}

/// A fake whose last script fails with `error` the given number of times.
fn outdated(error: DatabaseError, times: u32) -> Fake {
    let mut fake = Fake::default();
    fake.faults = vec![Fault::Statement("ALTER TABLE b ADD y", error, times)];
    fake
}

fn changed() -> DatabaseError {
    DatabaseError::StateChanged {
        reason: "someone".to_owned(),
    }
}

#[tokio::test]
async fn an_outdated_plan_is_made_anew_and_nothing_is_done_twice() {
    // A lost lock means that another run makes progress, which may happen any number of times.
    for (error, times) in [(changed(), 4), (DatabaseError::LockLost, 20)] {
        let mut fake = outdated(error, times);
        let (result, planned) = upgrade(&mut fake, usize::MAX).await;
        let migrated = result.unwrap();
        assert!(matches!(migrated.finish, Finish::Complete));
        assert_eq!(ids(&migrated.done), ["1", "2", "3"]);
        assert_eq!(migrated.now.unwrap().applied.len(), 3);
        assert_eq!(planned, times as usize + 1);
        check_boundary(&fake.stored, Direction::Up, Mode::Each, "planned again");
    }
}

#[tokio::test]
async fn a_plan_that_is_always_outdated_is_given_up() {
    let (result, planned) = upgrade(&mut outdated(changed(), u32::MAX), usize::MAX).await;
    let aborted = result.unwrap_err();
    assert_eq!(ids(&aborted.done), ["1", "2"]);
    assert!(matches!(
        aborted.error,
        Ended::Database(DatabaseError::StateChanged { .. })
    ));
    assert_eq!(planned, 5);
}

#[tokio::test]
async fn what_earlier_plans_have_done_is_told() {
    let (result, _) = upgrade(&mut outdated(changed(), 1), 1).await;
    let aborted = result.unwrap_err();
    assert_eq!(
        (ids(&aborted.done), aborted.error),
        (vec!["1", "2"], Ended::NoPlan)
    );
    let mut fake = outdated(changed(), 1);
    fake.faults.push(Fault::Statement(
        "INSERT INTO b VALUES (1, 2)",
        sql_error("no"),
        1,
    ));
    let (result, _) = upgrade(&mut fake, usize::MAX).await;
    let Finish::Failed(failure) = result.unwrap().finish else {
        panic!("it should fail");
    };
    assert_eq!(ids(&failure.done), ["1", "2"]);
    let (result, planned) = upgrade(&mut Fake::held_for(u32::MAX), usize::MAX).await;
    assert_eq!((result.unwrap_err().error, planned), (Ended::Busy, 0));
}

#[tokio::test]
async fn a_known_plan_is_run_unless_the_state_has_changed() {
    let all = history(Mode::Each);
    let nothing = Observed::default();
    let context = crate::plan::testing::context(&all, &nothing, Dialect::Postgres);
    let plan = plan::upgrade(&context, &"head".parse().unwrap()).unwrap();
    for times in [0, 1] {
        let mut fake = outdated(changed(), times);
        fake.try_lock().await.unwrap();
        let known = Some(Known::Plan(plan.clone()));
        let mut seen = 0;
        let before = |_: &Plan| {
            seen += 1;
            std::future::ready(Ok(()))
        };
        let (result, planned) = upgrade_known(&mut fake, usize::MAX, known, before).await;
        let migrated = result.unwrap();
        assert_eq!(ids(&migrated.done), ["1", "2", "3"]);
        check_boundary(&fake.stored, Direction::Up, Mode::Each, "known");
        // Nobody wanted to know where the known plan leads, but another plan may lead elsewhere.
        assert_eq!((planned, seen), (times as usize, 1));
        assert_eq!(
            migrated.now.map(|now| now.applied.len()),
            (times > 0).then_some(3)
        );
    }
}

#[tokio::test]
async fn what_comes_before_is_done_while_nothing_is() {
    let mut seen = Vec::new();
    let mut before = |plan: &Plan| {
        seen.push(plan.steps.len());
        std::future::ready(Ok(()))
    };
    let mut fake = outdated(changed(), 2);
    let (result, _) = upgrade_after(&mut fake, usize::MAX, &mut before).await;
    assert!(matches!(result.unwrap().finish, Finish::Complete));
    // There is nothing left to do.
    let (result, _) = upgrade_after(&mut fake, usize::MAX, &mut before).await;
    assert!(matches!(result.unwrap().finish, Finish::Complete));
    assert_eq!(seen, [3]);
}

#[tokio::test]
async fn when_what_comes_before_fails_nothing_runs() {
    let mut fake = Fake::default();
    let before = |_: &Plan| std::future::ready(Err(Ended::Busy));
    let (result, _) = upgrade_after(&mut fake, usize::MAX, before).await;
    let aborted = result.unwrap_err();
    assert_eq!((aborted.done.len(), aborted.error), (0, Ended::Busy));
    assert_eq!(fake.stored, Fake::default().stored);
}
