use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::{
    NotVerified, Script, Verdict, VerifiedRevision, VerifyFinding,
    attempt::{Ended, Failed, attempt, may_be_due_to_rows},
    lab::{Lab, Recorded},
    mend::{align, mend},
    parts::{Bench, Part},
    seeding::Seeding,
    state::{State, Watched},
};
use crate::{
    database::DatabaseError,
    execute::PartialFailure,
    ops::Error,
    revision::{Revision, RevisionId},
};

/// The verification of revisions one by one.
pub(super) struct Verification {
    /// `None` only while it is being replaced, or after that failed.
    pub lab: Option<Lab>,
    /// A scratch database without rows that were made. It exists once a script has failed, and then
    /// follows the other one.
    pub bare: Option<Lab>,
    /// A scratch database whose contents are of no use. It can be made empty.
    spare: Option<Lab>,
    pub seeding: Seeding,
    /// `None` while it has to be read again.
    pub state: Option<State>,
    /// Whether the version table is looked at after each revision.
    is_watchful: bool,
    /// The revisions that could not be applied.
    blocked: HashSet<RevisionId>,
    pub done: Vec<VerifiedRevision>,
}

impl Verification {
    /// A verification that begins in the empty database of `lab`.
    pub fn new(lab: Lab, seeding: Seeding, is_watchful: bool) -> Self {
        Self {
            lab: Some(lab),
            bare: None,
            spare: None,
            seeding,
            state: None,
            is_watchful,
            blocked: HashSet::new(),
            done: Vec::new(),
        }
    }

    /// All scratch databases, which are to be left.
    pub fn labs(&mut self) -> impl Iterator<Item = Lab> + use<> {
        let labs = [self.lab.take(), self.bare.take(), self.spare.take()];
        labs.into_iter().flatten()
    }

    /// Applies the revisions before those that are verified.
    pub async fn lead(&mut self, bench: &Bench<'_>, before: &[&Revision]) -> Result<(), Error> {
        self.lead_up(bench, before).await?;
        if self.is_watchful {
            self.lab()?.right_records().await?;
        }
        Ok(())
    }

    async fn lead_up(&mut self, bench: &Bench<'_>, before: &[&Revision]) -> Result<(), Error> {
        let lab = self.lab()?;
        let past = before.iter().map(|revision| {
            let recorded = match lab.refuses(revision) {
                Some(_) => Recorded::Stamped,
                None => Recorded::Applied,
            };
            (revision.id.clone(), recorded)
        });
        let past: Vec<_> = past.collect();
        match lab.follow(&past).await {
            Err(Error::InScratch(_) | Error::Plan(_) | Error::Scripts(_)) => {}
            led => return led,
        }
        // One by one, those that fail are told from the others.
        self.reopen(bench, &[]).await?;
        for revision in before {
            let error = match self.advance(revision).await {
                Ok(()) => continue,
                Err(error) if bench.wanted.contains(&revision.id) => error,
                Err(error) => return Err(error),
            };
            let is_partial = match error {
                Error::InScratch(error) => match *error {
                    Error::Failed(failure) => failure.failure.units.is_some(),
                    error => return Err(error),
                },
                Error::Plan(_) | Error::Scripts(_) => false,
                error => return Err(error),
            };
            self.blocked.insert(revision.id.clone());
            if is_partial {
                let past = self.lab()?.past().to_vec();
                self.reopen(bench, &past).await?;
            }
        }
        Ok(())
    }

    /// Goes on in a new database in which the revisions of `past` are applied.
    async fn reopen(
        &mut self,
        bench: &Bench<'_>,
        past: &[(RevisionId, Recorded)],
    ) -> Result<(), Error> {
        if let Some(lab) = self.lab.take() {
            lab.leave().await?;
        }
        let lab = self.lab.insert(bench.lab(self.seeding.makes_rows()).await?);
        lab.follow(past).await
    }

    /// Goes through the revisions of `part`. Returns the failure of a repeatable script, which run at the
    /// end.
    pub async fn run(
        &mut self,
        bench: &Bench<'_>,
        part: &Part<'_>,
    ) -> Result<Option<Box<PartialFailure>>, Error> {
        for revision in part.revisions {
            bench.tell();
            if bench.wanted.contains(&revision.id) {
                let mut verified = self.verify(bench, revision).await?;
                if self.is_watchful && !self.lab()?.has_right_records().await? {
                    verified.verdict = changes_records();
                    self.lab()?.right_records().await?;
                }
                self.done.push(verified);
                bench.count(1);
            } else {
                self.advance(revision).await?;
                if self.is_watchful {
                    self.lab()?.right_records().await?;
                }
            }
        }
        self.lab()?.check_records().await?;
        if !part.is_last {
            return Ok(None);
        }
        if !self.done.is_empty() {
            self.state = Some(self.seeded().await?);
        }
        match part.is_end_of_history && self.blocked.is_empty() {
            true => self.lab()?.repeatables().await,
            false => Ok(None),
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
        lab.advance(&revision.id).await
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
        bench: &Bench<'_>,
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
        let done = Box::pin(self.cycle(bench, revision, &mut verified)).await;
        let verdict = match done {
            Ok(verdict) => verdict,
            Err(error @ (Error::Plan(_) | Error::Scripts(_))) => {
                self.blocked.insert(revision.id.clone());
                Verdict::NotVerified(NotVerified::Refused(error.to_string()))
            }
            Err(Error::Database(DatabaseError::StateChanged { .. })) if self.is_watchful => {
                self.lab()?.note_applied(&revision.id);
                self.renew(bench, None, true).await?;
                self.lab()?.right_records().await?;
                changes_records()
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
        bench: &Bench<'_>,
        revision: &Revision,
        verified: &mut VerifiedRevision,
    ) -> Result<Verdict, Error> {
        if let Some(needed) = self.blocking(revision) {
            self.blocked.insert(revision.id.clone());
            return Ok(Verdict::NotVerified(NotVerified::Needs(needed)));
        }
        let lab = self.lab()?;
        if let Some(outside) = lab.refuses(revision) {
            lab.stamp(&revision.id).await?;
            return Ok(Verdict::NotVerified(NotVerified::Outside(outside)));
        }
        let before = self.seeded().await?;
        let lab = self.lab()?;
        let with_rows = before.has_rows();
        match attempt(lab, revision, &before, verified).await? {
            Ended::Done(verdict, state) => {
                self.state = Some(state);
                Ok(verdict)
            }
            Ended::Unlike { first, second } => {
                if !self.mend(revision, (&before, &first, &second)).await? {
                    self.renew(bench, None, false).await?;
                }
                Ok(Verdict::Complete)
            }
            Ended::Failed(failed, failure) if with_rows && may_be_due_to_rows(&failure) => {
                let failed = (failed, failure);
                self.without_rows(bench, revision, (failed, &before), verified)
                    .await
            }
            Ended::Failed(failed, failure) => {
                let script = failed.script;
                self.recover(bench, revision, (failed, &before)).await?;
                Ok(self.failed(&revision.id, script, failure, verified))
            }
        }
    }

    /// Repeats an attempt in which a script failed, without rows.
    async fn without_rows(
        &mut self,
        bench: &Bench<'_>,
        revision: &Revision,
        ((failed, failure), before): ((Failed, Box<PartialFailure>), &State),
        verified: &mut VerifiedRevision,
    ) -> Result<Verdict, Error> {
        let id = &revision.id;
        let mut past = self.lab()?.past().to_vec();
        past.retain(|(other, _)| other != id);
        let bare = self.bare(bench, &past).await?;
        let start = bare.state().await?;
        let ended = attempt(bare, revision, &start, verified).await?;
        if bare.has(id) {
            self.lab()?.note_applied(id);
        }
        let is_same = matches!(&ended, Ended::Failed(again, _) if again.script == failed.script);
        if !is_same {
            let schema = &failed.state.schema;
            verified.add_failure_with_rows(failed.script, failure, schema);
        }
        match ended {
            Ended::Done(verdict, _) if failed.is_clean() && failed.script == Script::Down => {
                self.state = Some(failed.state);
                Ok(verdict)
            }
            Ended::Done(verdict, state) => {
                // The up script has not succeeded a second time, or not at all.
                let is_pending = !failed.is_partial && failed.script != Script::Down;
                let up = is_pending.then_some(id);
                match is_pending && self.align(&failed.state, &state, up).await? {
                    true => {}
                    false => {
                        self.replace().await?;
                        self.state = Some(state);
                    }
                }
                Ok(verdict)
            }
            Ended::Unlike { first, second } => {
                self.keep_bare(revision, (&start, &first, &second)).await?;
                self.renew(bench, None, false).await?;
                Ok(Verdict::Complete)
            }
            Ended::Failed(again, failure) => {
                match (&again.first, again.is_partial) {
                    _ if again.is_clean() => {}
                    (Some(first), false) => {
                        self.keep_bare(revision, (&start, first, &again.state))
                            .await?;
                    }
                    _ => self.set_aside().await?,
                }
                let script = again.script;
                match is_same {
                    true => self.recover(bench, revision, (failed, before)).await?,
                    false => {
                        let without = (script == Script::Up).then_some(id);
                        self.renew(bench, without, failed.is_partial).await?;
                    }
                }
                Ok(self.failed(id, script, failure, verified))
            }
        }
    }

    /// Goes on after a script has failed: in the state before it, in that after the up script, or in
    /// another database.
    async fn recover(
        &mut self,
        bench: &Bench<'_>,
        revision: &Revision,
        (failed, before): (Failed, &State),
    ) -> Result<(), Error> {
        if failed.is_clean() {
            self.state = Some(failed.state);
            return Ok(());
        }
        if let (Some(first), false) = (&failed.first, failed.is_partial)
            && self.mend(revision, (before, first, &failed.state)).await?
        {
            return Ok(());
        }
        let without = (failed.script == Script::Up).then_some(&revision.id);
        self.renew(bench, without, failed.is_partial).await
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
                verified.add(VerifyFinding::UpFails(failure));
                Verdict::NotVerified(NotVerified::UpFails)
            }
            Script::Down => {
                verified.add(VerifyFinding::DownFails(failure));
                Verdict::Complete
            }
            Script::UpAgain => {
                verified.add(VerifyFinding::UpFailsAgain(failure));
                Verdict::Complete
            }
        }
    }

    /// Goes on in a scratch database without rows that were made, in which the applied revisions but `without`
    /// were applied once: the present one, which is made empty for it, or another one.
    async fn renew(
        &mut self,
        bench: &Bench<'_>,
        without: Option<&RevisionId>,
        is_partial: bool,
    ) -> Result<(), Error> {
        let mut past = self.lab()?.past().to_vec();
        past.retain(|(other, _)| Some(other) != without);
        if !self.seeding.makes_rows() {
            self.state = None;
            let lab = self.lab()?;
            if bench.wipe(lab).await? {
                lab.follow(&past).await?;
                return match self.is_watchful {
                    true => self.lab()?.right_records().await,
                    false => Ok(()),
                };
            }
        }
        let bare = self.bare(bench, &past).await?;
        if !is_partial && *bare.watched() == Watched::All {
            let other = bare.state().await?;
            let now = self.lab()?.state().await?;
            if self.align(&now, &other, None).await? {
                return self.lab()?.record_past().await;
            }
        }
        self.replace().await
    }

    /// Leads the database back to the state after the up script, the second one of `states`. Returns
    /// whether this succeeded. With rows that were made, it has to be like one in which no down script ran.
    async fn mend(
        &mut self,
        revision: &Revision,
        states: (&State, &State, &State),
    ) -> Result<bool, Error> {
        if self.seeding.makes_rows() {
            return Ok(false);
        }
        let lab = self.lab()?;
        let Some(state) = mend(lab, revision, states).await? else {
            return Ok(false);
        };
        lab.record_past().await?;
        self.state = Some(state);
        Ok(true)
    }

    /// Leads the database without rows that were made back to the state after the up script, or drops it.
    async fn keep_bare(
        &mut self,
        revision: &Revision,
        states: (&State, &State, &State),
    ) -> Result<(), Error> {
        let Some(bare) = &mut self.bare else {
            return Ok(());
        };
        match mend(bare, revision, states).await? {
            Some(_) => bare.record_past().await,
            None => self.set_aside().await,
        }
    }

    /// Makes the database like the one without rows that were made, whose state is `other`. Returns whether
    /// this succeeded.
    async fn align(
        &mut self,
        now: &State,
        other: &State,
        up: Option<&RevisionId>,
    ) -> Result<bool, Error> {
        let (Some(lab), Some(bare)) = (&mut self.lab, &self.bare) else {
            return Ok(false);
        };
        let Some(state) = align(lab, now, other, up).await? else {
            return Ok(false);
        };
        lab.set_past(bare.past().to_vec());
        self.seeding.forget();
        self.state = Some(state);
        Ok(true)
    }

    /// A scratch database without rows that were made, in which the revisions of `past` are applied. It
    /// stays in `self`, so that it is dropped whatever happens meanwhile.
    async fn bare(
        &mut self,
        bench: &Bench<'_>,
        past: &[(RevisionId, Recorded)],
    ) -> Result<&mut Lab, Error> {
        let follows = |bare: &Lab| past.starts_with(bare.past());
        if !self.bare.as_ref().is_some_and(follows) {
            self.set_aside().await?;
            self.bare = Some(self.empty(bench).await?);
        }
        let bare = self.bare.as_mut().ok_or(Error::Interrupted)?;
        bare.follow(past).await?;
        if self.is_watchful {
            bare.right_records().await?;
        }
        Ok(bare)
    }

    /// An empty scratch database: the spare one, or a new one.
    async fn empty(&mut self, bench: &Bench<'_>) -> Result<Lab, Error> {
        if let Some(spare) = &mut self.spare {
            let is_empty = bench.wipe(spare).await?;
            if let Some(spare) = self.spare.take() {
                if is_empty {
                    return Ok(spare);
                }
                spare.leave().await?;
            }
        }
        bench.lab(self.seeding.makes_rows()).await
    }

    /// Keeps the database without rows that were made as the spare one.
    async fn set_aside(&mut self) -> Result<(), Error> {
        let Some(bare) = self.bare.take() else {
            return Ok(());
        };
        match bare.is_worth_wiping() && self.spare.is_none() {
            true => {
                self.spare = Some(bare);
                Ok(())
            }
            false => bare.leave().await,
        }
    }

    /// Goes on in the database without rows that were made.
    async fn replace(&mut self) -> Result<(), Error> {
        self.state = None;
        self.seeding.forget();
        std::mem::swap(&mut self.lab, &mut self.bare);
        self.set_aside().await
    }

    /// Makes rows in the tables that have none, and takes the state out, which has to be put back or
    /// read again.
    async fn seeded(&mut self) -> Result<State, Error> {
        let lab = self.lab.as_mut().ok_or(Error::Interrupted)?;
        let mut state = match self.state.take() {
            Some(state) => state,
            None => lab.state().await?,
        };
        self.seeding.seed(lab, &mut state).await?;
        Ok(state)
    }
}

/// The verdict on a revision whose scripts change what is recorded, so that nothing can be said about them.
fn changes_records() -> Verdict {
    let reason = "a script of this revision changes the version table".to_owned();
    Verdict::NotVerified(NotVerified::Refused(reason))
}
