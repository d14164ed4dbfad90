use super::{Error, MigrateArgs, PlanReport, Project, RunReport, Session, migrate};
use crate::revision::Direction;

/// Applies what the target needs, each revision in one transaction with its record.
///
/// # Errors
/// Any [`Error`] of scripts, targets, plans, locks and the database. A step that fails is not an error:
/// it is [`RunReport::failure`].
pub async fn upgrade(
    project: &Project,
    session: &mut Session,
    args: &MigrateArgs,
) -> Result<RunReport, Error> {
    migrate::run(project, session, Direction::Up, args).await
}

/// The plan of [`upgrade`]. Nothing is locked or changed.
///
/// # Errors
/// As [`upgrade`].
pub async fn plan_upgrade(
    project: &Project,
    session: &mut Session,
    args: &MigrateArgs,
) -> Result<PlanReport, Error> {
    migrate::plan_only(project, session, Direction::Up, args).await
}
