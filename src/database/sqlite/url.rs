//! URLs of files.

use std::path::{Path, PathBuf};

use crate::{
    database::location::{LocationError, decode, parameters_of},
    nearest::misspelt,
};

/// The supported URL schemes.
pub(in crate::database) const SCHEMES: &[&str] = &["sqlite"];

/// Names that other tools use for these schemes.
pub(in crate::database) const OTHER_SCHEMES: &[&str] = &["sqlite3", "file"];

/// The name of an in-memory database.
pub(in crate::database) const MEMORY: &str = ":memory:";

/// Parses the part of a URL after the scheme. Relative paths are relative to `base`.
pub(in crate::database) fn parse(rest: &str, base: &Path) -> Result<PathBuf, LocationError> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut in_memory = path == MEMORY;
    for (name, value) in parameters_of(parameters)? {
        match (name.as_str(), value.as_str()) {
            // The command decides whether a missing file is created.
            ("mode", "rw" | "rwc") => {}
            ("mode", "memory") => in_memory = true,
            ("mode", _) => {
                return Err(LocationError::Syntax(format!(
                    "`mode={value}` cannot be used for a database to be migrated"
                )));
            }
            _ => {
                return Err(LocationError::Parameter {
                    nearest: misspelt(&name, ["mode"]),
                    name,
                });
            }
        }
    }
    if in_memory {
        return Ok(MEMORY.into());
    }
    if path.is_empty() {
        return Err(LocationError::Syntax("it names no file".into()));
    }
    let path = decode(path)?;
    // `sqlite:////path` is how many clients write an absolute path.
    let path = match path.trim_start_matches('/') {
        rest if path.starts_with("//") => format!("/{rest}"),
        _ => path,
    };
    Ok(base.join(path))
}

/// The address, equal for all spellings.
pub(in crate::database) fn address(file: &Path) -> String {
    place(&real(file).display().to_string())
}

/// The URL of a file, with the path as given.
pub(in crate::database) fn place(file: &str) -> String {
    format!("sqlite:{file}")
}

/// The URL for other programs. Most clients take a path after `sqlite:///`, so that an absolute one
/// has four slashes.
pub(in crate::database) fn client_url(file: &Path) -> String {
    let path = file.display().to_string();
    let path = path.replace('%', "%25").replace('?', "%3F");
    format!("sqlite:///{path}")
}

/// Whether both paths lead to the same file.
pub(in crate::database) fn is_same(a: &Path, b: &Path) -> bool {
    real(a) == real(b)
}

/// Whether the file does not exist.
pub(in crate::database) fn is_missing(file: &Path) -> bool {
    file.as_os_str() != MEMORY && !file.exists()
}

/// The name of the file.
pub(in crate::database) fn name(file: &Path) -> String {
    file.file_name().map_or_else(
        || file.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The name of the file without its extension.
pub(in crate::database) fn stem(file: &Path) -> String {
    file.file_stem()
        .map_or_else(|| name(file), |stem| stem.to_string_lossy().into_owned())
}

/// The file behind links and other spellings, as far as it exists.
fn real(file: &Path) -> PathBuf {
    file.canonicalize().unwrap_or_else(|_| file.to_owned())
}
