use super::{Error, advised, hinted};
use crate::{
    plan::{AdoptDoubt, AdoptError, Adoption},
    report::codes,
    report::{Diagnostic, Snippet},
};

impl From<AdoptError> for Error {
    fn from(error: AdoptError) -> Self {
        let advice = match &error {
            AdoptError::NotEmpty(_) => hinted(
                codes::M494,
                "`migrator status` shows the records; `migrator stamp base --purge` removes them",
            ),
            AdoptError::SeveralVersions { .. } => hinted(
                codes::M495,
                "if the table belongs to another tool, name it with --from TOOL",
            ),
        };
        advised(advice, error).into()
    }
}

/// The error for records that changed while they were adopted.
pub(super) fn outdated(adoption: &Adoption) -> Error {
    let message = format!(
        "{} changed or became unreadable while it was being adopted; the new records may be outdated",
        adoption.table
    );
    Error::new(codes::M496, message).hint(format!(
        "stop {}, remove the records with `migrator stamp base --purge`, and adopt again",
        adoption.tool
    ))
}

/// The error for doubtful records that were not accepted.
pub(super) fn doubts(doubts: &[AdoptDoubt]) -> Error {
    Error::many(doubts.iter().map(doubt).collect())
}

fn doubt(doubt: &AdoptDoubt) -> Diagnostic {
    let advice = match doubt {
        AdoptDoubt::Failed { .. } => hinted(
            codes::M490,
            "finish or undo it with that tool; with --yes it counts as not applied, and `upgrade` runs it from the beginning",
        ),
        AdoptDoubt::Changed { .. } => hinted(
            codes::M491,
            "restore the file; with --yes the current file counts as applied",
        ),
        AdoptDoubt::Unknown { .. } => {
            hinted(codes::M492, "get its file; with --yes it is not recorded")
        }
        AdoptDoubt::Gap { .. } => hinted(
            codes::M493,
            "apply it with that tool; with --yes it stays pending, and `upgrade` with out-of-order = \"warn\" applies it",
        ),
    };
    Diagnostic {
        place: doubt.file().map(Snippet::file),
        ..advised(advice, doubt)
    }
}
