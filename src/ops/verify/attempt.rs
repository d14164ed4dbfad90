use super::{
    NotVerified, Script, Unlike, Verdict, VerifiedRevision, VerifyFinding, VerifyNote,
    lab::Lab,
    state::{self, State},
};
use crate::{
    database::{DatabaseError, FailureKind},
    execute::{PartialFailure, StepFailure},
    ops::Error,
    revision::Revision,
    schema::{Difference, compare},
};

/// How an attempt ended.
pub(in crate::ops) enum Ended {
    /// No script failed, and the database is in this state.
    Done(Verdict, State),
    /// A script failed.
    Failed(Failed, Box<PartialFailure>),
    /// The second run of the up script made another schema.
    Unlike {
        /// The state after the first run.
        first: State,
        /// The present state.
        second: State,
    },
}

/// Where a script failed.
pub(in crate::ops) struct Failed {
    pub script: Script,
    /// Whether a part of the script was committed.
    pub is_partial: bool,
    /// The state before the script, which is the present one if the script was rolled back.
    pub state: State,
    /// The state after the up script, if it succeeded once.
    pub first: Option<State>,
}

impl Failed {
    /// Whether the database is in the state before the script, in which the revision is applied or
    /// not as its history says.
    pub fn is_clean(&self) -> bool {
        !self.is_partial && self.script != Script::UpAgain
    }
}

/// Runs up, down and up from the state `before`.
pub(super) async fn attempt(
    lab: &mut Lab,
    revision: &Revision,
    before: &State,
    verified: &mut VerifiedRevision,
) -> Result<Ended, Error> {
    let id = &revision.id;
    let first = match up(lab, revision, before, verified).await? {
        Ok(first) => first,
        Err(failure) if is_lacking(&failure) => {
            lab.stamp(id).await?;
            let verdict = Verdict::NotVerified(NotVerified::Lacking(failure));
            return Ok(Ended::Done(verdict, before.clone()));
        }
        Err(failure) => return Ok(failed(Script::Up, failure, before.clone(), None)),
    };
    down_and_up(lab, revision, (before, first), verified).await
}

/// Runs the up script of a revision from the state `before`. Returns the state after it, or its
/// failure.
pub(in crate::ops) async fn up(
    lab: &mut Lab,
    revision: &Revision,
    before: &State,
    verified: &mut VerifiedRevision,
) -> Result<Result<State, Box<PartialFailure>>, Error> {
    if let Some(failure) = lab.up(&revision.id).await? {
        return Ok(Err(failure));
    }
    lab.applied(&revision.id);
    let first = lab.state_after(&revision.up, before).await?;
    state::up(before, &first, verified);
    Ok(Ok(first))
}

fn failed(
    script: Script,
    failure: Box<PartialFailure>,
    state: State,
    first: Option<State>,
) -> Ended {
    let failed = Failed {
        script,
        is_partial: failure.failure.units.is_some(),
        state,
        first,
    };
    Ended::Failed(failed, failure)
}

/// Runs the down script of a revision in the state `first`, to which its up script led from `before`,
/// and the up script again.
pub(in crate::ops) async fn down_and_up(
    lab: &mut Lab,
    revision: &Revision,
    (before, first): (&State, State),
    verified: &mut VerifiedRevision,
) -> Result<Ended, Error> {
    let id = &revision.id;
    let Some(down) = &revision.down else {
        let irreversible = revision.up.headers.irreversible.clone();
        return Ok(Ended::Done(Verdict::NoDown { irreversible }, first));
    };
    match lab.down(id).await {
        Ok(None) => {}
        Ok(Some(failure)) => return Ok(failed(Script::Down, failure, first, None)),
        Err(Error::Plan(error)) => {
            verified.add(VerifyFinding::DownRefused(error));
            return Ok(Ended::Done(Verdict::Complete, first));
        }
        Err(error) => return Err(error),
    }
    let back = lab.state_after(down, &first).await?;
    let difference = compare(&before.schema, &back.schema);
    restored(difference, before, &back, verified);
    state::round_trip(before, &first, &back, verified);
    if let Some(failure) = lab.up(id).await? {
        return Ok(failed(Script::UpAgain, failure, back, Some(first)));
    }
    let second = lab.state_after(&revision.up, &back).await?;
    let difference = compare(&first.schema, &second.schema);
    if !difference.is_empty() {
        let unlike = Unlike::new(difference, &first.schema, &second.schema);
        verified.add(VerifyFinding::UpDiffers(Box::new(unlike)));
        return Ok(Ended::Unlike { first, second });
    }
    Ok(Ended::Done(Verdict::Complete, second))
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
pub(in crate::ops) fn is_lacking(failure: &PartialFailure) -> bool {
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

/// Whether a script could succeed if the rows were others.
pub(in crate::ops) fn may_be_due_to_rows(failure: &PartialFailure) -> bool {
    let failure = &failure.failure.error;
    !matches!(
        failure,
        StepFailure::Database(DatabaseError::Sql(failure))
            if failure.kind == Some(FailureKind::Definition)
    )
}
