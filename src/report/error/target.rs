use super::{Advice, Error, advised, hinted};
use crate::{
    report::Diagnostic,
    report::codes,
    revision::{TargetError, TargetSyntaxError},
};

impl From<TargetSyntaxError> for Error {
    fn from(error: TargetSyntaxError) -> Self {
        Self::new(codes::M401, error.to_string()).hint(
            "a target is head, heads, base, current, an ID, a slug, +N, -N, REV+N, REV-N or LABEL@head",
        )
    }
}

impl From<TargetError> for Error {
    fn from(error: TargetError) -> Self {
        Self::from(describe(&error))
    }
}

pub(super) fn describe(error: &TargetError) -> Diagnostic {
    use TargetError as T;
    let advice = match error {
        T::SeveralHeads(_) => hinted(codes::M403, SEVERAL),
        T::NoRevisions => hinted(
            codes::M401,
            "create the first one: migrator revision -m \"first\"",
        ),
        T::Unknown { nearest, .. } => did_you_mean(nearest),
        T::UnknownLabel { nearest, .. } => did_you_mean(nearest.as_slice()),
        T::ShortPrefix { .. } | T::PastTheEnd { .. } => hinted(codes::M401, LIST),
        T::Ambiguous { .. } => hinted(codes::M402, "give more characters of the ID, or all of it"),
        T::Fork { .. } => hinted(codes::M402, "name the revision by its ID"),
        T::NoSingleCurrent(_) => hinted(codes::M402, "`migrator current` shows what is applied"),
        T::NotInDirectory { .. } => hinted(
            codes::M401,
            "get the missing files, perhaps from another branch, or name a revision by its ID",
        ),
    };
    advised(advice, error)
}

const LIST: &str = "`migrator history` lists all revisions";

const SEVERAL: &str = "name one of them, use `heads` for all, join them (`migrator merge -m \"join\"`), \
    or move the one that is not applied onto the other (`migrator rebase REVISION`)";

fn did_you_mean(nearest: &[String]) -> Advice {
    match nearest {
        [] => hinted(codes::M401, LIST),
        nearest => hinted(
            codes::M401,
            format!("did you mean {}?", nearest.join(" or ")),
        ),
    }
}
