use super::{Error, MigrateArgs, PlanReport, Project, RunReport, Session, migrate};
use crate::revision::Direction;

/// Reverts every applied revision above the target, latest applied first.
///
/// # Errors
/// Any [`Error`] of scripts, targets, plans, locks and the database. A step that fails is not an
/// error: it is [`RunReport::failure`].
pub async fn downgrade(
    project: &Project,
    session: &mut Session,
    args: &MigrateArgs,
) -> Result<RunReport, Error> {
    migrate::run(project, session, Direction::Down, args).await
}

/// Plans [`downgrade`] without locking or changing anything.
///
/// # Errors
/// The errors of [`downgrade`].
pub async fn plan_downgrade(
    project: &Project,
    session: &mut Session,
    args: &MigrateArgs,
) -> Result<PlanReport, Error> {
    migrate::plan_only(project, session, Direction::Down, args).await
}
