//! What is wrong with scripts as such, whether or not they are to run.

use super::{
    Execution, PlanContext, PlanProblem, Source, Step,
    build::{self, Frame},
    repeatable::in_repeatable,
};
use crate::revision::{Direction, Revision, Script, Subject};

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptFault {
    /// It can't run.
    Problem(PlanProblem),
    /// It runs nothing.
    Empty {
        /// Whose script it is.
        subject: Subject,
        /// Which one; `None` for a repeatable script.
        direction: Option<Direction>,
        /// Its file.
        file: String,
    },
}

/// What is wrong with any script of the directory, by id, ups before downs.
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

/// What is wrong with one script of a revision.
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

/// A revision that joins branches has nothing to do.
pub(super) fn may_be_empty(revision: &Revision) -> bool {
    revision.parents.len() > 1
}

/// Whether there is no statement in it.
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
    // How much one transaction holds is a matter of the run.
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
