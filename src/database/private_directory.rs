//! Temporary directories that only the current user can read. Each is locked by its process, so that
//! those of killed processes are recognized.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::unique;
use crate::{arrange::Arrange as _, files};

/// The maximum number of attempts to create a directory, if a sweep removes it before it is locked.
const ATTEMPTS: usize = 100;

/// A temporary directory. Dropping the value removes it; after a kill, [`sweep`] does.
pub struct PrivateDirectory {
    path: PathBuf,
    /// Locked while the process lives. Not every system can lock a directory.
    _lock: Option<File>,
}

impl PrivateDirectory {
    /// Creates a directory whose name begins with `prefix` in the directory for temporary files.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn create(prefix: &str) -> io::Result<Self> {
        let parent = std::path::absolute(env::temp_dir())?;
        for _ in 0..ATTEMPTS {
            let path = parent.join(format!("{prefix}{}", unique()));
            make(&path)?;
            if !cfg!(unix) {
                return Ok(Self { path, _lock: None });
            }
            let Ok(lock) = files::open_directory(&path) else {
                continue;
            };
            if lock.try_lock().is_ok() && path.exists() {
                let _lock = Some(lock);
                return Ok(Self { path, _lock });
            }
        }
        Err(io::Error::other(
            "directories in the making are removed at once",
        ))
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory with its files.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn remove(self) -> io::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of ended processes. Those that cannot be removed are kept.
pub fn sweep(prefix: &str) {
    for (path, lives) in all(prefix) {
        if !lives {
            let _ = remove_if_left(&path);
        }
    }
}

/// The directories of the current user whose names begin with `prefix`, and whether their processes
/// live.
pub(super) fn all(prefix: &str) -> Vec<(PathBuf, bool)> {
    let parent = std::path::absolute(env::temp_dir());
    let Some(entries) = parent.ok().and_then(|it| fs::read_dir(it).ok()) else {
        return Vec::new();
    };
    let entries = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        // A directory of another user could hold links to anything.
        entry.metadata().is_ok_and(|found| is_own(&found))
            && name.to_string_lossy().starts_with(prefix)
    });
    let mut found: Vec<_> = entries
        .map(|entry| (entry.path(), locked(&entry.path()).is_none()))
        .collect();
    found.arrange();
    found
}

/// Removes a directory whose process has ended. Returns whether it was removed.
///
/// # Errors
/// The error of the operating system.
pub(super) fn remove_if_left(path: &Path) -> io::Result<bool> {
    // The lock is held until the directory is gone, so that nobody else begins with it.
    let Some(_lock) = locked(path) else {
        return Ok(false);
    };
    fs::remove_dir_all(path).map(|()| true)
}

/// The lock of a directory that no process holds.
fn locked(path: &Path) -> Option<File> {
    let directory = files::open_directory(path).ok()?;
    directory.try_lock().is_ok().then_some(directory)
}

/// Whether the directory belongs to the current user and no other one can read it.
#[cfg(unix)]
fn is_own(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    // SAFETY: the call only returns a number.
    let user = unsafe { libc::geteuid() };
    found.is_dir() && found.uid() == user && found.mode() & 0o777 == 0o700
}

#[cfg(not(unix))]
fn is_own(found: &fs::Metadata) -> bool {
    found.is_dir()
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_directory_ends_with_its_process() {
        let prefix = format!("migrator-test-{}-", unique());
        let held = PrivateDirectory::create(&prefix).unwrap();
        fs::create_dir(held.path().join("inside")).unwrap();
        let left = std::path::absolute(env::temp_dir()).unwrap();
        let left = left.join(format!("{prefix}left"));
        make(&left).unwrap();
        let paths = |lives: bool| -> Vec<PathBuf> {
            let found = all(&prefix).into_iter();
            found.filter(|it| it.1 == lives).map(|it| it.0).collect()
        };
        assert_eq!(paths(true), [held.path()]);
        assert_eq!(paths(false), [left.as_path()]);
        sweep(&prefix);
        assert!(held.path().exists() && !left.exists());
        held.remove().unwrap();
        assert_eq!(all(&prefix), []);
    }
}
