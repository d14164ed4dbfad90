use std::sync::Arc;

use super::{Error, Exit, database, diagnostic};
use crate::{
    cli::codes::{self, Code},
    database::{DatabaseError, FailureKind, StepStage},
    execute::{Failure, LockError, PartialFailure},
    plan::{Source, Step},
    report::{Diagnostic, Snippet, count_steps, duration},
    revision::Subject,
};

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy { holder, waited } => {
                let holder = holder.unwrap_or_else(|| "another migrator".to_owned());
                Self::new(
                    codes::M705,
                    format!("the lock is held by {holder}; waited {}", duration(waited)),
                )
                .hint("wait for it to finish and run again, or wait longer with lock-wait")
            }
            LockError::Interrupted => Self::new(
                codes::M706,
                "interrupted while waiting for the lock; nothing was changed",
            ),
            LockError::Database(error) => error.into(),
        }
    }
}

impl From<PartialFailure> for Error {
    fn from(error: PartialFailure) -> Self {
        let PartialFailure {
            done,
            failure,
            not_run,
        } = error;
        let mut diagnostic = describe(&failure);
        let done: Vec<_> = done.into_iter().map(|done| done.subject).collect();
        diagnostic.notes.push(consequence(&failure));
        diagnostic.notes.extend(summary(&failure, &done, &not_run));
        // Once a resumable script has begun its row says so, whatever it has done.
        let begun = matches!(failure.stage, StepStage::Statement(_) | StepStage::Verify);
        let partway = !done.is_empty() || failure.units.is_some_and(|(done, _)| done > 0 || begun);
        let mut error = Self::from(diagnostic);
        if partway && error.exit == Exit::Failed {
            error.exit = Exit::Partway;
        }
        error
    }
}

fn describe(failure: &Failure) -> Diagnostic {
    let (code, hint) = advice(failure);
    let (message, notes) = match &failure.error {
        DatabaseError::Sql(failure) => (failure.message.clone(), database::notes(failure)),
        DatabaseError::LockTimeout { failure, blockers } => {
            let mut notes = database::notes(failure);
            notes.extend(blockers.iter().map(|blocker| format!("held by {blocker}")));
            (failure.message.clone(), notes)
        }
        error => (error.to_string(), Vec::new()),
    };
    Diagnostic {
        place: (!is_ours(failure)).then(|| place(failure)),
        notes,
        hint: hint.map(|hint| match failure.units {
            Some((done, _)) => hint.replace("--statement N", &format!("--statement {}", done + 1)),
            None => hint.to_owned(),
        }),
        ..diagnostic(code, message)
    }
}

/// Before its first statement no script is to blame: what failed is a statement of our own.
fn is_ours(failure: &Failure) -> bool {
    failure.stage == StepStage::Begin && matches!(failure.error, DatabaseError::Sql(_))
}

fn advice(failure: &Failure) -> (Code, Option<&'static str>) {
    let off = failure.units.is_some();
    let stored = failure.step.source == Source::Stored;
    match (&failure.error, failure.stage) {
        (DatabaseError::Sql(refused), StepStage::Begin) => database::ours(refused),
        (DatabaseError::Sql(_), StepStage::Record | StepStage::Commit) => (codes::M704, None),
        (DatabaseError::Sql(failure), _) if failure.kind == Some(FailureKind::Cancelled) => (
            codes::M701,
            Some(
                "raise statement-timeout if it needs the time, or ask who cancelled it; then run again",
            ),
        ),
        (DatabaseError::Sql(_), _) if stored => (
            codes::M701,
            Some(
                "the script's file is gone: put it back into the directory, fixed, and run the same command again",
            ),
        ),
        (DatabaseError::Sql(_), _) if off => (
            codes::M701,
            Some("fix the cause and run the same command again: it resumes at this statement"),
        ),
        (DatabaseError::Sql(_), _) => (
            codes::M701,
            Some("fix the script and run the same command again"),
        ),
        (DatabaseError::LockTimeout { .. }, _) => (
            codes::M703,
            Some("find who holds the lock, run when there is less traffic, or raise lock-timeout"),
        ),
        (DatabaseError::ForeignKeys(_), _) => (
            codes::M702,
            Some("fix the rows or the script and run the same command again"),
        ),
        (error, _) => {
            let described = database::describe(error);
            let code = codes::CODES.iter().find(|code| code.id == described.code);
            (code.copied().unwrap_or(codes::M609), hint_of(error))
        }
    }
}

fn hint_of(error: &DatabaseError) -> Option<&'static str> {
    match error {
        DatabaseError::OutcomeUnknown(_) => {
            Some("look with `migrator status` before anything else")
        }
        DatabaseError::Pooled { .. } => Some(database::POOLED),
        DatabaseError::EndlessBatch { .. } => Some(database::ENDLESS),
        DatabaseError::BatchesOver { .. } => Some(database::OVER),
        DatabaseError::IndexInDoubt { doubt, .. } => Some(database::index_hint(*doubt)),
        DatabaseError::ReadOnly { .. } => {
            Some("check the permissions of the file and of its directory")
        }
        DatabaseError::Busy { .. } => {
            Some("close the other program, or wait for it, and run again")
        }
        _ => Some("run the same command again"),
    }
}

fn place(failure: &Failure) -> Snippet {
    let step = &failure.step;
    let offset = match &failure.error {
        DatabaseError::Sql(failure) | DatabaseError::LockTimeout { failure, .. } => failure.offset,
        _ => None,
    };
    let statement = failure
        .statement
        .and_then(|index| step.statements.get(index));
    let Some(statement) = statement else {
        return Snippet::file(step.script.file.clone());
    };
    let found = step.origin(statement.span.start + offset.unwrap_or(0));
    let start = found.start;
    let rest = step.script.text.get(start..).unwrap_or_default();
    let length = match offset {
        // A placeholder, of whose value the error is.
        Some(_) if !found.is_empty() => found.len(),
        Some(_) => word(rest),
        None => {
            let line = step.written(statement).lines().next();
            line.map_or(1, str::len)
        }
    };
    Snippet {
        file: step.script.file.clone(),
        text: Some(Arc::clone(&step.script.text)),
        offset: Some(start),
        length: length.max(1),
        at: None,
    }
}

/// Bytes of the word that `text` begins with.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// What the failure means for the database.
fn consequence(failure: &Failure) -> String {
    let step = &failure.step;
    let which = match failure.statement {
        Some(index) => format!("statement {} of {}", index + 1, step.statements.len()),
        None => stage(failure.stage).to_owned(),
    };
    let stored = match step.source {
        Source::Stored => " (the stored script)",
        Source::File => "",
    };
    let effect = match (failure.units, &failure.error) {
        (_, DatabaseError::OutcomeUnknown(_)) => {
            "it is either applied completely or not at all".to_owned()
        }
        (Some((done, total)), _) => {
            format!(
                "{done} of {total} steps of this `transaction = off` script are done and stay done"
            )
        }
        (None, _) if failure.stage == StepStage::Begin => "nothing of it was run".to_owned(),
        (None, _) => "it was rolled back completely".to_owned(),
    };
    format!("{which} of {}{stored}; {effect}", title(step))
}

fn title(step: &Step) -> String {
    format!(
        "{} {} ({})",
        step.subject.noun(),
        step.subject,
        step.message
    )
}

fn stage(stage: StepStage) -> &'static str {
    match stage {
        StepStage::Begin => "before the first statement",
        StepStage::Statement(_) => "in a statement",
        StepStage::Verify => "in the check after the last statement",
        StepStage::Record => "in the record",
        StepStage::Commit => "in COMMIT",
    }
}

fn summary(failure: &Failure, done: &[Subject], not_run: &[Subject]) -> Vec<String> {
    let mut notes = Vec::new();
    if failure.attempts > 1 {
        notes.push(format!("tried {} times", failure.attempts));
    }
    let names = |ids: &[Subject]| match ids {
        [first, _, _, .., last] => format!("{first} … {last}"),
        few => few
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    if !done.is_empty() {
        notes.push(format!(
            "done before it: {} ({})",
            count_steps(done),
            names(done)
        ));
    }
    if !not_run.is_empty() {
        notes.push(format!(
            "not run: {} ({})",
            count_steps(not_run),
            names(not_run)
        ));
    }
    notes
}
