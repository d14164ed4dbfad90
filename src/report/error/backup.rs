use super::{Advice, Error, advised, database, hinted, plain};
use crate::{backup::BackupError, database::CopyError, report::Diagnostic, report::codes};

impl From<BackupError> for Error {
    fn from(error: BackupError) -> Self {
        if let BackupError::Copy(CopyError::Database(error)) = error {
            return error.into();
        }
        let notes = match &error {
            BackupError::Differs { differences, .. } => {
                differences.iter().map(ToString::to_string).collect()
            }
            BackupError::OutcomeUnknown { database, kept, .. } => {
                vec![how_to_look(database, kept.as_deref())]
            }
            _ => Vec::new(),
        };
        Self::from(Diagnostic {
            notes,
            ..advised(advice(&error), error)
        })
    }
}

/// Advice on how to find out whether a database was replaced.
fn how_to_look(database: &str, kept: Option<&str>) -> String {
    match kept {
        Some(kept) => format!(
            "list the databases with `psql -l`: if {kept} exists, it is the old database and {database} was \
             replaced; otherwise {database} is the old database"
        ),
        None => format!("list the databases with `psql -l`: if {database} exists, it was restored"),
    }
}

fn advice(error: &BackupError) -> Advice {
    use BackupError as E;
    match error {
        E::Directory { .. } => hinted(codes::M820, "check permissions and free space"),
        E::Busy { .. } => hinted(
            codes::M829,
            "wait for the other process and run the command again, or increase lock-wait",
        ),
        E::OutcomeUnknown { .. } => hinted(
            codes::M608,
            "find out which database it is before doing anything else",
        ),
        E::NoBackup { .. } => hinted(codes::M823, "`migrator backup list` lists the backups"),
        E::NoneYet { .. } => hinted(codes::M823, "`migrator backup` makes one"),
        E::Manifest { .. } => hinted(codes::M824, "use another backup"),
        E::OtherDialect { .. } => hinted(codes::M828, "check the URL and -n"),
        E::Damaged { .. } => hinted(codes::M825, ANOTHER),
        E::Differs { .. } => hinted(codes::M827, ANOTHER),
        E::Changed {
            meanwhile: false, ..
        } => hinted(
            codes::M826,
            "--yes replaces it anyway; the old database is kept under another name",
        ),
        E::Changed { .. } => hinted(
            codes::M826,
            "it changed during the restore; stop the writers, or give --yes",
        ),
        E::Interrupted => plain(codes::M706),
        E::Copy(error) => copy(error),
    }
}

fn copy(error: &CopyError) -> Advice {
    use CopyError as E;
    match error {
        E::Database(error) => {
            let (code, hint) = database::advice(error);
            (code, hint.map(Into::into))
        }
        E::NoProgram { .. } => hinted(
            codes::M821,
            "install the PostgreSQL client programs of that version, or add them to the PATH",
        ),
        E::ProgramFailed { .. } => plain(codes::M822),
        E::File { .. } => hinted(codes::M820, "check permissions and free space"),
        E::Damaged { .. } => hinted(codes::M825, ANOTHER),
        E::ReplaceUnknown { .. } => hinted(
            codes::M608,
            "find out which database it is before doing anything else",
        ),
    }
}

const ANOTHER: &str = "use another backup; `migrator backup list` lists them";
