use super::{Error, Project, Session};
use crate::{
    database::{DatabaseError, Detail},
    plan,
    revision::{AppliedRevision, Resolved, Revision, RevisionId, State, Target},
    sql::Dialect,
};

/// What is known of one revision.
#[derive(Debug)]
pub struct ShowReport {
    /// What the directory has of it.
    pub revision: Option<Revision>,
    /// Whether it is a head of the directory.
    pub head: bool,
    /// The revisions that revise it.
    pub children: Vec<RevisionId>,
    /// What the database has of it.
    pub applied: Option<AppliedRevision>,
    /// Which of its scripts were changed since they were applied, where both sides are known.
    pub changed: Option<ChangedSince>,
    /// Why the database was not asked.
    pub unasked: Option<Unasked>,
}

/// Scripts that were changed since they were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    /// The up script.
    pub up: bool,
    /// The down script.
    pub down: bool,
}

/// Why a database was not asked.
#[derive(Debug)]
pub enum Unasked {
    /// None is configured.
    NotConfigured,
    /// It cannot be read.
    Unreadable(DatabaseError),
}

/// Shows one revision. Without a database, or where it cannot be read, only that part is missing.
///
/// # Errors
/// When the scripts are invalid or the target is not one revision.
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
