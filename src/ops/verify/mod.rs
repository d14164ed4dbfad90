//! Proves that down scripts undo their up scripts.

pub(super) mod attempt;
mod finding;
pub(super) mod lab;
mod mend;
mod parts;
mod run;
pub(super) mod seeding;
pub(super) mod state;

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

pub use finding::{
    Definitions, NotVerified, Script, Unlike, Verdict, VerifiedRevision, VerifyFinding, VerifyNote,
};

use self::{
    parts::{Bench, Found, MOST, divide},
    state::State,
};
use super::{
    Coverage, Error, Project, SchemaArgs, Session,
    schema::{CREATING, Reader},
};
use crate::{
    database::Detail,
    execute::PartialFailure,
    revision::{Range, Revision, RevisionId},
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
    /// How many parts of the revisions are verified at once; as many as there are processors if this is
    /// `None`.
    pub jobs: Option<NonZeroUsize>,
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
    let order: Vec<&Revision> = history.in_order().collect();
    let jobs = args.jobs.or(thread::available_parallelism().ok());
    let jobs = jobs.map_or(1, usize::from);
    // Parts that wait for each other would only cost another database.
    let most = if args.rows { MOST } else { jobs.min(MOST) };
    let parts = divide(&order, &wanted, most);
    args.schema.tell(CREATING);
    let mut reader = Reader {
        project,
        session,
        args: &args.schema,
    };
    let sandboxes = reader.sandboxes().await?;
    let bench = Bench::new(project, args, &wanted, sandboxes);
    let found = bench.verify_all(&parts, jobs).await?;
    Ok(VerifyReport {
        directory: project.directory().1.to_owned(),
        rows: args.rows,
        elapsed: begin.elapsed(),
        ..together(found)
    })
}

/// What was found in all parts.
fn together(mut parts: Vec<Found>) -> VerifyReport {
    let interrupted = parts.iter().any(|it| it.interrupted);
    if interrupted {
        parts.retain(|it| !it.revisions.is_empty());
    }
    let last = parts.pop().unwrap_or_default();
    // A statement that succeeds in one part may be too old for the next one.
    let mut unused_seeds = last.unused_seeds;
    for part in &parts {
        let others: HashSet<&String> = part.unused_seeds.iter().map(|(place, _)| place).collect();
        unused_seeds.retain(|(place, _)| others.contains(place));
    }
    let mut revisions: Vec<_> = parts.into_iter().flat_map(|it| it.revisions).collect();
    revisions.extend(last.revisions);
    VerifyReport {
        directory: String::new(),
        revisions,
        repeatable: last.repeatable,
        rows: false,
        coverage: last.coverage,
        unused_seeds,
        interrupted,
        elapsed: Duration::ZERO,
    }
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
