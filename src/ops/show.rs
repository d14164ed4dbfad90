use super::{Error, Project, Session};
use crate::{
    database::{DatabaseError, Detail},
    plan,
    revision::{AppliedRevision, Resolved, Revision, RevisionId, State, Target},
    sql::Dialect,
};

/// Everything known about one revision.
#[derive(Debug)]
pub struct ShowReport {
    /// The revision in the directory.
    pub revision: Option<Revision>,
    /// Whether the revision is a head of the directory.
    pub head: bool,
    /// The revisions that revise it.
    pub children: Vec<RevisionId>,
    /// The revision in the database.
    pub applied: Option<AppliedRevision>,
    /// The scripts that were changed since they were applied, if both sides are known.
    pub changed: Option<ChangedSince>,
    /// The reason why the database was not read.
    pub unasked: Option<Unasked>,
}

/// Whether scripts were changed since they were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    /// Whether the up script was changed.
    pub up: bool,
    /// Whether the down script was changed.
    pub down: bool,
}

/// The reason why a database was not read.
#[derive(Debug)]
pub enum Unasked {
    /// No database is configured.
    NotConfigured,
    /// The database cannot be read.
    Unreadable(DatabaseError),
}

/// Shows one revision. If there is no database or it cannot be read, only that part is missing.
///
/// # Errors
/// Fails when the scripts are invalid or the target is not one revision.
pub async fn show(
    project: &Project,
    session: Option<&mut Session>,
    dialect: Dialect,
    target: &Target,
) -> Result<ShowReport, Error> {
    let history = project.history(dialect)?;
    let (observed, unasked) = match session {
        None => (None, Some(Unasked::NotConfigured)),
        Some(session) => match session.observe(Detail::Brief).await {
            Ok(observed) => (Some(plan::seen(&history, observed, dialect)), None),
            Err(error) => (None, Some(Unasked::Unreadable(error))),
        },
    };
    let rows = observed.as_ref().map_or(&[][..], |found| &found.applied);
    let ids = match history.resolve(target, rows)? {
        Resolved::Revisions(ids) => ids,
        _ => return Err(Error::NotOneRevision(target.to_string())),
    };
    let [id] = ids.as_slice() else {
        return Err(Error::NotOneRevision(target.to_string()));
    };
    let children = history.children(id).into_iter();
    let children: Vec<_> = children.map(|child| child.id.clone()).collect();
    let applied = rows.iter().find(|row| row.revision == *id).cloned();
    let drift = observed
        .as_ref()
        .map(|observed| plan::compare(&history, observed, dialect))
        .unwrap_or_default();
    // A partially applied script is compared when it is resumed.
    let is_whole = applied
        .as_ref()
        .is_some_and(|row| row.state == State::Applied);
    let both = is_whole && history.get(id).is_some();
    Ok(ShowReport {
        revision: history.get(id).cloned(),
        head: children.is_empty() && history.get(id).is_some(),
        children,
        applied,
        changed: both.then(|| ChangedSince {
            up: drift.edited_up.contains(id),
            down: drift.edited_down.contains(id),
        }),
        unasked,
    })
}
