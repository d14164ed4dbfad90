//! Proves that down scripts undo their up scripts.

mod finding;
mod lab;
mod seeding;
mod state;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

pub use finding::{
    Definitions, NotVerified, Script, Unlike, Verdict, VerifiedRevision, VerifyFinding, VerifyNote,
};

use self::{lab::Lab, seeding::Seeding, state::State};
use super::{
    Coverage, Error, Project, SchemaArgs, Session,
    schema::{Reader, Sandbox},
};
use crate::{
    database::{DatabaseError, Detail, FailureKind},
    execute::{PartialFailure, StepFailure},
    revision::{Range, Revision, RevisionId, Target},
    schema::{Difference, Schema, compare},
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
    let wanted = wanted(project, session, args).await?;
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
    let mut verification = Verification {
        lab: Some(lab),
        seeding,
        state: None,
        blocked: HashSet::new(),
        done: Vec::new(),
    };
    let work = verification.run(&mut reader, order, &wanted);
    let ended = tokio::select! {
        biased;
        () = stop.requested() => Err(Error::Interrupted),
        ended = work => ended,
    };
    let left = match verification.lab.take() {
        Some(lab) => lab.leave().await,
        None => Ok(()),
    };
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

/// The revisions that are verified.
async fn wanted(
    project: &Project,
    session: &mut Session,
    args: &VerifyArgs,
) -> Result<HashSet<RevisionId>, Error> {
    let history = project.history(session.dialect())?;
    let rows = match &args.range {
        Some(range) if range.needs_database() => {
            session.observe_or_empty(Detail::Brief).await?.applied
        }
        _ => Vec::new(),
    };
    let mut wanted: HashSet<RevisionId> = match &args.range {
        Some(range) => {
            let selected = history.between(range, &rows)?.into_iter();
            selected.map(|revision| revision.id.clone()).collect()
        }
        None => history.in_order().map(|it| it.id.clone()).collect(),
    };
    if let Some(only) = &args.only {
        wanted.retain(|id| only.contains(id));
    }
    Ok(wanted)
}

/// How an attempt ended.
enum Ended {
    Done(Verdict),
    /// A script failed in a database with this schema.
    Failed(Script, Box<PartialFailure>, Arc<Schema>),
    /// The second run of the up script made another schema.
    Unlike,
}

struct Verification {
    /// `None` only while it is being replaced, or after that failed.
    lab: Option<Lab>,
    seeding: Seeding,
    /// `None` while it has to be read again.
    state: Option<State>,
    /// The revisions that could not be applied.
    blocked: HashSet<RevisionId>,
    done: Vec<VerifiedRevision>,
}

impl Verification {
    /// Goes through `order`. Returns the failure of a repeatable script, which run at the end.
    async fn run(
        &mut self,
        reader: &mut Reader<'_>,
        order: &[&Revision],
        wanted: &HashSet<RevisionId>,
    ) -> Result<Option<Box<PartialFailure>>, Error> {
        let total = wanted.len() as u64;
        for revision in order {
            if let Some(progress) = &reader.args.progress {
                progress("verifying", self.done.len() as u64, total);
            }
            if wanted.contains(&revision.id) {
                let verified = self.verify(reader, revision).await?;
                self.done.push(verified);
            } else {
                self.advance(revision).await?;
            }
        }
        let lab = self.lab()?;
        match order.len() == reader.project.history(lab.dialect())?.len() {
            true if self.blocked.is_empty() => self.lab()?.repeatables().await,
            _ => Ok(None),
        }
    }

    fn lab(&mut self) -> Result<&mut Lab, Error> {
        self.lab.as_mut().ok_or(Error::Interrupted)
    }

    /// Applies a revision that is not verified.
    async fn advance(&mut self, revision: &Revision) -> Result<(), Error> {
        self.state = None;
        if self.blocking(revision).is_some() {
            self.blocked.insert(revision.id.clone());
            return Ok(());
        }
        let lab = self.lab()?;
        if lab.refuses(revision).is_some() {
            return lab.stamp(&revision.id).await;
        }
        match lab.up(&revision.id).await? {
            None => lab.applied(&revision.id),
            Some(failure) if is_lacking(&failure) => lab.stamp(&revision.id).await?,
            Some(failure) => return Err(Error::InScratch(Box::new(Error::Failed(failure)))),
        }
        Ok(())
    }

    /// A revision that could not be applied and that this one needs.
    fn blocking(&self, revision: &Revision) -> Option<RevisionId> {
        let needed = revision.parents.iter().chain(&revision.depends_on);
        needed
            .into_iter()
            .find(|id| self.blocked.contains(*id))
            .cloned()
    }

    async fn verify(
        &mut self,
        reader: &mut Reader<'_>,
        revision: &Revision,
    ) -> Result<VerifiedRevision, Error> {
        let begin = Instant::now();
        let mut verified = VerifiedRevision {
            revision: revision.id.clone(),
            message: revision.message.clone(),
            up: revision.up.file.clone(),
            down: revision.down.as_ref().map(|down| down.file.clone()),
            verdict: Verdict::Complete,
            findings: Vec::new(),
            notes: Vec::new(),
            elapsed: Duration::ZERO,
        };
        let done = self.cycle(reader, revision, &mut verified).await;
        let verdict = match done {
            Ok(verdict) => verdict,
            Err(error @ (Error::Plan(_) | Error::Scripts(_))) => {
                self.blocked.insert(revision.id.clone());
                Verdict::NotVerified(NotVerified::Refused(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        verified.verdict = verdict;
        verified.elapsed = begin.elapsed();
        Ok(verified)
    }

    /// Runs up, down and up. If a script fails, that may be due to the values that were made, so all of
    /// it is repeated without rows.
    async fn cycle(
        &mut self,
        reader: &mut Reader<'_>,
        revision: &Revision,
        verified: &mut VerifiedRevision,
    ) -> Result<Verdict, Error> {
        if let Some(needed) = self.blocking(revision) {
            self.blocked.insert(revision.id.clone());
            return Ok(Verdict::NotVerified(NotVerified::Needs(needed)));
        }
        let before = self.present().await?;
        let lab = self.lab()?;
        if let Some(outside) = lab.refuses(revision) {
            lab.stamp(&revision.id).await?;
            return Ok(Verdict::NotVerified(NotVerified::Outside(outside)));
        }
        let with_rows = before.has_rows();
        let mut ended = self.attempt(revision, before, verified).await?;
        if with_rows && let Ended::Failed(at, failure, schema) = ended {
            self.renew(reader, Some(&revision.id)).await?;
            let bare = self.lab()?.state().await?;
            ended = self.attempt(revision, bare, verified).await?;
            let again = matches!(&ended, Ended::Failed(other, ..) if *other == at);
            if !again {
                verified.add_failure_with_rows(at, failure, &schema);
            }
        }
        let verdict = match ended {
            Ended::Done(verdict) => verdict,
            Ended::Unlike => {
                self.renew(reader, None).await?;
                Verdict::Complete
            }
            Ended::Failed(at, failure, _) => {
                let applied = at != Script::Up;
                self.renew(reader, (!applied).then_some(&revision.id))
                    .await?;
                self.failed(&revision.id, at, failure, verified)
            }
        };
        // The database may be another one, and seeding counts on the state that was read last.
        if matches!(verdict, Verdict::Complete | Verdict::NoDown { .. }) {
            self.seed().await?;
        }
        Ok(verdict)
    }

    /// The verdict on a revision of which a script fails without rows as well.
    fn failed(
        &mut self,
        revision: &RevisionId,
        at: Script,
        failure: Box<PartialFailure>,
        verified: &mut VerifiedRevision,
    ) -> Verdict {
        match at {
            Script::Up => {
                self.blocked.insert(revision.clone());
                verified.findings.push(VerifyFinding::UpFails(failure));
                Verdict::NotVerified(NotVerified::UpFails)
            }
            Script::Down => {
                verified.findings.push(VerifyFinding::DownFails(failure));
                Verdict::Complete
            }
            Script::UpAgain => {
                verified.findings.push(VerifyFinding::UpFailsAgain(failure));
                Verdict::Complete
            }
        }
    }

    /// Runs up, down and up from the state `before`. After a failure the database is in no certain
    /// state.
    async fn attempt(
        &mut self,
        revision: &Revision,
        before: State,
        verified: &mut VerifiedRevision,
    ) -> Result<Ended, Error> {
        self.state = None;
        let id = &revision.id;
        let lab = self.lab()?;
        if let Some(failure) = lab.up(id).await? {
            if is_lacking(&failure) {
                lab.stamp(id).await?;
                self.state = Some(before);
                let verdict = Verdict::NotVerified(NotVerified::Lacking(failure));
                return Ok(Ended::Done(verdict));
            }
            return Ok(Ended::Failed(Script::Up, failure, before.schema));
        }
        lab.applied(id);
        let first = lab.state().await?;
        state::up(&before, &first, verified);
        if revision.down.is_none() {
            let irreversible = revision.up.headers.irreversible.clone();
            self.state = Some(first);
            return Ok(Ended::Done(Verdict::NoDown { irreversible }));
        }
        if let Some(failure) = lab.down(id).await? {
            return Ok(Ended::Failed(Script::Down, failure, first.schema));
        }
        let back = lab.state().await?;
        let difference = compare(&before.schema, &back.schema);
        restored(difference, &before, &back, verified);
        state::round_trip(&before, &first, &back, verified);
        if let Some(failure) = lab.up(id).await? {
            return Ok(Ended::Failed(Script::UpAgain, failure, back.schema));
        }
        let second = lab.state().await?;
        let difference = compare(&first.schema, &second.schema);
        if !difference.is_empty() {
            let unlike = Unlike::new(difference, &first.schema, &second.schema);
            verified.add(VerifyFinding::UpDiffers(Box::new(unlike)));
            return Ok(Ended::Unlike);
        }
        self.state = Some(second);
        Ok(Ended::Done(Verdict::Complete))
    }

    /// Replaces the scratch database by one without rows that were made, in which the applied
    /// revisions but `without` were applied once.
    async fn renew(
        &mut self,
        reader: &mut Reader<'_>,
        without: Option<&RevisionId>,
    ) -> Result<(), Error> {
        self.state = None;
        self.seeding.forget();
        if let Some(lab) = self.lab.take() {
            self.lab = Some(lab.renew(reader, without).await?);
        }
        Ok(())
    }

    /// The present state, with rows.
    async fn present(&mut self) -> Result<State, Error> {
        self.seed().await?;
        match &self.state {
            Some(state) => Ok(state.clone()),
            None => self.lab()?.state().await,
        }
    }

    /// Makes rows in the tables that have none.
    async fn seed(&mut self) -> Result<(), Error> {
        let lab = self.lab.as_mut().ok_or(Error::Interrupted)?;
        let mut state = match self.state.take() {
            Some(state) => state,
            None => lab.state().await?,
        };
        self.seeding.seed(lab.session(), &mut state).await?;
        self.state = Some(state);
        Ok(())
    }
}

/// Notes what differs after a down script from what was there before its up script.
fn restored(difference: Difference, before: &State, back: &State, verified: &mut VerifiedRevision) {
    for note in &difference.notes {
        verified.note(VerifyNote::Schema(note.clone()));
    }
    if !difference.is_empty() {
        let unlike = Unlike::new(difference, &before.schema, &back.schema);
        verified.add(VerifyFinding::NotRestored(Box::new(unlike)));
    }
}

/// Whether a script failed since the role lacks a right or the server an extension, which says nothing
/// about the script.
fn is_lacking(failure: &PartialFailure) -> bool {
    let failure = &failure.failure.error;
    match failure {
        StepFailure::Database(DatabaseError::Sql(failure)) => matches!(
            failure.kind,
            Some(FailureKind::Privilege | FailureKind::MissingExtension)
        ),
        StepFailure::Database(
            DatabaseError::MissingRights { .. } | DatabaseError::NotOwner { .. },
        ) => true,
        _ => false,
    }
}
