//! The SQLite files of a fleet, found by patterns.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    arrange::Arrange as _,
    fleet::{NameFault, name_fault},
    schema::glob,
};

/// A file of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetFile {
    /// What the wildcards of the pattern stand for, or the name of the file without its extension.
    pub name: String,
    /// The absolute path.
    pub path: PathBuf,
}

/// Files that cannot be targets.
#[derive(Debug, thiserror::Error)]
pub enum FleetFileError {
    /// A directory cannot be read.
    #[error("cannot read {directory}: {error}")]
    Directory {
        /// The directory.
        directory: String,
        /// The error of the operating system.
        #[source]
        error: io::Error,
    },
    /// The name of a file is not UTF-8.
    #[error("the name of {0} is not UTF-8")]
    NotUnicode(String),
    /// The name of a file is refused.
    #[error("{path} cannot be a target: {fault}")]
    Name {
        /// The file.
        path: String,
        /// The reason.
        fault: NameFault,
    },
    /// A pattern has `**`.
    #[error("`{0}` has `**`; `*` stands for a part of one name of a file or a directory")]
    Recursive(String),
}

/// Files that SQLite keeps beside a database.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The files that `patterns` match, below `base` where they are relative, by path. `*` and `?` do not match
/// `/`, and not a dot at the start of a name.
///
/// # Errors
/// Fails when a directory cannot be read or a name is refused.
pub fn fleet_files(patterns: &[String], base: &Path) -> Result<Vec<FleetFile>, FleetFileError> {
    let mut found = Vec::new();
    for pattern in patterns {
        if pattern.contains("**") {
            return Err(FleetFileError::Recursive(pattern.clone()));
        }
        let parts: Vec<&str> = pattern
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        let start = match pattern.starts_with('/') {
            true => PathBuf::from("/"),
            false => base.to_owned(),
        };
        let mut files = Vec::new();
        walk(&start, &parts, &mut files)?;
        for path in files {
            let name = name_of(&parts, &path)?;
            found.push(FleetFile { name, path });
        }
    }
    found.arrange_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

/// Adds the files below `directory` that match the parts of a pattern.
fn walk(directory: &Path, parts: &[&str], found: &mut Vec<PathBuf>) -> Result<(), FleetFileError> {
    let Some((part, rest)) = parts.split_first() else {
        return Ok(());
    };
    if !is_pattern(part) {
        let path = directory.join(part);
        match rest.is_empty() {
            true => found.extend(path.symlink_metadata().is_ok().then_some(path)),
            false => walk(&path, rest, found)?,
        }
        return Ok(());
    }
    let failed = |error| FleetFileError::Directory {
        directory: directory.display().to_string(),
        error,
    };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        // A pattern with a wildcard before it matches whatever is there.
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if glob(part, &text) && (part.starts_with('.') || !text.starts_with('.')) {
            names.push((
                entry.path(),
                text.into_owned(),
                entry.file_type().map_err(failed)?.is_dir(),
            ));
        }
    }
    for (path, name, is_directory) in &names {
        if !rest.is_empty() {
            walk(path, rest, found)?;
        } else if !is_directory && !is_companion(name, &names) {
            found.push(path.clone());
        }
    }
    Ok(())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether a file belongs to another one that is there as well.
fn is_companion(name: &str, all: &[(PathBuf, String, bool)]) -> bool {
    let of = COMPANIONS
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix));
    of.is_some_and(|of| all.iter().any(|(_, name, _)| name == of))
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?'])
}

/// The name of a target: the path from the first wildcard to the last one.
fn name_of(parts: &[&str], path: &Path) -> Result<String, FleetFileError> {
    let shown = path.display().to_string();
    let Some(text) = path.to_str() else {
        return Err(FleetFileError::NotUnicode(shown));
    };
    let names: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    // The pattern has as many parts as the end of the path.
    let names = &names[names.len().saturating_sub(parts.len())..];
    let first = parts.iter().position(|part| is_pattern(part));
    let last = parts.iter().rposition(|part| is_pattern(part));
    let name = match (first, last) {
        (Some(first), Some(last)) => {
            let joined = names[first..=last].join("/");
            let before = parts[first].find(['*', '?']).unwrap_or(0);
            let after = parts[last].len() - parts[last].rfind(['*', '?']).map_or(0, |at| at + 1);
            let end = joined.len().saturating_sub(after);
            joined.get(before..end).unwrap_or_default().to_owned()
        }
        _ => path
            .file_stem()
            .and_then(|it| it.to_str())
            .unwrap_or_default()
            .to_owned(),
    };
    match name_fault(&name) {
        Some(fault) => Err(FleetFileError::Name { path: shown, fault }),
        None => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[&str], patterns: &[&str], expected: &[(&str, &str)]) {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(path).unwrap();
        }
        let patterns: Vec<String> = patterns.iter().map(|it| (*it).to_owned()).collect();
        let found = fleet_files(&patterns, directory.path()).unwrap();
        let shown = |file: &FleetFile| {
            let path = file.path.strip_prefix(directory.path()).unwrap();
            (file.name.clone(), path.display().to_string())
        };
        let found: Vec<_> = found.iter().map(shown).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()))
            .collect();
        assert_eq!(found, expected, "{patterns:?}");
    }

    #[test]
    fn names_are_what_the_wildcards_stand_for() {
        let files = [
            "t/acme.db",
            "t/beta.db",
            "t/notes.txt",
            "t/.hidden.db",
            "t/d.db/x",
        ];
        check(
            &files,
            &["t/*.db"],
            &[("acme", "t/acme.db"), ("beta", "t/beta.db")],
        );
        check(&files, &["./t/a*e.db"], &[("cm", "t/acme.db")]);
        check(&files, &["t/acme.db"], &[("acme", "t/acme.db")]);
        check(
            &files,
            &["t/b*.db", "t/*.db"],
            &[("acme", "t/acme.db"), ("eta", "t/beta.db")],
        );
        let deep = ["t/acme/app.db", "t/beta/app.db", "t/other/x.db"];
        check(
            &deep,
            &["t/*/app.db"],
            &[("acme", "t/acme/app.db"), ("beta", "t/beta/app.db")],
        );
        check(
            &["eu/a.db", "us/a.db"],
            &["*/*.db"],
            &[("eu/a", "eu/a.db"), ("us/a", "us/a.db")],
        );
        check(&files, &["nowhere/*.db", "t/gone.db"], &[]);
    }

    #[test]
    fn companions_are_no_databases() {
        let files = ["t/a", "t/a-wal", "t/a-shm", "t/b-journal"];
        check(
            &files,
            &["t/*"],
            &[("a", "t/a"), ("b-journal", "t/b-journal")],
        );
    }

    #[test]
    fn names_that_are_refused_are_errors() {
        let directory = tempfile::tempdir().unwrap();
        fs::File::create(directory.path().join("a\nb.db")).unwrap();
        let error = fleet_files(&["*.db".to_owned()], directory.path()).unwrap_err();
        assert!(matches!(error, FleetFileError::Name { .. }), "{error}");
        let error = fleet_files(&["**/*.db".to_owned()], directory.path()).unwrap_err();
        assert!(matches!(error, FleetFileError::Recursive(_)), "{error}");
    }
}
