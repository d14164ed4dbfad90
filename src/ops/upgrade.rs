use super::{Error, MigrateArgs, PlanReport, Project, RunReport, Session, migrate};
use crate::revision::Direction;

/// Applies the revisions that the target needs, each in one transaction with its record.
///
/// # Errors
/// Any [`Error`] of scripts, targets, plans, locks and the database. A step that fails is not an
/// error: it is [`RunReport::failure`].
pub async fn upgrade(
    project: &Project,
    session: &mut Session,
    args: &MigrateArgs,
) -> Result<RunReport, Error> {
    migrate::run(project, session, Direction::Up, args).await
}

/// Plans [`upgrade`] without locking or changing anything.
///
/// # Errors
/// The errors of [`upgrade`].
pub async fn plan_upgrade(
    project: &Project,
    session: &mut Session,
    args: &MigrateArgs,
) -> Result<PlanReport, Error> {
    migrate::plan_only(project, session, Direction::Up, args).await
}
