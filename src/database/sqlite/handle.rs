//! A connection in SQLite's C interface, made safe. All unsafe code of this room is in this file,
//! in `statement` and in `copier`.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr::{self, NonNull},
    sync::Arc,
};

use libsqlite3_sys as ffi;
use sqlx::{Connection as _, sqlite::SqliteConnection};

use super::{
    cancel::Control,
    statement::{Bind, Prepared, Present, Row, Value},
};

/// Virtual machine instructions between two looks at the cancel flag: some hundred microseconds.
const INSTRUCTIONS_PER_LOOK: i32 = 20_000;

/// What SQLite said when something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Extended result code.
    pub code: c_int,
    /// Its sentence.
    pub message: String,
    /// Byte offset within the SQL, where SQLite knows one.
    pub offset: Option<usize>,
}

impl Failure {
    /// The result code without its extension.
    pub fn primary(&self) -> c_int {
        self.code & 0xff
    }
}

/// A `sqlite3*` that is only used through `&mut`, one call at a time.
pub(super) struct Handle {
    db: NonNull<ffi::sqlite3>,
    /// Owns `db`. `None` only after `close`.
    connection: Option<SqliteConnection>,
    /// Outlives the busy handler, which points to it.
    control: Arc<Control>,
}

// SAFETY: sqlx opens with SQLITE_OPEN_NOMUTEX and a thread-safe SQLite, which allows any thread to
// use the connection as long as only one does at a time. sqlx's worker thread gets no command
// between `new` and `close`, so it does not touch the connection, and every use here is through
// `&mut self` or a `&self` that is not shared (`Handle` is not `Sync`). `sqlite3_interrupt` may be called by any thread.
unsafe impl Send for Handle {}

/// A `sqlite3*` for `sqlite3_interrupt` and nothing else.
pub(super) struct Interruptible(NonNull<ffi::sqlite3>);

// SAFETY: `sqlite3_interrupt` may be called by any thread while the connection is open, which
// `Control` sees to: it forgets the pointer before `Handle` lets go of the connection.
unsafe impl Send for Interruptible {}

impl Interruptible {
    /// Makes the running statement fail with SQLITE_INTERRUPT.
    pub fn interrupt(&self) {
        // SAFETY: the connection is open, see above.
        unsafe { ffi::sqlite3_interrupt(self.0.as_ptr()) }
    }
}

/// Has SQLite keep no account of its memory, which nobody here asks for and which takes a lock with
/// every allocation. Later than the first connection it does nothing.
///
/// # Safety
/// No other thread uses SQLite meanwhile.
#[cfg(feature = "cli")]
pub unsafe fn without_statistics() {
    // SAFETY: nobody else is at it, as the caller says; the option takes one integer.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as c_int) };
}

impl Handle {
    /// Takes over a connection that sqlx has opened.
    ///
    /// # Errors
    /// When sqlx's worker thread is gone.
    pub async fn new(
        mut connection: SqliteConnection,
        control: Arc<Control>,
    ) -> Result<Self, sqlx::Error> {
        let mut guard = connection.lock_handle().await?;
        let db = guard.as_raw_handle();
        let watched = Arc::clone(&control);
        guard.set_progress_handler(INSTRUCTIONS_PER_LOOK, move || !watched.is_cancelled());
        drop(guard);
        control.attach(Interruptible(db));
        let mut handle = Self {
            db,
            connection: Some(connection),
            control,
        };
        handle.install_busy_handler();
        Ok(handle)
    }

    /// Closes the connection; an open transaction is rolled back.
    ///
    /// # Errors
    /// When sqlx's worker thread is gone.
    pub async fn close(mut self) -> Result<(), sqlx::Error> {
        self.let_go();
        match self.connection.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }

    /// Makes locked databases be waited for as `Control` says; undoes `PRAGMA busy_timeout`.
    pub fn install_busy_handler(&mut self) {
        let data = Arc::as_ptr(&self.control).cast_mut().cast::<c_void>();
        // SAFETY: the connection is open; `data` lives as long as `self.control`, and `let_go`
        // takes the handler off before that is dropped.
        unsafe { ffi::sqlite3_busy_handler(self.db.as_ptr(), Some(wait_while_busy), data) };
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_get_autocommit(self.db.as_ptr()) == 0 }
    }

    /// Whether the file was opened for reading only, because of its permissions.
    pub fn is_read_only(&self) -> bool {
        // SAFETY: the connection is open, and the name ends with NUL.
        unsafe { ffi::sqlite3_db_readonly(self.db.as_ptr(), c"main".as_ptr()) == 1 }
    }

    /// Whether foreign keys are enforced, as `PRAGMA foreign_keys` says it.
    pub fn enforces_foreign_keys(&self) -> bool {
        let mut on: c_int = 0;
        // SAFETY: the connection is open, and of these arguments -1 asks without setting.
        unsafe {
            ffi::sqlite3_db_config(
                self.db.as_ptr(),
                ffi::SQLITE_DBCONFIG_ENABLE_FKEY,
                -1 as c_int,
                &raw mut on,
            );
        }
        on == 1
    }

    /// For `copier`, which has `&mut` of the handle as long as it uses it.
    #[cfg(feature = "cli")]
    pub(super) fn raw(&mut self) -> *mut ffi::sqlite3 {
        self.db.as_ptr()
    }

    /// What the connection says of the last call on it, which ended with `code`.
    #[cfg(feature = "cli")]
    pub(super) fn said(&mut self, code: c_int) -> Failure {
        Failure {
            code,
            ..self.failure("")
        }
    }

    /// Runs one statement to its end, without its rows. Returns the number of rows that it, its
    /// triggers and foreign key actions changed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        // SAFETY: the connection is open.
        let before = unsafe { ffi::sqlite3_total_changes64(self.db.as_ptr()) };
        self.run(sql, &[], |_| ())?;
        // SAFETY: the connection is open.
        let after = unsafe { ffi::sqlite3_total_changes64(self.db.as_ptr()) };
        Ok(after.saturating_sub(before).unsigned_abs())
    }

    /// Runs one statement with parameters. Returns the number of rows that it changed itself.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn write(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, Failure> {
        self.run(sql, binds, |_| ())?;
        Ok(self.changes())
    }

    /// For statements that are mostly the same as the one before.
    pub fn repeated(&mut self) -> Repeated<'_> {
        Repeated {
            handle: self,
            last: None,
        }
    }

    /// Rows that the last statement changed itself.
    fn changes(&self) -> u64 {
        // SAFETY: the connection is open.
        let changes = unsafe { ffi::sqlite3_changes64(self.db.as_ptr()) };
        changes.unsigned_abs()
    }

    /// Runs one statement to its end, without its rows. Returns the number of rows that it changed
    /// itself, and of those that changed with its triggers and foreign key actions.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn execute_counting(&mut self, sql: &str) -> Result<(u64, u64), Failure> {
        let all = self.execute(sql)?;
        Ok((self.changes(), all))
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn query(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        self.run(sql, binds, |statement| {
            rows.push(statement.row().iter().map(Value::kept).collect());
        })?;
        Ok(rows)
    }

    /// Hands every row of one statement to `each`, without keeping them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn for_each(
        &mut self,
        sql: &str,
        mut each: impl FnMut(&Present<'_>),
    ) -> Result<(), Failure> {
        self.run(sql, &[], |statement| each(&statement.row()))
    }

    fn run(
        &mut self,
        sql: &str,
        binds: &[Bind<'_>],
        mut each: impl FnMut(&Prepared),
    ) -> Result<(), Failure> {
        match self.prepare(sql)? {
            Some(mut statement) => self.run_prepared(&mut statement, sql, binds, &mut each),
            None => Ok(()),
        }
    }

    fn run_prepared(
        &mut self,
        statement: &mut Prepared,
        sql: &str,
        binds: &[Bind<'_>],
        each: &mut impl FnMut(&Prepared),
    ) -> Result<(), Failure> {
        for (index, bind) in (1..).zip(binds) {
            if statement.bind(index, *bind) != ffi::SQLITE_OK {
                return Err(self.failure(sql));
            }
        }
        loop {
            match statement.step() {
                ffi::SQLITE_ROW => each(statement),
                ffi::SQLITE_DONE => return Ok(()),
                _ => return Err(self.failure(sql)),
            }
        }
    }

    /// `None` when there is nothing in `sql` but space and comments.
    fn prepare(&mut self, sql: &str) -> Result<Option<Prepared>, Failure> {
        if let Some(offset) = sql.find('\0') {
            // SQLite would take it for the end of the text and pass over the rest.
            return Err(refused("the statement holds a NUL character", offset));
        }
        let Ok(length) = c_int::try_from(sql.len()) else {
            return Err(refused("the statement is longer than 2 GiB", 0));
        };
        let start = sql.as_ptr().cast::<c_char>();
        let mut statement = ptr::null_mut();
        let mut tail = start;
        // SAFETY: the connection is open, and `start` points to `length` bytes, which suffices
        // without a terminating NUL.
        let code = unsafe {
            ffi::sqlite3_prepare_v2(self.db.as_ptr(), start, length, &mut statement, &mut tail)
        };
        if code != ffi::SQLITE_OK {
            return Err(self.failure(sql));
        }
        // SAFETY: it is of this connection, and nobody else knows it.
        let prepared = unsafe { Prepared::new(statement) };
        // An address within `sql`, or its end.
        let end = (tail as usize).saturating_sub(start as usize);
        let rest = sql.get(end..).unwrap_or_default();
        let is_separator = |c: char| c == ';' || c.is_ascii_whitespace();
        match rest.find(|c| !is_separator(c)) {
            Some(more) => Err(refused("this is more than one statement", end + more)),
            None => Ok(prepared),
        }
    }

    /// The last error of the connection, which `sql` has led to.
    fn failure(&mut self, sql: &str) -> Failure {
        let db = self.db.as_ptr();
        // SAFETY: the connection is open; the message is valid until the next call on the
        // connection and is copied before that.
        let (code, message, offset) = unsafe {
            (
                ffi::sqlite3_extended_errcode(db),
                CStr::from_ptr(ffi::sqlite3_errmsg(db))
                    .to_string_lossy()
                    .into_owned(),
                ffi::sqlite3_error_offset(db),
            )
        };
        Failure {
            code,
            message,
            offset: usize::try_from(offset)
                .ok()
                .filter(|offset| *offset <= sql.len()),
        }
    }

    fn let_go(&mut self) {
        self.control.detach();
        // SAFETY: the connection is open. Closing it may still take locks; nobody waits for them then.
        unsafe { ffi::sqlite3_busy_handler(self.db.as_ptr(), None, ptr::null_mut()) };
    }
}

/// Dropping the connection makes sqlx's worker thread close it.
impl Drop for Handle {
    fn drop(&mut self) {
        if self.connection.is_some() {
            self.let_go();
        }
    }
}

fn refused(message: &str, offset: usize) -> Failure {
    Failure {
        code: ffi::SQLITE_ERROR,
        message: message.to_owned(),
        offset: Some(offset),
    }
}

/// Runs statements, and prepares only those that differ from the one before.
pub(super) struct Repeated<'a> {
    handle: &'a mut Handle,
    last: Option<(String, Prepared)>,
}

impl Repeated<'_> {
    /// As [`Handle::write`].
    ///
    /// # Errors
    /// What SQLite says.
    pub fn write(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, Failure> {
        let known = self.last.take().filter(|(last, _)| last == sql);
        let (sql, mut statement) = match known {
            Some(known) => known,
            None => match self.handle.prepare(sql)? {
                Some(statement) => (sql.to_owned(), statement),
                None => return Ok(0),
            },
        };
        self.handle
            .run_prepared(&mut statement, &sql, binds, &mut |_| ())?;
        statement.reset();
        self.last = Some((sql, statement));
        Ok(self.handle.changes())
    }
}

/// SQLite calls it when a lock is held by someone else; 0 gives up.
extern "C" fn wait_while_busy(data: *mut c_void, attempt: c_int) -> c_int {
    // SAFETY: `data` is the `Control` that `install_busy_handler` gave, alive as said there.
    let control = unsafe { &*data.cast::<Control>() };
    c_int::from(control.wait_while_busy(attempt))
}
