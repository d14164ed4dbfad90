use std::{borrow::Cow, sync::Arc};

use super::{Advice, Error, Exit, advised, database, hinted};
use crate::{
    database::{DatabaseError, DatabaseError as E, FailureKind, SqlFailure, StepStage},
    execute::{Failure, IndexDoubt, LockError, PartialFailure, StepFailure},
    plan::{Source, Step},
    report::codes::{self, Code},
    report::{Diagnostic, Snippet, count_steps, duration},
    revision::Subject,
    sql::{self, Dialect},
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
                .hint("wait until it has finished and run the command again, or increase lock-wait")
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
        // Once a resumable script has started, its row says so, whatever has been done.
        let begun = matches!(failure.stage, StepStage::Statement(_) | StepStage::Verify);
        let partway = !done.is_empty() || failure.units.is_some_and(|(done, _)| done > 0 || begun);
        let mut error = Self::from(diagnostic);
        if partway && error.exit == Exit::Failed {
            error.exit = Exit::Partway;
        }
        error
    }
}

/// The error of a run in a database that is gone, so that its outcome does not matter.
pub(super) fn without_outcome(error: &PartialFailure) -> Error {
    describe(&error.failure).into()
}

fn describe(failure: &Failure) -> Diagnostic {
    if let Some(character) = untranslatable(&failure.error) {
        return untranslated(failure, character);
    }
    let (message, notes) = match &failure.error {
        StepFailure::Database(E::Sql(refused)) => {
            let mut notes = database::notes(refused);
            notes.extend(invisible(failure));
            (refused.message.clone(), notes)
        }
        StepFailure::Database(E::LockTimeout { failure, blockers }) => {
            let mut notes = database::notes(failure);
            notes.extend(blockers.iter().map(|blocker| format!("held by {blocker}")));
            (failure.message.clone(), notes)
        }
        error => (error.to_string(), Vec::new()),
    };
    Diagnostic {
        place: (!is_ours(failure)).then(|| place(failure)),
        notes,
        ..advised(advice(failure), message)
    }
}

fn untranslatable(failure: &StepFailure) -> Option<char> {
    match failure {
        StepFailure::Database(E::Sql(refused)) => match refused.kind {
            Some(FailureKind::Untranslatable(character)) => Some(character),
            _ => None,
        },
        _ => None,
    }
}

/// The error for a character that the encoding of the database lacks. The server parses a step with
/// its record before it runs any of it, including comments and the stored down script.
fn untranslated(failure: &Failure, character: char) -> Diagnostic {
    let step = &failure.step;
    let file = &step.script.file;
    let snippet = |file: String, text: Arc<str>| {
        let offset = text.find(character)?;
        Some(Snippet {
            file,
            text: Some(text),
            offset: Some(offset),
            length: character.len_utf8(),
            at: None,
        })
    };
    let down = || {
        let text = step.row.as_ref()?.down_script.as_deref()?;
        let stem = file.strip_suffix(".up.sql")?;
        snippet(format!("{stem}.down.sql"), text.into())
    };
    let place = snippet(file.clone(), Arc::clone(&step.script.text));
    Diagnostic {
        place: place.or_else(down).or_else(|| Some(Snippet::file(file))),
        ..advised(
            hinted(codes::M708, "write it in ASCII, in comments too"),
            format!(
                "the database's encoding does not have `{character}` (U+{:04X})",
                u32::from(character)
            ),
        )
    }
}

/// Notes on invisible characters of the statement that failed.
fn invisible(failure: &Failure) -> Vec<String> {
    let step = &failure.step;
    let statement = failure
        .statement
        .and_then(|index| step.statements.get(index));
    let Some(statement) = statement else {
        return Vec::new();
    };
    // This checks the whole script, which may start with a byte order mark.
    let found = sql::invisible(Dialect::default(), step.text());
    let found = found.iter().filter(|one| statement.span.contains(&one.at));
    let named = found.take(NAMED).map(|one| {
        let origin = step.origin(one.at);
        let at = sql::position(&step.script.text, origin.start);
        format!(
            "an invisible character at {}:{}: {} (U+{:04X})",
            at.line,
            at.column,
            one.name,
            u32::from(one.character)
        )
    });
    named.collect()
}

/// The maximum number of invisible characters listed.
const NAMED: usize = 3;

/// Whether migrator's own statement failed, which is so before the first statement of a script.
fn is_ours(failure: &Failure) -> bool {
    let is_own = matches!(
        failure.error,
        StepFailure::Database(E::Sql(_) | E::MissingRights { .. } | E::NotOwner { .. })
    );
    failure.stage == StepStage::Begin && is_own
}

fn advice(failure: &Failure) -> Advice {
    // Statements are counted from 1; the partially applied one is the first that is not done.
    let statement = failure.units.map_or(1, |(done, _)| done + 1);
    let (code, hint) = match &failure.error {
        StepFailure::Database(error) => of_database(failure, error),
        StepFailure::IndexInDoubt { doubt, .. } => {
            return (codes::M509, Some(index(*doubt, statement)));
        }
        StepFailure::EndlessBatch { .. } => return (codes::M515, Some(endless(statement))),
        StepFailure::BatchesOver { .. } => (
            codes::M516,
            Some("run the same command again to continue, or increase max-batches"),
        ),
    };
    (code, hint.map(Cow::from))
}

fn of_database(failure: &Failure, error: &DatabaseError) -> (Code, Option<&'static str>) {
    let off = failure.units.is_some();
    let stored = failure.step.source == Source::Stored;
    match (error, failure.stage) {
        (E::Sql(refused), StepStage::Begin) => database::ours(refused),
        (E::Sql(refused), StepStage::Record | StepStage::Commit) => {
            (codes::M704, conflict(refused))
        }
        (E::Sql(failure), _) if failure.kind == Some(FailureKind::Cancelled) => (
            codes::M701,
            Some(
                "increase statement-timeout if the statement needs more time, or find out who cancelled it; then run the command again",
            ),
        ),
        (E::Sql(failure), _) if conflict(failure).is_some() => (codes::M701, conflict(failure)),
        (E::Sql(failure), _) if failure.kind == Some(FailureKind::ReadOnly) => (
            codes::M701,
            Some(
                "the transaction is read-only: either the script made it so (SET TRANSACTION READ ONLY, default_transaction_read_only), or the server has become a standby",
            ),
        ),
        (E::Sql(failure), _) if failure.kind == Some(FailureKind::InTransaction) && !off => (
            codes::M701,
            Some(
                "the statement cannot run in a transaction: put `-- migrator: transaction = off` at the top of the script, which then runs statement by statement",
            ),
        ),
        (E::Sql(_), _) if stored => (
            codes::M701,
            Some(
                "the file of the script is missing: put a corrected file into the directory and run the same command again",
            ),
        ),
        (E::Sql(_), _) if off => (
            codes::M701,
            Some("fix the cause and run the same command again: it resumes at this statement"),
        ),
        (E::Sql(_), _) => (
            codes::M701,
            Some("fix the script and run the same command again"),
        ),
        (E::LockTimeout { .. }, _) => (
            codes::M703,
            Some(
                "find out who holds the lock, run the command when there is less traffic, or increase lock-timeout",
            ),
        ),
        (E::ForeignKeys(_), _) => (
            codes::M702,
            Some("fix the rows or the script and run the same command again"),
        ),
        (E::KeysInDoubt(_), _) => (codes::M707, Some(database::KEYS_IN_DOUBT)),
        (E::MissingRights { .. } | E::NotOwner { .. }, _) => database::advice(error),
        (error, _) => (database::advice(error).0, Some(hint_of(error))),
    }
}

/// The hint for a deadlock or a serialization failure.
fn conflict(failure: &SqlFailure) -> Option<&'static str> {
    (failure.kind == Some(FailureKind::Conflict)).then_some(
        "every attempt conflicted with other transactions: run again when there is less traffic, or increase lock-attempts",
    )
}

fn hint_of(error: &DatabaseError) -> &'static str {
    match error {
        E::OutcomeUnknown(_) => "check with `migrator status` before doing anything else",
        E::Pooled { .. } => database::POOLED,
        E::ReadOnly { kind, .. } => database::read_only(*kind),
        E::Busy { .. } => "close the other program or wait for it, then run the command again",
        _ => "run the same command again",
    }
}

fn index(doubt: IndexDoubt, statement: usize) -> Cow<'static, str> {
    match doubt {
        IndexDoubt::BeingBuilt => "wait for the build, then run the command again".into(),
        IndexDoubt::Unlike | IndexDoubt::Older => {
            "find out who created it, and drop it with DROP INDEX CONCURRENTLY or REINDEX it; then run the command again"
                .into()
        }
        IndexDoubt::Valid => format!(
            "if it is the intended index, run `migrator repair --statement {statement} --done`; \
             otherwise drop it and run the command again"
        )
        .into(),
    }
}

fn endless(statement: usize) -> Cow<'static, str> {
    format!(
        "change its WHERE to exclude rows that are done, and run the same command again; or \
         run `migrator repair --statement {statement} --done` if it is complete, `--undone` to count from zero"
    )
    .into()
}

fn place(failure: &Failure) -> Snippet {
    let step = &failure.step;
    let offset = match &failure.error {
        StepFailure::Database(E::Sql(failure) | E::LockTimeout { failure, .. }) => failure.offset,
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
        // The error concerns the value of a placeholder.
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

/// The length in bytes of the word at the start of `text`.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// The effect of the failure on the database.
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
        (_, StepFailure::Database(E::OutcomeUnknown(_))) => {
            "it is either applied completely or not at all".to_owned()
        }
        (Some((done, total)), _) => {
            format!(
                "{done} of {total} steps of this `transaction = off` script are done and stay done"
            )
        }
        (None, _) if failure.stage == StepStage::Begin => "none of it was run".to_owned(),
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
