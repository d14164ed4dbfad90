//! Warnings of plans, in words.

use super::codes;
use crate::{
    plan::Warning,
    project::FilesBelow,
    report::{Diagnostic, Snippet},
    revision::{Direction, RevisionId, Subject},
    sql::Position,
};

/// A script that runs nothing.
pub fn empty(subject: &Subject, direction: Option<Direction>) -> String {
    let noun = subject.noun();
    match direction {
        Some(direction) => format!("the {direction} script of {noun} {subject} has no statement"),
        None => format!("the {noun} {subject} has no statement"),
    }
}

/// Scripts in directories below that nothing reads.
pub fn files_below(first: &str, count: usize) -> Diagnostic {
    let below = FilesBelow {
        first: first.to_owned(),
        count,
    };
    Diagnostic {
        message: format!("not read: {below}"),
        hint: Some(
            "`recursive = true` in migrator.toml reads directories below; `leave-out = \"old/\"` silences this"
                .to_owned(),
        ),
        ..Diagnostic::default()
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
        Warning::Empty {
            subject,
            direction,
            file,
        } => Diagnostic {
            message: empty(subject, *direction),
            place: Some(Snippet::file(file)),
            ..Diagnostic::default()
        },
        Warning::BrokenDown {
            revision,
            file,
            at,
            reason,
        } => Diagnostic {
            message: format!("the down script of {revision} can't run: {reason}"),
            place: (!file.is_empty()).then(|| Snippet {
                at: at.map(|(line, column)| Position { line, column }),
                ..Snippet::file(file)
            }),
            hint: Some("fix it now: it is stored for a downgrade as it is".to_owned()),
            ..Diagnostic::default()
        },
        Warning::FilesBelow { first, count } => files_below(first, *count),
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
