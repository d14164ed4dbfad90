use std::sync::Arc;

use super::{Error, diagnostic, target};
use crate::{
    cli::codes::{self, Code},
    plan::{BatchPlace, Obstacle, PlanError, PlanProblem, SourceSpan},
    report::{Diagnostic, Snippet},
    sql::{NoRowChange, PlaceholderFault, SqlProblemKind},
};

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        Self::many(error.0.iter().map(describe).collect())
    }
}

pub(super) fn describe(problem: &PlanProblem) -> Diagnostic {
    match problem {
        PlanProblem::Target(error) => return target::describe(error),
        PlanProblem::Occupied(obstacle) => return occupied(obstacle),
        _ => {}
    }
    let (code, hint) = advice(problem);
    Diagnostic {
        place: place(problem),
        notes: notes(problem),
        hint: own_hint(problem).or_else(|| hint.map(str::to_owned)),
        ..diagnostic(code, problem)
    }
}

fn occupied(obstacle: &Obstacle) -> Diagnostic {
    let (code, hint) = match obstacle {
        Obstacle::Records { tool, .. } => (
            codes::M497,
            format!(
                "`migrator adopt --from {tool}` records what is applied and runs nothing; to write all the same: \
                 records-of = \"ignore\" in migrator.toml"
            ),
        ),
        Obstacle::Unreadable { tool, .. } => (
            codes::M497,
            format!(
                "let the role read it, then `migrator adopt --from {tool}`; if it is not about these scripts: \
                 records-of = \"ignore\" in migrator.toml"
            ),
        ),
        Obstacle::NotEmpty { .. } => (
            codes::M518,
            "is this the right database? If it has these revisions: `migrator stamp REVISION`, or \
             `migrator adopt` for another tool's records; if the tables are to stay beside them: --allow-nonempty"
                .to_owned(),
        ),
    };
    Diagnostic {
        hint: Some(hint),
        ..diagnostic(code, obstacle)
    }
}

/// A hint that names something of the problem.
fn own_hint(problem: &PlanProblem) -> Option<String> {
    match problem {
        PlanProblem::Doubt { statement, .. } => Some(format!(
            "look at the database, then say so: `migrator repair --statement {statement} --done` \
             or `--undone`"
        )),
        PlanProblem::Placeholder {
            fault:
                PlaceholderFault::Undefined {
                    name,
                    nearest,
                    needs,
                },
            ..
        } => Some(match (needs, nearest) {
            (Some(variable), _) => {
                format!(
                    "its value in migrator.toml needs the variable {variable}, which is not set"
                )
            }
            (None, Some(nearest)) => format!("did you mean `{nearest}`?"),
            (None, None) => format!("give it one: --var {name}=VALUE, or [vars] in migrator.toml"),
        }),
        _ => None,
    }
}

const OFF: &str = "put `-- migrator: transaction = off` at the top of the script; it then runs statement by statement, resumable";

fn advice(problem: &PlanProblem) -> (Code, Option<&'static str>) {
    use PlanProblem as P;
    match problem {
        P::Target(_) => (codes::M401, None),
        P::Occupied(_) => (codes::M518, None),
        P::WrongWay {
            verb: "upgrade to", ..
        } => (
            codes::M404,
            Some(
                "an upgrade goes up: a revision, head, heads or +N; to go down use `migrator downgrade`",
            ),
        ),
        P::WrongWay {
            verb: "downgrade to",
            ..
        } => (
            codes::M404,
            Some("a downgrade goes down: a revision, base or -N; to go up use `migrator upgrade`"),
        ),
        P::WrongWay { .. } => (
            codes::M404,
            Some("name the revision itself, or head, heads, base"),
        ),
        P::NotApplied { .. } | P::TooFewApplied { .. } => (
            codes::M405,
            Some("`migrator current` shows where the database is"),
        ),
        P::Edited { .. } => (
            codes::M501,
            Some("undo the change and write a new revision, or accept it with `migrator repair`"),
        ),
        P::Unknown { related: true, .. } => (
            codes::M502,
            Some(
                "get the missing files (another branch?), or check that this is the right database",
            ),
        ),
        P::Unknown { related: false, .. } => (
            codes::M502,
            Some(
                "nothing that is applied is known here: is this the right database, and the right directory?",
            ),
        ),
        P::Ahead { .. } => (
            codes::M503,
            Some("deploy the newer release, or set ahead = \"warn\""),
        ),
        P::Partial { .. } => (
            codes::M504,
            Some(
                "go on with the command that began it, or settle it: `migrator repair --mark applied` or `unapplied`",
            ),
        ),
        P::DoneChanged { .. } => (
            codes::M510,
            Some("restore the statements that ran: only what comes after them may change"),
        ),
        P::OffRemoved { .. } => (codes::M510, Some("restore the header")),
        P::Doubt { .. } => (codes::M509, None),
        P::NothingPartial => (
            codes::M405,
            Some("`migrator status` shows where the database stands"),
        ),
        P::NotInDoubt { .. } => (
            codes::M405,
            Some("`migrator status` shows how far the script has come"),
        ),
        P::OutOfOrder { .. } => (
            codes::M408,
            Some(
                "give it a newer id, name its parent with `-- migrator: revises = ID`, or set out-of-order = \"warn\"",
            ),
        ),
        P::NoDown { .. } => (
            codes::M406,
            Some("write one beside the up script, then run this again"),
        ),
        P::Irreversible { .. } => (
            codes::M407,
            Some("restore a backup, or write a new revision that moves forward"),
        ),
        P::Halfway(_) => (
            codes::M472,
            Some(
                "upgrade it with the scripts from before the squash (an older commit or release) up to the baseline's id, then again with these",
            ),
        ),
        P::Sql { kind, .. } => sql(kind),
        P::Placeholder {
            fault: PlaceholderFault::Malformed,
            ..
        } => (
            codes::M244,
            Some("write it like :{name}, or remove the header `vars`"),
        ),
        P::Placeholder { .. } => (codes::M243, None),
        P::TransactionControl { off: false, .. } => (codes::M303, Some(OFF)),
        P::TransactionControl { off: true, .. } => (
            codes::M303,
            Some(
                "a `transaction = off` script takes BEGIN … COMMIT blocks, with nothing but savepoints inside",
            ),
        ),
        P::OpenTransaction { .. } => (codes::M303, Some("add COMMIT")),
        P::OpenSavepoint { .. } => (codes::M305, Some("add RELEASE SAVEPOINT")),
        P::UnknownSavepoint { .. } => (codes::M305, Some("begin with SAVEPOINT of that name")),
        P::OutsideTransaction { .. } => (codes::M304, Some(OFF)),
        P::NotInRepeatable { .. } => (
            codes::M242,
            Some("put it into a revision with `transaction = off`"),
        ),
        P::SessionObject { .. } => (
            codes::M306,
            Some("use an ordinary table and drop it at the end of the script"),
        ),
        P::CopyOut { .. } => (codes::M307, Some("remove it")),
        P::ForeignKeysPragma { .. } => (
            codes::M308,
            Some("use the header `-- migrator: foreign-keys = on` or `off`"),
        ),
        P::BatchPlace { place, .. } => (codes::M316, Some(batch_place(*place))),
        P::BatchStatement { reason, .. } => (codes::M317, Some(batch_statement(*reason))),
        P::BatchUnbounded { .. } => (
            codes::M318,
            Some("add max-batches=N: as many as it should take, with some to spare"),
        ),
        P::BatchLag { .. } => (codes::M315, Some("remove it; pause=50ms gives others room")),
        P::OffInOneTransaction { .. } | P::MixedForeignKeys { .. } => {
            (codes::M309, Some("run without --transaction all"))
        }
        P::StoredScript { .. } => (
            codes::M406,
            Some("put the down script back into the directory, fixed"),
        ),
    }
}

fn batch_place(place: BatchPlace) -> &'static str {
    match place {
        BatchPlace::End => "remove it, or move it above the statement that is to be repeated",
        BatchPlace::Twice => "put all options into one of them, and remove the other",
        BatchPlace::NotAbove => "move it to the line right above the statement",
        BatchPlace::InBlock => "remove BEGIN and COMMIT, or the directive",
    }
}

fn batch_statement(reason: NoRowChange) -> &'static str {
    match reason {
        NoRowChange::OtherStatement => "remove the directive",
        NoRowChange::WithinQuery => {
            "make the change the statement itself: `WITH … UPDATE …` in place of `WITH … SELECT`"
        }
        NoRowChange::UnknownTable => "write the table's plain name, with its schema or without",
    }
}

fn sql(kind: &SqlProblemKind) -> (Code, Option<&'static str>) {
    use SqlProblemKind as K;
    match kind {
        K::PsqlCommand(_) => (
            codes::M302,
            Some("remove the line, or write the SQL it stands for"),
        ),
        K::DotCommand(_) => (
            codes::M302,
            Some("remove the line, or write the SQL it stands for"),
        ),
        K::UnterminatedCopyData => (
            codes::M301,
            Some("end the data with a line that is only \\."),
        ),
        _ => (codes::M301, Some("close it where it should end")),
    }
}

fn place(problem: &PlanProblem) -> Option<Snippet> {
    use PlanProblem as P;
    if let Some(source_span) = problem.source_span() {
        return Some(snippet(source_span));
    }
    match problem {
        P::Edited { file, .. }
        | P::OutOfOrder { file, .. }
        | P::OffInOneTransaction { file, .. }
        | P::MixedForeignKeys { file, .. } => Some(Snippet::file(file)),
        _ => None,
    }
}

pub(super) fn snippet(source_span: &SourceSpan) -> Snippet {
    let rest = &source_span.text[source_span.offset..];
    let word = if rest.starts_with("--") {
        rest.lines().next().map_or(0, |line| line.trim_end().len())
    } else {
        rest.find(|c: char| c.is_whitespace() || c == ';')
            .unwrap_or(rest.len())
    };
    Snippet {
        file: source_span.file.clone(),
        text: Some(Arc::clone(&source_span.text)),
        offset: Some(source_span.offset),
        length: word.max(1),
        at: None,
    }
}

fn notes(problem: &PlanProblem) -> Vec<String> {
    match problem {
        PlanProblem::Partial {
            interruption: Some(interruption),
            ..
        } => vec![interruption.ending.to_string()],
        _ => Vec::new(),
    }
}
