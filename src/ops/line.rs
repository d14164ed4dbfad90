use std::collections::HashSet;

use crate::revision::{
    self, AppliedRevision, History, Observed, Phase, Revision, RevisionId, State,
};

/// A mark of a revision in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// No revision revises it.
    Head,
    /// The revision is applied, and no applied revision revises it.
    Current,
    /// The revision has this label.
    Label(String),
    /// The directory does not have the revision.
    Unknown,
    /// The revision is partially applied.
    Partial,
    /// The revision is applied, and so is a revision that revises it.
    Applied,
    /// The revision is not applied.
    Pending,
    /// The phase of the revision is contract.
    Contract,
}

/// A revision in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionLine {
    /// The ID.
    pub id: RevisionId,
    /// The message.
    pub message: String,
    /// The parents.
    pub parents: Vec<RevisionId>,
    /// The revisions it depends on.
    pub depends_on: Vec<RevisionId>,
    /// The marks of the revision.
    pub marks: Vec<Mark>,
    /// Whether a listing must show the parents because they are not on the line below.
    pub show_parents: bool,
    /// The up script's file; `None` if the directory does not have the revision.
    pub file: Option<String>,
}

/// The IDs of the applied revisions that no applied revision revises.
pub(super) fn applied_heads(observed: &Observed) -> Vec<RevisionId> {
    let heads = revision::applied_heads(&observed.applied);
    heads.into_iter().map(|row| row.revision.clone()).collect()
}

/// The position of a database: `base`, `2026… (head)`, `2026… and 2026…`.
pub(super) fn position(history: &History, observed: &Observed) -> String {
    let heads: HashSet<_> = history.heads().into_iter().map(|head| &head.id).collect();
    let name = |row: &AppliedRevision| match row.state {
        State::Partial(_) => format!("{} (partially applied)", row.revision),
        State::Applied if heads.contains(&row.revision) => format!("{} (head)", row.revision),
        State::Applied => row.revision.to_string(),
    };
    let current = revision::applied_heads(&observed.applied);
    let mut names: Vec<_> = current.iter().take(NAMED).copied().map(name).collect();
    match current.len() {
        0 => return "base".to_owned(),
        count if count > NAMED => names.push(format!("{} others", count - NAMED)),
        _ => {}
    }
    names.join(" and ")
}

/// The maximum number of heads named in a position, since each guard of a script repeats it.
const NAMED: usize = 8;

/// The position after a run, which may be unknown.
pub(super) fn position_if_known(history: &History, observed: Option<&Observed>) -> String {
    observed.map_or_else(
        || "unknown".to_owned(),
        |observed| position(history, observed),
    )
}

/// The line of a revision of the directory.
pub(super) fn line(history: &History, revision: &Revision, mut marks: Vec<Mark>) -> RevisionLine {
    if history.children(&revision.id).is_empty() {
        marks.insert(0, Mark::Head);
    }
    marks.extend(revision.label.clone().map(Mark::Label));
    if revision.up.headers.phase == Some(Phase::Contract) {
        marks.push(Mark::Contract);
    }
    RevisionLine {
        id: revision.id.clone(),
        message: revision.message.clone(),
        parents: revision.parents.clone(),
        depends_on: revision.depends_on.clone(),
        marks,
        show_parents: false,
        file: Some(revision.up.file.clone()),
    }
}

/// Lines of revisions, without further marks.
pub(super) fn lines<'a>(
    history: &History,
    revisions: impl IntoIterator<Item = &'a Revision>,
) -> Vec<RevisionLine> {
    let revisions = revisions.into_iter();
    revisions
        .map(|revision| line(history, revision, Vec::new()))
        .collect()
}

/// Lines of the applied revisions that no applied revision revises.
pub(super) fn current(history: Option<&History>, observed: &Observed) -> Vec<RevisionLine> {
    let heads: HashSet<RevisionId> = applied_heads(observed).into_iter().collect();
    let rows = observed.applied.iter();
    rows.filter(|row| heads.contains(&row.revision))
        .map(|row| applied(history, row))
        .collect()
}

fn applied(history: Option<&History>, row: &AppliedRevision) -> RevisionLine {
    let mut marks = Vec::new();
    if matches!(row.state, State::Partial(_)) {
        marks.push(Mark::Partial);
    }
    match history.map(|history| (history, history.get(&row.revision))) {
        Some((history, Some(revision))) => line(history, revision, marks),
        known => {
            if known.is_some() {
                marks.push(Mark::Unknown);
            }
            RevisionLine {
                id: row.revision.clone(),
                message: row.message.clone(),
                parents: row.parents.clone(),
                depends_on: row.depends_on.clone(),
                marks,
                show_parents: false,
                file: None,
            }
        }
    }
}
