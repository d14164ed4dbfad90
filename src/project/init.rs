//! Creates a project.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::create::{WriteError, write_new};

/// Files for git to ignore. An existing file is kept.
const GITIGNORE: &str = ".gitignore";

/// The initial files of a project.
const FILES: &[(&str, &str)] = &[
    (
        "migrator.toml",
        include_str!("../../templates/migrator.toml.jinja"),
    ),
    (GITIGNORE, include_str!("../../templates/gitignore")),
    ("migrations/.gitkeep", ""),
    (
        "templates/README.md",
        include_str!("../../templates/README.md"),
    ),
];

/// An error that prevented the project from being created. Nothing was created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The file already exists.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// A file exists in place of a directory.
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// An input/output error occurred.
    #[error("cannot create {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Creates `migrator.toml`, `.gitignore`, `migrations/` and `templates/` in `dir`, and `dir`
/// itself. An existing `.gitignore` and existing directories of scripts or templates are kept.
/// Returns the created paths, outer directories first.
///
/// # Errors
/// Returns an error if `migrator.toml` exists, or if a file or directory cannot be created;
/// everything created before is removed again.
pub fn init(dir: &Path) -> Result<Vec<PathBuf>, InitError> {
    let mut made = Vec::new();
    match make_all(dir, &mut made) {
        Ok(()) => Ok(made),
        Err(error) => {
            for path in made.iter().rev() {
                // Only created files and empty directories are removed; a failure here adds nothing
                // to the error.
                let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
            }
            Err(error)
        }
    }
}

fn make_all(dir: &Path, made: &mut Vec<PathBuf>) -> Result<(), InitError> {
    let config = dir.join(FILES[0].0);
    if config.symlink_metadata().is_ok() {
        return Err(InitError::Exists(config));
    }
    make_directory(dir, made)?;
    for (name, text) in FILES {
        let path = dir.join(name);
        if *name == GITIGNORE && path.symlink_metadata().is_ok() {
            continue;
        }
        let parent = path.parent().unwrap_or(dir);
        // Existing directories are not filled.
        if parent != dir && !make_directory(parent, made)? {
            continue;
        }
        write_new(&path, text).map_err(|error| match error {
            WriteError::Exists(path) => InitError::Exists(path),
            WriteError::Io { path, source } => InitError::Io { path, source },
            other => InitError::Io {
                path: path.clone(),
                source: io::Error::other(other.to_string()),
            },
        })?;
        made.push(path);
    }
    Ok(())
}

/// Creates a directory and its parents; returns false if it exists.
fn make_directory(dir: &Path, made: &mut Vec<PathBuf>) -> Result<bool, InitError> {
    if dir.is_dir() {
        return Ok(false);
    }
    if dir.symlink_metadata().is_ok() {
        return Err(InitError::NotADirectory(dir.to_owned()));
    }
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(parent, made)?;
    }
    fs::create_dir(dir).map_err(|source| InitError::Io {
        path: dir.to_owned(),
        source,
    })?;
    made.push(dir.to_owned());
    Ok(true)
}
