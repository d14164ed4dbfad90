//! SQLite's online backup interface, made safe.

use std::{ffi::c_int, ptr::NonNull};

use libsqlite3_sys as ffi;

use super::handle::{Failure, Handle};

/// A copy of one database over another, under way. Dropped, it is rolled back.
pub(super) struct Copier<'a> {
    backup: Option<NonNull<ffi::sqlite3_backup>>,
    /// Used by `backup` alone until it is finished, as SQLite wants it.
    to: &'a mut Handle,
    _from: &'a mut Handle,
}

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stepped {
    /// There is more.
    More,
    /// Everything is copied; [`Copier::finish`] tells whether it is committed.
    Done,
    /// Someone else has one of the two locked.
    Busy,
}

impl<'a> Copier<'a> {
    /// Nothing is locked or copied yet.
    ///
    /// # Errors
    /// When a transaction is open in `to`.
    pub fn new(to: &'a mut Handle, from: &'a mut Handle) -> Result<Self, Failure> {
        // SAFETY: both connections are open, and two; the names end with NUL.
        let backup = unsafe {
            ffi::sqlite3_backup_init(to.raw(), c"main".as_ptr(), from.raw(), c"main".as_ptr())
        };
        match NonNull::new(backup) {
            Some(backup) => Ok(Self {
                backup: Some(backup),
                to,
                _from: from,
            }),
            None => {
                // SAFETY: the connection is open.
                let code = unsafe { ffi::sqlite3_extended_errcode(to.raw()) };
                Err(to.said(code))
            }
        }
    }

    /// Copies so many pages. The first call locks `to` for writing, also with 0 pages.
    ///
    /// # Errors
    /// What SQLite says, but for locks.
    pub fn step(&mut self, pages: c_int) -> Result<Stepped, Failure> {
        let Some(backup) = self.backup else {
            return Ok(Stepped::Done);
        };
        // SAFETY: it is not finished.
        match unsafe { ffi::sqlite3_backup_step(backup.as_ptr(), pages) } {
            ffi::SQLITE_OK => Ok(Stepped::More),
            ffi::SQLITE_DONE => Ok(Stepped::Done),
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Ok(Stepped::Busy),
            code => Err(said(code)),
        }
    }

    /// Pages that are copied, and of how many.
    pub fn progress(&self) -> (u64, u64) {
        let Some(backup) = self.backup else {
            return (0, 0);
        };
        // SAFETY: it is not finished.
        let (total, left) = unsafe {
            (
                ffi::sqlite3_backup_pagecount(backup.as_ptr()),
                ffi::sqlite3_backup_remaining(backup.as_ptr()),
            )
        };
        let done = u64::try_from(total - left).unwrap_or_default();
        (done, u64::try_from(total).unwrap_or_default())
    }

    /// A number that is another one after others have written to `to`, as it was seen last.
    pub fn version(&mut self) -> Result<u32, Failure> {
        version(self.to)
    }

    /// Ends it: what is not copied to its end is rolled back.
    ///
    /// # Errors
    /// What went wrong on the way; nothing of it is left then.
    pub fn finish(mut self) -> Result<(), Failure> {
        match self.end() {
            ffi::SQLITE_OK => Ok(()),
            code => Err(self.to.said(code)),
        }
    }

    fn end(&mut self) -> c_int {
        match self.backup.take() {
            // SAFETY: it is taken away, so that nobody else finishes it.
            Some(backup) => unsafe { ffi::sqlite3_backup_finish(backup.as_ptr()) },
            None => ffi::SQLITE_OK,
        }
    }
}

impl Drop for Copier<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// A number that is another one after others have written to the database, as the connection has
/// seen it last: it does not look.
pub(super) fn version(handle: &mut Handle) -> Result<u32, Failure> {
    let mut version: u32 = 0;
    // SAFETY: the connection is open, the name ends with NUL, and the call writes 32 bits.
    let code = unsafe {
        ffi::sqlite3_file_control(
            handle.raw(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_DATA_VERSION,
            (&raw mut version).cast(),
        )
    };
    match code {
        ffi::SQLITE_OK => Ok(version),
        code => Err(said(code)),
    }
}

/// While a copy is under way, the connections say nothing themselves.
fn said(code: c_int) -> Failure {
    // SAFETY: every code has a text, which is never freed.
    let text = unsafe { std::ffi::CStr::from_ptr(ffi::sqlite3_errstr(code)) };
    Failure {
        code,
        message: text.to_string_lossy().into_owned(),
        offset: None,
    }
}
