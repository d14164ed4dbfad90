use std::{sync::Arc, time::Duration};

use super::{Done, LockError, Options, Outcome, PartialFailure, Sink, Stop, exchange, lock, run};
use crate::{
    database::{Cancel, Database, DatabaseError, Detail, LockAttempt},
    plan::Plan,
    revision::{Direction, Observed, RevisionId, Subject},
};

/// A plan is made anew this often when its state changes under it.
pub const ATTEMPTS: usize = 5;

/// How a migration goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Which way; stored scripts are read where they may be needed.
    pub direction: Direction,
    /// How long the lock is waited for; zero is one attempt.
    pub lock_wait: Duration,
    /// How patient the steps are.
    pub options: Options,
}

/// What came of a migration, over all plans that it took.
#[derive(Debug)]
pub struct Migrated {
    /// Committed.
    pub done: Vec<Done>,
    /// Planned and not run; neither a failed step nor one that stopped in its middle is among them.
    pub not_run: Vec<Subject>,
    /// How it ended.
    pub finish: Finish,
    /// What is applied now; `None` when the database could not be asked any more.
    pub now: Option<Observed>,
}

/// How a migration ended.
#[derive(Debug)]
pub enum Finish {
    /// Nothing is left to do.
    Complete,
    /// A request to stop, at a boundary.
    Stopped {
        /// The `transaction = off` revision it stopped in the middle of.
        partial: Option<RevisionId>,
    },
    /// A step failed; the failure's `done` are those of all plans.
    Failed(PartialFailure),
}

/// A migration that ended with an error outside of its steps.
#[derive(Debug)]
pub struct Aborted<E> {
    /// Committed before it, by plans that were outdated later.
    pub done: Vec<Done>,
    /// What went wrong.
    pub error: E,
}

/// As [`migrate_after`], with nothing before it.
///
/// # Errors
/// When there is no lock, no state or no plan to be had.
pub async fn migrate<E, P>(
    database: &mut dyn Database,
    manner: Manner,
    plan: P,
    stop: &Stop,
    sink: &Sink,
) -> Result<Migrated, Aborted<E>>
where
    E: From<LockError> + From<DatabaseError>,
    P: FnMut(&Observed) -> Result<Plan, E>,
{
    let nothing = |_: &Plan| std::future::ready(Ok(()));
    migrate_after(database, manner, None, (plan, nothing), stop, sink).await
}

/// Locks, observes, plans, does what is to be done `before` the first step, runs; and again when the state changed under the plan. The lock is the
/// caller's to give back, whatever comes of it: [`release`].
///
/// `known` is the state where the lock was taken before, by [`look_early`]. `before` gets the plan as
/// long as nothing is done, and only where there is something to do.
///
/// # Errors
/// When there is no lock, no state or no plan to be had, or `before` fails; nothing was run then.
pub async fn migrate_after<E, P, B>(
    database: &mut dyn Database,
    manner: Manner,
    known: Option<Observed>,
    (plan, before): (P, B),
    stop: &Stop,
    sink: &Sink,
) -> Result<Migrated, Aborted<E>>
where
    E: From<LockError> + From<DatabaseError>,
    P: FnMut(&Observed) -> Result<Plan, E>,
    B: AsyncFnMut(&Plan) -> Result<(), E>,
{
    let mut abandoned = Abandoned(Some(database.canceller()));
    let mut done = Vec::new();
    let waits = Waits { manner, stop, sink };
    let result = attempts(database, waits, known, (plan, before), &mut done).await;
    abandoned.0 = None;
    match result {
        Ok((finish, not_run, now)) => Ok(Migrated {
            done,
            not_run,
            finish,
            now,
        }),
        Err(error) => Err(Aborted { done, error }),
    }
}

/// How long things may take, who may end them, and who is told.
struct Waits<'a> {
    manner: Manner,
    stop: &'a Stop,
    sink: &'a Sink,
}

impl Manner {
    /// What has to be known for a plan.
    fn detail(self) -> Detail {
        match self.direction {
            Direction::Up => Detail::Brief,
            Direction::Down => Detail::WithScripts,
        }
    }
}

/// Takes the lock and reads the state for an upgrade, if the lock is free: what a run does first can
/// be done while its directory is read. Otherwise nothing has happened.
///
/// # Errors
/// What [`migrate_after`] would meet as well; the lock may be held then.
pub async fn look_early(database: &mut dyn Database) -> Result<Option<Observed>, DatabaseError> {
    match database.try_lock().await? {
        LockAttempt::Acquired => database.observe(Detail::Brief).await.map(Some),
        LockAttempt::Held { .. } => Ok(None),
    }
}

async fn attempts<E, P, B>(
    database: &mut dyn Database,
    Waits { manner, stop, sink }: Waits<'_>,
    mut known: Option<Observed>,
    (mut plan, mut before): (P, B),
    all: &mut Vec<Done>,
) -> Result<(Finish, Vec<Subject>, Option<Observed>), E>
where
    E: From<LockError> + From<DatabaseError>,
    P: FnMut(&Observed) -> Result<Plan, E>,
    B: AsyncFnMut(&Plan) -> Result<(), E>,
{
    let mut attempts = 0;
    while attempts < ATTEMPTS {
        let observed = match known.take() {
            Some(observed) => observed,
            None => {
                lock(database, manner.lock_wait, stop, sink).await?;
                database.observe(manner.detail()).await?
            }
        };
        let plan = plan(&observed)?;
        if all.is_empty() && !plan.steps.is_empty() {
            before(&plan).await?;
        }
        // Where something is done the state is read again afterwards; two of thousands of rows need
        // not be there at once.
        let unchanged = plan.steps.is_empty().then_some(observed);
        match exchange(database, &plan.exchanges).await {
            Err(DatabaseError::StateChanged { .. }) => {
                attempts += 1;
                continue;
            }
            exchanged => exchanged?,
        }
        match run(database, plan, manner.options, stop, sink).await {
            Err(mut failure) => {
                all.append(&mut failure.done);
                failure.done.clone_from(all);
                let not_run = failure.not_run.clone();
                let now = standing(database).await;
                return Ok((Finish::Failed(failure), not_run, now));
            }
            Ok(Outcome::Complete(done)) if done.is_empty() && unchanged.is_some() => {
                return Ok((Finish::Complete, Vec::new(), unchanged));
            }
            Ok(Outcome::Complete(done)) => {
                all.extend(done);
                let now = standing(database).await;
                return Ok((Finish::Complete, Vec::new(), now));
            }
            Ok(Outcome::Stopped {
                done,
                not_run,
                partial,
            }) => {
                all.extend(done);
                let now = standing(database).await;
                return Ok((Finish::Stopped { partial }, not_run, now));
            }
            Ok(Outcome::PlanOutdated { done, reason }) => {
                all.extend(done);
                // Whoever has taken the lock is getting on, so that this comes to an end.
                attempts += usize::from(reason != DatabaseError::LockLost);
            }
        }
    }
    Err(E::from(DatabaseError::StateChanged {
        reason: format!("the plan was outdated {ATTEMPTS} times"),
    }))
}

/// Stops what the database is doing when the run is dropped in its middle.
struct Abandoned(Option<Arc<dyn Cancel>>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(canceller) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { canceller.cancel().await });
        }
    }
}

/// The state after a run, for the report. The run is over, so that no answer is no failure; a
/// connection that was lost meanwhile is made anew.
pub async fn standing(database: &mut dyn Database) -> Option<Observed> {
    match database.observe(Detail::Brief).await {
        Err(DatabaseError::ConnectionLost(_)) => database.observe(Detail::Brief).await.ok(),
        observed => observed.ok(),
    }
}

/// Gives the lock back and leaves.
///
/// # Errors
/// When the database does not answer; the lock ends with the session anyhow.
pub async fn release(mut database: Box<dyn Database>) -> Result<(), DatabaseError> {
    let released = database.unlock().await;
    let closed = database.close().await;
    released.and(closed)
}
