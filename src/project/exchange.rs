//! Creates, renames, rewrites or removes scripts: all of them or none, even if the process is killed.
//!
//! First, every new file is written under a temporary name. Then a journal is created atomically,
//! which commits the exchange. The journal names every file, so that the next process can repeat
//! the steps; each step is idempotent. The directory is not read while the journal exists.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::directory::JOURNAL;
use crate::files;

/// A file to exchange.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The old name in the directory and the old text; `None` if the file is new.
    pub from: Option<(&'a str, &'a str)>,
    /// The new name.
    pub to: &'a str,
    /// The new text; `None` if the file is removed.
    pub after: Option<&'a str>,
}

/// An error that prevented the exchange of some or all files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Another process is exchanging files.
    #[error("another command is writing scripts in {}", .0.display())]
    Busy(PathBuf),
    /// A file has changed since the exchange was planned.
    #[error("{} changed meanwhile", .0.display())]
    Changed(PathBuf),
    /// A file of the new name already exists.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// The journal is not valid.
    #[error("{} is not valid: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// An input/output error occurred.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// The prefix of all temporary files of an exchange, which can safely be removed.
const STAGED: &str = ".migrator-rebase-";

/// The layout of the journal.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    version: u32,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// `None` if the file is new.
    from: Option<String>,
    to: String,
    /// The temporary name of the new file; `None` if the old file is only removed.
    staged: Option<String>,
    /// SHA-256 of the old file; empty if there is none. A file with another hash must not be removed.
    before: String,
}

impl Entry {
    /// Whether the file keeps its name.
    fn stays(&self) -> bool {
        self.from.as_ref() == Some(&self.to)
    }
}

/// The old name of an exchanged file, `None` if it is new, and the new one, `None` if it was removed.
pub type Recovered = (Option<String>, Option<String>);

/// Exchanges the files of `dir`.
///
/// # Errors
/// Returns an error and leaves the directory unchanged if the exchange was not committed.
/// Otherwise, [`recover`] completes it.
pub fn exchange(dir: &Path, files: &[Exchange<'_>]) -> Result<(), ExchangeError> {
    let _lock = lock(dir)?;
    run(&Directory(dir), files)
}

/// Completes a committed exchange that was interrupted, and returns the old and new names of its
/// files. Returns `None` if there is none.
///
/// # Errors
/// Returns an error if the exchange cannot be completed. It can be retried.
pub fn recover(dir: &Path) -> Result<Option<Vec<Recovered>>, ExchangeError> {
    if !dir.join(JOURNAL).exists() {
        return Ok(None);
    }
    let _lock = lock(dir)?;
    go_on(&Directory(dir))
}

/// Locks the directory, so that only one exchange runs at a time. The lock ends with its process.
/// Systems that cannot open a directory have no lock.
fn lock(dir: &Path) -> Result<Option<File>, ExchangeError> {
    let Ok(directory) = files::open_directory(dir) else {
        return Ok(None);
    };
    match directory.try_lock() {
        Err(TryLockError::WouldBlock) => Err(ExchangeError::Busy(dir.to_owned())),
        _ => Ok(Some(directory)),
    }
}

/// Operations on a directory. Each one is either done or not done if the process is killed.
trait Disk {
    fn path(&self, name: &str) -> PathBuf;
    fn names(&self) -> io::Result<Vec<String>>;
    /// Reads a file; `None` if it does not exist.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Writes a new file, with the permissions of `like`.
    fn write(&self, name: &str, bytes: &[u8], like: Option<&str>) -> io::Result<()>;
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Syncs new names to disk.
    fn sync(&self) -> io::Result<()>;
}

fn run(disk: &dyn Disk, files: &[Exchange<'_>]) -> Result<(), ExchangeError> {
    let staged = stage(disk, files).and_then(|journal| decide(disk, &journal).map(|()| journal));
    match staged {
        Ok(journal) => complete(disk, &journal),
        Err(error) => {
            // The first error is more useful; leftover files are never read, and are removed next
            // time.
            if !matches!(disk.read(JOURNAL), Ok(Some(_))) {
                let _ = clean(disk);
            }
            Err(error)
        }
    }
}

/// Continues the exchange in the journal.
fn go_on(disk: &dyn Disk) -> Result<Option<Vec<Recovered>>, ExchangeError> {
    let Some(bytes) = at(disk, JOURNAL, disk.read(JOURNAL))? else {
        return Ok(None);
    };
    let damaged = |reason: String| ExchangeError::Journal {
        path: disk.path(JOURNAL),
        reason,
    };
    let journal: Journal =
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if journal.version != VERSION {
        return Err(damaged(format!("it is of layout {}", journal.version)));
    }
    // Files outside the directory must not be touched, whoever wrote the journal.
    let is_name = |name: &String| !name.contains(['/', '\\']) && *name != "..";
    let mut files = journal.files.iter();
    if !files.all(|file| {
        let names = [file.from.as_ref(), Some(&file.to), file.staged.as_ref()];
        names.into_iter().flatten().all(is_name)
    }) {
        return Err(damaged("it names a file elsewhere".to_owned()));
    }
    complete(disk, &journal)?;
    let files = journal.files.into_iter();
    let names = files.map(|file| (file.from, file.staged.map(|_| file.to)));
    Ok(Some(names.collect()))
}

/// Writes the new files under temporary names.
fn stage(disk: &dyn Disk, files: &[Exchange<'_>]) -> Result<Journal, ExchangeError> {
    clean(disk)?;
    let mut entries = Vec::with_capacity(files.len());
    for (file, number) in files.iter().zip(0..) {
        let mut before = String::new();
        if let Some((from, text)) = file.from {
            let found = at(disk, from, disk.read(from))?;
            if found.as_deref() != Some(text.as_bytes()) {
                return Err(ExchangeError::Changed(disk.path(from)));
            }
            before = digest(text.as_bytes());
        }
        let from = file.from.map(|(from, _)| from);
        let Some(after) = file.after else {
            entries.push(Entry {
                from: from.map(str::to_owned),
                to: file.to.to_owned(),
                staged: None,
                before,
            });
            continue;
        };
        let is_new = from != Some(file.to);
        if is_new && at(disk, file.to, disk.read(file.to))?.is_some() {
            return Err(ExchangeError::Exists(disk.path(file.to)));
        }
        let staged = format!("{STAGED}{number}.tmp");
        let written = disk.write(&staged, after.as_bytes(), from);
        at(disk, &staged, written)?;
        entries.push(Entry {
            from: from.map(str::to_owned),
            to: file.to.to_owned(),
            staged: Some(staged),
            before,
        });
    }
    at(disk, ".", disk.sync())?;
    Ok(Journal {
        version: VERSION,
        files: entries,
    })
}

/// Commits the exchange. From here on, it can only be completed.
fn decide(disk: &dyn Disk, journal: &Journal) -> Result<(), ExchangeError> {
    let name = format!("{STAGED}journal.tmp");
    let text = serde_json::to_vec_pretty(journal)
        .map_err(io::Error::from)
        .and_then(|text| disk.write(&name, &text, None));
    at(disk, &name, text)?;
    at(disk, JOURNAL, disk.rename(&name, JOURNAL))?;
    at(disk, ".", disk.sync())
}

/// Completes the exchange. Every step may already be done.
fn complete(disk: &dyn Disk, journal: &Journal) -> Result<(), ExchangeError> {
    for entry in &journal.files {
        place(disk, entry)?;
    }
    at(disk, ".", disk.sync())?;
    for entry in &journal.files {
        if let Some(from) = &entry.from
            && (entry.staged.is_none() || !entry.stays())
        {
            retire(disk, from, &entry.before)?;
        }
    }
    at(disk, ".", disk.sync())?;
    at(disk, JOURNAL, disk.remove(JOURNAL))?;
    at(disk, ".", disk.sync())
}

/// Renames the new file to its final name.
fn place(disk: &dyn Disk, entry: &Entry) -> Result<(), ExchangeError> {
    let Some(staged) = &entry.staged else {
        return Ok(());
    };
    let there = at(disk, &entry.to, disk.read(&entry.to))?;
    let Some(new) = at(disk, staged, disk.read(staged))? else {
        return match there {
            Some(_) => Ok(()),
            None => Err(ExchangeError::Journal {
                path: disk.path(JOURNAL),
                reason: format!("it names {staged}, which is gone"),
            }),
        };
    };
    match there {
        Some(there) if there == new => at(disk, staged, disk.remove(staged)),
        Some(there) if !entry.stays() || digest(&there) != entry.before => {
            let error = match entry.stays() {
                true => ExchangeError::Changed,
                false => ExchangeError::Exists,
            };
            Err(error(disk.path(&entry.to)))
        }
        _ => at(disk, &entry.to, disk.rename(staged, &entry.to)),
    }
}

/// Removes the old file, unless it has changed.
fn retire(disk: &dyn Disk, from: &str, before: &str) -> Result<(), ExchangeError> {
    match at(disk, from, disk.read(from))? {
        None => Ok(()),
        Some(bytes) if digest(&bytes) == before => at(disk, from, disk.remove(from)),
        Some(_) => Err(ExchangeError::Changed(disk.path(from))),
    }
}

/// Removes files of an exchange that was not committed.
fn clean(disk: &dyn Disk) -> Result<(), ExchangeError> {
    for name in at(disk, ".", disk.names())? {
        if name.starts_with(STAGED) {
            at(disk, &name, disk.remove(&name))?;
        }
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

fn at<T>(disk: &dyn Disk, name: &str, result: io::Result<T>) -> Result<T, ExchangeError> {
    result.map_err(|source| ExchangeError::Io {
        path: disk.path(name),
        source,
    })
}

/// A directory in the file system.
struct Directory<'a>(&'a Path);

impl Disk for Directory<'_> {
    fn path(&self, name: &str) -> PathBuf {
        match name {
            "." => self.0.to_owned(),
            name => self.0.join(name),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.0)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match files::read(&self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, bytes: &[u8], like: Option<&str>) -> io::Result<()> {
        let mut file = File::create_new(self.path(name))?;
        file.write_all(bytes)?;
        if let Some(like) = like {
            file.set_permissions(fs::metadata(self.path(like))?.permissions())?;
        }
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync(&self) -> io::Result<()> {
        // Not every system supports this; the steps are in order in any case.
        if let Ok(directory) = files::open_directory(self.0) {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod exchange_tests;
