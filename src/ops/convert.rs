use std::path::Path;

use super::{Error, Project};
use crate::{layout::Layout, project, sql::Dialect};

/// Scripts that were written out in the native layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertReport {
    /// The layout they were read in.
    pub layout: Layout,
    /// Where they are now.
    pub directory: String,
    /// How many revisions there are.
    pub revisions: usize,
    /// The files, in order of the revisions.
    pub files: Vec<String>,
}

/// Writes the scripts into `to` in the native layout. The directory that is read stays as it is.
///
/// # Errors
/// When the directory is invalid, or `to` is not empty or cannot be written.
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
