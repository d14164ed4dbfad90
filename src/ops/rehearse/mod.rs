//! Runs pending revisions on a copy of the database.

mod copy;
mod locks;
mod observe;
mod report;
mod restored;
mod rows;
mod run;
mod schema;
mod space;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use chrono::{SubsecRound, Utc};

pub use report::{
    Blocks, CopySource, Hold, LockSpan, NotRestored, RehearseReport, RehearsedRevision,
    RehearsedStatement, Reverted, RowCount,
};

use self::{copy::Copy, run::Rehearsal};
use super::{BackupArgs, Error, MigrateArgs, Project, SchemaArgs, Session, session::until_stopped};
use crate::{
    backup::{Backup, Observer},
    revision::{Direction, Target},
};

/// Arguments of `rehearse`.
#[derive(Clone)]
pub struct RehearseArgs {
    /// The target, as for `upgrade`.
    pub target: Target,
    /// Whether revisions of the contract phase stay pending, as for `upgrade`.
    pub expand_only: bool,
    /// The backup that is loaded; `None` to make one now, which is removed afterwards.
    pub from: Option<Backup>,
    /// Whether the copy has no rows.
    pub schema_only: bool,
    /// How a backup is made.
    pub backup: BackupArgs,
    /// Where the copy is created: on the server of `scratch-url`, or on that of the database.
    pub schema: SchemaArgs,
    /// Whether the revisions are reverted afterwards, and the rows compared.
    pub downs: bool,
    /// Receives progress, and may stop the work.
    pub observer: Observer,
}

/// A reason why nothing can be rehearsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RehearseError {
    /// A copy does not fit.
    #[error("the copy needs {needed} bytes in {}, and {free} are free", place.display())]
    NoSpace {
        /// The directory.
        place: PathBuf,
        /// The bytes that are needed.
        needed: u64,
        /// The bytes that are free.
        free: u64,
    },
    /// A copy without rows tells nothing, since the database has neither locks of tables nor estimates.
    #[error(
        "SQLite has no locks of tables and no estimates of sizes, so a copy without rows tells nothing"
    )]
    NoSchemaOnly,
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
    let mut copy = Copy::create(project, session, args).await?;
    let mut report = RehearseReport {
        at: Utc::now().trunc_subsecs(0),
        database: session.place().to_owned(),
        from: String::new(),
        copied: copy.source(args, project),
        sizes: std::collections::BTreeMap::new(),
        revisions: Vec::new(),
        locks: Vec::new(),
        not_run: Vec::new(),
        reverted: Reverted::Not,
        copying: begin.elapsed(),
        elapsed: Duration::ZERO,
    };
    let stop = session.stop_signal().clone();
    let work = async {
        let mut there = copy.session(session);
        let upgrade = MigrateArgs {
            expand_only: args.expand_only,
            ..MigrateArgs::to(args.target.clone())
        };
        let planned =
            super::migrate::plan_only(project, &mut there, Direction::Up, &upgrade).await?;
        report.from = planned.from;
        let mut rehearsal = Rehearsal::begin(project, &mut copy, there, args.downs).await?;
        let done = rehearsal.run(&planned.plan, &mut report).await;
        let closed = rehearsal.close().await;
        done?;
        closed
    };
    let done: Result<(), Error> = until_stopped(&stop, work).await;
    let left = copy.leave().await;
    done?;
    left?;
    report.elapsed = begin.elapsed();
    Ok(report)
}
