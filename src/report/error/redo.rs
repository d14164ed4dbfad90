use super::{Error, Exit};
use crate::{
    ops::{RedoLeft, RedoReport},
    report::View,
    report::codes,
};

/// The error of a redo that failed.
pub(super) fn failed(error: Error, left: RedoLeft, report: &RedoReport) -> Error {
    match left {
        RedoLeft::Unchanged => Error {
            result: Some(report.json()),
            ..error
        },
        RedoLeft::Reverting => partway(error, report).hint(
            "fix the cause and finish with `migrator downgrade -1`; `migrator upgrade` then applies \
             all of them",
        ),
        RedoLeft::Reverted => partway(error, report),
    }
}

/// Adds the revisions that are still reverted, and how to continue.
pub(super) fn partway(mut error: Error, report: &RedoReport) -> Error {
    if !report.missing.is_empty() {
        let missing: Vec<_> = report.missing.iter().map(ToString::to_string).collect();
        error = error.note(format!(
            "reverted and not applied again: {}",
            missing.join(", ")
        ));
    }
    if error
        .diagnostics
        .last()
        .is_some_and(|last| last.code != codes::M608.id)
    {
        error = error.hint("fix the cause; `migrator upgrade` then applies what was reverted");
    }
    error.exit = Exit::Partway;
    error.result = Some(report.json());
    error
}
