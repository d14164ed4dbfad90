//! Creates a project.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::create::{WriteError, write_new};

const CONFIG: &str = "migrator.toml";

/// The URL in the initial configuration.
const URL: &str = "\"sqlite:app.db\"";

/// Files for git to ignore. An existing file is kept.
const GITIGNORE: &str = ".gitignore";

/// The initial files of a project.
const FILES: &[(&str, &str)] = &[
    (CONFIG, include_str!("../../templates/migrator.toml.jinja")),
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
/// Returns the created paths, outer directories first. `url` is that of the database, if it is known.
///
/// # Errors
/// Returns an error if `migrator.toml` exists, or if a file or directory cannot be created;
/// everything created before is removed again.
pub fn init(dir: &Path, url: Option<&str>) -> Result<Vec<PathBuf>, InitError> {
    let mut made = Vec::new();
    match make_all(dir, url, &mut made) {
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

/// Checks that `dir` is no project yet.
///
/// # Errors
/// Returns an error if `migrator.toml` exists.
pub fn ensure_new(dir: &Path) -> Result<(), InitError> {
    let config = dir.join(CONFIG);
    match config.symlink_metadata() {
        Ok(_) => Err(InitError::Exists(config)),
        Err(_) => Ok(()),
    }
}

fn make_all(dir: &Path, url: Option<&str>, made: &mut Vec<PathBuf>) -> Result<(), InitError> {
    ensure_new(dir)?;
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
        let text = match url {
            Some(url) if *name == CONFIG => with_url(text, url),
            _ => (*text).to_owned(),
        };
        write_new(&path, &text).map_err(|error| match error {
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

/// The initial configuration with another URL.
fn with_url(text: &str, url: &str) -> String {
    text.replacen(URL, &toml::Value::from(url).to_string(), 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_written_as_toml() {
        let check = |url: &str, line: &str| {
            let text = with_url(FILES[0].1, url);
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines.contains(&line), "{text}");
        };
        check("postgres://h/db", "url = \"postgres://h/db\"");
        check("sqlite:a\\b.db", r#"url = 'sqlite:a\b.db'"#);
    }
}
