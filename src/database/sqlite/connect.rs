use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

use super::{
    super::{Access, DatabaseError, PlaceKind},
    cancel::Control,
    error::{translate, translate_statement},
    handle::{Failure, Handle, Repeated},
    session::Baseline,
    value::{Bind, Present, Row, Value},
};
use crate::files::{self, Irregular};

/// The pause between two attempts when SQLite does not wait by itself.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// The location of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `:memory:`, which lasts as long as its connection.
    Memory,
    /// The absolute path of a file: SQLite would interpret `file:…` as a URI.
    File(PathBuf),
}

impl Source {
    pub fn new(file: &Path) -> Result<Self, DatabaseError> {
        if file == Path::new(":memory:") {
            return Ok(Self::Memory);
        }
        let absolute = std::path::absolute(file).map_err(|error| unreachable(file, &error))?;
        Ok(Self::File(absolute))
    }

    /// The location for display.
    pub fn place(&self) -> String {
        match self {
            Self::Memory => ":memory:".to_owned(),
            Self::File(file) => file.display().to_string(),
        }
    }

    /// Whether the database exists. The file is not opened: closing any handle would release the
    /// locks that this process may hold on it through SQLite.
    ///
    /// # Errors
    /// Fails when the path is not a file, or the file is missing and cannot be created because of
    /// [`Access`] or a missing directory.
    pub fn exists(&self, access: Access) -> Result<bool, DatabaseError> {
        let Self::File(file) = self else {
            return Ok(true);
        };
        let place = self.place();
        match fs::metadata(file) {
            Ok(found) => match Irregular::of(found.file_type()) {
                None => check_companions(file).map(|()| true),
                Some(found) => Err(DatabaseError::NotADatabase {
                    place,
                    reason: found.to_string(),
                }),
            },
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unreachable(file, &error)),
            Err(_) if access == Access::Existing => Err(DatabaseError::Missing {
                kind: PlaceKind::File,
                place,
            }),
            Err(_) => {
                has_directory(file)?;
                check_companions(file).map(|()| false)
            }
        }
    }
}

/// Files that SQLite opens beside a database without checking their type.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

fn check_companions(file: &Path) -> Result<(), DatabaseError> {
    for suffix in COMPANIONS {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        files::check(Path::new(&name)).map_err(|found| DatabaseError::Unreachable {
            kind: PlaceKind::File,
            place: file.display().to_string(),
            reason: format!("{} is in the way: {found}", Path::new(&name).display()),
        })?;
    }
    Ok(())
}

fn has_directory(file: &Path) -> Result<(), DatabaseError> {
    let directory = file.parent().unwrap_or(Path::new("/"));
    if directory.is_dir() {
        return Ok(());
    }
    Err(DatabaseError::Unreachable {
        kind: PlaceKind::File,
        place: file.display().to_string(),
        reason: format!("directory {} does not exist", directory.display()),
    })
}

fn unreachable(file: &Path, error: &io::Error) -> DatabaseError {
    DatabaseError::Unreachable {
        kind: PlaceKind::File,
        place: file.display().to_string(),
        reason: error.to_string(),
    }
}

/// An open database, whose errors are translated.
pub(super) struct Connection {
    pub(super) handle: Handle,
    pub(super) control: Arc<Control>,
    /// The values of the pragmas when the database was opened.
    pub(super) baseline: Baseline,
    /// The value of `foreign_keys` set by migrator; another value means that a script has changed
    /// it.
    pub(super) foreign_keys: bool,
    /// The value of `PRAGMA data_version`, which changes when others write, when no table had a
    /// foreign key.
    pub(super) without_keys: Option<i64>,
    place: String,
}

impl Connection {
    /// Opens the database, and creates a missing file if `create` is set.
    ///
    /// # Errors
    /// Fails when the file cannot be opened or is not a database.
    pub async fn open(
        source: &Source,
        create: bool,
        control: &Arc<Control>,
    ) -> Result<Self, DatabaseError> {
        let place = source.place();
        let options = match source {
            Source::Memory => SqliteConnectOptions::new().in_memory(true),
            Source::File(file) => SqliteConnectOptions::new().filename(file),
        };
        Self::open_with(options.create_if_missing(create), place, control).await
    }

    /// Opens a file for reading that no other process uses, in any journal mode, without creating
    /// other files beside it.
    #[cfg(feature = "cli")]
    pub async fn open_copy(file: &Path, control: &Arc<Control>) -> Result<Self, DatabaseError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .immutable(true)
            .read_only(true);
        Self::open_with(options, file.display().to_string(), control).await
    }

    async fn open_with(
        options: SqliteConnectOptions,
        place: String,
        control: &Arc<Control>,
    ) -> Result<Self, DatabaseError> {
        let connection = options
            .foreign_keys(false)
            .busy_timeout(control.patience().min(Duration::from_secs(1 << 20)))
            .disable_statement_logging()
            .connect()
            .await
            .map_err(|error| cannot_open(&place, &error))?;
        let handle = Handle::new(connection, Arc::clone(control))
            .await
            .map_err(|error| DatabaseError::ConnectionLost(error.to_string()))?;
        let mut connection = Self {
            handle,
            control: Arc::clone(control),
            baseline: Baseline::default(),
            foreign_keys: false,
            without_keys: None,
            place,
        };
        // The first read checks that the file is a database and can be read.
        connection.patiently(|c| c.query("PRAGMA main.schema_version", &[]))?;
        connection.baseline = connection.in_snapshot(Baseline::read)?;
        Ok(connection)
    }

    /// Rolls back an open transaction and closes the connection.
    ///
    /// # Errors
    /// Fails when sqlx's worker thread has ended.
    pub async fn close(mut self) -> Result<(), DatabaseError> {
        self.rollback();
        let closed = self.handle.close().await;
        closed.map_err(|error| DatabaseError::ConnectionLost(error.to_string()))
    }

    /// Runs one of migrator's statements. Returns the number of rows that it changed directly.
    pub fn write(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, DatabaseError> {
        let result = self.handle.write(sql, binds);
        result.map_err(|failure| self.explain(failure))
    }

    /// Allows reading a database with collations that only its application has. The order of sorted
    /// rows is then wrong.
    #[cfg(feature = "cli")]
    pub fn stand_in_collations(&mut self) -> Result<(), DatabaseError> {
        let result = self.handle.stand_in_collations();
        result.map_err(|failure| self.explain(failure))
    }

    /// A writer for a series of statements.
    pub fn writer(&mut self) -> Writer<'_> {
        Writer {
            control: &self.control,
            place: &self.place,
            repeated: self.handle.repeated(),
        }
    }

    /// The rows of one of migrator's statements.
    pub fn query(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Row>, DatabaseError> {
        let result = self.handle.query(sql, binds);
        result.map_err(|failure| self.explain(failure))
    }

    /// Passes each row to `each` without storing it.
    pub fn for_each(
        &mut self,
        sql: &str,
        each: impl FnMut(Present<'_>),
    ) -> Result<(), DatabaseError> {
        let result = self.handle.for_each(sql, each);
        result.map_err(|failure| self.explain(failure))
    }

    /// The integer in the first column of the first row, if there is a row.
    pub fn integer(&mut self, sql: &str) -> Result<Option<i64>, DatabaseError> {
        let rows = self.query(sql, &[])?;
        Ok(match rows.first().and_then(|row| row.first()) {
            Some(Value::Integer(value)) => Some(*value),
            _ => None,
        })
    }

    /// Runs a statement of a script. Returns the number of rows that it changed, including by
    /// triggers and foreign key actions.
    pub fn execute_script(&mut self, sql: &str) -> Result<u64, DatabaseError> {
        let executed = self.handle.execute(sql);
        executed.map_err(|failure| self.explain_statement(failure))
    }

    /// Runs a statement of a script; see [`Handle::execute_counting`].
    pub fn execute_counting(&mut self, sql: &str) -> Result<(u64, u64), DatabaseError> {
        let executed = self.handle.execute_counting(sql);
        executed.map_err(|failure| self.explain_statement(failure))
    }

    fn explain_statement(&self, failure: Failure) -> DatabaseError {
        if self.control.is_cancelled() {
            return DatabaseError::Interrupted;
        }
        translate_statement(failure, &self.place, self.control.patience())
    }

    /// Translates a failure.
    pub fn explain(&self, failure: Failure) -> DatabaseError {
        explained(failure, &self.control, &self.place)
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.handle.in_transaction()
    }

    /// Begins a write transaction with the `modes` of a script's own BEGIN.
    pub fn begin(&mut self, modes: &str) -> Result<(), DatabaseError> {
        if self.handle.is_read_only() {
            // SQLite would begin a read transaction, and fail at the first write.
            return Err(DatabaseError::ReadOnly {
                kind: PlaceKind::File,
                place: self.place.clone(),
                reason: "its permissions, or those of the file system, forbid it".to_owned(),
            });
        }
        // A deferred transaction could not wait for a lock at its first write.
        let sql = if modes.trim().eq_ignore_ascii_case("exclusive") {
            "BEGIN EXCLUSIVE"
        } else {
            "BEGIN IMMEDIATE"
        };
        self.patiently(|c| c.write(sql, &[])).map(drop)
    }

    /// Commits; after an error, nothing of the transaction is kept.
    pub fn commit(&mut self) -> Result<(), DatabaseError> {
        let result = self.patiently(|c| c.write("COMMIT", &[])).map(drop);
        if result.is_err() {
            self.rollback();
        }
        result
    }

    /// Rolls back an open transaction. A failure leaves nothing behind: the next connection that
    /// opens the file completes the rollback.
    pub fn rollback(&mut self) {
        if self.in_transaction() {
            let _ = self.handle.write("ROLLBACK", &[]);
        }
    }

    /// Runs `work` in a transaction of its own, or in the open one, so that it sees one snapshot
    /// and the schema does not change meanwhile.
    pub fn in_snapshot<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if self.in_transaction() {
            return work(self);
        }
        self.begin_snapshot()?;
        let result = work(self);
        self.rollback();
        result
    }

    /// Begins a transaction that sees one snapshot from now on.
    pub fn begin_snapshot(&mut self) -> Result<(), DatabaseError> {
        self.patiently(|connection| {
            connection.write("BEGIN", &[])?;
            // BEGIN alone does not start the snapshot.
            let seen = connection.query("SELECT 1 FROM main.sqlite_schema LIMIT 1", &[]);
            if seen.is_err() {
                connection.rollback();
            }
            seen.map(drop)
        })
    }

    /// Runs `work` in a write transaction of its own.
    pub fn in_transaction_of_its_own<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if self.in_transaction() {
            return Err(DatabaseError::Other(
                "a transaction is already open".to_owned(),
            ));
        }
        self.begin("")?;
        let result = work(self);
        match result {
            Ok(value) => self.commit().map(|()| value),
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    /// Retries what SQLite refuses immediately with BUSY, as it does when it suspects a deadlock or
    /// recovers a file.
    fn patiently<T>(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let begun = Instant::now();
        loop {
            match work(self) {
                Err(DatabaseError::Busy { reason, .. }) => {
                    let waited = begun.elapsed();
                    if waited >= self.control.patience() {
                        return Err(DatabaseError::Busy { waited, reason });
                    }
                    thread::sleep(PAUSE.min(self.control.patience() - waited));
                }
                other => return other,
            }
        }
    }
}

/// Runs mostly identical statements.
pub(super) struct Writer<'a> {
    control: &'a Control,
    place: &'a str,
    repeated: Repeated<'a>,
}

impl Writer<'_> {
    /// Runs a statement. Returns the number of rows that it changed directly.
    pub fn write(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, DatabaseError> {
        let result = self.repeated.write(sql, binds);
        result.map_err(|failure| explained(failure, self.control, self.place))
    }
}

fn explained(failure: Failure, control: &Control, place: &str) -> DatabaseError {
    if control.is_cancelled() {
        // This includes an abandoned wait for a lock.
        return DatabaseError::Interrupted;
    }
    translate(failure, place, control.patience())
}

fn cannot_open(place: &str, error: &sqlx::Error) -> DatabaseError {
    let reason = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    };
    DatabaseError::Unreachable {
        kind: PlaceKind::File,
        place: place.to_owned(),
        reason: format!("{reason} (may the file and its directory be read and written?)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_absolute() {
        assert_eq!(Source::new(Path::new(":memory:")), Ok(Source::Memory));
        let Ok(Source::File(file)) = Source::new(Path::new("file:x?mode=ro")) else {
            panic!("anything else is a file");
        };
        assert!(file.is_absolute());
        assert!(file.ends_with("file:x?mode=ro"));
    }
}
