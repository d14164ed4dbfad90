//! Warnings of plans, as diagnostics.

use std::fmt::Display;

use super::{Diagnostic, Snippet};
use crate::{plan::Warning, project::FilesBelow, sql::Position};

impl From<&Warning> for Diagnostic {
    fn from(warning: &Warning) -> Self {
        match warning {
            Warning::EditedDown { revision, file } => Self {
                place: Some(Snippet::file(file)),
                ..said(format!(
                    "the down script of {revision} was changed after the revision was applied; using the file"
                ))
            },
            Warning::StoredDown { revision } => said(format!(
                "the file of {revision}'s down script is missing; using the copy stored when it was applied"
            )),
            Warning::OutOfOrder { revisions, before } => said(format!(
                "{} is applied out of order: it sorts before {before}, which is applied",
                list(revisions)
            )),
            Warning::Left { revisions } => Self {
                hint: Some(
                    "once no program of before them runs, `migrator upgrade` applies them"
                        .to_owned(),
                ),
                ..said(format!(
                    "{} {} pending: the phase is contract, or the revision needs one whose phase is",
                    list(revisions),
                    if revisions.len() == 1 { "stays" } else { "stay" }
                ))
            },
            Warning::Squashes { baseline, rows } => said(format!(
                "the records of {rows} revisions are replaced by one for the baseline {baseline}"
            )),
            Warning::RepeatablesWait { scripts } => said(format!(
                "{} {} until every revision is applied",
                list(scripts),
                if scripts.len() == 1 { "waits" } else { "wait" }
            )),
            Warning::Empty {
                subject,
                direction,
                file,
            } => {
                let noun = subject.noun();
                let script = direction.map_or(String::new(), |it| format!("{it} script of "));
                Self {
                    place: Some(Snippet::file(file)),
                    ..said(format!("the {script}{noun} {subject} has no statement"))
                }
            }
            Warning::BrokenDown {
                revision,
                file,
                at,
                reason,
            } => Self {
                place: (!file.is_empty()).then(|| Snippet {
                    at: at.map(|(line, column)| Position { line, column }),
                    ..Snippet::file(file)
                }),
                hint: Some("fix it now: it is stored for a downgrade as it is".to_owned()),
                ..said(format!("the down script of {revision} cannot run: {reason}"))
            },
            Warning::FilesBelow { first, count } => Self {
                hint: Some(
                    "set `recursive = true` in migrator.toml to read them, or list their directory in `leave-out`, such as `old/`"
                        .to_owned(),
                ),
                ..said(format!(
                    "not read: {}",
                    FilesBelow {
                        first: first.clone(),
                        count: *count
                    }
                ))
            },
            Warning::Replicated { publications } => Self {
                hint: Some(
                    "a subscriber without these tables stops at the first migration: create the version tables there too, or publish tables by name; see docs/engines.md"
                        .to_owned(),
                ),
                ..said(format!(
                    "the version tables are replicated: FOR ALL TABLES is the publication {}",
                    list(publications)
                ))
            },
            Warning::Ahead { unknown } => Self {
                hint: Some(
                    "this is an older release; set ahead = \"error\" to make this an error"
                        .to_owned(),
                ),
                ..said(format!(
                    "the database is ahead of this directory by {}; nothing to do",
                    list(unknown)
                ))
            },
        }
    }
}

fn said(message: String) -> Diagnostic {
    Diagnostic {
        message,
        ..Diagnostic::default()
    }
}

fn list(names: &[impl Display]) -> String {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}
