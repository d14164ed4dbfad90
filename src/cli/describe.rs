//! Words for what is applied, shared by commands.

use std::collections::HashSet;

use super::codes;
use crate::{
    plan::Warning,
    report::{Diagnostic, Mark, RevisionLine, Snippet},
    revision::{self, AppliedRevision, History, Observed, Revision, RevisionId, State},
};

/// The ids of what is applied and nobody applied revises.
pub fn applied_heads(observed: &Observed) -> Vec<RevisionId> {
    let heads = revision::applied_heads(&observed.applied);
    heads.into_iter().map(|row| row.revision.clone()).collect()
}

/// Where a database stands: `base`, `2026… (head)`, `2026… and 2026…`.
pub fn standing(history: &History, observed: &Observed) -> String {
    let heads: HashSet<_> = history.heads().into_iter().map(|head| &head.id).collect();
    let name = |row: &AppliedRevision| match row.state {
        State::Partial(_) => format!("{} (partly)", row.revision),
        State::Applied if heads.contains(&row.revision) => format!("{} (head)", row.revision),
        State::Applied => row.revision.to_string(),
    };
    let current = revision::applied_heads(&observed.applied);
    let names: Vec<_> = current.into_iter().map(name).collect();
    if names.is_empty() {
        "base".to_owned()
    } else {
        names.join(" and ")
    }
}

/// The line of a revision of the directory.
pub fn line(history: &History, revision: &Revision, mut marks: Vec<Mark>) -> RevisionLine {
    if history.children(&revision.id).is_empty() {
        marks.insert(0, Mark::Head);
    }
    marks.extend(revision.label.clone().map(Mark::Label));
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

/// The lines of what is applied and nobody applied revises.
pub fn current(history: Option<&History>, observed: &Observed) -> Vec<RevisionLine> {
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

/// A plan's warning in words.
pub fn warning(warning: &Warning) -> Diagnostic {
    let list = |ids: &[RevisionId]| {
        ids.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    match warning {
        Warning::EditedDown { revision, file } => Diagnostic {
            message: format!(
                "the down script of {revision} was changed after the revision was applied; the file is used"
            ),
            place: Some(Snippet::file(file)),
            ..Diagnostic::default()
        },
        Warning::StoredDown { revision } => Diagnostic {
            message: format!(
                "the file of {revision}'s down script is gone; the one stored when it was applied is used"
            ),
            ..Diagnostic::default()
        },
        Warning::OutOfOrder { revisions, before } => Diagnostic {
            message: format!(
                "{} is applied out of order: it sorts before {before}, which is applied",
                list(revisions)
            ),
            ..Diagnostic::default()
        },
        Warning::Squashes { baseline, rows } => Diagnostic {
            message: format!(
                "the records of {rows} revisions become one of the baseline {baseline}, which replaces them"
            ),
            ..Diagnostic::default()
        },
        Warning::RepeatablesWait { scripts } => Diagnostic {
            message: format!(
                "{} {} until every revision is applied",
                scripts
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
                if scripts.len() == 1 { "waits" } else { "wait" }
            ),
            ..Diagnostic::default()
        },
        Warning::Ahead { unknown } => Diagnostic {
            message: format!(
                "the database is ahead of this directory by {}; nothing is done",
                list(unknown)
            ),
            hint: Some(format!(
                "an older release is looking at it; ahead = \"error\" makes this error {}",
                codes::M503.id
            )),
            ..Diagnostic::default()
        },
    }
}
