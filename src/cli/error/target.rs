use super::{Error, diagnostic};
use crate::{
    cli::codes,
    report::Diagnostic,
    revision::{TargetError, TargetSyntaxError},
};

impl From<TargetSyntaxError> for Error {
    fn from(error: TargetSyntaxError) -> Self {
        Self::new(codes::M401, error.to_string())
            .hint("a target is head, heads, base, current, an id, a slug, +N, -N, REV+N, REV-N or LABEL@head")
    }
}

impl From<TargetError> for Error {
    fn from(error: TargetError) -> Self {
        Self::from(describe(&error))
    }
}

pub(super) fn describe(error: &TargetError) -> Diagnostic {
    let (code, hint) = match error {
        TargetError::SeveralHeads(_) => (codes::M403, Some(SEVERAL.to_owned())),
        TargetError::NoRevisions => (
            codes::M401,
            Some("make the first one: migrator revision -m \"first\"".to_owned()),
        ),
        TargetError::Unknown { nearest, .. } => (codes::M401, did_you_mean(nearest)),
        TargetError::ShortPrefix { .. } => (
            codes::M401,
            Some("`migrator history` lists all revisions".to_owned()),
        ),
        TargetError::Ambiguous { .. } => (
            codes::M402,
            Some("write more of the id, or all of it".to_owned()),
        ),
        TargetError::Fork { .. } => (codes::M402, Some("name the revision by its id".to_owned())),
        TargetError::PastTheEnd { .. } => (
            codes::M401,
            Some("`migrator history` lists all revisions".to_owned()),
        ),
        TargetError::NoSingleCurrent(_) => (
            codes::M402,
            Some("`migrator current` shows where the database is".to_owned()),
        ),
        TargetError::NotInDirectory { .. } => (
            codes::M401,
            Some(
                "get the missing files (another branch?), or name a revision by its id".to_owned(),
            ),
        ),
        TargetError::UnknownLabel { nearest, .. } => {
            (codes::M401, did_you_mean(nearest.as_slice()))
        }
    };
    Diagnostic {
        hint,
        ..diagnostic(code, error)
    }
}

/// The ways out of several heads.
const SEVERAL: &str = "name one of them, use `heads` for all, join them (`migrator merge -m \"join\"`), \
    or move what is not applied yet onto the other (`migrator rebase REVISION`)";

fn did_you_mean(nearest: &[String]) -> Option<String> {
    match nearest {
        [] => Some("`migrator history` lists all revisions".to_owned()),
        nearest => Some(format!("did you mean {}?", nearest.join(" or "))),
    }
}
