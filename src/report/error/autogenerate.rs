use super::{Diagnostic, Error, diagnostic, run, schema::not_generated, verify::verify_finding};
use crate::{
    database::{DatabaseError, FailureKind},
    execute::StepFailure,
    generate::{Loss, shown_path},
    model::ProgramError,
    ops::{AutogenerateError as E, ModelDrift, Unlike},
    report::{Snippet, codes, count, difference_sentences},
    schema::{Name, ObjectId},
};

impl From<E> for Error {
    fn from(error: E) -> Self {
        match error {
            E::NoModel => Self::new(codes::M894, "no [model] is configured")
                .hint("add to migrator.toml: [model] with sql = \"schema.sql\", command = [\"program\", \"argument\"], sqlalchemy = \"module:Base\", django = \"settings\", drizzle = \"schema.ts\", prisma = \"schema.prisma\" or url = \"…\""),
            E::Program(error) => program(&error),
            E::ModelRows(tables) => rows(&tables),
            E::Rename { .. } | E::NoRename(_) => Self::new(codes::M897, error.to_string()),
            E::RenamedFrom { file, text, offset } => Diagnostic {
                place: Some(Snippet {
                    file,
                    text: Some(text.into()),
                    offset: Some(offset),
                    ..Snippet::default()
                }),
                hint: Some("put it on a line of its own above CREATE TABLE or above the column".to_owned()),
                ..diagnostic(codes::M897, "renamed-from is not above a table or a column")
            }
            .into(),
            E::PossibleRenames(pairs) => Self::many(pairs.iter().map(possible_rename).collect()),
            E::OnlineSqlite => Self::new(codes::M905, error.to_string())
                .hint("leave out --online; `migrator rehearse` tells how long writes wait"),
            E::OnlineRename(..) => Self::new(codes::M905, error.to_string()).hint(
                "docs/zero-downtime.md has the revisions that rename a column; without --online, the rename is written as it is",
            ),
            E::Loses(losses) => loses(&losses),
            E::NoDown(refusals) => not_generated(&refusals)
                .note("this is about the down script")
                .hint("without a down script: --no-down REASON"),
            E::Differs(unlike) => differs(&unlike),
            E::Failed(failure) => {
                let mut error = run::without_outcome(&failure);
                let hint = hint(&failure.failure.error);
                for diagnostic in &mut error.diagnostics {
                    diagnostic.code = codes::M893.id;
                    diagnostic.hint = hint.map(str::to_owned);
                    diagnostic.notes.push(NOTHING.to_owned());
                }
                Self::many(error.diagnostics)
            }
            E::Wrong(verified) => {
                let findings = verified.findings.iter();
                let found = findings.map(|finding| Diagnostic {
                    code: codes::M893.id,
                    place: None,
                    ..verify_finding(&verified, finding)
                });
                Self::many(found.collect()).note(NOTHING)
            }
        }
    }
}

/// What helps if rows are in the way. Those of the proof are not: it ends in empty tables.
fn hint(failure: &StepFailure) -> Option<&'static str> {
    let StepFailure::Database(DatabaseError::Sql(failure)) = failure else {
        return None;
    };
    match failure.kind {
        None | Some(FailureKind::ContainsNull) => Some(
            "if rows that a revision inserts are in the way, give them a value with --fill TABLE.COLUMN=EXPRESSION, or write this revision by hand; `migrator schema diff head SCHEMA.sql --sql` prints the statements to a model in SQL",
        ),
        Some(_) => None,
    }
}

const NOTHING: &str = "the generated scripts were tried in a scratch database; nothing was written";

fn program(error: &ProgramError) -> Error {
    let mut found = diagnostic(codes::M895, error);
    found.notes.extend(error.tail.lines().map(str::to_owned));
    found.into()
}

fn rows(tables: &[Name]) -> Error {
    let names: Vec<String> = tables.iter().map(Name::to_string).collect();
    Error::new(
        codes::M896,
        format!("the model adds rows to {}", names.join(", ")),
    )
    .hint("a model declares a schema; add rows in a revision of their own")
}

fn possible_rename((from, to): &(ObjectId, ObjectId)) -> Diagnostic {
    let (old, new) = (shown_path(from), shown_path(to));
    Diagnostic {
        hint: Some(format!(
            "if it is the same one: --rename {old}={new}; otherwise: --no-rename {old}"
        )),
        ..diagnostic(
            codes::M891,
            format!("{from} is dropped, and {to} is added that looks alike"),
        )
    }
}

fn loses(losses: &[Loss]) -> Error {
    let what = match losses {
        [one] => one.to_string(),
        several => format!("data of {}", count(several.len(), "object")),
    };
    let mut found = diagnostic(codes::M892, format!("the up script would lose {what}"));
    if losses.len() > 1 {
        found.notes = losses.iter().map(Loss::to_string).collect();
    }
    found.hint = Some(
        "accept that with --allow-loss, or say what has another name with --rename OLD=NEW"
            .to_owned(),
    );
    found.into()
}

fn differs(unlike: &Unlike) -> Error {
    let words = ["is missing", "is too much", "differs"];
    let mut found = diagnostic(
        codes::M893,
        "the generated up script does not lead to the model",
    );
    found.notes = difference_sentences(&unlike.difference, words);
    found.notes.push(NOTHING.to_owned());
    found.into()
}

/// The finding of a check of the model.
pub fn model_drift(drift: &ModelDrift) -> Vec<Diagnostic> {
    if drift.difference.is_empty() {
        return Vec::new();
    }
    let words = ["is only in the model", "is not in the model", "differs"];
    vec![Diagnostic {
        notes: difference_sentences(&drift.difference, words),
        hint: Some("migrator revision --autogenerate -m MESSAGE".to_owned()),
        ..diagnostic(
            codes::M898,
            format!("the model ({}) is not what the scripts make", drift.source),
        )
    }]
}
