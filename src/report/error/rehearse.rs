use super::{Error, diagnostic, run};
use crate::{
    execute::PartialFailure,
    ops::{NotRestored, RehearseError},
    report::{Diagnostic, bytes, codes, difference_sentences},
};

impl From<RehearseError> for Error {
    fn from(error: RehearseError) -> Self {
        match &error {
            RehearseError::NoSpace {
                place,
                needed,
                free,
            } => {
                let (needed, free) = (bytes(*needed), bytes(*free));
                let place = place.display();
                let message = format!("the copy needs {needed} in {place}, and {free} are free");
                Self::new(codes::M906, message).hint("make room, or set TMPDIR or scratch-url")
            }
            RehearseError::NoSchemaOnly => Self::new(codes::M907, error.to_string())
                .hint("`migrator verify` tries scripts without the rows of the database"),
        }
    }
}

/// The diagnostic of a script that failed on the copy.
pub fn rehearsed_failure(failure: &PartialFailure) -> Diagnostic {
    let error: Error = run::without_outcome(failure);
    error.diagnostics.into_iter().next().unwrap_or_default()
}

/// The diagnostic of what the down scripts did not bring back.
pub fn rehearsed_finding(finding: &NotRestored) -> Diagnostic {
    let message = match finding {
        NotRestored::Schema(unlike) => {
            let words = ["is left behind", "is missing", "differs"];
            let sentences = difference_sentences(&unlike.difference, words);
            format!("the schema is not as before: {}", sentences.join("; "))
        }
        NotRestored::Rows { table, changes } => {
            let changes = super::row_changes(changes);
            format!("the rows of {table} are not as before: {changes}")
        }
        NotRestored::Values {
            table,
            before,
            after,
            columns,
        } => match columns.is_empty() {
            true => format!("the rows of {table} are not as before: {after} instead of {before}"),
            false => {
                let columns = columns.join(", ");
                format!("the rows of {table} are not as before: values of {columns} differ")
            }
        },
    };
    diagnostic(codes::M904, message)
}
