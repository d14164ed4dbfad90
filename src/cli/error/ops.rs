use super::{Error, Exit, adopt, diagnostic, location, project, redo};
use crate::{
    cli::codes,
    ops::{Error as E, MergeError, NotReady, OfflineError},
    report::{Diagnostic, Snippet, View, duration},
    revision::Direction,
};

impl From<E> for Error {
    fn from(error: E) -> Self {
        match error {
            E::Scripts(problems) => project::directory(&problems),
            E::Url(error) => location(&error, "the url"),
            E::RevisionId(_) | E::RepeatableId(_) | E::NamedTwice(_) => {
                Self::from(diagnostic(codes::M001, error))
            }
            E::TargetSyntax(error) => error.into(),
            E::Target(error) => error.into(),
            E::NotOneRevision(_) => {
                Self::from(diagnostic(codes::M402, error)).hint("name a revision by its id")
            }
            E::NoFiles(_) => {
                Self::from(diagnostic(codes::M401, error)).hint("get them (another branch?)")
            }
            E::NoDown { ref up, .. } => {
                let hint = up.strip_suffix(".up.sql");
                let hint = hint.map(|stem| format!("it would be {stem}.down.sql"));
                Self::from(Diagnostic {
                    hint,
                    ..diagnostic(codes::M406, &error)
                })
            }
            E::Plan(error) => error.into(),
            E::Lock(error) => error.into(),
            E::Database(error) => error.into(),
            E::Failed(failure) => (*failure).into(),
            E::Partway { error, .. } => {
                let error = Self::from(*error);
                match error.exit {
                    Exit::Failed | Exit::Busy => Self {
                        exit: Exit::Partway,
                        ..error
                    },
                    _ => error,
                }
            }
            E::RedoFailed { report, failure } => redo::failed(*failure, &report),
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
            E::Declined => Self::new(
                codes::M112,
                "the repair was not confirmed; nothing was changed",
            )
            .hint("answer y when asked, or give --yes"),
            E::Signals(_) | E::System { .. } => Self::from(diagnostic(codes::M002, error)),
            E::Offline(error) => offline(error),
            E::OtherLayout { .. } => Self::from(diagnostic(codes::M228, error))
                .hint("`migrator convert --to DIR` writes the scripts out in the native layout"),
            E::Merge(MergeError::Alone(_)) => {
                Self::from(diagnostic(codes::M411, error)).hint("name two heads or more")
            }
            E::Merge(_) => {
                Self::from(diagnostic(codes::M411, error)).hint("`migrator heads` lists the heads")
            }
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
                let mut error = Self::from(error);
                if let Some(diagnostic) = error.diagnostics.last_mut() {
                    let note = "there is no backup, so nothing was run";
                    diagnostic.notes.push(note.to_owned());
                }
                error
            }
            E::NotReady(late) => not_ready(*late),
        }
    }
}

fn offline(error: OfflineError) -> Error {
    match &error {
        OfflineError::Partial { direction, .. } => {
            let verb = match direction {
                Direction::Up => "upgrade",
                Direction::Down => "downgrade",
            };
            let hint = format!("`migrator {verb}` resumes it");
            Error::from(diagnostic(codes::M432, error)).hint(hint)
        }
        OfflineError::Batch {
            file,
            text,
            offset,
            length,
        } => Error::from(Diagnostic {
            place: Some(Snippet {
                file: file.clone(),
                text: Some(std::sync::Arc::clone(text)),
                offset: Some(*offset),
                length: *length,
                at: None,
            }),
            hint: Some("run it with migrator itself".to_owned()),
            ..diagnostic(codes::M319, &error)
        }),
        OfflineError::WrongWay { .. } => Error::from(diagnostic(codes::M404, error))
            .hint("a range of `upgrade` goes up, and one of `downgrade` goes down"),
    }
}

fn not_ready(late: NotReady) -> Error {
    let NotReady {
        place,
        timeout,
        reason,
    } = late;
    let message = if timeout.is_zero() {
        format!("{place} can't be used yet")
    } else {
        format!("{place} could not be used within {}", duration(timeout))
    };
    Error::from(Diagnostic {
        notes: vec![format!("the last reason: {reason}")],
        ..diagnostic(codes::M614, message)
    })
}
