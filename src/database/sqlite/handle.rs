//! A connection that sqlx opens and owns, and that is used through rusqlite.
//!
//! All unsafe code of this room is in this file: what rusqlite does not offer for a connection that
//! it does not own.

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
    value::{Bind, Present, Row, Value},
};

/// Virtual machine instructions between two looks at the cancel flag: some hundred microseconds.
const INSTRUCTIONS_PER_LOOK: i32 = 20_000;

/// What SQLite said when something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Extended result code.
    pub code: c_int,
    /// The message.
    pub message: String,
    /// Byte offset within the SQL, where SQLite knows one.
    pub offset: Option<usize>,
}

impl Failure {
    /// The result code without its extension.
    pub fn primary(&self) -> c_int {
        self.code & 0xff
    }

    /// The failure of `sql`.
    fn of(error: rusqlite::Error, sql: &str) -> Self {
        match error {
            rusqlite::Error::SqlInputError {
                error,
                msg,
                sql: part,
                offset,
            } => {
                // SQLite counts from the start of the part that it was given, an end of `sql`.
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
    /// The connection below; it does not close it.
    sqlite: rusqlite::Connection,
    /// `None` only while it is being closed.
    owner: Option<SqliteConnection>,
    /// Outlives the busy handler, which points to it.
    control: Arc<Control>,
}

/// A connection for `sqlite3_interrupt` and nothing else.
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
    /// Takes over a connection that sqlx has opened.
    ///
    /// # Errors
    /// When sqlx's worker thread is gone.
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
    /// When sqlx's worker thread is gone.
    pub async fn close(mut self) -> Result<(), sqlx::Error> {
        self.let_go();
        match self.owner.take() {
            Some(owner) => owner.close().await,
            None => Ok(()),
        }
    }

    /// Makes locked databases be waited for as `Control` says; undoes `PRAGMA busy_timeout`.
    pub fn install_busy_handler(&mut self) {
        let data = Arc::as_ptr(&self.control).cast_mut().cast::<c_void>();
        // SAFETY: the connection is open. `data` lives as long as `self.control`, and `let_go`
        // removes the handler before that is dropped.
        unsafe { ffi::sqlite3_busy_handler(self.sqlite.handle(), Some(wait_while_busy), data) };
    }

    /// Forgets the connection everywhere but in `owner`.
    fn let_go(&mut self) {
        self.control.detach();
        // SAFETY: the connection is open. Closing it may still take locks; nobody waits for them.
        unsafe { ffi::sqlite3_busy_handler(self.sqlite.handle(), None, ptr::null_mut()) };
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        !self.sqlite.is_autocommit()
    }

    /// Whether the file was opened for reading only, because of its permissions.
    pub fn is_read_only(&self) -> bool {
        self.sqlite.is_readonly(MAIN_DB).unwrap_or(false)
    }

    /// Whether foreign keys are enforced, as `PRAGMA foreign_keys` says it.
    pub fn enforces_foreign_keys(&self) -> bool {
        let on = self.sqlite.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY);
        on.unwrap_or(false)
    }

    /// A copy of this database over that of `to`. Nothing is locked or copied yet. Dropped before it
    /// is complete, it is rolled back.
    ///
    /// # Errors
    /// When a transaction is open in `to`.
    #[cfg(feature = "cli")]
    pub fn copy_over<'a>(&'a mut self, to: &'a mut Self) -> Result<Backup<'a, 'a>, Failure> {
        Ok(Backup::new(&self.sqlite, &mut to.sqlite)?)
    }

    /// Compares by bytes where a collation is missing.
    ///
    /// # Errors
    /// What SQLite says.
    #[cfg(feature = "cli")]
    pub fn stand_in_collations(&mut self) -> Result<(), Failure> {
        let stand_in = |sqlite: &rusqlite::Connection, name: &str| {
            sqlite.create_collation(name, |a: &str, b: &str| a.cmp(b))
        };
        Ok(self.sqlite.collation_needed(stand_in)?)
    }

    /// Runs one statement to its end, without its rows. Returns the number of rows that it, its
    /// triggers and foreign key actions changed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        let before = self.sqlite.total_changes();
        self.run(sql, &[], |_| ())?;
        Ok(self.sqlite.total_changes().saturating_sub(before))
    }

    /// Runs one statement with parameters. Returns the number of rows that it changed itself.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn write(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, Failure> {
        self.run(sql, binds, |_| ())?;
        Ok(self.sqlite.changes())
    }

    /// For statements that are mostly the same as the one before.
    pub fn repeated(&mut self) -> Repeated<'_> {
        Repeated {
            sqlite: &self.sqlite,
            last: None,
        }
    }

    /// Runs one statement to its end, without its rows. Returns the number of rows that it changed
    /// itself, and of those that changed with its triggers and foreign key actions.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn execute_counting(&mut self, sql: &str) -> Result<(u64, u64), Failure> {
        let all = self.execute(sql)?;
        Ok((self.sqlite.changes(), all))
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn query(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        self.run(sql, binds, |row| {
            rows.push(values(row).map(|value| value.kept()).collect());
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
        self.run(sql, &[], |row| each(&values(row).collect::<Vec<_>>()))
    }

    fn run(
        &mut self,
        sql: &str,
        binds: &[Bind<'_>],
        each: impl FnMut(&rusqlite::Row<'_>),
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

/// `None` when there is nothing in `sql` but space and comments.
fn prepare<'a>(
    sqlite: &'a rusqlite::Connection,
    sql: &str,
) -> Result<Option<Statement<'a>>, Failure> {
    if let Some(offset) = sql.find('\0') {
        // SQLite would take it for the end of the text and pass over the rest.
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

/// Where the text after the first statement begins.
fn second(sql: &str, first: &Statement<'_>) -> Option<usize> {
    // This is the text as it was given, unless parameters are filled in.
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
    mut each: impl FnMut(&rusqlite::Row<'_>),
) -> rusqlite::Result<()> {
    for (index, bind) in (1_usize..).zip(binds) {
        statement.raw_bind_parameter(index, bind)?;
    }
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        each(row);
    }
    Ok(())
}

fn values<'a>(row: &'a rusqlite::Row<'_>) -> impl Iterator<Item = Value<&'a str>> {
    let columns = row.as_ref().column_count();
    (0..columns).map(|column| row.get_ref(column).map_or(Value::Null, Value::from))
}

fn refused(message: &str, offset: Option<usize>) -> Failure {
    Failure {
        code: ffi::SQLITE_ERROR,
        message: message.to_owned(),
        offset,
    }
}

/// Runs statements, and prepares only those that differ from the one before.
pub(super) struct Repeated<'a> {
    sqlite: &'a rusqlite::Connection,
    last: Option<(String, Statement<'a>)>,
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

/// SQLite calls it when a lock is held by someone else; 0 gives up.
extern "C" fn wait_while_busy(data: *mut c_void, attempt: c_int) -> c_int {
    // SAFETY: `data` is the `Control` that `install_busy_handler` gave, alive as said there.
    let control = unsafe { &*data.cast::<Control>() };
    c_int::from(control.wait_while_busy(attempt))
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod handle_tests;
