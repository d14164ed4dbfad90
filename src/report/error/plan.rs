use super::{Advice, Error, advised, hinted, plain, target};
use crate::{
    plan::{BatchPlace, Obstacle, PlanError, PlanProblem},
    report::codes,
    report::{Diagnostic, Diff, Snippet},
    sql::{NoRowChange, PlaceholderFault, SqlProblemKind},
};

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        Self::many(error.0.iter().map(describe).collect())
    }
}

pub(super) fn describe(problem: &PlanProblem) -> Diagnostic {
    if let PlanProblem::Target(error) = problem {
        return target::describe(error);
    }
    let span = problem.source_span().map(Snippet::from);
    let notes = match problem {
        PlanProblem::Partial {
            interruption: Some(interruption),
            ..
        } => vec![interruption.ending.to_string()],
        _ => Vec::new(),
    };
    let diff = match problem {
        PlanProblem::Edited {
            revision,
            change: Some(change),
            ..
        } => Some(Diff::of(revision, change)),
        _ => None,
    };
    Diagnostic {
        place: span.or_else(|| problem.file().map(Snippet::file)),
        notes,
        diff,
        ..advised(advice(problem), problem)
    }
}

fn occupied(obstacle: &Obstacle) -> Advice {
    match obstacle {
        Obstacle::Records { tool, .. } => hinted(
            codes::M497,
            format!(
                "run `migrator adopt --from {tool}`, which records what is applied and runs nothing; to write regardless, set \
                 records-of = \"ignore\" in migrator.toml"
            ),
        ),
        Obstacle::Unreadable { tool, .. } => hinted(
            codes::M497,
            format!(
                "let the role read it, then run `migrator adopt --from {tool}`; if it is not about these scripts, set \
                 records-of = \"ignore\" in migrator.toml"
            ),
        ),
        Obstacle::NotEmpty { .. } => hinted(
            codes::M518,
            "check that this is the right database; if these revisions are applied to it, run `migrator stamp REVISION`, or \
             `migrator adopt` for the records of another tool; to run the scripts beside the tables, use --allow-nonempty",
        ),
    }
}

const OFF: &str = "put `-- migrator: transaction = off` at the top of the script; \
    it then runs statement by statement and can be resumed";

fn advice(problem: &PlanProblem) -> Advice {
    use PlanProblem as P;
    match problem {
        P::Target(_) => plain(codes::M401),
        P::Occupied(obstacle) => occupied(obstacle),
        P::WrongWay { verb, .. } => hinted(codes::M404, wrong_way(verb)),
        P::NotApplied { .. } | P::TooFewApplied { .. } => {
            hinted(codes::M405, "`migrator current` shows what is applied")
        }
        P::Edited { .. } => hinted(
            codes::M501,
            "undo the change and write a new revision, accept it with `migrator repair`, or while you develop revert and apply it again with `migrator redo --edited`",
        ),
        P::Unknown { related: true, .. } => hinted(
            codes::M502,
            "get the missing files, perhaps from another branch, or check that this is the right database",
        ),
        P::Unknown { related: false, .. } => hinted(
            codes::M502,
            "no applied revision is known here; check that this is the right database and the right directory",
        ),
        P::Ahead { .. } => hinted(
            codes::M503,
            "deploy the newer release, or set ahead = \"warn\"",
        ),
        P::Partial { .. } => hinted(
            codes::M504,
            "run the command that started it again, or resolve it with `migrator repair --mark applied` or `--mark unapplied`",
        ),
        P::DoneChanged { .. } => hinted(
            codes::M510,
            "restore the statements that have run; only later statements may change",
        ),
        P::OffRemoved { .. } => hinted(codes::M510, "restore the header"),
        P::Doubt { statement, .. } => hinted(
            codes::M509,
            format!(
                "check whether it took effect in the database, then run `migrator repair --statement {statement} --done` or `--undone`"
            ),
        ),
        P::NothingPartial => hinted(
            codes::M405,
            "`migrator status` shows the state of the database",
        ),
        P::NotInDoubt { .. } => hinted(
            codes::M405,
            "`migrator status` shows how many statements are done",
        ),
        P::OutOfOrder { .. } => hinted(
            codes::M408,
            "give it a newer ID, name its parent with `-- migrator: revises = ID`, or set out-of-order = \"warn\"",
        ),
        P::NoDown { .. } => hinted(
            codes::M406,
            "write one next to the up script and run the command again",
        ),
        P::Irreversible { .. } => hinted(
            codes::M407,
            "restore a backup, or write a new revision that moves forward",
        ),
        P::Halfway(_) => hinted(
            codes::M472,
            "upgrade to the ID of the baseline with the scripts from before the squash (an older commit or release), then upgrade with these scripts",
        ),
        P::Sql { kind, .. } => sql(kind),
        P::Placeholder { fault, .. } => placeholder(fault),
        P::TransactionControl { off: false, .. } => hinted(codes::M303, OFF),
        P::TransactionControl { off: true, .. } => hinted(
            codes::M303,
            "a `transaction = off` script may contain BEGIN … COMMIT blocks, and only savepoints inside them",
        ),
        P::OpenTransaction { .. } => hinted(codes::M303, "add COMMIT"),
        P::OpenSavepoint { .. } => hinted(codes::M305, "add RELEASE SAVEPOINT"),
        P::UnknownSavepoint { .. } => hinted(
            codes::M305,
            "create it with SAVEPOINT before it is released or rolled back to",
        ),
        P::OutsideTransaction { .. } => hinted(codes::M304, OFF),
        P::NotInRepeatable { .. } => hinted(
            codes::M242,
            "move it into a revision with `transaction = off`",
        ),
        P::SessionObject { .. } => hinted(
            codes::M306,
            "use an ordinary table and drop it at the end of the script",
        ),
        P::CopyOut { .. } => hinted(codes::M307, "remove it"),
        P::ForeignKeysPragma { .. } => hinted(
            codes::M308,
            "use the header `-- migrator: foreign-keys = on` or `off`",
        ),
        P::LayoutPragma { pragma, .. } if pragma.by_vacuum => hinted(
            codes::M310,
            "add VACUUM after it, in a script with `-- migrator: transaction = off`; or remove it here and create the file with it before the first upgrade",
        ),
        P::LayoutPragma { .. } => hinted(
            codes::M310,
            "remove it here and create the file with it before the first upgrade: PRAGMA encoding, then CREATE TABLE and DROP TABLE",
        ),
        P::BatchPlace { place, .. } => hinted(codes::M316, batch_place(*place)),
        P::BatchStatement { reason, .. } => hinted(codes::M317, batch_statement(*reason)),
        P::BatchUnbounded { .. } => hinted(
            codes::M318,
            "add max-batches=N, with N somewhat larger than the number of batches you expect",
        ),
        P::BatchLag { .. } => hinted(
            codes::M315,
            "remove it; pause=50ms leaves time for other writers",
        ),
        P::OffInOneTransaction { .. } | P::MixedForeignKeys { .. } => {
            hinted(codes::M309, "run without --transaction all")
        }
        P::StoredScript { .. } => hinted(
            codes::M406,
            "put a corrected down script into the directory",
        ),
    }
}

fn wrong_way(verb: &str) -> &'static str {
    match verb {
        "upgrade to" => {
            "an upgrade target is a revision, head, heads or +N; to revert revisions, use `migrator downgrade`"
        }
        "downgrade to" => {
            "a downgrade target is a revision, base or -N; to apply revisions, use `migrator upgrade`"
        }
        _ => "name a revision, head, heads or base",
    }
}

fn placeholder(fault: &PlaceholderFault) -> Advice {
    use PlaceholderFault as F;
    match fault {
        F::Malformed => hinted(
            codes::M244,
            "write it as :{name}, or remove the header `vars`",
        ),
        F::Undefined {
            needs: Some(variable),
            ..
        } => hinted(
            codes::M243,
            format!(
                "its value in migrator.toml uses the environment variable {variable}, which is not set"
            ),
        ),
        F::Undefined {
            nearest: Some(name),
            ..
        } => hinted(codes::M243, format!("did you mean `{name}`?")),
        F::Undefined { name, .. } => hinted(
            codes::M243,
            format!("give it a value: --var {name}=VALUE, or [vars] in migrator.toml"),
        ),
    }
}

fn batch_place(place: BatchPlace) -> &'static str {
    match place {
        BatchPlace::End => "remove it, or move it above the statement to repeat",
        BatchPlace::Twice => "put all options into one directive and remove the other",
        BatchPlace::NotAbove => "move it to the line directly above the statement",
        BatchPlace::InBlock => "remove BEGIN and COMMIT, or the directive",
    }
}

fn batch_statement(reason: NoRowChange) -> &'static str {
    match reason {
        NoRowChange::OtherStatement => "remove the directive",
        NoRowChange::WithinQuery => {
            "make the change the main statement: `WITH … UPDATE …` instead of `WITH … SELECT`"
        }
        NoRowChange::UnknownTable => {
            "write the plain name of the table, with or without its schema"
        }
    }
}

fn sql(kind: &SqlProblemKind) -> Advice {
    use SqlProblemKind as K;
    match kind {
        K::PsqlCommand(_) | K::DotCommand(_) => hinted(
            codes::M302,
            "remove the line, or replace it with the equivalent SQL",
        ),
        K::Parameter(_) => hinted(
            codes::M311,
            "write the value itself, or use the header `vars` to have values filled in",
        ),
        K::BackslashEscape | K::BackslashQuote => hinted(
            codes::M312,
            "write E'…' for strings with escapes, and '' for a quote",
        ),
        K::UnterminatedCopyData => hinted(
            codes::M301,
            "end the data with a line that contains only \\.",
        ),
        _ => hinted(codes::M301, "close it where it should end"),
    }
}
