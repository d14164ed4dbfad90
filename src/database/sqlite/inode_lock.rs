//! A lock shared by all names of a file with hard links, each of which has its own lock file.

use std::{io, path::Path};

/// The result of one attempt.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(super) enum InodeAttempt {
    /// The lock was taken, and is held until it is dropped.
    Acquired(InodeLock),
    /// The file is missing or has no other name, so its lock file suffices.
    OneName,
    /// A process that uses another name holds the lock.
    Held,
}

#[cfg(target_os = "linux")]
pub(super) use linux::InodeLock;

/// On Linux, on local disks, the locks of `File::try_lock` are independent of those of SQLite, so
/// the database's own file can be locked.
#[cfg(target_os = "linux")]
mod linux {
    use std::{
        collections::HashMap,
        fs::{self, File, TryLockError},
        os::unix::fs::MetadataExt,
        sync::{Mutex, MutexGuard, PoisonError},
    };

    use super::{InodeAttempt, Path, io};
    use crate::files;

    /// The device and inode.
    type Key = (u64, u64);

    struct Entry {
        /// The file is never closed, since that would release SQLite's locks on it in this process.
        file: File,
        is_held: bool,
    }

    static FILES: Mutex<Option<HashMap<Key, Entry>>> = Mutex::new(None);

    /// A lock on the file itself.
    pub struct InodeLock(Key);

    impl InodeLock {
        /// Makes one attempt, if `database` is a file with several names.
        ///
        /// # Errors
        /// The error of the operating system.
        pub fn attempt(database: &Path) -> io::Result<InodeAttempt> {
            let found = match fs::metadata(database) {
                Ok(found) if found.nlink() > 1 => found,
                // The connection reports a file that cannot be accessed.
                _ => return Ok(InodeAttempt::OneName),
            };
            let key = (found.dev(), found.ino());
            let mut files = files();
            let files = files.get_or_insert_default();
            let entry = match files.entry(key) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => entry.insert(Entry {
                    file: files::open(database)?,
                    is_held: false,
                }),
            };
            if entry.is_held {
                return Ok(InodeAttempt::Held);
            }
            match entry.file.try_lock() {
                Ok(()) => {
                    entry.is_held = true;
                    Ok(InodeAttempt::Acquired(Self(key)))
                }
                Err(TryLockError::WouldBlock) => Ok(InodeAttempt::Held),
                Err(TryLockError::Error(error)) => Err(error),
            }
        }
    }

    impl Drop for InodeLock {
        fn drop(&mut self) {
            if let Some(entry) = files().as_mut().and_then(|files| files.get_mut(&self.0)) {
                entry.is_held = false;
                // The lock ends with the process in any case.
                let _ = entry.file.unlock();
            }
        }
    }

    fn files() -> MutexGuard<'static, Option<HashMap<Key, Entry>>> {
        FILES.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock that is never taken: a file that needs it is refused.
#[cfg(not(target_os = "linux"))]
pub(super) struct InodeLock;

#[cfg(not(target_os = "linux"))]
impl InodeLock {
    /// Refuses a file with several names.
    ///
    /// # Errors
    /// Fails when the file has several names.
    pub fn attempt(database: &Path) -> io::Result<InodeAttempt> {
        if names(database) > 1 {
            return Err(io::Error::other(
                "the database has several names (hard links), which would not share a lock",
            ));
        }
        Ok(InodeAttempt::OneName)
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn names(database: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;

    std::fs::metadata(database).map_or(0, |found| found.nlink())
}

#[cfg(not(unix))]
fn names(_: &Path) -> u64 {
    1
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn all_names_of_a_file_share_it() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        let attempt = |path: &Path| InodeLock::attempt(path).unwrap();
        assert!(matches!(attempt(&one), InodeAttempt::OneName));
        fs::write(&one, "").unwrap();
        assert!(matches!(attempt(&one), InodeAttempt::OneName));
        fs::hard_link(&one, &other).unwrap();
        let held = attempt(&one);
        assert!(matches!(held, InodeAttempt::Acquired(_)));
        assert!(matches!(attempt(&other), InodeAttempt::Held));
        drop(held);
        assert!(matches!(attempt(&other), InodeAttempt::Acquired(_)));
        assert!(matches!(attempt(&one), InodeAttempt::Acquired(_)));
    }
}
