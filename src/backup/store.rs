//! The directory of backups.
//!
//! A backup is a file and its manifest, `NAME` and `NAME.manifest.json`. Both are written under
//! draft names and synced. The manifest, which names the file's draft, is renamed first and the
//! file last, so a file with its final name is complete and has a manifest. A backup is removed in
//! the reverse order.
//!
//! A manifest without its file is ignored. It is removed only if the draft that it names exists and
//! no process holds it, which means that a process was killed between the two renames. Otherwise
//! the file may have been moved elsewhere and may be moved back.

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
    arrange::Arrange as _,
    database::{Draft, Use, is_draft, is_left, remove_if_left, sweep, sync_directory},
    files,
    files::Compression,
    sql::Dialect,
};

const MANIFEST: &str = ".manifest.json";

/// The maximum size of a manifest in bytes: enough for a million tables.
const LARGEST_MANIFEST: u64 = 256 * 1024 * 1024;

/// The maximum length of a database's name within a file name, in bytes.
const LONGEST: usize = 100;

/// A listed backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// The manifest of the backup.
    pub manifest: Manifest,
    /// Whether the file still has its original size. Its hash is not checked.
    pub is_whole: bool,
}

/// The result of removing older backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The backups that were removed, oldest first.
    pub removed: Vec<PathBuf>,
    /// Backups of a database at the same address that are not proven to be of this database, such
    /// as those of another machine. They are neither counted nor removed.
    pub not_counted: Vec<PathBuf>,
    /// The reason why not all old backups could be removed.
    pub error: Option<BackupError>,
}

/// A directory of backups.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
}

impl Store {
    /// The backups in `directory`, which need not exist.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// The path of the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Creates the directory, and removes the remains of killed processes from it.
    ///
    /// # Errors
    /// Fails when the directory cannot be created or written, or is locked for too long.
    pub fn prepare(&self, wait: Wait<'_>) -> Result<(), BackupError> {
        fs::create_dir_all(&self.directory).map_err(|error| self.error(&error))?;
        let _held = Held::take(&self.directory, wait)?;
        sweep(&self.directory);
        self.remove_unfinished().map_err(|error| self.error(&error))
    }

    /// Creates a draft in the directory.
    ///
    /// # Errors
    /// Fails when the file cannot be created.
    pub fn draft(&self) -> Result<Draft, BackupError> {
        Draft::create(&self.directory, Use::Backup).map_err(|error| self.error(&error))
    }

    /// Numbers a backup and lists it.
    ///
    /// # Errors
    /// Fails when the backup cannot be written, or the directory is locked for too long; nothing is
    /// listed then.
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
                // The manifest goes first: without its draft, it would look like one whose file was
                // moved.
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

    /// Lists all backups, oldest first. Unreadable ones are skipped.
    ///
    /// # Errors
    /// Fails when the directory cannot be read. A missing directory is empty.
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
        // Clocks may be wrong, and names are exact to a second at best.
        found.arrange_by(|a, b| {
            let key = |it: &Backup| (it.manifest.number, it.manifest.made_at, it.file.clone());
            key(a).cmp(&key(b))
        });
        Ok(found)
    }

    /// Finds the backup `named` by a path or by the name of a file in the directory.
    ///
    /// # Errors
    /// Fails when the backup does not exist or its manifest cannot be read.
    pub fn find(&self, named: &Path) -> Result<Backup, BackupError> {
        let inside = self.directory.join(named);
        if !named.exists() && inside.exists() {
            return open(&inside);
        }
        open(named)
    }

    /// Finds the newest backup that is proven to be of the database, or else the newest one of its
    /// address.
    ///
    /// # Errors
    /// Fails when the directory cannot be read.
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
        // The server's identifier is unknown before connecting.
        let is_here = |it: &Backup| {
            let found = it.manifest.origin.as_ref();
            found.is_some_and(|found| !found.local || found.is_same_machine(origin))
        };
        let newest = all.iter().rposition(is_here).map(|at| all.swap_remove(at));
        Ok(newest.or_else(|| all.pop()))
    }

    /// Removes the oldest backups of the database that `made` is of, and keeps `keep` of them; 0
    /// keeps all. Damaged backups are neither counted nor removed, and `made` is never removed.
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

    /// Removes a backup in the reverse order of listing it. If the process is killed, the backup is
    /// either still listed, or the next run removes the rest.
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

    /// Removes what a process has left that was killed while listing or removing a backup. The lock
    /// is held, so no other process is doing that now.
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
                // The manifest goes first, as above.
                fs::remove_file(&path)?;
                sync_directory(&self.directory)?;
            }
        }
        for name in names.iter().filter(|name| is_draft(name, Use::Backup)) {
            // A draft that cannot be removed does not prevent a backup.
            let _ = remove_if_left(&self.directory.join(name));
        }
        Ok(())
    }

    /// A number that no backup of this directory has used.
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

/// Reads the backup of a file from its manifest.
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

/// The reason why a manifest was not read.
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

/// A database's name in the form used in file names.
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
