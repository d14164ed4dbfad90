use std::path::Path;

use super::{Error, Project};
use crate::{layout::Layout, project, sql::Dialect};

/// Scripts that were converted to the native layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertReport {
    /// The layout of the original scripts.
    pub layout: Layout,
    /// The directory of the converted scripts.
    pub directory: String,
    /// The number of revisions.
    pub revisions: usize,
    /// The files, in the order of their revisions.
    pub files: Vec<String>,
}

/// Writes the scripts into `to` in the native layout. The source directory is not changed.
///
/// # Errors
/// Fails when the source directory is invalid, or `to` is not empty or cannot be written.
pub fn convert(project: &Project, dialect: Dialect, to: &Path) -> Result<ConvertReport, Error> {
    let layout = project.detected_layout(dialect)?;
    let history = project.history(dialect)?;
    let files = project::converted(&history, dialect)?;
    let to = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    project::write_directory(project.directory().0, &to, &files, dialect)?;
    let directory = project.show(&to);
    let files = files.iter();
    Ok(ConvertReport {
        layout,
        revisions: history.in_order().count(),
        files: files
            .map(|file| format!("{directory}/{}", file.name))
            .collect(),
        directory,
    })
}
