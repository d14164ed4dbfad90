use std::time::{Duration, Instant};

use super::{
    Error, PlanReport, Project, Session, edited,
    line::{applied_heads, position, position_if_known},
    slow::SlowStatements,
};
use crate::{
    database::{Detail, StepStage},
    execute::{
        self, Aborted, EventKind, Finish, MigrateOptions, Migrated, PartialFailure, Sink,
        SlowStatement,
    },
    layout::Surroundings,
    plan::{self, Plan, RedoExtent},
    revision::{Direction, History, Observed, RevisionId, Subject, Target, TransactionScope},
    sql::Dialect,
};

/// Arguments of `redo`.
#[derive(Clone, Debug)]
pub struct RedoArgs {
    /// The target to revert to. Revisions above it are reverted and applied again. `None` is the last
    /// revision or, with [`Self::edited`], every edited revision and everything that requires it.
    pub target: Option<Target>,
    /// Whether revisions whose up scripts were edited are accepted: the stored down script reverts them,
    /// the new file is applied.
    pub edited: bool,
    /// Overrides [`Project::transaction`].
    pub transaction: Option<TransactionScope>,
}

/// The result of `redo`, successful or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedoReport {
    /// The database.
    pub database: String,
    /// The position after the redo.
    pub to: String,
    /// The applied revisions that no applied revision revises.
    pub current: Vec<RevisionId>,
    /// The reverted revisions, in order.
    pub reverted: Vec<RevisionId>,
    /// The steps applied after that, in order.
    pub applied: Vec<Subject>,
    /// The revisions that were reverted and not applied again.
    pub missing: Vec<RevisionId>,
    /// Whether a request to stop ended the redo.
    pub interrupted: bool,
    /// The `transaction = off` revision that is partially applied.
    pub partial: Option<RevisionId>,
    /// The slow statements, in the order of their ends.
    pub slow: Vec<SlowStatement>,
    /// The duration of the redo, including the wait for the lock.
    pub elapsed: Duration,
}

/// The state of the database after a failed redo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedoLeft {
    /// Nothing was changed.
    Unchanged,
    /// Revisions were reverted, and the down script of another one is partially applied.
    Reverting,
    /// Revisions were reverted and not applied again.
    Reverted,
}

/// The state after `failure`. Repeating the same redo would revert other revisions if some are
/// reverted.
fn left(failure: &PartialFailure, report: &RedoReport) -> RedoLeft {
    let failure = &failure.failure;
    let has_begun = failure.units.is_some_and(|(done, _)| {
        done > 0 || matches!(failure.stage, StepStage::Statement(_) | StepStage::Verify)
    });
    match (failure.step.direction(), report.reverted.is_empty()) {
        (Direction::Down, true) => RedoLeft::Unchanged,
        (Direction::Down, false) if has_begun => RedoLeft::Reverting,
        // Both directions ran in one transaction, which was rolled back.
        (Direction::Up, true) if !has_begun => RedoLeft::Unchanged,
        _ => RedoLeft::Reverted,
    }
}

/// Reverts the revisions above the target and applies them again. Both directions are checked
/// before the first statement runs.
///
/// # Errors
/// Any [`Error`] of scripts, targets, plans, locks and the database; [`Error::RedoFailed`] and
/// [`Error::RedoPartway`] after some steps were committed.
pub async fn redo(
    project: &Project,
    session: &mut Session,
    args: &RedoArgs,
) -> Result<RedoReport, Error> {
    let begin = Instant::now();
    let (lock_wait, run) = session.patience();
    let options = MigrateOptions {
        detail: Detail::WithScripts,
        lock_wait,
        run,
        replan_midway: false,
        survey: false,
        tells_state: true,
        alone: false,
    };
    let history = project.history(session.dialect())?;
    let redo = Redo {
        project,
        history: &history,
        dialect: session.dialect(),
        args,
    };
    let slow = SlowStatements::default();
    let events = slow.watch(session.events());
    let stop = session.stop_signal().clone();
    let mut downs = 0;
    let plan = |observed: &Observed, _: Option<&Surroundings>| -> Result<Plan, Error> {
        let plan = redo.plan(observed, &events)?;
        downs = plan.downs();
        Ok(plan)
    };
    let parts = (plan, |_: &Plan| std::future::ready(Ok(())));
    let mut database = session.exclusive().await?;
    let mut migrated =
        execute::migrate(database.as_mut(), options, None, parts, &stop, &events).await;
    if let Err(aborted) = &mut migrated {
        edited::explain(&mut aborted.error, database.as_mut(), &history).await;
    }
    session.release(database).await;
    // A plan that is outdated before its first step is created again, so nothing was changed.
    let migrated = migrated.map_err(|Aborted { error, .. }| error)?;
    let report = RedoReport {
        slow: slow.take(),
        elapsed: begin.elapsed(),
        ..redo.report(session.place(), &migrated, downs)
    };
    match migrated.finish {
        Finish::Complete => Ok(report),
        Finish::Stopped { partial } => Ok(RedoReport {
            interrupted: true,
            partial,
            ..report
        }),
        Finish::Failed(mut failure) => {
            // The list has each revision twice; only the revisions not applied again matter.
            failure.not_run.clear();
            Err(Error::RedoFailed {
                left: left(&failure, &report),
                report: Box::new(report),
                failure: Box::new(failure),
            })
        }
        Finish::Outdated(reason) => Err(Error::RedoPartway {
            report: Box::new(report),
            reason,
        }),
    }
}

/// Plans [`redo`] without locking or changing anything.
///
/// # Errors
/// The errors of [`redo`].
pub async fn plan_redo(
    project: &Project,
    session: &mut Session,
    args: &RedoArgs,
) -> Result<PlanReport, Error> {
    let history = project.history(session.dialect())?;
    let observed = session.observe_or_empty(Detail::WithScripts).await?;
    let redo = Redo {
        project,
        history: &history,
        dialect: session.dialect(),
        args,
    };
    let plan = match redo.plan(&observed, session.events()) {
        Ok(plan) => plan,
        Err(error) => return Err(session.explained(error, &history).await),
    };
    Ok(PlanReport {
        database: session.place().to_owned(),
        schema: session.home_schema(),
        from: position(&history, &observed),
        plan,
    })
}

struct Redo<'a> {
    project: &'a Project,
    history: &'a History,
    dialect: Dialect,
    args: &'a RedoArgs,
}

impl Redo<'_> {
    fn plan(&self, observed: &Observed, events: &Sink) -> Result<Plan, Error> {
        let (transaction, dialect) = (self.args.transaction, self.dialect);
        let context = (self.project).run_context(self.history, observed, dialect, transaction);
        let last = Target::Relative(-1);
        let extent = match (&self.args.target, self.args.edited) {
            (target, false) => RedoExtent::Above(target.as_ref().unwrap_or(&last)),
            (Some(target), true) => RedoExtent::EditedAbove(target),
            (None, true) => RedoExtent::Edited,
        };
        let plan = plan::redo(&context, extent)?;
        events.tell(EventKind::Planned {
            steps: plan.steps.len(),
            warnings: plan.warnings.clone(),
        });
        Ok(plan)
    }

    fn report(&self, place: &str, migrated: &Migrated, downs: usize) -> RedoReport {
        let (reverted, applied) = migrated.done.split_at(downs.min(migrated.done.len()));
        let reverted = reverted.iter();
        let reverted: Vec<RevisionId> = reverted
            .filter_map(|done| done.subject.revision().cloned())
            .collect();
        let applied: Vec<Subject> = applied.iter().map(|done| done.subject.clone()).collect();
        let comes_back = |id: &RevisionId| applied.iter().any(|subject| *subject == *id);
        let missing = reverted.iter().filter(|id| !comes_back(id));
        let now = migrated.now.as_ref();
        RedoReport {
            database: place.to_owned(),
            to: position_if_known(self.history, now),
            current: now.map(applied_heads).unwrap_or_default(),
            missing: missing.cloned().collect(),
            reverted,
            applied,
            interrupted: false,
            partial: None,
            slow: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }
}
