//! Checks scripts regardless of whether they are due to run.

#[cfg(feature = "cli")]
use super::PlanError;
use super::{
    Execution, PlanContext, PlanProblem, Source, Step,
    build::{self, Frame},
    repeatable::in_repeatable,
};
use crate::revision::{Direction, Revision, Script, Subject};

/// A problem of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptFault {
    /// The script cannot run.
    Problem(PlanProblem),
    /// The script has no statement.
    Empty {
        /// The subject of the script.
        subject: Subject,
        /// The direction of the script; `None` for a repeatable script.
        direction: Option<Direction>,
        /// The script file.
        file: String,
    },
}

/// Returns the problems of all scripts of the directory, by ID, up scripts before down scripts.
pub fn script_faults(context: &PlanContext<'_>) -> Vec<ScriptFault> {
    let mut faults = Vec::new();
    for revision in context.history.by_id() {
        let scripts = [Some(&revision.up), revision.down.as_ref()];
        for script in scripts.into_iter().flatten() {
            faults.extend(of_revision(context, revision, script));
        }
    }
    for repeatable in context.history.repeatables() {
        let subject: Subject = repeatable.id.clone().into();
        match built(context, subject.clone(), &repeatable.script) {
            Err(problems) => {
                faults.extend(
                    problems
                        .into_iter()
                        .map(in_repeatable)
                        .map(ScriptFault::Problem),
                );
            }
            Ok(step) if runs_nothing(&step) => faults.push(ScriptFault::Empty {
                subject,
                direction: None,
                file: repeatable.script.file.clone(),
            }),
            Ok(_) => {}
        }
    }
    faults
}

/// Returns the up script of `revision` as a run would take it, whatever is applied.
///
/// # Errors
/// Returns every problem found in the script.
#[cfg(feature = "cli")]
pub fn up_step(context: &PlanContext<'_>, revision: &Revision) -> Result<Step, PlanError> {
    built(context, revision.id.clone().into(), &revision.up).map_err(PlanError)
}

/// Returns the problems of one script of a revision.
pub(super) fn of_revision(
    context: &PlanContext<'_>,
    revision: &Revision,
    script: &Script,
) -> Vec<ScriptFault> {
    let subject: Subject = revision.id.clone().into();
    match built(context, subject.clone(), script) {
        Err(problems) => problems.into_iter().map(ScriptFault::Problem).collect(),
        Ok(step) if runs_nothing(&step) && !may_be_empty(revision) => vec![ScriptFault::Empty {
            subject,
            direction: Some(script.direction),
            file: script.file.clone(),
        }],
        Ok(_) => Vec::new(),
    }
}

/// Returns whether the script may be empty, as for a revision that joins branches.
pub(super) fn may_be_empty(revision: &Revision) -> bool {
    revision.parents.len() > 1
}

/// Returns whether the step has no statement.
pub(super) fn runs_nothing(step: &Step) -> bool {
    match &step.execution {
        Execution::Transaction(statements) => statements.is_empty(),
        Execution::Units(units) => units.is_empty(),
    }
}

fn built(
    context: &PlanContext<'_>,
    subject: Subject,
    script: &Script,
) -> Result<Step, Vec<PlanProblem>> {
    // One transaction for all scripts is a property of the run, not of a script.
    let context = PlanContext {
        one_transaction: false,
        ..*context
    };
    let frame = Frame {
        subject,
        message: String::new(),
        source: Source::File,
        expects: 0,
        row: None,
        replaces: false,
        partial: None,
    };
    build::build(&context, script.clone(), frame)
}
