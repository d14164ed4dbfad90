use super::{
    Error, NewRevisionReport, Project, RevisionArgs,
    revision::{create, several},
};
use crate::{
    revision::{History, RevisionId},
    sql::Dialect,
};

/// The reason why revisions cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The directory has no revisions.
    #[error("there are no revisions")]
    NoRevisions,
    /// There is only one head.
    #[error("there is only one head: {0}")]
    OneHead(RevisionId),
    /// Only one revision was given.
    #[error("{0} alone cannot be merged")]
    Alone(RevisionId),
    /// A given revision is not a head.
    #[error("revision {revision} is not a head: it is revised by {children}")]
    NotHead {
        /// The revision.
        revision: RevisionId,
        /// The revisions that revise it.
        children: String,
    },
}

/// Creates a revision that revises `heads`, or all heads if that is empty.
///
/// # Errors
/// [`Error::Merge`] and the errors of [`super::revision()`]. Nothing is written then.
pub fn merge(
    project: &Project,
    dialect: Dialect,
    heads: &[String],
    args: &RevisionArgs,
) -> Result<NewRevisionReport, Error> {
    project.ensure_native(dialect)?;
    let history = project.history(dialect)?;
    let parents = joined(&history, heads)?;
    create(project, dialect, &history, parents, args)
}

/// The two or more heads to merge.
fn joined(history: &History, texts: &[String]) -> Result<Vec<RevisionId>, Error> {
    let heads = history.heads();
    if texts.is_empty() {
        return match heads.as_slice() {
            [] => Err(MergeError::NoRevisions.into()),
            [only] => Err(MergeError::OneHead(only.id.clone()).into()),
            heads => Ok(heads.iter().map(|head| head.id.clone()).collect()),
        };
    }
    let ids = several(history, texts)?;
    if let Some(id) = ids.iter().find(|id| !history.children(id).is_empty()) {
        let children = history.children(id);
        let children: Vec<_> = children.iter().map(|child| child.id.as_str()).collect();
        return Err(MergeError::NotHead {
            revision: id.clone(),
            children: children.join(", "),
        }
        .into());
    }
    match ids.as_slice() {
        [only] => Err(MergeError::Alone(only.clone()).into()),
        _ => Ok(ids),
    }
}
