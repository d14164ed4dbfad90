//! Files in the making: under a name of their own, held by a lock of the system, and given their
//! name only when they are whole and on the disk.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use crate::files;

/// What drafts are called: this, a random name, and [`SUFFIX`].
const PREFIX: &str = ".migrator-";
const SUFFIX: &str = ".part";

/// How often another draft is begun, when a sweep takes one that is not locked yet.
const ATTEMPTS: usize = 100;

/// A file in the making. It is removed with the value, and by the next [`sweep`] when its process
/// is killed: the lock on it goes with the process.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: File,
    is_published: bool,
}

impl Draft {
    /// Begins one in `directory`, which only the user of this process can read.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(directory: &Path) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let path = directory.join(format!("{PREFIX}{}{SUFFIX}", unique()));
            let file = private().open(&path)?;
            if file.try_lock().is_ok() && path.exists() {
                let is_published = false;
                return Ok(Self {
                    path,
                    file,
                    is_published,
                });
            }
        }
        Err(io::Error::other("files in the making are removed at once"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, at its start unless it was written to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it the name `to` in its directory, once it is on the disk. What has that name is replaced.
    ///
    /// # Errors
    /// What the system says; nothing has that name then, or what had it before.
    pub fn publish(mut self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, to)?;
        self.is_published = true;
        sync_directory(to.parent().unwrap_or(Path::new("/")))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the drafts in `directory` whose process is gone. What can't be removed stays.
pub fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
            continue;
        }
        let is_free = |file: File| file.try_lock().is_ok();
        if files::open(&entry.path()).is_ok_and(is_free) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes sure that a directory's names are on the disk. Not every system can open one.
///
/// # Errors
/// What the disk says.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        files::open_directory(directory)?.sync_all()?;
    }
    Ok(())
}

/// 16 hexadecimal digits that nobody else has.
pub fn unique() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let host = gethostname::gethostname();
    let text = format!("{host:?} {} {} {number}", process::id(), now.as_nanos());
    let mut digits = format!("{:x}", Sha256::digest(text));
    digits.truncate(16);
    digits
}

fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_has_its_name_when_it_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let draft = Draft::create(dir.path()).unwrap();
        fs::write(draft.path(), "whole").unwrap();
        draft.publish(&dir.path().join("a")).unwrap();
        drop(Draft::create(dir.path()).unwrap());
        assert_eq!(names(dir.path()), ["a"]);
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"whole");
    }

    #[test]
    fn a_sweep_takes_what_nobody_holds() {
        let dir = tempfile::tempdir().unwrap();
        let held = Draft::create(dir.path()).unwrap();
        let others = [".migrator-0.part", ".migrator-0.other", "x.part"];
        for name in others {
            fs::write(dir.path().join(name), "").unwrap();
        }
        sweep(dir.path());
        let held_name = held.path().file_name().unwrap().to_str().unwrap();
        let mut expected = vec![held_name, ".migrator-0.other", "x.part"];
        expected.sort_unstable();
        assert_eq!(names(dir.path()), expected);
        sweep(&dir.path().join("missing"));
    }
}
