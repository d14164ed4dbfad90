use std::path::{Path, PathBuf};

use super::Error;
use crate::project;

/// A project that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitReport {
    /// The files and directories, as named in messages.
    pub files: Vec<String>,
    /// Whether the `.gitignore` was created.
    pub ignores: bool,
    /// The directory of the project, if it is not the working directory.
    pub dir: Option<String>,
}

/// Creates a project in `dir` without overwriting anything.
///
/// # Errors
/// Fails when a file exists or cannot be written.
pub fn init(dir: &Path) -> Result<InitReport, Error> {
    let made = project::init(dir)?;
    let shown = |path: &PathBuf| {
        let path = path.strip_prefix(".").unwrap_or(path);
        path.display().to_string()
    };
    Ok(InitReport {
        ignores: made.iter().any(|path| path.ends_with(".gitignore")),
        files: made.iter().map(shown).collect(),
        dir: (dir != Path::new(".")).then(|| dir.display().to_string()),
    })
}
