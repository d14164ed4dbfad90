//! A connection that sqlx opens and owns, used through rusqlite.
//!
//! All unsafe code of `sqlite` is in this file; it covers what rusqlite does not offer for a
//! connection that it does not own.

use std::{
    ffi::{c_int, c_void},
    ptr::{self, NonNull},
    sync::Arc,
};

#[cfg(feature = "cli")]
use rusqlite::backup::Backup;
use rusqlite::{
    Batch, MAIN_DB, Statement, config::DbConfig, fallible_iterator::FallibleIterator as _, ffi,
};
use sqlx::{Connection as _, sqlite::SqliteConnection};

use super::{
    cancel::Control,
    value::{Bind, Present, Row},
};

/// The number of virtual machine instructions between two checks of the cancel flag: some hundred
/// microseconds.
const INSTRUCTIONS_PER_LOOK: i32 = 20_000;

/// An error reported by SQLite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The extended result code.
    pub code: c_int,
    /// The message.
    pub message: String,
    /// The byte offset within the SQL, if SQLite knows it.
    pub offset: Option<usize>,
}

impl Failure {
    /// The result code without its extension.
    pub fn primary(&self) -> c_int {
        self.code & 0xff
    }

    /// Converts the failure of `sql`.
    fn of(error: rusqlite::Error, sql: &str) -> Self {
        match error {
            rusqlite::Error::SqlInputError {
                error,
                msg,
                sql: part,
                offset,
            } => {
                // SQLite counts from the start of the text it was given, which is the end of `sql`.
                let start = sql.len().saturating_sub(part.len());
                let offset = usize::try_from(offset).ok().map(|offset| start + offset);
                Self {
                    code: error.extended_code,
                    message: msg,
                    offset: offset.filter(|offset| *offset <= sql.len()),
                }
            }
            other => other.into(),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let code = error
            .sqlite_error()
            .map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
        let message = match error {
            rusqlite::Error::SqliteFailure(_, Some(message)) => message,
            rusqlite::Error::SqliteFailure(error, None) => {
                ffi::code_to_str(error.extended_code).to_owned()
            }
            other => other.to_string(),
        };
        Self {
            code,
            message,
            offset: None,
        }
    }
}

/// An open connection.
pub(super) struct Handle {
    /// The underlying connection, which this value does not close.
    sqlite: rusqlite::Connection,
    /// The owning connection; `None` only while it is being closed.
    owner: Option<SqliteConnection>,
    /// Outlives the busy handler, which points to it.
    control: Arc<Control>,
}

/// A connection used only for `sqlite3_interrupt`.
pub(super) struct Interruptible(NonNull<ffi::sqlite3>);

// SAFETY: `sqlite3_interrupt` may be called by any thread while the connection is open, which
// `Control` ensures: it forgets the connection before `Handle` lets sqlx close it.
unsafe impl Send for Interruptible {}

impl Interruptible {
    /// Makes the running statement fail with SQLITE_INTERRUPT.
    pub fn interrupt(&self) {
        // SAFETY: the connection is open, see above.
        unsafe { ffi::sqlite3_interrupt(self.0.as_ptr()) }
    }
}

impl Handle {
    /// Takes over a connection opened by sqlx.
    ///
    /// # Errors
    /// Fails when sqlx's worker thread has ended.
    pub async fn new(
        mut owner: SqliteConnection,
        control: Arc<Control>,
    ) -> Result<Self, sqlx::Error> {
        let mut guard = owner.lock_handle().await?;
        let db = guard.as_raw_handle();
        let watched = Arc::clone(&control);
        guard.set_progress_handler(INSTRUCTIONS_PER_LOOK, move || !watched.is_cancelled());
        drop(guard);
        // SAFETY: the connection is open until `owner` is closed or dropped, and `Handle` owns both:
        // what it lends of `sqlite` ends before that. No other thread uses the connection: sqlx's
        // worker thread does nothing without a command, and gets none before the one to close.
        let sqlite = unsafe { rusqlite::Connection::from_handle(db.as_ptr()) }
            .map_err(|error| sqlx::Error::Configuration(error.into()))?;
        control.attach(Interruptible(db));
        let mut handle = Self {
            sqlite,
            owner: Some(owner),
            control,
        };
        handle.install_busy_handler();
        Ok(handle)
    }

    /// Closes the connection; an open transaction is rolled back.
    ///
    /// # Errors
    /// Fails when sqlx's worker thread has ended.
    pub async fn close(mut self) -> Result<(), sqlx::Error> {
        self.let_go();
        match self.owner.take() {
            Some(owner) => owner.close().await,
            None => Ok(()),
        }
    }

    /// Installs the busy handler of `Control`; this replaces `PRAGMA busy_timeout`.
    pub fn install_busy_handler(&mut self) {
        let data = Arc::as_ptr(&self.control).cast_mut().cast::<c_void>();
        // SAFETY: the connection is open. `data` lives as long as `self.control`, and `let_go`
        // removes the handler before that is dropped.
        unsafe { ffi::sqlite3_busy_handler(self.sqlite.handle(), Some(wait_while_busy), data) };
    }

    /// Removes all references to the connection except `owner`.
    fn let_go(&mut self) {
        self.control.detach();
        // SAFETY: the connection is open. Closing it may still take locks; nobody waits for them.
        unsafe { ffi::sqlite3_busy_handler(self.sqlite.handle(), None, ptr::null_mut()) };
    }

    /// Whether a transaction is open.
    #[cfg(feature = "cli")]
    pub fn connection(&self) -> &rusqlite::Connection {
        &self.sqlite
    }

    pub fn in_transaction(&self) -> bool {
        !self.sqlite.is_autocommit()
    }

    /// Whether the file was opened read-only because of its permissions.
    pub fn is_read_only(&self) -> bool {
        self.sqlite.is_readonly(MAIN_DB).unwrap_or(false)
    }

    /// Whether foreign keys are enforced, as in `PRAGMA foreign_keys`.
    pub fn enforces_foreign_keys(&self) -> bool {
        let on = self.sqlite.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY);
        on.unwrap_or(false)
    }

    /// Prepares a copy of this database over that of `to`. Nothing is locked or copied yet. If
    /// dropped before it is complete, the copy is rolled back.
    ///
    /// # Errors
    /// Fails when a transaction is open in `to`.
    #[cfg(feature = "cli")]
    pub fn copy_over<'a>(&'a mut self, to: &'a mut Self) -> Result<Backup<'a, 'a>, Failure> {
        Ok(Backup::new(&self.sqlite, &mut to.sqlite)?)
    }

    /// Compares bytes if a collation is missing.
    ///
    /// # Errors
    /// The error of SQLite.
    #[cfg(feature = "cli")]
    pub fn stand_in_collations(&mut self) -> Result<(), Failure> {
        let stand_in = |sqlite: &rusqlite::Connection, name: &str| {
            sqlite.create_collation(name, |a: &str, b: &str| a.cmp(b))
        };
        Ok(self.sqlite.collation_needed(stand_in)?)
    }

    /// Runs one statement to its end and ignores its rows. Returns the number of rows that it, its
    /// triggers and foreign key actions changed.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let before = self.sqlite.total_changes();
        self.run(sql, &[], |_| ())?;
        Ok(self.sqlite.total_changes().saturating_sub(before))
    }

    /// Runs one statement with parameters. Returns the number of rows that it changed directly.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn write(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, Failure> {
        self.run(sql, binds, |_| ())?;
        Ok(self.sqlite.changes())
    }

    /// A writer for statements that are mostly identical to the previous one.
    pub fn repeated(&mut self) -> Repeated<'_> {
        Repeated {
            sqlite: &self.sqlite,
            last: None,
        }
    }

    /// Runs one statement to its end and ignores its rows. Returns the number of rows that it
    /// changed directly, and the number including its triggers and foreign key actions.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn execute_counting(&mut self, sql: &str) -> Result<(u64, u64), Failure> {
        let all = self.execute(sql)?;
        Ok((self.sqlite.changes(), all))
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn query(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        self.run(sql, binds, |row| {
            rows.push(row.values().map(|value| value.kept()).collect());
        })?;
        Ok(rows)
    }

    /// Passes each row of one statement to `each` without storing it.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn for_each(&mut self, sql: &str, each: impl FnMut(Present<'_>)) -> Result<(), Failure> {
        self.run(sql, &[], each)
    }

    fn run(
        &mut self,
        sql: &str,
        binds: &[Bind<'_>],
        each: impl FnMut(Present<'_>),
    ) -> Result<(), Failure> {
        match prepare(&self.sqlite, sql)? {
            Some(mut statement) => {
                step(&mut statement, binds, each).map_err(|error| Failure::of(error, sql))
            }
            None => Ok(()),
        }
    }
}

/// Dropping the owner makes sqlx's worker thread close the connection.
impl Drop for Handle {
    fn drop(&mut self) {
        if self.owner.is_some() {
            self.let_go();
        }
    }
}

/// Prepares a statement; returns `None` if `sql` contains only white space and comments.
fn prepare<'a>(
    sqlite: &'a rusqlite::Connection,
    sql: &str,
) -> Result<Option<Statement<'a>>, Failure> {
    if let Some(offset) = sql.find('\0') {
        // SQLite would take it for the end of the text and ignore the rest.
        return Err(refused("the statement holds a NUL character", Some(offset)));
    }
    let mut batch = Batch::new(sqlite, sql);
    let statement = batch.next().map_err(|error| Failure::of(error, sql))?;
    match (batch.next(), &statement) {
        (Ok(None), _) | (_, None) => Ok(statement),
        (_, Some(first)) => {
            let offset = second(sql, first);
            Err(refused("this is more than one statement", offset))
        }
    }
}

/// The start of the text after the first statement.
fn second(sql: &str, first: &Statement<'_>) -> Option<usize> {
    // This is the given text, unless parameters are expanded.
    let text = first.expanded_sql()?;
    let end = sql.find(&text)? + text.len();
    let is_separator = |c: char| c == ';' || c.is_ascii_whitespace();
    let more = sql[end..].find(|c| !is_separator(c))?;
    Some(end + more)
}

/// Runs a statement to its end.
fn step(
    statement: &mut Statement<'_>,
    binds: &[Bind<'_>],
    mut each: impl FnMut(Present<'_>),
) -> rusqlite::Result<()> {
    for (index, bind) in (1_usize..).zip(binds) {
        statement.raw_bind_parameter(index, bind)?;
    }
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        each(Present::new(row));
    }
    Ok(())
}

fn refused(message: &str, offset: Option<usize>) -> Failure {
    Failure {
        code: ffi::SQLITE_ERROR,
        message: message.to_owned(),
        offset,
    }
}

/// Runs statements, and prepares only those that differ from the previous one.
pub(super) struct Repeated<'a> {
    sqlite: &'a rusqlite::Connection,
    last: Option<(String, Statement<'a>)>,
}

impl Repeated<'_> {
    /// Like [`Handle::write`].
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn write(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, Failure> {
        let known = self.last.take().filter(|(last, _)| last == sql);
        let (sql, mut statement) = match known {
            Some(known) => known,
            None => match prepare(self.sqlite, sql)? {
                Some(statement) => (sql.to_owned(), statement),
                None => return Ok(0),
            },
        };
        step(&mut statement, binds, |_| ()).map_err(|error| Failure::of(error, &sql))?;
        self.last = Some((sql, statement));
        Ok(self.sqlite.changes())
    }
}

/// SQLite calls this when another connection holds a lock; 0 gives up.
extern "C" fn wait_while_busy(data: *mut c_void, attempt: c_int) -> c_int {
    // SAFETY: `data` is the `Control` that `install_busy_handler` gave, alive as said there.
    let control = unsafe { &*data.cast::<Control>() };
    c_int::from(control.wait_while_busy(attempt))
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod handle_tests;
