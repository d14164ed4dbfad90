use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    NotVerified, Script, Unlike, Verdict, VerifiedRevision, VerifyFinding, VerifyNote,
    lab::Lab,
    seeding::Seeding,
    state::{self, State},
};
use crate::{
    database::{DatabaseError, FailureKind},
    execute::{PartialFailure, StepFailure},
    ops::{Error, schema::Reader},
    revision::{Revision, RevisionId},
    schema::{Difference, Schema, compare},
};

/// How an attempt ended.
enum Ended {
    Done(Verdict),
    /// A script failed in a database with this schema.
    Failed(Script, Box<PartialFailure>, Arc<Schema>),
    /// The second run of the up script made another schema.
    Unlike,
}

/// The verification of revisions one by one.
pub(super) struct Verification {
    /// `None` only while it is being replaced, or after that failed.
    pub lab: Option<Lab>,
    pub seeding: Seeding,
    /// `None` while it has to be read again.
    pub state: Option<State>,
    /// The revisions that could not be applied.
    blocked: HashSet<RevisionId>,
    pub done: Vec<VerifiedRevision>,
}

impl Verification {
    /// A verification that begins in the empty database of `lab`.
    pub fn new(lab: Lab, seeding: Seeding) -> Self {
        Self {
            lab: Some(lab),
            seeding,
            state: None,
            blocked: HashSet::new(),
            done: Vec::new(),
        }
    }

    /// Goes through `order`. Returns the failure of a repeatable script, which run at the end.
    pub async fn run(
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
