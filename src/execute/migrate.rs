use std::{sync::Arc, time::Duration};

use super::{
    Done, LockError, Outcome, PartialFailure, RunOptions, Sink, Stop, exchange, lock, run,
};
use crate::{
    database::{Cancel, Database, DatabaseError, Detail, LockAttempt},
    layout::Surroundings,
    plan::Plan,
    revision::{Observed, RevisionId, Subject},
};

/// A plan is created again this often when its state changes under it.
const ATTEMPTS: usize = 5;

/// How a migration is run.
#[derive(Clone, Copy, Debug)]
pub struct MigrateOptions {
    /// What a plan needs to know of the version table.
    pub detail: Detail,
    /// How long the lock is waited for; zero is one attempt.
    pub lock_wait: Duration,
    /// How patient the steps are.
    pub run: RunOptions,
    /// Whether a plan that is outdated after some of its steps is created again. Otherwise that ends
    /// the migration with [`Finish::Outdated`].
    pub replan_midway: bool,
    /// Whether a plan for a version table that is absent or empty needs to know what is beside it.
    pub survey: bool,
}

/// The outcome of a migration, over all plans that it took.
#[derive(Debug)]
pub struct Migrated {
    /// Committed.
    pub done: Vec<Done>,
    /// Planned and not run; neither a failed step nor one that stopped partway is among them.
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
    /// The state changed, or the lock was lost, after some steps were done.
    Outdated(DatabaseError),
}

/// A migration that ended with an error outside its steps.
#[derive(Debug)]
pub struct Aborted<E> {
    /// Committed before it, by plans that were outdated later.
    pub done: Vec<Done>,
    /// The error.
    pub error: E,
}

/// Locks, observes, plans, calls `before`, runs; and again when the state changed under the plan.
/// The caller gives the lock back, whatever comes of it.
///
/// `known` is the state where the lock was taken before, by [`look_early`]. `before` gets the plan as
/// long as nothing is done, and only where there is something to do.
///
/// # Errors
/// When there is no lock, no state or no plan available, or `before` fails; nothing was run then.
pub async fn migrate<E, P, B, F>(
    database: &mut dyn Database,
    options: MigrateOptions,
    known: Option<Observed>,
    (plan, before): (P, B),
    stop: &Stop,
    sink: &Sink,
) -> Result<Migrated, Aborted<E>>
where
    E: From<LockError> + From<DatabaseError>,
    P: FnMut(&Observed, Option<&Surroundings>) -> Result<Plan, E>,
    B: FnMut(&Plan) -> F,
    F: Future<Output = Result<(), E>>,
{
    let mut abandoned = Abandoned(Some(database.canceller()));
    let mut done = Vec::new();
    let run = Run {
        options,
        stop,
        sink,
    };
    let result = attempts(database, run, known, (plan, before), &mut done).await;
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

/// How a migration is run, who may end it, and who is told.
struct Run<'a> {
    options: MigrateOptions,
    stop: &'a Stop,
    sink: &'a Sink,
}

/// Takes the lock and reads the state for an upgrade, if the lock is free: what a run does first can
/// be done while its directory is read. Otherwise nothing has happened.
///
/// # Errors
/// What [`migrate`] would meet as well; the lock may be held then.
pub async fn look_early(database: &mut dyn Database) -> Result<Option<Observed>, DatabaseError> {
    match database.try_lock().await {
        Ok(LockAttempt::Acquired) => database.observe(Detail::Brief).await.map(Some),
        // Whoever waits for the lock connects again.
        Ok(LockAttempt::Held { .. }) | Err(DatabaseError::ConnectionLost(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn attempts<E, P, B, F>(
    database: &mut dyn Database,
    Run {
        options,
        stop,
        sink,
    }: Run<'_>,
    mut known: Option<Observed>,
    (mut plan, mut before): (P, B),
    all: &mut Vec<Done>,
) -> Result<(Finish, Vec<Subject>, Option<Observed>), E>
where
    E: From<LockError> + From<DatabaseError>,
    P: FnMut(&Observed, Option<&Surroundings>) -> Result<Plan, E>,
    B: FnMut(&Plan) -> F,
    F: Future<Output = Result<(), E>>,
{
    let mut attempts = 0;
    while attempts < ATTEMPTS {
        let observed = match known.take() {
            Some(observed) => observed,
            None => {
                lock(database, options.lock_wait, stop, sink).await?;
                database.observe(options.detail).await?
            }
        };
        let beside = match options.survey && observed.is_empty() {
            true => Some(database.surroundings().await?),
            false => None,
        };
        let plan = plan(&observed, beside.as_ref())?;
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
        match run(database, plan, options.run, stop, sink).await {
            Err(mut failure) => {
                all.append(&mut failure.done);
                failure.done.clone_from(all);
                let not_run = failure.not_run.clone();
                let now = final_state(database).await;
                return Ok((Finish::Failed(failure), not_run, now));
            }
            Ok(Outcome::Complete(done)) if done.is_empty() && unchanged.is_some() => {
                return Ok((Finish::Complete, Vec::new(), unchanged));
            }
            Ok(Outcome::Complete(done)) => {
                all.extend(done);
                let now = final_state(database).await;
                return Ok((Finish::Complete, Vec::new(), now));
            }
            Ok(Outcome::Stopped {
                done,
                not_run,
                partial,
            }) => {
                all.extend(done);
                let now = final_state(database).await;
                return Ok((Finish::Stopped { partial }, not_run, now));
            }
            Ok(Outcome::PlanOutdated { done, reason }) => {
                let is_midway = !done.is_empty();
                all.extend(done);
                if is_midway && !options.replan_midway {
                    let now = final_state(database).await;
                    return Ok((Finish::Outdated(reason), Vec::new(), now));
                }
                // Whoever has taken the lock is getting on, so that this comes to an end.
                attempts += usize::from(reason != DatabaseError::LockLost);
            }
        }
    }
    Err(E::from(DatabaseError::StateChanged {
        reason: format!("the plan was outdated {ATTEMPTS} times"),
    }))
}

/// Stops what the database is doing when the run is dropped partway.
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

/// The state after a run, for the report. The run is over, so that no answer is not a failure; a
/// connection that was lost meanwhile is created again.
pub async fn final_state(database: &mut dyn Database) -> Option<Observed> {
    match database.observe(Detail::Brief).await {
        Err(DatabaseError::ConnectionLost(_)) => database.observe(Detail::Brief).await.ok(),
        observed => observed.ok(),
    }
}
