use super::{Error, diagnostic, run};
use crate::{
    execute::PartialFailure,
    ops::VerifyFinding,
    report::{Diagnostic, codes, difference_sentences},
};

/// The diagnostic of a script that failed on the copy.
pub fn rehearsed_failure(failure: &PartialFailure) -> Diagnostic {
    let error: Error = run::without_outcome(failure);
    error.diagnostics.into_iter().next().unwrap_or_default()
}

/// The diagnostic of what the down scripts did not bring back.
pub fn rehearsed_finding(finding: &VerifyFinding) -> Option<Diagnostic> {
    let message = match finding {
        VerifyFinding::NotRestored(unlike) => {
            let words = ["is left behind", "is missing", "differs"];
            let sentences = difference_sentences(&unlike.difference, words);
            format!("the schema is not as before: {}", sentences.join("; "))
        }
        VerifyFinding::RowsNotRestored { table, changes } => {
            let changes = super::row_changes(changes);
            format!("the rows of {table} are not as before: {changes}")
        }
        _ => return None,
    };
    Some(diagnostic(codes::M904, message))
}
