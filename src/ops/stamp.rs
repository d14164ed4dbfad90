use super::{
    Error, Project, Session,
    line::{applied_heads, position, position_if_known},
};
use crate::{
    database::{Database, Detail},
    execute,
    plan::{self, StampPlan},
    revision::{History, Observed, RevisionId, Target},
    sql::Dialect,
};

/// Arguments of `stamp`.
#[derive(Clone, Debug)]
pub struct StampArgs {
    /// The targets that are recorded as applied.
    pub targets: Vec<Target>,
    /// Whether to rewrite every record.
    pub purge: bool,
}

/// The result of `stamp`, or of its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampReport {
    /// The database.
    pub database: String,
    /// The position before the stamp.
    pub from: String,
    /// The position after the stamp.
    pub to: String,
    /// The recorded revisions that no recorded revision revises; `None` if the database did not
    /// answer.
    pub current: Option<Vec<RevisionId>>,
    /// The number of records written.
    pub written: usize,
    /// The number of records removed.
    pub removed: usize,
    /// Whether the stamp was only planned.
    pub dry_run: bool,
}

/// Records the targets as applied without running anything.
///
/// # Errors
/// An error of scripts, targets or the database; nothing is changed then.
pub async fn stamp(
    project: &Project,
    session: &mut Session,
    args: &StampArgs,
) -> Result<StampReport, Error> {
    let dialect = session.dialect();
    let history = project.history(dialect)?;
    let mut database = session.lock().await?;
    let stamped = stamped(project, database.as_mut(), &history, dialect, args).await;
    session.release(database).await;
    let (before, plan, after) = stamped?;
    Ok(StampReport {
        to: position_if_known(&history, after.as_ref()),
        current: after.as_ref().map(applied_heads),
        dry_run: false,
        ..report(session, &history, &before, &plan)
    })
}

/// The state before, the plan, and the state afterwards if it is known.
async fn stamped(
    project: &Project,
    database: &mut dyn Database,
    history: &History,
    dialect: Dialect,
    args: &StampArgs,
) -> Result<(Observed, StampPlan, Option<Observed>), Error> {
    let before = database.observe(Detail::Brief).await?;
    if before.is_empty() {
        project.admit_records(history, Some(&database.surroundings().await?))?;
    }
    let plan = planned(project, history, &before, dialect, args)?;
    execute::write_stamp(database, plan.clone()).await?;
    Ok((before, plan, execute::final_state(database).await))
}

/// Plans [`stamp`] without locking or changing anything.
///
/// # Errors
/// The errors of [`stamp`].
pub async fn plan_stamp(
    project: &Project,
    session: &mut Session,
    args: &StampArgs,
) -> Result<StampReport, Error> {
    let dialect = session.dialect();
    let history = project.history(dialect)?;
    let observed = session.observe_or_empty(Detail::Brief).await?;
    project.admit_records(&history, session.survey(&observed).await?.as_ref())?;
    let plan = planned(project, &history, &observed, dialect, args)?;
    let names: Vec<_> = args.targets.iter().map(Target::to_string).collect();
    Ok(StampReport {
        to: names.join(" and "),
        ..report(session, &history, &observed, &plan)
    })
}

fn planned(
    project: &Project,
    history: &History,
    observed: &Observed,
    dialect: Dialect,
    args: &StampArgs,
) -> Result<StampPlan, Error> {
    let context = project.plan_context(history, observed, dialect);
    Ok(plan::stamp(&context, &args.targets, args.purge)?)
}

fn report(
    session: &Session,
    history: &History,
    before: &Observed,
    plan: &StampPlan,
) -> StampReport {
    StampReport {
        database: session.place().to_owned(),
        from: position(history, before),
        to: String::new(),
        current: Some(applied_heads(before)),
        written: plan.insert.len(),
        removed: plan.delete.len(),
        dry_run: true,
    }
}
