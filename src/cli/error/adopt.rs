use super::{Error, diagnostic};
use crate::{
    cli::codes,
    plan::{AdoptDoubt, AdoptError, Adoption},
    report::{Diagnostic, Snippet},
};

impl From<AdoptError> for Error {
    fn from(error: AdoptError) -> Self {
        let (code, hint) = match &error {
            AdoptError::NotEmpty(_) => (
                codes::M494,
                "`migrator status` shows what they say; `migrator stamp base --purge` throws them away",
            ),
            AdoptError::SeveralVersions { .. } => (
                codes::M495,
                "is it the table of another tool? --from TOOL says so",
            ),
        };
        Self::from(diagnostic(code, error)).hint(hint)
    }
}

/// The other tool went on while its records were adopted.
pub(super) fn outdated(adoption: &Adoption) -> Error {
    let message = format!(
        "{} was changed while it was adopted, or can't be read any more: what was recorded may be outdated",
        adoption.table
    );
    Error::new(codes::M496, message).hint(format!(
        "let {} do nothing meanwhile; `migrator stamp base --purge` throws the records away, then adopt again",
        adoption.tool
    ))
}

/// What nobody has agreed to.
pub(super) fn doubts(doubts: &[AdoptDoubt]) -> Error {
    Error::many(doubts.iter().map(doubt).collect())
}

fn doubt(doubt: &AdoptDoubt) -> Diagnostic {
    let (code, hint) = match doubt {
        AdoptDoubt::Failed { .. } => (
            codes::M490,
            "finish or undo it with the tool; with --yes it counts as not applied, and `upgrade` runs it from its beginning",
        ),
        AdoptDoubt::Changed { .. } => (
            codes::M491,
            "put the file back as it was; with --yes it counts as applied as it is now",
        ),
        AdoptDoubt::Unknown { .. } => (
            codes::M492,
            "get its file; with --yes it is left out of the records",
        ),
        AdoptDoubt::Gap { .. } => (
            codes::M493,
            "apply it with the tool; with --yes it stays pending, for an `upgrade` with out-of-order = \"warn\"",
        ),
    };
    Diagnostic {
        place: doubt.file().map(Snippet::file),
        hint: Some(hint.to_owned()),
        ..diagnostic(code, doubt)
    }
}
