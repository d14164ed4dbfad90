use super::{Error, Project};
use crate::{
    plan::FileChange,
    project::{self, Exchange, Recovered},
};

/// Completes a file exchange left by a killed process; returns `None` if there was none.
///
/// # Errors
/// Fails when the exchange cannot be completed.
pub fn recover(project: &Project) -> Result<Option<RecoveredReport>, Error> {
    let files = project::recover(project.directory().0)?;
    Ok(files.map(|files| RecoveredReport { files }))
}

/// A completed file exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredReport {
    /// The old and new names of the files.
    pub files: Vec<Recovered>,
}

/// Applies all changes or none.
pub(super) fn exchange(project: &Project, changes: &[FileChange]) -> Result<(), Error> {
    let files: Vec<_> = changes
        .iter()
        .map(|file| Exchange {
            from: Some((&file.from, &file.before)),
            to: &file.to,
            after: file.after.as_deref(),
        })
        .collect();
    Ok(project::exchange(project.directory().0, &files)?)
}
