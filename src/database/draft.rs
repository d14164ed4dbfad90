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

use crate::files::{create_private, open_directory, open_existing};

/// What drafts are called: this, [`DIGITS`] of [`unique`], and what they are for.
const PREFIX: &str = ".migrator-";
const DIGITS: usize = 16;

/// What a draft is for; the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Anything that nothing else refers to: whoever finds it without its process may remove it.
    Scratch,
    /// The file of a backup, which a manifest may refer to: removed together with that.
    Backup,
}

impl Use {
    fn suffix(self) -> &'static str {
        match self {
            Self::Scratch => ".part",
            Self::Backup => ".backup",
        }
    }
}

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
    pub fn create(directory: &Path, purpose: Use) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let name = format!("{PREFIX}{}{}", unique(), purpose.suffix());
            let path = directory.join(name);
            let file = create_private(&path)?;
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

    /// Gives it the name `to` in its directory, which nothing has, once it is on the disk.
    ///
    /// # Errors
    /// What the system says; nothing has that name then.
    pub fn publish(&mut self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, to)?;
        self.is_published = true;
        let synced = sync_directory(to.parent().unwrap_or(Path::new("/")));
        if synced.is_err() {
            // The name may not be on the disk.
            let _ = fs::remove_file(to);
        }
        synced
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the drafts in `directory` whose process is gone. What cannot be removed stays.
pub fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if is_draft(&name.to_string_lossy(), Use::Scratch) {
            let _ = remove_if_left(&entry.path());
        }
    }
}

/// Whether a file has the name of a draft.
pub fn is_draft(name: &str, purpose: Use) -> bool {
    let rest = name.strip_prefix(PREFIX);
    let digits = rest.and_then(|rest| rest.strip_suffix(purpose.suffix()));
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Removes a draft whose process is gone. Returns whether it was.
///
/// # Errors
/// What the system says.
pub fn remove_if_left(draft: &Path) -> io::Result<bool> {
    let is_left = is_left(draft);
    if is_left {
        fs::remove_file(draft)?;
    }
    Ok(is_left)
}

/// Whether the process of a draft is gone: nobody holds the lock on it.
pub fn is_left(draft: &Path) -> bool {
    open_existing(draft).is_ok_and(|file| file.try_lock().is_ok())
}

/// Makes sure that a directory's names are on the disk. Not every system can open one.
///
/// # Errors
/// What the disk says.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        open_directory(directory)?.sync_all()?;
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
    digits.truncate(DIGITS);
    digits
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
        let mut draft = Draft::create(dir.path(), Use::Scratch).unwrap();
        fs::write(draft.path(), "whole").unwrap();
        draft.publish(&dir.path().join("a")).unwrap();
        drop(Draft::create(dir.path(), Use::Backup).unwrap());
        assert_eq!(names(dir.path()), ["a"]);
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"whole");
    }

    #[test]
    fn a_sweep_takes_what_nobody_holds() {
        let dir = tempfile::tempdir().unwrap();
        let held = Draft::create(dir.path(), Use::Scratch).unwrap();
        let kept = [
            ".migrator-0.part",
            ".migrator-0123456789abcdef.backup",
            ".migrator-0123456789abcdef.other",
            ".migrator-0123456789abcdeg.part",
            "x.part",
        ];
        let left = ".migrator-0123456789abcdef.part";
        for name in kept.iter().chain([&left]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        sweep(dir.path());
        let held_name = held.path().file_name().unwrap().to_str().unwrap();
        let mut expected = kept.to_vec();
        expected.push(held_name);
        expected.sort_unstable();
        assert_eq!(names(dir.path()), expected);
        sweep(&dir.path().join("missing"));
    }
}
