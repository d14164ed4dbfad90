use super::{Error, database, diagnostic};
use crate::{
    backup::BackupError,
    cli::codes::{self, Code},
    database::CopyError,
    report::Diagnostic,
};

impl From<BackupError> for Error {
    fn from(error: BackupError) -> Self {
        if let BackupError::Copy(CopyError::Database(error)) = error {
            return error.into();
        }
        let (code, hint) = advice(&error);
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
            hint: hint.map(str::to_owned),
            ..diagnostic(code, error)
        })
    }
}

/// How it can be told whether a database was replaced.
fn how_to_look(database: &str, kept: Option<&str>) -> String {
    match kept {
        Some(kept) => format!(
            "if the server has a database {kept}, that is the old one and {database} was replaced; \
             otherwise {database} is the old one: psql -l"
        ),
        None => format!("if the server has a database {database}, it was restored: psql -l"),
    }
}

fn advice(error: &BackupError) -> (Code, Option<&'static str>) {
    use BackupError as E;
    match error {
        E::Directory { .. } => (codes::M820, Some("check permissions and free space")),
        E::Busy { .. } => (
            codes::M829,
            Some("wait for the other process and run again, or wait longer with lock-wait"),
        ),
        E::OutcomeUnknown { .. } => (
            codes::M608,
            Some("look which of the two it is before anything else"),
        ),
        E::NoBackup { .. } => (codes::M823, Some("`migrator backup list` lists them")),
        E::NoneYet { .. } => (codes::M823, Some("`migrator backup` makes one")),
        E::Manifest { .. } => (codes::M824, Some("take another backup")),
        E::OtherDialect { .. } => (codes::M828, Some("check the url, and -n")),
        E::Damaged { .. } | E::Differs { .. } => {
            let code = match error {
                E::Damaged { .. } => codes::M825,
                _ => codes::M827,
            };
            (code, Some("take another backup: `migrator backup list`"))
        }
        E::Changed {
            meanwhile: false, ..
        } => (
            codes::M826,
            Some("--yes replaces it all the same, and keeps the old one beside"),
        ),
        E::Changed { .. } => (
            codes::M826,
            Some("someone wrote while it was restored; stop the writers, or give --yes"),
        ),
        E::Interrupted => (codes::M706, None),
        E::Copy(error) => copy(error),
    }
}

fn copy(error: &CopyError) -> (Code, Option<&'static str>) {
    use CopyError as E;
    match error {
        E::Database(error) => database::advice(error),
        E::NoProgram { .. } => (
            codes::M821,
            Some("install PostgreSQL's client programs of that version, or put them on the PATH"),
        ),
        E::ProgramFailed { .. } => (codes::M822, None),
        E::File { .. } => (codes::M820, Some("check permissions and free space")),
        E::Damaged { .. } => (
            codes::M825,
            Some("take another backup: `migrator backup list`"),
        ),
        E::ReplaceUnknown { .. } => (
            codes::M608,
            Some("look which database it is before anything else"),
        ),
    }
}
