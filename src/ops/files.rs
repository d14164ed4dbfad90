use super::{Error, Project};
use crate::{
    plan::FileChange,
    project::{self, Exchange, Recovered},
};

/// Completes an exchange of files that a killed process has left; `None` when there was none.
///
/// # Errors
/// When it cannot be completed.
pub fn recover(project: &Project) -> Result<Option<RecoveredReport>, Error> {
    let files = project::recover(project.directory().0)?;
    Ok(files.map(|files| RecoveredReport { files }))
}

/// An exchange of files that was completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredReport {
    /// Old and new names of its files.
    pub files: Vec<Recovered>,
}

/// Makes the changes, all or none.
pub(super) fn exchange(project: &Project, changes: &[FileChange]) -> Result<(), Error> {
    let files: Vec<_> = changes
        .iter()
        .map(|file| Exchange {
            from: &file.from,
            to: &file.to,
            before: &file.before,
            after: file.after.as_deref(),
        })
        .collect();
    Ok(project::exchange(project.directory().0, &files)?)
}
