use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use chrono::Utc;

use super::{
    super::{DatabaseError, LockAttempt, PlaceKind, Settings},
    inode_lock::{InodeAttempt, InodeLock},
};
use crate::files::{open_existing, open_or_create, read_start};

/// The suffix of a lock file's name.
const SUFFIX: &str = ".migrator-lock";

/// The maximum number of attempts to create a lock file that is deleted concurrently, before it
/// counts as held.
const ATTEMPTS: usize = 100;

/// The number of bytes read from a lock file, which contains one line.
const HOLDER: u64 = 1024;

/// The maximum number of symbolic links to a database that does not exist yet.
const LINKS: usize = 40;

/// A locked lock file. The operating system releases the lock when the process ends.
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
    /// The lock on the inode, if the database has other names.
    inode: Option<InodeLock>,
}

/// The outcome of one attempt.
pub(super) enum Attempt {
    Acquired(LockFile),
    Held(Option<String>),
}

impl From<&Attempt> for LockAttempt {
    fn from(attempt: &Attempt) -> Self {
        match attempt {
            Attempt::Acquired(_) => Self::Acquired,
            Attempt::Held(holder) => Self::Held {
                holder: holder.clone(),
            },
        }
    }
}

impl LockFile {
    /// Makes one attempt to lock `database`.
    ///
    /// # Errors
    /// Fails when the lock file cannot be created, or is a symbolic link.
    pub fn attempt(database: &Path, settings: &Settings) -> Result<Attempt, DatabaseError> {
        let path = lock_path(database);
        let other_names = InodeLock::attempt(database);
        let inode = match other_names.map_err(|error| cannot_lock(database, database, &error))? {
            InodeAttempt::Acquired(lock) => Some(lock),
            InodeAttempt::OneName => None,
            InodeAttempt::Held => return Ok(Attempt::Held(None)),
        };
        for _ in 0..ATTEMPTS {
            let file = open(&path).map_err(|error| cannot_lock(database, &path, &error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(Attempt::Held(holder(file))),
                Err(TryLockError::Error(error)) => {
                    return Err(cannot_lock(database, &path, &error));
                }
            }
            let mut lock = Self {
                path: path.clone(),
                file,
                inode: None,
            };
            // The previous holder removes the file before releasing the lock, and a lock on a
            // removed file is ineffective.
            if lock.is_in_place() {
                lock.introduce(settings);
                lock.inode = inode;
                return Ok(Attempt::Acquired(lock));
            }
            if path.is_symlink() {
                let error = io::Error::other("it is a symbolic link");
                return Err(cannot_lock(database, &path, &error));
            }
        }
        Ok(Attempt::Held(None))
    }

    /// Whether the locked file is still the one that others try to lock.
    pub fn is_in_place(&self) -> bool {
        is_same_file(&self.file, &self.path)
    }

    /// Writes a description of this process into the file. It is only for people, so failures are
    /// ignored.
    fn introduce(&mut self, settings: &Settings) {
        let text = format!(
            "{} (pid {}, {}, since {})\n",
            settings.application_name,
            process::id(),
            settings.actor,
            Utc::now().format("%Y-%m-%d %H:%M:%S UTC"),
        );
        let is_new = self.file.metadata().is_ok_and(|found| found.len() == 0);
        let emptied = if is_new { Ok(()) } else { self.file.set_len(0) };
        let _ = emptied.and_then(|()| self.file.write_all(text.as_bytes()));
    }
}

/// Removes the file while it is still locked, so that no new file of another process is removed.
impl Drop for LockFile {
    fn drop(&mut self) {
        // On other systems, an open file cannot be removed, or its name stays in use; the empty
        // file is kept.
        if cfg!(unix) && self.is_in_place() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The lock file is beside the real path of the database, so that all spellings share one lock.
fn lock_path(database: &Path) -> PathBuf {
    let mut name = OsString::from(real_path(database));
    name.push(SUFFIX);
    name.into()
}

/// The path without symbolic links, even for a file that does not exist yet.
pub(super) fn real_path(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(real) = fs::canonicalize(&path) {
            return real;
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        let parent = fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
        match fs::read_link(&path) {
            Ok(target) => path = parent.join(target),
            Err(_) => {
                return path
                    .file_name()
                    .map_or(path.clone(), |name| parent.join(name));
            }
        }
    }
    path
}

/// Opens another user's file read-only, which is enough to lock it. Symbolic links are refused, so
/// that no file is created through a dangling one.
fn open(path: &Path) -> io::Result<File> {
    match open_or_create(path, 0o666) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_existing(path).map_err(|_| error)
        }
        other => other,
    }
}

/// The description that the holder has written.
fn holder(file: File) -> Option<String> {
    // With mandatory locks, the file cannot be read.
    let text = read_start(&file, HOLDER)?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn cannot_lock(database: &Path, lock: &Path, error: &io::Error) -> DatabaseError {
    let place = database.display().to_string();
    let reason = format!("the lock file {} cannot be used: {error}", lock.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            DatabaseError::ReadOnly {
                kind: PlaceKind::File,
                place,
                reason,
            }
        }
        _ => DatabaseError::Unreachable {
            kind: PlaceKind::File,
            place,
            reason,
        },
    }
}

/// Never follows a symbolic link, which may lead to a file that is not a lock.
#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(named)) => ours.dev() == named.dev() && ours.ino() == named.ino(),
        _ => false,
    }
}

/// On these systems, an open file cannot be replaced.
#[cfg(not(unix))]
fn is_same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}
