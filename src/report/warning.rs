//! Warnings of plans, as diagnostics.

use std::fmt::Display;

use super::{Diagnostic, Snippet};
use crate::plan::Warning;

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
            Warning::Squashes { baseline, rows } => said(format!(
                "the records of {rows} revisions are replaced by one for the baseline {baseline}"
            )),
            Warning::RepeatablesWait { scripts } => said(format!(
                "{} {} until every revision is applied",
                list(scripts),
                if scripts.len() == 1 { "waits" } else { "wait" }
            )),
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
