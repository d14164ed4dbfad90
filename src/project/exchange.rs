//! Gives scripts other names and texts, or removes them: all of them or none, also when the process dies in between.
//!
//! First every new file is written under a name that nobody reads. Then a journal appears, at once
//! and complete: from there on the exchange is decided. It names every file, so that whoever comes
//! next can go through the same steps again; each of them may have been done already. As long as
//! the journal is there, the directory is not read.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::directory::JOURNAL;
use crate::files;

/// A file that is exchanged.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// Its name in the directory.
    pub from: &'a str,
    /// Its name afterwards.
    pub to: &'a str,
    /// Its text.
    pub before: &'a str,
    /// Its text afterwards; `None` when it goes.
    pub after: Option<&'a str>,
}

/// Why files were not exchanged, or not all of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Another process is at it.
    #[error("another rebase or squash is running in {}", .0.display())]
    Busy(PathBuf),
    /// A file is not what it was when the exchange was planned.
    #[error("{} changed meanwhile", .0.display())]
    Changed(PathBuf),
    /// A file of the new name already exists.
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    /// The journal makes no sense.
    #[error("{} is not valid: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The system refused something.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// What all other files of an exchange begin with; nobody misses them.
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
    from: String,
    to: String,
    /// The new file, under a name that nobody reads; `None` when the old one only goes.
    staged: Option<String>,
    /// SHA-256 of the file as it was: another one is not ours to remove.
    before: String,
}

/// The old name of an exchanged file, and the new one; `None` where it is gone.
pub type Recovered = (String, Option<String>);

/// Exchanges the files of `dir`.
///
/// # Errors
/// When the exchange was not decided, the directory is as it was. Otherwise [`recover`] continues.
pub fn exchange(dir: &Path, files: &[Exchange<'_>]) -> Result<(), ExchangeError> {
    let _lock = lock(dir)?;
    run(&Directory(dir), files)
}

/// Completes an exchange that was decided and not finished; the old and new names of what it was
/// about. `None` when there is none.
///
/// # Errors
/// When something is in the way. It can be tried again.
pub fn recover(dir: &Path) -> Result<Option<Vec<Recovered>>, ExchangeError> {
    if !dir.join(JOURNAL).exists() {
        return Ok(None);
    }
    let _lock = lock(dir)?;
    go_on(&Directory(dir))
}

/// One exchange at a time. The lock ends with its process; where a directory cannot be opened,
/// there is none.
fn lock(dir: &Path) -> Result<Option<File>, ExchangeError> {
    let Ok(directory) = files::open_directory(dir) else {
        return Ok(None);
    };
    match directory.try_lock() {
        Err(TryLockError::WouldBlock) => Err(ExchangeError::Busy(dir.to_owned())),
        _ => Ok(Some(directory)),
    }
}

/// What is done to a directory, one call a step that is done or not when the process dies.
trait Disk {
    fn path(&self, name: &str) -> PathBuf;
    fn names(&self) -> io::Result<Vec<String>>;
    /// `None` when it is not there.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Writes a new file, with the permissions of `like`.
    fn write(&self, name: &str, bytes: &[u8], like: Option<&str>) -> io::Result<()>;
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes new names last.
    fn sync(&self) -> io::Result<()>;
}

fn run(disk: &dyn Disk, files: &[Exchange<'_>]) -> Result<(), ExchangeError> {
    let staged = stage(disk, files).and_then(|journal| decide(disk, &journal).map(|()| journal));
    match staged {
        Ok(journal) => complete(disk, &journal),
        Err(error) => {
            // The error says what matters; what stays is read by nobody, and removed next time.
            if !matches!(disk.read(JOURNAL), Ok(Some(_))) {
                let _ = clean(disk);
            }
            Err(error)
        }
    }
}

/// Goes on with what the journal says.
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
    // Nothing outside the directory is touched, whoever wrote that.
    let is_name = |name: &String| !name.contains(['/', '\\']) && *name != "..";
    let mut files = journal.files.iter();
    if !files.all(|file| {
        let names = [Some(&file.from), Some(&file.to), file.staged.as_ref()];
        names.into_iter().flatten().all(is_name)
    }) {
        return Err(damaged("it names a file elsewhere".to_owned()));
    }
    complete(disk, &journal)?;
    let files = journal.files.into_iter();
    let names = files.map(|file| (file.from, file.staged.map(|_| file.to)));
    Ok(Some(names.collect()))
}

/// Writes the new files under names that nobody reads.
fn stage(disk: &dyn Disk, files: &[Exchange<'_>]) -> Result<Journal, ExchangeError> {
    clean(disk)?;
    let mut entries = Vec::with_capacity(files.len());
    for (file, number) in files.iter().zip(0..) {
        let found = at(disk, file.from, disk.read(file.from))?;
        if found.as_deref() != Some(file.before.as_bytes()) {
            return Err(ExchangeError::Changed(disk.path(file.from)));
        }
        let before = digest(file.before.as_bytes());
        let Some(after) = file.after else {
            entries.push(Entry {
                from: file.from.to_owned(),
                to: file.to.to_owned(),
                staged: None,
                before,
            });
            continue;
        };
        let is_new = file.from != file.to;
        if is_new && at(disk, file.to, disk.read(file.to))?.is_some() {
            return Err(ExchangeError::Exists(disk.path(file.to)));
        }
        let staged = format!("{STAGED}{number}.tmp");
        let written = disk.write(&staged, after.as_bytes(), Some(file.from));
        at(disk, &staged, written)?;
        entries.push(Entry {
            from: file.from.to_owned(),
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

/// From here on, the exchange can only be completed.
fn decide(disk: &dyn Disk, journal: &Journal) -> Result<(), ExchangeError> {
    let name = format!("{STAGED}journal.tmp");
    let text = serde_json::to_vec_pretty(journal)
        .map_err(io::Error::from)
        .and_then(|text| disk.write(&name, &text, None));
    at(disk, &name, text)?;
    at(disk, JOURNAL, disk.rename(&name, JOURNAL))?;
    at(disk, ".", disk.sync())
}

/// Every step may have been done before.
fn complete(disk: &dyn Disk, journal: &Journal) -> Result<(), ExchangeError> {
    for entry in &journal.files {
        place(disk, entry)?;
    }
    at(disk, ".", disk.sync())?;
    let goes = |entry: &&Entry| entry.staged.is_none() || entry.from != entry.to;
    for entry in journal.files.iter().filter(goes) {
        retire(disk, entry)?;
    }
    at(disk, ".", disk.sync())?;
    at(disk, JOURNAL, disk.remove(JOURNAL))?;
    at(disk, ".", disk.sync())
}

/// The new file gets its name.
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
        Some(there) if entry.from != entry.to || digest(&there) != entry.before => {
            let error = match entry.from == entry.to {
                true => ExchangeError::Changed,
                false => ExchangeError::Exists,
            };
            Err(error(disk.path(&entry.to)))
        }
        _ => at(disk, &entry.to, disk.rename(staged, &entry.to)),
    }
}

/// The old file goes, unless someone has changed it since.
fn retire(disk: &dyn Disk, entry: &Entry) -> Result<(), ExchangeError> {
    match at(disk, &entry.from, disk.read(&entry.from))? {
        None => Ok(()),
        Some(bytes) if digest(&bytes) == entry.before => {
            at(disk, &entry.from, disk.remove(&entry.from))
        }
        Some(_) => Err(ExchangeError::Changed(disk.path(&entry.from))),
    }
}

/// Removes what an exchange left that was never decided.
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

/// A directory of the file system.
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
        // Not every system can; the steps are in order in any case.
        if let Ok(directory) = files::open_directory(self.0) {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod exchange_tests;
