//! The lock of a backup directory, held while files are renamed or removed.

use std::{
    fs::{File, TryLockError},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::super::{BackupError, Observer};
use crate::{
    database::backup::Note,
    files::{open_existing, open_or_create, read_start},
};

/// The name of the lock file. The file holds the highest number of a backup so far.
const NAME: &str = ".migrator-backups.lock";

/// The first pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How to wait for the lock.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// The longest wait; zero makes a single attempt.
    pub limit: Duration,
    /// Notified of the wait, and asked whether to stop.
    pub watch: &'a Observer,
}

/// The lock, held until it is dropped.
pub(super) struct Held {
    file: File,
}

impl Held {
    /// Takes the lock of `directory`.
    ///
    /// # Errors
    /// [`BackupError::Busy`] when another process holds the lock for too long,
    /// [`BackupError::Directory`] when the lock file cannot be used.
    pub fn take(directory: &Path, wait: Wait<'_>) -> Result<Self, BackupError> {
        let path = directory.join(NAME);
        let broken = |error: &io::Error| BackupError::Directory {
            path: directory.to_owned(),
            reason: format!("{}: {error}", path.display()),
        };
        let file = open(&path).map_err(|error| broken(&error))?;
        let (begin, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::Error(error)) => return Err(broken(&error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let waited = begin.elapsed();
            if waited >= wait.limit {
                return Err(BackupError::Busy { file: path, waited });
            }
            if pause == FIRST_PAUSE {
                (wait.watch.tell)(Note::Waiting {
                    file: PathBuf::clone(&path),
                    limit: wait.limit,
                });
            }
            if (wait.watch.stopped)() {
                return Err(BackupError::Interrupted);
            }
            thread::sleep(pause.min(wait.limit - waited));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The highest number used so far; 0 if unknown.
    pub fn last_number(&mut self) -> u64 {
        let text = self.file.rewind().ok();
        let text = text.and_then(|()| read_start(&self.file, 32));
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// Stores the highest number. A failure is ignored, since the existing manifests give the order
    /// as well.
    pub fn remember(&mut self, number: u64) {
        let text = format!("{number}\n");
        let emptied = self.file.rewind().and_then(|()| self.file.set_len(0));
        let _ = emptied.and_then(|()| self.file.write_all(text.as_bytes()));
    }
}

/// Opens the lock file. The group may read and write it, since locking requires access.
fn open(path: &Path) -> io::Result<File> {
    match open_or_create(path, 0o660) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_existing(path).map_err(|_| error)
        }
        opened => opened,
    }
}
