//! Temporary files that are renamed to their final name only when they are complete and synced to
//! disk. Each has a unique name and is locked by its process.

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

/// The prefix of a draft's name. [`DIGITS`] of [`unique`] and the suffix of its use follow.
const PREFIX: &str = ".migrator-";
const DIGITS: usize = 16;

/// The use of a draft, which determines the suffix of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A file that no other file refers to. It may be removed once its process has ended.
    Scratch,
    /// The file of a backup. A manifest may refer to it, and both are removed together.
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

/// The maximum number of attempts to create a draft, if a sweep removes it before it is locked.
const ATTEMPTS: usize = 100;

/// A temporary file. Dropping the value removes it. If the process is killed, its lock ends and the
/// next [`sweep`] removes the file.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: File,
    is_published: bool,
}

impl Draft {
    /// Creates a draft in `directory` that only the current user can read.
    ///
    /// # Errors
    /// The error of the operating system.
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

    /// The path of the draft.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file to disk and renames it to `to`, a path in the same directory that does not
    /// exist.
    ///
    /// # Errors
    /// The error of the operating system; `to` does not exist then.
    pub fn publish(&mut self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, to)?;
        self.is_published = true;
        let synced = sync_directory(to.parent().unwrap_or(Path::new("/")));
        if synced.is_err() {
            // The name may not have reached the disk.
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

/// Removes the drafts in `directory` whose process has ended. Files that cannot be removed are
/// kept.
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

/// Whether a file name is that of a draft.
pub fn is_draft(name: &str, purpose: Use) -> bool {
    let rest = name.strip_prefix(PREFIX);
    let digits = rest.and_then(|rest| rest.strip_suffix(purpose.suffix()));
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Removes a draft whose process has ended. Returns whether it was removed.
///
/// # Errors
/// The error of the operating system.
pub fn remove_if_left(draft: &Path) -> io::Result<bool> {
    let is_left = is_left(draft);
    if is_left {
        fs::remove_file(draft)?;
    }
    Ok(is_left)
}

/// Whether the process of a draft has ended, so that its lock is free.
pub fn is_left(draft: &Path) -> bool {
    open_existing(draft).is_ok_and(|file| file.try_lock().is_ok())
}

/// Syncs the entries of a directory to disk. Some systems cannot open directories.
///
/// # Errors
/// The error of the disk.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        open_directory(directory)?.sync_all()?;
    }
    Ok(())
}

/// A unique string of 16 hexadecimal digits.
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
