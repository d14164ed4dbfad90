use std::{sync::Arc, time::Duration};

use super::{
    Done, LockError, Outcome, PartialFailure, RunOptions, Sink, Stop, exchange, lock,
    request::changes, run,
};
use crate::{
    database::{Cancel, Database, DatabaseError, Detail},
    layout::Surroundings,
    plan::Plan,
    revision::{LAYOUT, Observed, RevisionId, Subject},
};

/// The maximum number of plans when the state changes under a plan.
const ATTEMPTS: usize = 5;

/// Options of a migration.
#[derive(Clone, Copy, Debug)]
pub struct MigrateOptions {
    /// How much of the version table a plan needs.
    pub detail: Detail,
    /// How long to wait for the lock; zero makes a single attempt.
    pub lock_wait: Duration,
    /// Options of the steps.
    pub run: RunOptions,
    /// Whether to create a new plan when a plan becomes outdated after some of its steps. Otherwise
    /// the migration ends with [`Finish::Outdated`].
    pub replan_midway: bool,
    /// Whether to survey the database for a plan if the version table is absent or empty.
    pub survey: bool,
    /// Whether to read the state after all steps of a [`Known::Plan`] were committed.
    pub tells_state: bool,
    /// Whether nobody else uses the database. The state after a plan is then the one that its records
    /// lead to, and is read only where they do not tell it.
    pub alone: bool,
}

/// The outcome of a migration, over all of its plans.
#[derive(Debug)]
pub struct Migrated {
    /// Steps that were committed.
    pub done: Vec<Done>,
    /// Steps that were planned and not run, except a failed or partially applied step.
    pub not_run: Vec<Subject>,
    /// How the migration ended.
    pub finish: Finish,
    /// The state after the migration; `None` when the database did not answer, or nobody wanted it.
    pub now: Option<Observed>,
}

/// How a migration ended.
#[derive(Debug)]
pub enum Finish {
    /// All steps were committed.
    Complete,
    /// A request to stop ended the migration at a boundary.
    Stopped {
        /// The `transaction = off` revision that is partially applied.
        partial: Option<RevisionId>,
    },
    /// A step failed. The failure's `done` covers all plans.
    Failed(PartialFailure),
    /// The state changed, or the lock was lost, after some steps were committed.
    Outdated(DatabaseError),
}

/// What was found out while the lock has been held.
#[derive(Debug)]
pub enum Known {
    /// The state, read by [`look_early`].
    State(Observed),
    /// The plan for the state, which is not empty.
    Plan(Plan),
}

/// A migration that failed outside its steps.
#[derive(Debug)]
pub struct Aborted<E> {
    /// Steps committed by earlier plans.
    pub done: Vec<Done>,
    /// The error.
    pub error: E,
}

/// Takes the lock, reads the state, creates a plan, calls `before` and runs the plan. Starts over
/// when the state changes under the plan. The caller must release the lock on every outcome.
///
/// `known` is what was found out with the lock held, if it is. `before` is called with each
/// plan that has steps, until the first step has been committed.
///
/// # Errors
/// Fails when the lock, the state or a plan is not available, or when `before` fails. Nothing was
/// run then.
pub async fn migrate<E, P, B, F>(
    database: &mut dyn Database,
    options: MigrateOptions,
    known: Option<Known>,
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
        Ok(ended) => Ok(Migrated {
            done,
            not_run: ended.not_run,
            finish: ended.finish,
            now: ended.now,
        }),
        Err(error) => Err(Aborted { done, error }),
    }
}

/// A migration's options, cancellation and events.
struct Run<'a> {
    options: MigrateOptions,
    stop: &'a Stop,
    sink: &'a Sink,
}

/// Takes the lock if it is free and reads the state for an upgrade. This can happen while the
/// directory is being read. Does nothing if the lock is held.
///
/// # Errors
/// The errors that [`migrate`] would meet as well; the lock may be held then.
pub async fn look_early(database: &mut dyn Database) -> Result<Option<Observed>, DatabaseError> {
    match database.lock_and_observe(Detail::Brief).await {
        Ok((_, observed)) => Ok(observed),
        // Waiting for the lock reconnects.
        Err(DatabaseError::ConnectionLost(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn attempts<E, P, B, F>(
    database: &mut dyn Database,
    how: Run<'_>,
    mut known: Option<Known>,
    (mut plan, mut before): (P, B),
    all: &mut Vec<Done>,
) -> Result<Ended, E>
where
    E: From<LockError> + From<DatabaseError>,
    P: FnMut(&Observed, Option<&Surroundings>) -> Result<Plan, E>,
    B: FnMut(&Plan) -> F,
    F: Future<Output = Result<(), E>>,
{
    let (mut attempts, mut is_replanned) = (0, false);
    while attempts < ATTEMPTS {
        let mut options = how.options.run;
        // The version table was read, or written, by the run before.
        options.is_prepared = how.options.alone && is_prepared(known.as_ref());
        let planned = planned(database, &how, known.take(), &mut plan).await?;
        is_replanned |= !planned.is_known;
        if all.is_empty() && !planned.plan.steps.is_empty() {
            before(&planned.plan).await?;
        }
        match exchange(database, &planned.plan.exchanges).await {
            Err(DatabaseError::StateChanged { .. }) => {
                attempts += 1;
                continue;
            }
            exchanged => exchanged?,
        }
        let outcome = run(database, planned.plan, options, how.stop, how.sink).await;
        let outcome = match outcome {
            Ok(Outcome::PlanOutdated { done, reason })
                if done.is_empty() || how.options.replan_midway =>
            {
                all.extend(done);
                // A new holder of the lock makes progress, so this loop ends.
                attempts += usize::from(reason != DatabaseError::LockLost);
                continue;
            }
            outcome => outcome,
        };
        let mut ended = ended(outcome, all);
        ended.now = match (&ended.finish, planned.unchanged, planned.after) {
            (Finish::Complete, Some(unchanged), _) => Some(unchanged),
            (Finish::Complete, _, Some(after)) => Some(after),
            // Another plan may lead elsewhere than the caller knows.
            (Finish::Complete, ..) if !how.options.tells_state && !is_replanned => None,
            _ => final_state(database).await,
        };
        return Ok(ended);
    }
    Err(E::from(DatabaseError::StateChanged {
        reason: format!("the plan was outdated {ATTEMPTS} times"),
    }))
}

/// How a migration ended, but for the steps that were committed.
struct Ended {
    finish: Finish,
    not_run: Vec<Subject>,
    now: Option<Observed>,
}

/// How the run of the last plan has ended. Its steps are added to those of `all` plans.
fn ended(outcome: Result<Outcome, PartialFailure>, all: &mut Vec<Done>) -> Ended {
    let (finish, not_run) = match outcome {
        Err(mut failure) => {
            all.append(&mut failure.done);
            failure.done.clone_from(all);
            let not_run = failure.not_run.clone();
            (Finish::Failed(failure), not_run)
        }
        Ok(Outcome::Complete(done)) => {
            all.extend(done);
            (Finish::Complete, Vec::new())
        }
        Ok(Outcome::Stopped {
            done,
            not_run,
            partial,
        }) => {
            all.extend(done);
            (Finish::Stopped { partial }, not_run)
        }
        Ok(Outcome::PlanOutdated { done, reason }) => {
            all.extend(done);
            (Finish::Outdated(reason), Vec::new())
        }
    };
    Ended {
        finish,
        not_run,
        now: None,
    }
}

/// A plan, and what is known of the state.
struct Planned {
    plan: Plan,
    /// The state that a plan without steps leaves as it is.
    unchanged: Option<Observed>,
    /// The state to which the records of the plan lead.
    after: Option<Observed>,
    /// Whether the caller knows the plan.
    is_known: bool,
}

/// A plan for the state that is `known`, or that is read once the lock is taken.
async fn planned<E, P>(
    database: &mut dyn Database,
    how: &Run<'_>,
    known: Option<Known>,
    plan: &mut P,
) -> Result<Planned, E>
where
    E: From<LockError> + From<DatabaseError>,
    P: FnMut(&Observed, Option<&Surroundings>) -> Result<Plan, E>,
{
    let options = &how.options;
    let observed = match known {
        Some(Known::Plan(plan)) => {
            return Ok(Planned {
                plan,
                unchanged: None,
                after: None,
                is_known: true,
            });
        }
        Some(Known::State(observed)) => observed,
        None => {
            lock(database, options.lock_wait, how.stop, how.sink).await?;
            database.observe(options.detail).await?
        }
    };
    let beside = match options.survey && observed.is_empty() {
        true => Some(database.surroundings().await?),
        false => None,
    };
    let plan = plan(&observed, beside.as_ref())?;
    // If steps run, the state is read again afterwards, so that two copies of a large table are not kept
    // in memory.
    let (unchanged, after) = match plan.steps.is_empty() {
        true => (Some(observed), None),
        false if options.alone => (None, after(observed, &plan)),
        false => (None, None),
    };
    Ok(Planned {
        plan,
        unchanged,
        after,
        is_known: false,
    })
}

/// Whether the version table is known to be there, in the present layout.
fn is_prepared(known: Option<&Known>) -> bool {
    matches!(known, Some(Known::State(state)) if state.layout == Some(LAYOUT))
}

/// The state to which the records of a plan lead; `None` if they do not tell it.
fn after(before: Observed, plan: &Plan) -> Option<Observed> {
    if before.layout != Some(LAYOUT) || !plan.exchanges.is_empty() {
        return None;
    }
    let changes: Option<Vec<_>> = plan.steps.iter().map(changes).collect();
    before.after(changes?.iter().flatten())
}

/// Cancels the running statement when the run is dropped partway.
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

/// The state after a run, for the report. A missing answer is not a failure, since the run is over.
/// Reconnects if the connection was lost.
pub async fn final_state(database: &mut dyn Database) -> Option<Observed> {
    match database.observe(Detail::Brief).await {
        Err(DatabaseError::ConnectionLost(_)) => database.observe(Detail::Brief).await.ok(),
        observed => observed.ok(),
    }
}
