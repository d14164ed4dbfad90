use super::{Error, diagnostic};
use crate::{
    backup::BackupError,
    cli::codes::{self, Code},
    report::Diagnostic,
};

impl From<BackupError> for Error {
    fn from(error: BackupError) -> Self {
        if let BackupError::Database(error) = error {
            return error.into();
        }
        let (code, hint) = advice(&error);
        let notes = match &error {
            BackupError::Differs { differences, .. } => {
                differences.iter().map(ToString::to_string).collect()
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

fn advice(error: &BackupError) -> (Code, Option<&'static str>) {
    use BackupError as E;
    match error {
        E::Directory { .. } => (codes::M820, Some("check permissions and free space")),
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
        E::Interrupted | E::Database(_) => (codes::M706, None),
    }
}
