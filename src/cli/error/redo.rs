use super::{Error, Exit};
use crate::{
    cli::codes, database::StepStage, execute::PartialFailure, ops::RedoReport, report::View,
    revision::Direction,
};

/// A redo that failed. The same command again would revert other revisions, once some are reverted.
pub(super) fn failed(mut failure: PartialFailure, report: &RedoReport) -> Error {
    // Each revision stands in it twice; what matters is what is not applied again.
    failure.not_run.clear();
    let inside = failure.failure.units.is_some_and(|(done, _)| {
        done > 0
            || matches!(
                failure.failure.stage,
                StepStage::Statement(_) | StepStage::Verify
            )
    });
    let direction = failure.failure.step.direction();
    let error = Error::from(failure);
    match (direction, report.reverted.is_empty()) {
        (Direction::Down, true) => Error {
            result: Some(report.json()),
            ..error
        },
        (Direction::Down, false) if inside => partway(error, report).hint(
            "fix the cause and finish it with `migrator downgrade -1`; `migrator upgrade` then \
             applies all of them",
        ),
        // Rolled back completely, both halves of it.
        (Direction::Up, true) if !inside => Error {
            result: Some(report.json()),
            ..error
        },
        _ => partway(error, report),
    }
}

/// Names what is left reverted, and the way on.
pub(super) fn partway(mut error: Error, report: &RedoReport) -> Error {
    if let Some(diagnostic) = error.diagnostics.last_mut() {
        if !report.missing.is_empty() {
            let missing: Vec<_> = report.missing.iter().map(ToString::to_string).collect();
            let missing = missing.join(", ");
            diagnostic
                .notes
                .push(format!("reverted and not applied again: {missing}"));
        }
        if diagnostic.code != codes::M608.id {
            let hint = "fix the cause; then `migrator upgrade` applies what was reverted";
            diagnostic.hint = Some(hint.to_owned());
        }
    }
    error.exit = Exit::Partway;
    error.result = Some(report.json());
    error
}
