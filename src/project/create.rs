//! Writes new scripts: both or none, and never over an existing file.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use chrono::{DateTime, Utc};

use super::script_name::{FileName, classify};
use crate::{
    files,
    revision::{Direction, History, RevisionId},
};

/// The scripts of a new revision.
#[derive(Clone, Copy, Debug)]
pub struct NewScripts<'a> {
    /// The ID.
    pub id: &'a RevisionId,
    /// The part of the file name between ID and direction; see [`super::slugify`].
    pub slug: &'a str,
    /// The up script.
    pub up: &'a str,
    /// The down script, if the revision has one.
    pub down: Option<&'a str>,
}

/// The files that were created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The up script.
    pub up: PathBuf,
    /// The down script.
    pub down: Option<PathBuf>,
}

/// An error that prevented scripts from being written. None of them exists then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The slug would not be parsed as a script name.
    #[error("`{name}` is not the name of a script")]
    Name {
        /// The file name.
        name: String,
    },
    /// Another file has the ID.
    #[error("revision {id} already exists: {}", other.display())]
    IdTaken {
        /// The ID.
        id: RevisionId,
        /// The other file.
        other: PathBuf,
    },
    /// The directory does not exist.
    #[error("directory {} does not exist", .0.display())]
    MissingDirectory(PathBuf),
    /// The file already exists.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// An input/output error occurred.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Returns the ID for a revision created at `now` that revises `parents`: the first free one from
/// `now` on that is after the parents. It is also after all revisions without `revises`, whose
/// parent is the previous ID.
pub fn next_id(now: DateTime<Utc>, history: &History, parents: &[RevisionId]) -> RevisionId {
    let implicit = history.by_id().filter(|revision| revision.implicit_parent);
    let before = implicit.map(|revision| &revision.id).chain(parents).max();
    let now = RevisionId::from_time(now);
    let mut id = before.map_or(now.clone(), |before| before.successor().max(now));
    while history.get(&id).is_some() {
        id = id.successor();
    }
    id
}

/// Writes the scripts to `dir`.
///
/// Every file appears under its name atomically and complete, even for concurrent readers and after
/// a power failure. The down script is written first, so that a revision is never applied without
/// its down script.
///
/// # Errors
/// Returns an error if a script cannot be written; then neither exists.
pub fn create(dir: &Path, scripts: NewScripts<'_>) -> Result<Created, WriteError> {
    let path = |direction: Direction| {
        let name = format!("{}_{}.{direction}.sql", scripts.id, scripts.slug);
        match classify(&name) {
            FileName::Script(found) if found.slug == scripts.slug => Ok(dir.join(name)),
            _ => Err(WriteError::Name { name }),
        }
    };
    let (up, down) = (path(Direction::Up)?, path(Direction::Down)?);
    refuse_taken(dir, scripts.id)?;
    let down = match scripts.down {
        Some(text) => {
            write_new(&down, text)?;
            Some(down)
        }
        None => None,
    };
    if let Err(error) = write_new(&up, scripts.up) {
        if let Some(down) = &down {
            // The write error is more useful; a leftover file is reported by the next command.
            let _ = fs::remove_file(down);
        }
        return Err(error);
    }
    sync_directory(dir);
    Ok(Created { up, down })
}

/// Writes the repeatable script `R_<slug>.sql` to `dir`.
///
/// # Errors
/// Returns an error if the script cannot be written or already exists.
pub fn create_repeatable(dir: &Path, slug: &str, text: &str) -> Result<PathBuf, WriteError> {
    let name = format!("R_{slug}.sql");
    if !matches!(classify(&name), FileName::Repeatable(_)) {
        return Err(WriteError::Name { name });
    }
    let path = dir.join(name);
    write_new(&path, text)?;
    sync_directory(dir);
    Ok(path)
}

/// Returns an error if another file has the ID, since the directory could not be read afterwards.
fn refuse_taken(dir: &Path, id: &RevisionId) -> Result<(), WriteError> {
    let entries = fs::read_dir(dir).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            WriteError::MissingDirectory(dir.to_owned())
        }
        _ => io_error(dir, error),
    })?;
    for entry in entries {
        let entry = entry.map_err(|error| io_error(dir, error))?;
        let name = entry.file_name();
        if let FileName::Script(found) = classify(&name.to_string_lossy())
            && found.id == *id
        {
            return Err(WriteError::IdTaken {
                id: id.clone(),
                other: entry.path(),
            });
        }
    }
    Ok(())
}

/// Writes a new file: first under a temporary name, then hard-linked to its own, which fails where
/// a rename would overwrite.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), WriteError> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let temporary = path.with_file_name(format!(
        ".migrator-{}-{}.tmp",
        std::process::id(),
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    let written = write_synced(&temporary, text).and_then(|()| {
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Some file systems do not support links.
            Err(_) => write_synced(path, text),
            Ok(()) => Ok(()),
        }
    });
    let _ = fs::remove_file(&temporary);
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
        io::ErrorKind::NotFound => {
            WriteError::MissingDirectory(path.parent().unwrap_or(path).to_owned())
        }
        _ => io_error(path, error),
    })
}

/// Writes a new file and syncs it to disk.
pub(super) fn write_synced(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // An incomplete file is worse than none.
        let _ = fs::remove_file(path);
    }
    written
}

/// Syncs new names to disk. Not every system supports it, but the files exist anyway.
pub(super) fn sync_directory(dir: &Path) {
    if let Ok(directory) = files::open_directory(dir) {
        let _ = directory.sync_all();
    }
}

fn io_error(path: &Path, source: io::Error) -> WriteError {
    let path = path.to_owned();
    WriteError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        revision::{Script, ScriptPair},
        sql::Dialect,
    };

    fn id(text: &str) -> RevisionId {
        text.parse().unwrap()
    }

    fn scripts<'a>(id: &'a RevisionId, down: Option<&'a str>) -> NewScripts<'a> {
        NewScripts {
            id,
            slug: "add_users",
            up: "-- up\n",
            down,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_next_id_is_the_first_free_second() {
        let now = DateTime::from_timestamp(1_795_341_598, 0).unwrap();
        let check = |taken: &[(&str, &str)], parents: &[&str], expected: &str| {
            let pairs = taken.iter().map(|(taken, text)| {
                let file = format!("{taken}_x.up.sql");
                ScriptPair {
                    id: id(taken),
                    slug: "x".to_owned(),
                    up: Script::parse(Dialect::Sqlite, Direction::Up, file, *text).unwrap(),
                    down: None,
                }
            });
            let history = History::new(pairs.collect()).unwrap();
            let parents: Vec<_> = parents.iter().map(|text| id(text)).collect();
            assert_eq!(next_id(now, &history, &parents).as_str(), expected);
        };
        let child = |parent: &str| format!("-- migrator: revises = {parent}\n");
        let (of_7, of_9) = (child("7"), child("99999999999999"));
        check(&[], &[], "20261122095958");
        check(
            &[("20261122095957", "")],
            &["20261122095957"],
            "20261122095958",
        );
        check(
            &[("20261122095958", "")],
            &["20261122095958"],
            "20261122095959",
        );
        check(
            &[
                ("7", ""),
                ("20261122095958", &of_7),
                ("020261122095959", &of_7),
            ],
            &["7"],
            "20261122100000",
        );
        // IDs ahead of the clock: the head, and a revision that would revise the new one.
        check(
            &[("20991231235959", "")],
            &["20991231235959"],
            "21000101000000",
        );
        check(
            &[("7", ""), ("20240202000000456", "")],
            &["7"],
            "20240202000000457",
        );
        check(
            &[("7", ""), ("99999999999999", &of_7)],
            &["7"],
            "20261122095958",
        );
        check(
            &[
                ("7", ""),
                ("99999999999999", &of_7),
                ("100000000000000", &of_9),
            ],
            &["99999999999999"],
            "100000000000001",
        );
    }

    #[test]
    fn scripts_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let created = create(dir.path(), scripts(&id("7"), Some("-- down\n"))).unwrap();
        assert_eq!(
            names(dir.path()),
            ["7_add_users.down.sql", "7_add_users.up.sql"]
        );
        assert_eq!(fs::read_to_string(created.up).unwrap(), "-- up\n");
        assert_eq!(
            fs::read_to_string(created.down.unwrap()).unwrap(),
            "-- down\n"
        );
        let created = create(dir.path(), scripts(&id("8"), None)).unwrap();
        assert_eq!(created.down, None);
        assert_eq!(names(dir.path()).len(), 3);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        fs::write(at.join("07_other.up.sql"), "mine").unwrap();
        let taken = create(at, scripts(&id("7"), None));
        assert!(
            matches!(taken, Err(WriteError::IdTaken { .. })),
            "{taken:?}"
        );
        assert_eq!(names(at), ["07_other.up.sql"]);

        let path = at.join("07_other.up.sql");
        let exists = write_new(&path, "yours");
        assert!(matches!(exists, Err(WriteError::Exists(_))), "{exists:?}");
        assert_eq!(fs::read_to_string(path).unwrap(), "mine");
        assert_eq!(names(at), ["07_other.up.sql"]);

        let missing = create(&at.join("none"), scripts(&id("8"), None));
        assert!(
            matches!(missing, Err(WriteError::MissingDirectory(_))),
            "{missing:?}"
        );
        let eight = id("8");
        for slug in ["", "../x", "a/b", ".up", "a\nb"] {
            let scripts = NewScripts {
                slug,
                ..scripts(&eight, None)
            };
            let wrong = create(at, scripts);
            assert!(matches!(wrong, Err(WriteError::Name { .. })), "{wrong:?}");
        }
        assert_eq!(names(at), ["07_other.up.sql"]);
    }
}
