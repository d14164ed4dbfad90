//! Converts a history to scripts in migrator's own layout: all of them or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    create::{sync_directory, write_synced},
    directory::read_history,
    reading::Reading,
    script_name::{FileName, classify, slugify},
};
use crate::{
    layout::Layout,
    revision::{
        Direction, Headers, History, Revision, Script, ScriptPair, with_parents, without_marker,
    },
    sql::{Dialect, Token, TokenKind, lex},
};

/// An error that prevented the conversion. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The converted script would differ from the original.
    #[error("{file} would not be converted to an identical script: {what}")]
    Differs {
        /// The original script.
        file: String,
        /// What is different.
        what: &'static str,
    },
    /// The target already exists and is not empty.
    #[error("{} already exists and is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The target is the directory to convert, or inside it.
    #[error("{} is inside the directory to convert", .0.display())]
    Inside(PathBuf),
    /// An input/output error occurred.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// A converted script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// `ID_SLUG.up.sql`
    pub name: String,
    /// The text.
    pub text: String,
}

/// Converts the scripts of `history` to migrator's own layout, each with all its headers. Every
/// result is parsed again and compared with its original: token for token, header for header.
///
/// # Errors
/// [`ConvertError::Differs`]
pub fn converted(history: &History, dialect: Dialect) -> Result<Vec<Converted>, ConvertError> {
    let mut files = Vec::new();
    let mut pairs = Vec::new();
    for revision in history.in_order() {
        let slug = slug_of(revision);
        let mut convert = |script: &Script| {
            let mut text = without_marker(script.alone());
            if script.direction == Direction::Up && !names_parents(dialect, script) {
                text = with_parents(dialect, &text, &revision.parents);
            }
            let name = format!("{}_{slug}.{}.sql", revision.id, script.direction);
            let read = same(dialect, script, &name, &text)?;
            files.push(Converted { name, text });
            Ok(read)
        };
        let up = convert(&revision.up)?;
        let down = revision.down.as_ref().map(&mut convert).transpose()?;
        let id = revision.id.clone();
        pairs.push(ScriptPair { id, slug, up, down });
    }
    same_history(history, pairs)?;
    files.extend(history.repeatables().iter().map(|repeatable| Converted {
        name: format!("{}.sql", repeatable.id),
        text: repeatable.script.alone().to_string(),
    }));
    Ok(files)
}

/// Returns whether the script has the header `revises`.
fn names_parents(dialect: Dialect, script: &Script) -> bool {
    let written = Script::parse(dialect, script.direction, "", Arc::clone(script.alone()));
    written.is_ok_and(|written| written.headers.revises.is_some())
}

/// Returns the slug, reduced to what a file name can hold.
fn slug_of(revision: &Revision) -> String {
    let fits = |slug: &str| {
        let name = format!("{}_{slug}.up.sql", revision.id);
        matches!(classify(&name), FileName::Script(found) if found.slug == slug)
    };
    if fits(&revision.slug) {
        return revision.slug.clone();
    }
    slugify(&revision.slug).unwrap_or_else(|_| "revision".to_owned())
}

/// Parses `text` and checks that the script is identical to `script`.
fn same(dialect: Dialect, script: &Script, name: &str, text: &str) -> Result<Script, ConvertError> {
    let differs = |what| ConvertError::Differs {
        file: script.file.clone(),
        what,
    };
    let read = Script::parse(dialect, script.direction, name, text)
        .map_err(|_| differs("its headers cannot be read"))?;
    let headers = |headers: &Headers| Headers {
        revises: None,
        // Other tools do not treat the first comment as the message.
        message: None,
        ..headers.clone()
    };
    if headers(&read.headers) != headers(&script.headers) {
        return Err(differs("its headers say something else"));
    }
    let tokens = |text: &'_ str| {
        let is_said = |token: &Token| {
            use TokenKind::{BlockComment, LineComment, Space};
            !matches!(token.kind, Space | LineComment | BlockComment)
        };
        let tokens = lex(dialect, text.as_bytes()).filter(is_said);
        tokens
            .map(|token| text.as_bytes()[token.start..token.end].to_vec())
            .collect::<Vec<_>>()
    };
    // A byte order mark is not part of a statement.
    let bare = |text: &Arc<str>| text.trim_start_matches('\u{feff}').to_owned();
    if tokens(&bare(&read.text)) != tokens(&bare(&script.text)) {
        return Err(differs("its statements are others"));
    }
    if read.checksum(dialect) != script.checksum(dialect) {
        return Err(differs("its checksum is another one"));
    }
    Ok(read)
}

/// Checks that the scripts form the same history.
fn same_history(history: &History, pairs: Vec<ScriptPair>) -> Result<(), ConvertError> {
    let first = history.in_order().next().map(|revision| &revision.up.file);
    let differs = |what| ConvertError::Differs {
        file: first.cloned().unwrap_or_default(),
        what,
    };
    let made = History::new(pairs).map_err(|_| differs("the history cannot be read"))?;
    let edges = |history: &History| {
        let edges = history.in_order().map(|revision| {
            (
                revision.id.clone(),
                revision.parents.clone(),
                revision.depends_on.clone(),
            )
        });
        edges.collect::<Vec<_>>()
    };
    if edges(&made) == edges(history) {
        Ok(())
    } else {
        Err(differs("the history is another one"))
    }
}

/// Writes `files` to the directory `to`, which must be empty or missing, and be outside `from`. The
/// directory only appears after all files are written, checked and synced to disk.
///
/// # Errors
/// Returns a [`ConvertError`] and leaves `to` unchanged.
pub fn write_directory(
    from: &Path,
    to: &Path,
    files: &[Converted],
    dialect: Dialect,
) -> Result<(), ConvertError> {
    let io = |path: &Path, source| ConvertError::Io {
        path: path.to_owned(),
        source,
    };
    if real(to).starts_with(real(from)) {
        return Err(ConvertError::Inside(to.to_owned()));
    }
    let is_there = is_there(to)?;
    let parent = to.parent().unwrap_or(to);
    let temporary = temporary(to);
    fs::create_dir(&temporary).map_err(|error| io(to, error))?;
    let written = write_all(&temporary, files, dialect).and_then(|()| {
        if is_there {
            // Not every system can rename a directory over another one.
            fs::remove_dir(to).map_err(|error| io(to, error))?;
        }
        fs::rename(&temporary, to).map_err(|error| io(to, error))
    });
    if written.is_err() {
        // A leftover directory has a recognizable name and is never read.
        let _ = fs::remove_dir_all(&temporary);
    }
    sync_directory(parent);
    written
}

/// Returns the path without links and dots, as far as it exists.
fn real(path: &Path) -> PathBuf {
    match (fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_owned(),
    }
}

/// Returns whether `to` is an empty directory; it is an error if anything else exists there.
fn is_there(to: &Path) -> Result<bool, ConvertError> {
    match fs::read_dir(to) {
        Ok(mut entries) => match entries.next() {
            None => Ok(true),
            Some(_) => Err(ConvertError::NotEmpty(to.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(ConvertError::Io {
            path: to.to_owned(),
            source,
        }),
    }
}

/// Returns a temporary path next to `to`, so that it can be renamed to it.
fn temporary(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    to.with_file_name(format!(".{name}.migrator-{}", std::process::id()))
}

fn write_all(dir: &Path, files: &[Converted], dialect: Dialect) -> Result<(), ConvertError> {
    for file in files {
        let path = dir.join(&file.name);
        write_synced(&path, &file.text).map_err(|source| ConvertError::Io { path, source })?;
    }
    sync_directory(dir);
    // Check what is actually on disk.
    let reading = Reading {
        layout: Some(Layout::Native),
        ..Reading::new(dialect)
    };
    let differs = || ConvertError::Differs {
        file: dir.display().to_string(),
        what: "what was written cannot be read",
    };
    let history = read_history(dir, "", &reading).map_err(|_| differs())?;
    let repeatables = history.repeatables().iter().map(|one| &one.script);
    let revisions = history
        .in_order()
        .flat_map(|revision| [Some(&revision.up), revision.down.as_ref()]);
    let mut found: Vec<(&str, &str)> = revisions
        .flatten()
        .chain(repeatables)
        .map(|script| (&*script.file, &*script.text))
        .collect();
    let mut expected: Vec<(&str, &str)> = files
        .iter()
        .map(|file| (&*file.name, &*file.text))
        .collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        Ok(())
    } else {
        Err(differs())
    }
}
