use super::{
    Advice, Error, adopt, advised, diagnostic, hinted, location, plain, project, redo, schema,
};
use crate::{
    ops::{Error as E, MergeError, NotReady, OfflineError},
    report::codes,
    report::{Diagnostic, Snippet, View, duration},
    revision::Direction,
};

impl From<E> for Error {
    fn from(error: E) -> Self {
        match error {
            E::Scripts(problems) => project::directory(&problems),
            E::Url(error) => location(&error, "the URL"),
            E::TargetSyntax(error) => error.into(),
            E::Target(error) => error.into(),
            E::Plan(error) => error.into(),
            E::Lock(error) => error.into(),
            E::Database(error) => error.into(),
            E::Failed(failure) => (*failure).into(),
            E::Partway { error, .. } => Self::from(*error).after_changes(),
            E::RedoFailed {
                report,
                left,
                failure,
            } => redo::failed((*failure).into(), left, &report),
            E::RedoPartway { report, reason } => redo::partway(reason.into(), &report),
            E::Adopt(error) => error.into(),
            E::AdoptDoubts(report) => Self {
                result: Some(report.json()),
                ..adopt::doubts(&report.adoption.doubts)
            },
            E::AdoptOutdated(report) => Self {
                result: Some(report.json()),
                ..adopt::outdated(&report.adoption)
            },
            E::Git(error) => error.into(),
            E::Convert(error) => error.into(),
            E::Init(error) => error.into(),
            E::Slug(error) => error.into(),
            E::Template(error) => error.into(),
            E::Write(error) => error.into(),
            E::Exchange(error) => error.into(),
            E::Rebase(problem) => problem.into(),
            E::Squash(problems) => problems.into(),
            E::Backup(error) => error.into(),
            E::BackupBefore(error) => {
                Self::from(error).note("no backup was made, so nothing was run")
            }
            E::Offline(error) => offline(error),
            E::Rehearse(error) => error.into(),
            E::Source(error) => error.into(),
            E::Scratch(error) => error.into(),
            E::Outside(error) => error.into(),
            E::Cycle(error) => error.into(),
            E::Autogenerate(error) => error.into(),
            E::Fix(error) => error.into(),
            E::Fleet(error) => error.into(),
            E::NotGenerated(refusals) => schema::not_generated(&refusals),
            E::InScratch(error) => schema::in_scratch(*error),
            E::InFiles { names, error } => schema::in_files(*error, &names),
            E::NotReady(late) => not_ready(*late),
            E::Reparented { ref file, .. } => Self::from(Diagnostic {
                place: Some(Snippet::file(file)),
                ..advised(advice(&error), &error)
            }),
            error @ (E::NotOneRevision(_)
            | E::Sizes(_)
            | E::NoFiles(_)
            | E::NoDown { .. }
            | E::Declined
            | E::Interrupted
            | E::Signals(_)
            | E::System { .. }
            | E::OtherLayout { .. }
            | E::Merge(_)
            | E::RevisionId(_)
            | E::RepeatableId(_)
            | E::PartlyApplied(_)
            | E::NoRevisionsOf(_)
            | E::NamedTwice(_)) => advised(advice(&error), error).into(),
        }
    }
}

/// The code and hint of an operation's own error.
fn advice(error: &E) -> Advice {
    match error {
        E::Sizes(_) => hinted(
            codes::M900,
            "`migrator lint --write-sizes FILE` writes such a file",
        ),
        E::NotOneRevision(_) => hinted(codes::M402, "name a revision by its ID"),
        E::NoFiles(_) => hinted(codes::M401, "get them, perhaps from another branch"),
        E::NoDown { up, .. } => match up.strip_suffix(".up.sql") {
            Some(stem) => hinted(codes::M406, format!("its name would be {stem}.down.sql")),
            None => plain(codes::M406),
        },
        E::PartlyApplied(_) => hinted(
            codes::M504,
            "finish it with `migrator upgrade` or `migrator downgrade`; until then its schema is unknown",
        ),
        E::NoRevisionsOf(_) => hinted(
            codes::M870,
            "revisions belong to `live` and to revisions such as `head`",
        ),
        E::Declined => hinted(codes::M112, "answer y when asked, or give --yes"),
        E::Interrupted => plain(codes::M706),
        E::Signals(_) | E::System { .. } => plain(codes::M002),
        E::OtherLayout { .. } => hinted(
            codes::M228,
            "`migrator convert --to DIR` writes the scripts in the native layout",
        ),
        E::Merge(MergeError::Alone(_)) => hinted(codes::M411, "name at least two heads"),
        E::Merge(_) => hinted(codes::M411, "`migrator heads` lists the heads"),
        E::Reparented { .. } => hinted(
            codes::M001,
            "remove --rev-id, or name its parent in it first: `-- migrator: revises = ID`",
        ),
        // Invalid names and IDs.
        _ => plain(codes::M001),
    }
}

/// Converts `error`, with a note on how to do without the database if that failed.
pub fn or_without_database(error: E, note: &str) -> Error {
    match error {
        E::Database(error) => Error::from(error).note(note),
        error => error.into(),
    }
}

fn offline(error: OfflineError) -> Error {
    use OfflineError as O;
    let advice = match &error {
        O::Partial { direction, .. } => {
            let verb = match direction {
                Direction::Up => "upgrade",
                Direction::Down => "downgrade",
            };
            hinted(codes::M432, format!("`migrator {verb}` resumes it"))
        }
        O::Batch { .. } => hinted(codes::M319, "run it with migrator"),
        O::RangeWithoutSql { .. } => hinted(
            codes::M430,
            "name only the target, or give --sql to print a script from one state to another",
        ),
        O::RelativeStart { .. } => hinted(
            codes::M431,
            "name the revision, or remove the start and the colon to start from the database",
        ),
        O::OpenEnd { range } => hinted(
            codes::M431,
            format!("to revert everything, write {range}base"),
        ),
        O::WrongWay { .. } => hinted(
            codes::M404,
            "a range of `upgrade` goes up, a range of `downgrade` goes down",
        ),
    };
    let place = match &error {
        O::Batch { span, length } => Some(Snippet {
            length: *length,
            ..Snippet::from(span)
        }),
        _ => None,
    };
    Error::from(Diagnostic {
        place,
        ..advised(advice, error)
    })
}

fn not_ready(late: NotReady) -> Error {
    let NotReady {
        place,
        timeout,
        reason,
    } = late;
    let message = if timeout.is_zero() {
        format!("{place} is not available")
    } else {
        format!("{place} was not available within {}", duration(timeout))
    };
    Error::from(Diagnostic {
        notes: vec![format!("last error: {reason}")],
        ..diagnostic(codes::M614, message)
    })
}
