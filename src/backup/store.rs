//! The directory of backups.
//!
//! A backup is a file and its manifest, `NAME` and `NAME.manifest.json`. Both are written under
//! other names and synced. The manifest gets its name first and the file last, in one step: a
//! file with its name is whole and has a manifest. A manifest without its file is what a killed
//! process has left; it counts for nothing and is removed by the next backup.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::{BackupError, Manifest};
use crate::{
    database::{Draft, sweep, sync_directory},
    sql::Dialect,
};

const MANIFEST: &str = ".manifest.json";

/// Held while names are given and taken.
const LOCK: &str = ".migrator-backups.lock";

/// Bytes of a database's name that are kept in a file's.
const LONGEST: usize = 100;

/// A backup that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub file: PathBuf,
    /// What is known of it.
    pub manifest: Manifest,
    /// Whether the file still has the size that was written. Its hash is not looked at.
    pub is_whole: bool,
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
    /// When it can't be made or written.
    pub fn prepare(&self) -> Result<(), BackupError> {
        let prepared = fs::create_dir_all(&self.directory).and_then(|()| {
            let _held = self.lock()?;
            sweep(&self.directory);
            self.remove_orphans()
        });
        prepared.map_err(|error| self.error(&error))
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn draft(&self) -> Result<Draft, BackupError> {
        Draft::create(&self.directory).map_err(|error| self.error(&error))
    }

    /// Lists a backup: from here on it is there. Returns its file.
    ///
    /// # Errors
    /// When it can't be written; nothing is listed then.
    pub fn publish(
        &self,
        draft: Draft,
        manifest: &Manifest,
        (database, extension): (&str, &str),
    ) -> Result<PathBuf, BackupError> {
        let published = self.lock().and_then(|_held| {
            let file = self.free_name(database, manifest, extension);
            let beside = Draft::create(&self.directory)?;
            beside.file().write_all(manifest.text().as_bytes())?;
            let path = manifest_of(&file);
            beside.publish(&path)?;
            match draft.publish(&file) {
                Ok(()) => Ok(file),
                Err(error) => {
                    let _ = fs::remove_file(path);
                    Err(error)
                }
            }
        });
        published.map_err(|error| self.error(&error))
    }

    /// All backups, the oldest first. What can't be read is passed over.
    ///
    /// # Errors
    /// When the directory can't be read; one that is not there is empty.
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
        found.sort_by(|a, b| {
            let key = |it: &Backup| (it.manifest.made_at, it.file.clone());
            key(a).cmp(&key(b))
        });
        Ok(found)
    }

    /// The backup that `named` means: a path, or the name of a file in the directory.
    ///
    /// # Errors
    /// When there is none, or its manifest can't be read.
    pub fn find(&self, named: &Path) -> Result<Backup, BackupError> {
        let inside = self.directory.join(named);
        if !named.exists() && inside.exists() {
            return open(&inside);
        }
        open(named)
    }

    /// The newest backup of a database.
    ///
    /// # Errors
    /// When there is none.
    pub fn newest(&self, database: &str, dialect: Dialect) -> Result<Backup, BackupError> {
        let newest = self.of(database, dialect)?.pop();
        newest.ok_or_else(|| BackupError::NoneYet {
            database: database
                .strip_prefix("sqlite:")
                .unwrap_or(database)
                .to_owned(),
            directory: self.directory.clone(),
        })
    }

    fn of(&self, database: &str, dialect: Dialect) -> Result<Vec<Backup>, BackupError> {
        let mut all = self.list()?;
        all.retain(|it| it.manifest.database == database && it.manifest.dialect() == Some(dialect));
        Ok(all)
    }

    /// Removes the oldest backups of a database, so that `keep` are left; all are with 0. Returns
    /// what was removed.
    ///
    /// # Errors
    /// When one can't be removed.
    pub fn prune(
        &self,
        database: &str,
        dialect: Dialect,
        keep: usize,
    ) -> Result<Vec<PathBuf>, BackupError> {
        if keep == 0 {
            return Ok(Vec::new());
        }
        let _held = self.lock().map_err(|error| self.error(&error))?;
        let all = self.of(database, dialect)?;
        let old = all.len().saturating_sub(keep);
        let mut removed = Vec::new();
        for backup in &all[..old] {
            // The file first: without it the manifest counts for nothing.
            let gone = fs::remove_file(&backup.file)
                .and_then(|()| sync_directory(&self.directory))
                .and_then(|()| fs::remove_file(manifest_of(&backup.file)));
            gone.map_err(|error| self.error(&error))?;
            removed.push(backup.file.clone());
        }
        Ok(removed)
    }

    fn free_name(&self, database: &str, manifest: &Manifest, extension: &str) -> PathBuf {
        let packed = if manifest.compression == "zstd" {
            ".zst"
        } else {
            ""
        };
        let stem = format!("{}-{}", plain(database), stamp(manifest.made_at));
        for number in 2.. {
            let more = if number == 2 {
                String::new()
            } else {
                format!("-{}", number - 1)
            };
            let name = format!("{stem}{more}.{extension}{packed}");
            let file = self.directory.join(name);
            if !file.exists() && !manifest_of(&file).exists() {
                return file;
            }
        }
        unreachable!("some number is free")
    }

    /// Removes manifests without their file. Nobody is between the two names: the lock is held.
    fn remove_orphans(&self) -> io::Result<()> {
        let names = self.names()?;
        for name in &names {
            let Some(file) = name.strip_suffix(MANIFEST) else {
                continue;
            };
            if !names.contains(file) {
                fs::remove_file(self.directory.join(name))?;
            }
        }
        Ok(())
    }

    fn names(&self) -> io::Result<HashSet<String>> {
        let entries = fs::read_dir(&self.directory)?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn lock(&self) -> io::Result<File> {
        let path = self.directory.join(LOCK);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        file.lock()?;
        Ok(file)
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
        Ok(_) => return Err(missing("it is no file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(missing("there is no such file"));
        }
        Err(error) => return Err(missing(&error.to_string())),
    };
    let path = manifest_of(file);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(missing(&format!(
                "its manifest {} is missing",
                path.display()
            )));
        }
        text => text.map_err(|error| error.to_string()),
    };
    let manifest = text.and_then(|text| Manifest::parse(&text));
    let manifest = manifest.map_err(|reason| BackupError::Manifest { file: path, reason })?;
    Ok(Backup {
        file: file.to_owned(),
        is_whole: found.len() == manifest.size,
        manifest,
    })
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;
    use tempfile::TempDir;

    use super::*;
    use crate::{
        database::{
            backup::{Contents, Dumped, Packing},
            stream::Digest,
        },
        revision::Observed,
    };

    const TEXT: &str = "data";

    fn manifest(database: &str, second: i64) -> Manifest {
        let dumped = Dumped {
            contents: Contents::default(),
            observed: Observed::default(),
            stored: Digest {
                size: TEXT.len() as u64,
                ..Digest::default()
            },
            plain: Digest::default(),
            mark: None,
            properties: BTreeMap::new(),
        };
        let time = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let database = (database.to_owned(), Dialect::Sqlite);
        Manifest::new(time, database, String::new(), Packing::Plain, dumped)
    }

    fn store() -> (TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(&dir.path().join("deep/backups"));
        store.prepare().unwrap();
        (dir, store)
    }

    fn add(store: &Store, database: &str, second: i64) -> PathBuf {
        let draft = store.draft().unwrap();
        draft.file().write_all(TEXT.as_bytes()).unwrap();
        let manifest = manifest(database, second);
        store.publish(draft, &manifest, ("app", "sqlite")).unwrap()
    }

    fn listed(store: &Store) -> Vec<String> {
        let all = store.list().unwrap();
        let names = all.iter().map(|it| it.file.file_name().unwrap());
        names.map(|it| it.to_str().unwrap().to_owned()).collect()
    }

    fn visible(store: &Store) -> usize {
        store.names().unwrap().len() - 1
    }

    #[test]
    fn backups_are_listed_by_their_time() {
        let (_dir, store) = store();
        for second in [7, 5, 5] {
            add(&store, "a", second);
        }
        let expected = [
            "app-19700101T000005Z-2.sqlite",
            "app-19700101T000005Z.sqlite",
            "app-19700101T000007Z.sqlite",
        ];
        assert_eq!(listed(&store), expected);
        assert_eq!(visible(&store), 6);
        let newest = store.newest("a", Dialect::Sqlite).unwrap();
        assert_eq!(store.find(Path::new(expected[2])), Ok(newest.clone()));
        assert_eq!(store.find(&newest.file), Ok(newest));
    }

    #[test]
    fn only_the_oldest_of_the_same_database_go() {
        let (_dir, store) = store();
        for second in 0..4 {
            add(&store, "a", second);
        }
        add(&store, "b", 0);
        assert_eq!(store.prune("a", Dialect::Postgres, 1), Ok(Vec::new()));
        assert_eq!(store.prune("a", Dialect::Sqlite, 0), Ok(Vec::new()));
        let removed = store.prune("a", Dialect::Sqlite, 3).unwrap();
        assert_eq!(
            removed,
            [store.directory.join("app-19700101T000000Z.sqlite")]
        );
        assert_eq!(listed(&store).len(), 4);
        assert_eq!(visible(&store), 8);
    }

    #[test]
    fn what_killed_processes_leave_is_never_listed() {
        let (_dir, store) = store();
        add(&store, "a", 1);
        let orphan = store.directory.join("app-2.sqlite.manifest.json");
        fs::write(&orphan, manifest("a", 2).text()).unwrap();
        let draft = store.directory.join(".migrator-0.part");
        fs::write(&draft, "half").unwrap();
        fs::write(store.directory.join("stranger.sqlite"), "x").unwrap();
        assert_eq!(listed(&store).len(), 1);
        store.prepare().unwrap();
        assert!(!orphan.exists() && !draft.exists());
        assert_eq!(visible(&store), 3);
    }

    #[test]
    fn a_file_that_was_cut_is_seen() {
        let (_dir, store) = store();
        let file = add(&store, "a", 1);
        assert!(store.find(&file).unwrap().is_whole);
        fs::write(&file, "dat").unwrap();
        assert!(!store.find(&file).unwrap().is_whole);
    }

    #[test]
    fn what_is_no_backup_is_said_to_be_none() {
        let (_dir, store) = store();
        let check = |name: &str, part: &str| {
            let error = store.find(&store.directory.join(name)).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        };
        check("missing", "no such file");
        check("", "no file");
        let file = add(&store, "a", 1);
        fs::write(manifest_of(&file), "{").unwrap();
        check("app-19700101T000001Z.sqlite", "can't be read");
        fs::remove_file(manifest_of(&file)).unwrap();
        check("app-19700101T000001Z.sqlite", "manifest");
        assert!(store.newest("a", Dialect::Sqlite).is_err());
    }

    #[test]
    fn names_of_databases_become_names_of_files() {
        let check = |name: &str, expected: &str| assert_eq!(plain(name), expected);
        check("shop", "shop");
        check("app.db", "app.db");
        check("../a b", "_a_b");
        check("żółw", "żółw");
        check("..", "database");
        assert_eq!(plain(&"ż".repeat(80)).len(), LONGEST);
    }
}
