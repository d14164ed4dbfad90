//! The directory of backups.
//!
//! A backup is a file and its manifest, `NAME` and `NAME.manifest.json`. Both are written under
//! draft names and synced. The manifest, which names the file's draft, is renamed first and the
//! file last: a file with its final name is complete and has a manifest. Removing a backup is the
//! same in reverse.
//!
//! A manifest without its file counts for nothing. It is removed only where the draft that it names
//! is there and no process holds it: then a process was killed between the two renames. Otherwise
//! the file may have been moved elsewhere, and may come back.

mod lock;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use lock::Held;
pub use lock::Wait;

use super::{BackupError, Manifest, Origin};
use crate::{
    database::{Draft, Use, is_draft, is_left, remove_if_left, sweep, sync_directory},
    files,
    files::Compression,
    sql::Dialect,
};

const MANIFEST: &str = ".manifest.json";

/// Bytes that a manifest may have: enough for a million tables.
const LARGEST_MANIFEST: u64 = 256 * 1024 * 1024;

/// Bytes of a database's name that are kept in a file's.
const LONGEST: usize = 100;

/// A backup that is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// What is known of it.
    pub manifest: Manifest,
    /// Whether the file still has the size that was written. Its hash is not looked at.
    pub is_whole: bool,
}

/// The outcome of removing older backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Those that were removed, the oldest first.
    pub removed: Vec<PathBuf>,
    /// Backups of a database at the same address that are not proven to be of this database, such
    /// as those of another machine. They are not counted and never removed.
    pub not_counted: Vec<PathBuf>,
    /// Why not all that should be removed were.
    pub error: Option<BackupError>,
}

/// A directory of backups.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// The one in `directory`, which need not be there.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes the directory, and removes what killed processes have left in it.
    ///
    /// # Errors
    /// When it cannot be made or written, or is locked for too long.
    pub fn prepare(&self, wait: Wait<'_>) -> Result<(), BackupError> {
        fs::create_dir_all(&self.directory).map_err(|error| self.error(&error))?;
        let _held = Held::take(&self.directory, wait)?;
        sweep(&self.directory);
        self.remove_unfinished().map_err(|error| self.error(&error))
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn draft(&self) -> Result<Draft, BackupError> {
        Draft::create(&self.directory, Use::Backup).map_err(|error| self.error(&error))
    }

    /// Gives a backup its number and lists it: from here on it is there.
    ///
    /// # Errors
    /// When it cannot be written, or the directory is locked for too long; nothing is listed then.
    pub fn publish(
        &self,
        mut draft: Draft,
        mut manifest: Manifest,
        (database, extension): (&str, &str),
        wait: Wait<'_>,
    ) -> Result<Backup, BackupError> {
        let mut held = Held::take(&self.directory, wait)?;
        let published = self.next_number(&mut held).and_then(|number| {
            manifest.number = number;
            let name = draft.path().file_name().unwrap_or_default();
            manifest.draft = Some(name.to_string_lossy().into_owned());
            let file = self.free_name(database, &manifest, extension);
            let mut beside = Draft::create(&self.directory, Use::Scratch)?;
            beside.file().write_all(manifest.text().as_bytes())?;
            let path = manifest_of(&file);
            beside.publish(&path)?;
            if let Err(error) = draft.publish(&file) {
                // First the manifest: without its draft it could not be told from one whose file
                // was moved.
                let _ = fs::remove_file(path);
                return Err(error);
            }
            Ok(file)
        });
        Ok(Backup {
            file: published.map_err(|error| self.error(&error))?,
            manifest,
            is_whole: true,
        })
    }

    /// All backups, the oldest first. What cannot be read is passed over.
    ///
    /// # Errors
    /// When the directory cannot be read; one that is not there is empty.
    pub fn list(&self) -> Result<Vec<Backup>, BackupError> {
        let names = match self.names() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            names => names.map_err(|error| self.error(&error))?,
        };
        let files = names
            .iter()
            .filter_map(|name| name.strip_suffix(MANIFEST))
            .map(|name| self.directory.join(name));
        let mut found: Vec<_> = files.filter_map(|file| open(&file).ok()).collect();
        // Clocks go wrong, and names have a second at best.
        found.sort_by(|a, b| {
            let key = |it: &Backup| (it.manifest.number, it.manifest.made_at, it.file.clone());
            key(a).cmp(&key(b))
        });
        Ok(found)
    }

    /// The backup that `named` means: a path, or the name of a file in the directory.
    ///
    /// # Errors
    /// When there is none, or its manifest cannot be read.
    pub fn find(&self, named: &Path) -> Result<Backup, BackupError> {
        let inside = self.directory.join(named);
        if !named.exists() && inside.exists() {
            return open(&inside);
        }
        open(named)
    }

    /// The newest backup of a database: one that is proven to be of it, or else one of its address.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn newest(
        &self,
        (database, origin): (&str, &Origin),
        dialect: Dialect,
    ) -> Result<Option<Backup>, BackupError> {
        let mut all = self.list()?;
        all.retain(|it| {
            let found = it.manifest.origin.as_ref();
            it.manifest.dialect() == Some(dialect)
                && match found {
                    Some(found) => found.address == origin.address,
                    None => it.manifest.database == database,
                }
        });
        // What the server says of itself is not known before it is connected to.
        let is_here = |it: &Backup| {
            let found = it.manifest.origin.as_ref();
            found.is_some_and(|found| !found.local || found.is_same_machine(origin))
        };
        let newest = all.iter().rposition(is_here).map(|at| all.swap_remove(at));
        Ok(newest.or_else(|| all.pop()))
    }

    /// Removes the oldest backups of the database that `made` is of, so that `keep` are left; all
    /// are with 0. Damaged ones neither count nor go, and `made` never goes.
    pub fn prune(&self, made: &Backup, keep: usize, wait: Wait<'_>) -> Pruned {
        let mut pruned = Pruned::default();
        if keep == 0 {
            return pruned;
        }
        let result = Held::take(&self.directory, wait).and_then(|held| {
            let (mut ours, others) = self.of(made)?;
            pruned.not_counted = others.into_iter().map(|it| it.file).collect();
            ours.retain(|it| it.is_whole && it.file != made.file);
            let old = (ours.len() + 1).saturating_sub(keep);
            for backup in &ours[..old.min(ours.len())] {
                self.remove(backup, &held)
                    .map_err(|error| self.error(&error))?;
                pruned.removed.push(backup.file.clone());
            }
            Ok(())
        });
        pruned.error = result.err();
        pruned
    }

    /// The backups of the database that `made` is of, and those that may be of another one at the
    /// same address.
    fn of(&self, made: &Backup) -> Result<(Vec<Backup>, Vec<Backup>), BackupError> {
        let mut all = self.list()?;
        all.retain(|it| {
            it.manifest.dialect == made.manifest.dialect
                && match (&it.manifest.origin, &made.manifest.origin) {
                    (Some(it), Some(made)) => it.address == made.address,
                    _ => it.manifest.database == made.manifest.database,
                }
        });
        Ok(all
            .into_iter()
            .partition(|it| it.manifest.is_of_same_database(&made.manifest)))
    }

    /// Removes a backup as it was listed, in reverse: killed at any point, it is there, or the next
    /// run removes the rest.
    fn remove(&self, backup: &Backup, _held: &Held) -> io::Result<()> {
        let draft = backup.manifest.draft.as_deref();
        let draft = draft.filter(|name| is_draft(name, Use::Backup));
        let Some(draft) = draft.map(|name| self.directory.join(name)) else {
            return Err(io::Error::other(format!(
                "the manifest of {} names no draft",
                backup.file.display()
            )));
        };
        if draft.symlink_metadata().is_ok() {
            let reason = format!("{} is in the way", draft.display());
            return Err(io::Error::other(reason));
        }
        fs::rename(&backup.file, &draft)?;
        sync_directory(&self.directory)?;
        fs::remove_file(manifest_of(&backup.file))?;
        sync_directory(&self.directory)?;
        fs::remove_file(&draft)
    }

    /// Removes what a process has left that was killed while it gave or took a backup's names. The
    /// lock is held, so that nobody is in between.
    fn remove_unfinished(&self) -> io::Result<()> {
        let names = self.names()?;
        for name in &names {
            let Some(file) = name.strip_suffix(MANIFEST) else {
                continue;
            };
            if names.contains(file) {
                continue;
            }
            let path = self.directory.join(name);
            let Some(draft) = read_manifest(&path).ok().and_then(|it| it.draft) else {
                continue;
            };
            let is_there = is_draft(&draft, Use::Backup) && names.contains(&draft);
            if is_there && is_left(&self.directory.join(&draft)) {
                // First the manifest, as above.
                fs::remove_file(&path)?;
                sync_directory(&self.directory)?;
            }
        }
        for name in names.iter().filter(|name| is_draft(name, Use::Backup)) {
            // Not being able to remove a draft is not a reason to make no backup.
            let _ = remove_if_left(&self.directory.join(name));
        }
        Ok(())
    }

    /// A number that no backup of this directory has had.
    fn next_number(&self, held: &mut Held) -> io::Result<u64> {
        let names = self.names()?;
        let manifests = names.iter().filter(|name| name.ends_with(MANIFEST));
        let numbers = manifests
            .filter_map(|name| read_manifest(&self.directory.join(name)).ok())
            .map(|manifest| manifest.number);
        let last = numbers.max().unwrap_or(0).max(held.last_number());
        let number = last.saturating_add(1);
        held.remember(number);
        Ok(number)
    }

    fn free_name(&self, database: &str, manifest: &Manifest, extension: &str) -> PathBuf {
        let packed = match manifest.compression {
            Compression::Zstd => ".zst",
            Compression::None => "",
        };
        let stem = format!("{}-{}", plain(database), stamp(manifest.made_at));
        let is_free = |path: &Path| path.symlink_metadata().is_err();
        for number in 2.. {
            let more = if number == 2 {
                String::new()
            } else {
                format!("-{}", number - 1)
            };
            let name = format!("{stem}{more}.{extension}{packed}");
            let file = self.directory.join(name);
            if is_free(&file) && is_free(&manifest_of(&file)) {
                return file;
            }
        }
        unreachable!("some number is free")
    }

    fn names(&self) -> io::Result<HashSet<String>> {
        let entries = fs::read_dir(&self.directory)?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn error(&self, error: &io::Error) -> BackupError {
        BackupError::Directory {
            path: self.directory.clone(),
            reason: error.to_string(),
        }
    }
}

/// Reads the manifest of a file.
fn open(file: &Path) -> Result<Backup, BackupError> {
    let missing = |reason: &str| BackupError::NoBackup {
        file: file.to_owned(),
        reason: reason.to_owned(),
    };
    let found = match fs::metadata(file) {
        Ok(found) if found.is_file() => found,
        Ok(_) => return Err(missing("it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(missing("file does not exist"));
        }
        Err(error) => return Err(missing(&error.to_string())),
    };
    let path = manifest_of(file);
    let manifest = match read_manifest(&path) {
        Err(Unread::Missing) => {
            let reason = format!("its manifest {} is missing", path.display());
            return Err(missing(&reason));
        }
        Err(Unread::Wrong(reason)) => return Err(BackupError::Manifest { file: path, reason }),
        Ok(manifest) => manifest,
    };
    Ok(Backup {
        file: file.to_owned(),
        is_whole: found.len() == manifest.size,
        manifest,
    })
}

/// Why a manifest was not read.
enum Unread {
    Missing,
    Wrong(String),
}

fn read_manifest(path: &Path) -> Result<Manifest, Unread> {
    let file = match files::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unread::Missing),
        file => file,
    };
    let text = file.and_then(|file| files::read_text(&file, LARGEST_MANIFEST));
    let text = text.map_err(|error| Unread::Wrong(error.to_string()))?;
    Manifest::parse(&text).map_err(Unread::Wrong)
}

fn manifest_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(MANIFEST);
    name.into()
}

/// A database's name as a part of a file's.
fn plain(name: &str) -> String {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name
        .chars()
        .map(|c| if is_fine(c) { c } else { '_' })
        .collect();
    let name = name.trim_start_matches('.');
    let name = name[..name.floor_char_boundary(LONGEST)].to_owned();
    if name.is_empty() {
        "database".to_owned()
    } else {
        name
    }
}

fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}
