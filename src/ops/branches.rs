use super::{Error, Project, RevisionLine, line::line};
use crate::{
    revision::{History, Revision, RevisionId},
    sql::Dialect,
};

/// The branches of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchesReport {
    /// The revisions at which branches part, by ID.
    pub forks: Vec<Fork>,
    /// Revisions with a label, by ID.
    pub labels: Vec<Lead>,
    /// Revisions without a parent, by ID.
    pub roots: Vec<Lead>,
}

/// A revision that several others revise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The revision.
    pub point: RevisionLine,
    /// The revisions that revise it, by ID.
    pub children: Vec<Lead>,
}

/// A revision and the heads above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The revision.
    pub line: RevisionLine,
    /// The heads, by ID.
    pub heads: Vec<RevisionId>,
}

/// Lists the branch points of the history and the heads of each branch.
///
/// # Errors
/// Fails when the scripts are invalid.
pub fn branches(project: &Project, dialect: Dialect) -> Result<BranchesReport, Error> {
    let history = project.history(dialect)?;
    let lead = |revision: &Revision| lead(&history, revision);
    let forks = history.branch_points().into_iter().map(|point| Fork {
        point: line(&history, point, Vec::new()),
        children: history.children(&point.id).into_iter().map(lead).collect(),
    });
    let labels = history.by_id().filter(|revision| revision.label.is_some());
    Ok(BranchesReport {
        forks: forks.collect(),
        labels: labels.map(lead).collect(),
        roots: history.roots().into_iter().map(lead).collect(),
    })
}

fn lead(history: &History, revision: &Revision) -> Lead {
    let heads = history.heads_above(&revision.id).into_iter();
    Lead {
        line: line(history, revision, Vec::new()),
        heads: heads.map(|head| head.id.clone()).collect(),
    }
}
