//! Runs pending revisions on a copy of the database.

mod copy;
mod report;
mod run;

use std::time::Instant;

pub use report::{Hold, RehearseReport, RehearsedRevision, RehearsedStatement, Reverted};

use self::{copy::Copied, run::Rehearsal};
use super::{BackupArgs, Error, MigrateArgs, Project, Session, session::until_stopped};
use crate::{
    backup::{Backup, Observer},
    database::Location,
    revision::{Direction, Target},
};

/// Arguments of `rehearse`.
#[derive(Clone)]
pub struct RehearseArgs {
    /// The target, as for `upgrade`.
    pub target: Target,
    /// The backup that is loaded; `None` to make one now, which is removed afterwards.
    pub from: Option<Backup>,
    /// How that one is made.
    pub backup: BackupArgs,
    /// `scratch-url`: the server on which the copy is created; `None` for that of the database.
    pub scratch_url: Option<Location>,
    /// Whether the revisions are reverted afterwards, and the rows compared.
    pub downs: bool,
    /// Receives progress, and may stop the work.
    pub observer: Observer,
}

/// Copies the database, applies the pending revisions to the copy, reverts them, and drops the copy. The
/// database itself is only read.
///
/// # Errors
/// Fails when the database cannot be copied, or the plan is refused. A script that fails is no error: it
/// is in the report.
pub async fn rehearse(
    project: &Project,
    session: &mut Session,
    args: &RehearseArgs,
) -> Result<RehearseReport, Error> {
    let begin = Instant::now();
    project.history(session.dialect())?;
    let copied = Copied::create(session, args).await?;
    let copying = begin.elapsed();
    let stop = session.stop_signal().clone();
    let work = async {
        let mut copy = copied.session(session)?;
        let upgrade = MigrateArgs::to(args.target.clone());
        let planned =
            super::migrate::plan_only(project, &mut copy, Direction::Up, &upgrade).await?;
        let mut rehearsal = Rehearsal::begin(project, copy, args.downs).await?;
        let done = rehearsal.run(&planned.plan).await;
        let closed = rehearsal.close().await;
        let mut report = done?;
        closed?;
        report.from = planned.from;
        Ok(report)
    };
    let done = until_stopped(&stop, work).await;
    let left = copied.leave().await;
    let mut report: RehearseReport = done?;
    left?;
    report.database = session.place().to_owned();
    report.backup = args.from.as_ref().map(|it| project.show(&it.file));
    report.copying = copying;
    report.elapsed = begin.elapsed();
    Ok(report)
}
