//! Proves that down scripts undo their up scripts.

pub(super) mod attempt;
mod finding;
pub(super) mod lab;
mod mend;
mod run;
pub(super) mod seeding;
pub(super) mod state;

use std::{
    collections::HashSet,
    path::PathBuf,
    time::{Duration, Instant},
};

pub use finding::{
    Definitions, NotVerified, Script, Unlike, Verdict, VerifiedRevision, VerifyFinding, VerifyNote,
};

use self::{lab::Lab, run::Verification, seeding::Seeding, state::State};
use super::{
    Coverage, Error, Project, SchemaArgs, Session,
    schema::{Reader, Sandbox},
    session::until_stopped,
};
use crate::{
    database::Detail,
    execute::PartialFailure,
    revision::{Range, Revision, RevisionId, Target},
};

/// Arguments of `verify`.
#[derive(Clone, Default)]
pub struct VerifyArgs {
    /// The revisions that are verified; all if this is `None`. Those before them are only applied.
    pub range: Option<Range>,
    /// Of these, only the ones listed here, if this is given.
    pub only: Option<HashSet<RevisionId>>,
    /// The objects that are compared, and where scratch databases are created.
    pub schema: SchemaArgs,
    /// Whether rows are made.
    pub rows: bool,
    /// What the values of rows are made from. The same number makes the same rows.
    pub seed: u64,
    /// A file of statements that add rows, with its name for display.
    pub seed_file: Option<(PathBuf, String)>,
}

/// The result of `verify`.
#[derive(Debug)]
pub struct VerifyReport {
    /// The directory.
    pub directory: String,
    /// The verified revisions, in the order in which they were applied.
    pub revisions: Vec<VerifiedRevision>,
    /// The repeatable script that failed after the last revision, if one did.
    pub repeatable: Option<Box<PartialFailure>>,
    /// Whether rows were made.
    pub rows: bool,
    /// The tables with and without rows, at the last revision.
    pub coverage: Coverage,
    /// The statements of the seed file that never succeeded, with the place and the last error.
    pub unused_seeds: Vec<(String, String)>,
    /// Whether a request to stop ended the verification.
    pub interrupted: bool,
    /// The duration.
    pub elapsed: Duration,
}

impl VerifyReport {
    /// Whether nothing was found.
    pub fn passed(&self) -> bool {
        self.repeatable.is_none() && self.revisions.iter().all(|it| it.findings.is_empty())
    }
}

/// Applies every revision in a scratch database with rows in every table, reverts it and applies it
/// again, and compares schema and rows at each point. Never writes to the configured database.
///
/// # Errors
/// Fails when the scripts are invalid, or when no scratch database can be created or used.
pub async fn verify(
    project: &Project,
    session: &mut Session,
    args: &VerifyArgs,
) -> Result<VerifyReport, Error> {
    let begin = Instant::now();
    let history = project.history(session.dialect())?;
    let wanted = selected(project, session, args.range.as_ref(), args.only.as_ref()).await?;
    let mut seeding = Seeding::new(args, session.dialect())?;
    let order: Vec<&Revision> = history.in_order().collect();
    let last = order.iter().rposition(|it| wanted.contains(&it.id));
    let order = &order[..last.map_or(0, |last| last + 1)];
    let stop = session.stop_signal().clone();
    let mut reader = Reader {
        project,
        session,
        args: &args.schema,
    };
    if args.rows && !order.is_empty() {
        let heads = async |sandbox: &mut Sandbox| sandbox.apply(project, &[Target::Heads]).await;
        let work = reader.in_sandbox(heads);
        seeding.later = work.await.ok();
    }
    let lab = Lab::open(&mut reader, args.rows).await?;
    let mut verification = Verification::new(lab, seeding);
    let work = verification.run(&mut reader, order, &wanted);
    let ended = until_stopped(&stop, work).await;
    let mut left = Ok(());
    let labs = [verification.lab.take(), verification.bare.take()];
    for lab in labs.into_iter().flatten() {
        left = left.and(lab.leave().await);
    }
    let interrupted = matches!(ended, Err(Error::Interrupted));
    let repeatable = match ended {
        Ok(failed) => {
            left?;
            failed
        }
        Err(Error::Interrupted) => None,
        Err(error) => return Err(error),
    };
    let (coverage, unused_seeds) = verification.seeding.end(verification.state.as_ref());
    Ok(VerifyReport {
        directory: project.directory().1.to_owned(),
        revisions: verification.done,
        repeatable,
        rows: args.rows,
        coverage,
        unused_seeds,
        interrupted,
        elapsed: begin.elapsed(),
    })
}

/// The revisions of a range, or all; of these, only the ones in `only`, if it is given.
pub(super) async fn selected(
    project: &Project,
    session: &mut Session,
    range: Option<&Range>,
    only: Option<&HashSet<RevisionId>>,
) -> Result<HashSet<RevisionId>, Error> {
    let history = project.history(session.dialect())?;
    let rows = match range {
        Some(range) if range.needs_database() => {
            session.observe_or_empty(Detail::Brief).await?.applied
        }
        _ => Vec::new(),
    };
    let mut wanted: HashSet<RevisionId> = match range {
        Some(range) => {
            let selected = history.between(range, &rows)?.into_iter();
            selected.map(|revision| revision.id.clone()).collect()
        }
        None => history.in_order().map(|it| it.id.clone()).collect(),
    };
    if let Some(only) = only {
        wanted.retain(|id| only.contains(id));
    }
    Ok(wanted)
}
