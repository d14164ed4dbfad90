use std::{fmt, time::Duration};

use super::{Error, edited};
use crate::{
    database::{self, Access, Database, DatabaseError, Detail, Location, Settings},
    execute::{self, Event, RunOptions, Sink, Stop},
    layout::{ExternalChoice, ExternalRecords, Surroundings},
    revision::{History, LogRow, Observed, StoredScripts, Subject},
    schema::{Schema, Scope},
    sql::Dialect,
};
#[cfg(feature = "cli")]
use crate::{
    database::{TableDigests, Trace, Usage},
    lint::Size,
    schema::{Name, StoredTable, TableSums},
};

/// The connection, lock, stop signal and event receiver of one database. Several sessions can be
/// used side by side.
///
/// The first operation that needs a connection opens it, and later operations reuse it. An
/// operation takes the connection out of the session while it runs, so dropping its future drops
/// the connection and its lock.
pub struct Session {
    location: Location,
    place: String,
    settings: Settings,
    access: Access,
    lock_wait: Duration,
    options: RunOptions,
    events: Sink,
    stop: Stop,
    signals: Signals,
    /// Whether the schema will be read again and again.
    inspects_often: bool,
    database: Option<Box<dyn Database>>,
    warnings: Vec<DatabaseError>,
    /// What cancels the session together with others, and its place among them.
    #[cfg(feature = "cli")]
    cancellers: Option<super::fleet::Cancellers>,
    #[cfg(feature = "cli")]
    entered: Option<super::fleet::Entered>,
}

/// Whether signals of the process stop operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signals {
    /// The program handles signals itself.
    Ignored,
    /// Signals stop operations once the first one has taken the lock.
    Heard,
    /// The signal thread is running.
    Listening,
}

impl Session {
    /// Creates a session for the database at `location` without connecting.
    pub fn new(location: Location, settings: Settings) -> Self {
        Self {
            place: location.to_string(),
            settings: location.adjust(settings),
            location,
            access: Access::Existing,
            lock_wait: Duration::from_secs(60),
            options: RunOptions::default(),
            events: Sink::silent(),
            stop: Stop::default(),
            signals: Signals::Ignored,
            inspects_often: false,
            database: None,
            warnings: Vec::new(),
            #[cfg(feature = "cli")]
            cancellers: None,
            #[cfg(feature = "cli")]
            entered: None,
        }
    }

    /// Creates a session from an open connection.
    #[cfg(any(test, feature = "cli"))]
    pub(super) fn over(
        location: Location,
        settings: Settings,
        database: Box<dyn Database>,
    ) -> Self {
        Self {
            database: Some(database),
            ..Self::new(location, settings)
        }
    }

    /// Ends the session without closing its connection, which is returned if there still is one.
    #[cfg(feature = "cli")]
    pub(super) fn into_database(mut self) -> Option<Box<dyn Database>> {
        self.database.take()
    }

    /// Sets the database's name in results.
    pub fn named(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// Sets whether writing creates a missing SQLite file.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets how long to wait for another run's lock; zero makes a single attempt.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Sets the retry and reporting options of runs.
    pub fn options(mut self, options: RunOptions) -> Self {
        self.options = options;
        self
    }

    /// Sends all events to `receiver`. Must be called after [`Self::named`].
    pub fn on_events(mut self, receiver: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = Sink::new(self.place.as_str(), receiver);
        self
    }

    /// Sets the signal that stops operations at the next boundary.
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Lets `cancellers` cancel what runs in the session, together with others.
    #[cfg(feature = "cli")]
    pub(super) fn cancelled_by(mut self, cancellers: super::fleet::Cancellers) -> Self {
        self.cancellers = Some(cancellers);
        self
    }

    /// Lets SIGINT, SIGTERM and SIGHUP request a stop, from the first operation that takes the
    /// lock.
    #[cfg(feature = "cli")]
    pub fn hear_signals(mut self) -> Self {
        self.signals = Signals::Heard;
        self
    }

    /// The location of the database.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The SQL dialect of the scripts.
    pub fn dialect(&self) -> Dialect {
        self.location.dialect()
    }

    /// The database's name in results; never with a password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The settings of connections.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The location and settings for another connection to the same database.
    #[cfg(feature = "cli")]
    pub(super) fn subject(&self) -> (Location, Settings) {
        (self.location.clone(), self.settings.clone())
    }

    /// The stop signal.
    pub(super) fn stop_signal(&self) -> &Stop {
        &self.stop
    }

    /// The receiver of events.
    pub(super) fn events(&self) -> &Sink {
        &self.events
    }

    /// Replaces the receiver of events for one operation, and returns the previous one.
    pub(super) fn replace_events(&mut self, events: Sink) -> Sink {
        std::mem::replace(&mut self.events, events)
    }

    /// The lock wait and the options of runs.
    pub(super) fn patience(&self) -> (Duration, RunOptions) {
        (self.lock_wait, self.options)
    }

    /// Sets whether a missing SQLite file counts as an empty database. This holds while a project
    /// has no revisions.
    pub(super) fn allow_missing(&mut self, allow: bool) {
        if allow {
            self.access = Access::Create;
        }
    }

    /// Whether the database is a SQLite file that does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.location.is_missing()
    }

    /// Connects unless the session is connected.
    ///
    /// # Errors
    /// Fails when the database cannot be reached or refuses access.
    pub async fn connect(&mut self) -> Result<(), DatabaseError> {
        let database = self.take().await?;
        self.database = Some(database);
        Ok(())
    }

    /// Reads the version table.
    ///
    /// # Errors
    /// Fails when the database cannot be reached or read.
    pub async fn observe(&mut self, detail: Detail) -> Result<Observed, DatabaseError> {
        let mut database = self.take().await?;
        let observed = database.observe(detail).await;
        self.note_ambiguity(database.as_ref());
        self.database = Some(database);
        observed
    }

    /// Reads the version table. A missing SQLite file counts as an empty database.
    ///
    /// # Errors
    /// Fails when the database cannot be reached or read.
    pub async fn observe_or_empty(&mut self, detail: Detail) -> Result<Observed, DatabaseError> {
        if self.database.is_none() && self.is_missing() {
            return Ok(Observed::default());
        }
        self.observe(detail).await
    }

    /// Surveys the database around the version table, if `observed` shows that the table is absent
    /// or empty.
    pub(super) async fn survey(
        &mut self,
        observed: &Observed,
    ) -> Result<Option<Surroundings>, DatabaseError> {
        if !observed.is_empty() || self.database.is_none() && self.is_missing() {
            return Ok(None);
        }
        let mut database = self.take().await?;
        let found = database.surroundings().await;
        self.database = Some(database);
        found.map(Some)
    }

    /// Reads the records of another tool.
    pub(super) async fn external_records(
        &mut self,
        wanted: &ExternalChoice,
    ) -> Result<ExternalRecords, DatabaseError> {
        let mut database = self.take().await?;
        let records = database.external_records(wanted).await;
        self.database = Some(database);
        records
    }

    /// Reads what the database contains.
    ///
    /// # Errors
    /// Fails when the database cannot be reached or read.
    pub async fn inspect(&mut self, scope: &Scope) -> Result<Schema, DatabaseError> {
        let mut database = self.take().await?;
        if self.inspects_often {
            database.expect_inspections();
        }
        let found = database.inspect(scope).await;
        self.database = Some(database);
        found
    }

    /// Whether the database is certain to be empty but for the version table and its log.
    #[cfg(feature = "cli")]
    pub(super) async fn is_bare(&mut self) -> Result<bool, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.is_bare().await;
        self.database = Some(database);
        found
    }

    /// Tells that the schema will be read again and again.
    #[cfg(feature = "cli")]
    pub(super) fn expect_inspections(&mut self) {
        self.inspects_often = true;
    }

    /// Removes all rows of tables. Returns false if the database refuses to.
    #[cfg(feature = "cli")]
    pub(super) async fn clear(&mut self, tables: &[Name]) -> Result<bool, DatabaseError> {
        let mut database = self.take().await?;
        let cleared = database.rows().clear(tables).await;
        self.database = Some(database);
        cleared
    }

    /// Runs statements one by one; a failure does not keep the next one from being run.
    #[cfg(feature = "cli")]
    pub(super) async fn try_each(
        &mut self,
        statements: &[String],
    ) -> Result<Vec<Result<u64, DatabaseError>>, DatabaseError> {
        let mut database = self.take().await?;
        let tried = database.rows().try_each(statements).await;
        self.database = Some(database);
        tried
    }

    /// Reads the rows of tables as digests.
    #[cfg(feature = "cli")]
    pub(super) async fn digests(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<TableDigests>, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.rows().digests(tables).await;
        self.database = Some(database);
        found
    }

    /// Sums up the rows of tables.
    #[cfg(feature = "cli")]
    pub(super) async fn sums(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<Result<TableSums, DatabaseError>>, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.rows().sums(tables).await;
        self.database = Some(database);
        found
    }

    /// Returns the rows of a query of our own, with qualified names.
    #[cfg(feature = "cli")]
    pub(super) async fn texts(
        &mut self,
        sql: &str,
    ) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.rows().texts(sql).await;
        self.database = Some(database);
        found
    }

    /// Returns the rows of a query with names and expressions of a script. Nothing can be written.
    #[cfg(feature = "cli")]
    pub(super) async fn ask(
        &mut self,
        sql: &str,
    ) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.rows().ask(sql).await;
        self.database = Some(database);
        found
    }

    /// Reads the sizes of tables.
    #[cfg(feature = "cli")]
    pub(super) async fn table_sizes(&mut self) -> Result<Vec<(Name, Size)>, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.rows().table_sizes().await;
        self.database = Some(database);
        found
    }

    /// Reads what the database takes.
    #[cfg(feature = "cli")]
    pub(super) async fn usage(&mut self) -> Result<Usage, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.rows().usage().await;
        self.database = Some(database);
        found
    }

    /// Observes what statements do to the relations that exist now. Returns whether the database can
    /// tell.
    #[cfg(feature = "cli")]
    pub(super) async fn begin_tracing(&mut self) -> Result<bool, DatabaseError> {
        let mut database = self.take().await?;
        let begun = match database.tracing() {
            Some(tracing) => tracing.begin().await.map(|()| true),
            None => Ok(false),
        };
        self.database = Some(database);
        begun
    }

    /// The major version of the server whose statements are observed.
    #[cfg(feature = "cli")]
    pub(super) fn server_major(&mut self) -> Option<u32> {
        self.database.as_mut()?.tracing()?.major()
    }

    /// What was observed since the last call; `None` if nothing is.
    #[cfg(feature = "cli")]
    pub(super) fn take_traces(&mut self) -> Option<Vec<Trace>> {
        let tracing = self.database.as_mut()?.tracing()?;
        Some(tracing.take())
    }

    /// Leaves out tables that are known to have no rows.
    #[cfg(feature = "cli")]
    pub(super) async fn perhaps_filled(
        &mut self,
        tables: Vec<StoredTable>,
    ) -> Result<Vec<StoredTable>, DatabaseError> {
        let mut database = self.take().await?;
        let found = database.rows().perhaps_filled(tables).await;
        self.database = Some(database);
        found
    }

    /// Reads the scripts stored in the rows of `subjects`.
    pub(super) async fn scripts(
        &mut self,
        subjects: &[Subject],
    ) -> Result<Vec<StoredScripts>, DatabaseError> {
        let mut database = self.take().await?;
        let scripts = database.scripts(subjects).await;
        self.database = Some(database);
        scripts
    }

    /// The connection, if the session is connected.
    pub(super) fn database(&mut self) -> Option<&mut dyn Database> {
        match &mut self.database {
            Some(database) => Some(database.as_mut()),
            None => None,
        }
    }

    /// `error` with what was changed, if it is about edited up scripts.
    pub(super) async fn explained(&mut self, mut error: Error, history: &History) -> Error {
        if let Some(database) = self.database() {
            edited::explain(&mut error, database, history).await;
        }
        error
    }

    /// Reads the log, oldest first.
    pub(super) async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError> {
        let mut database = self.take().await?;
        let rows = database.log().await;
        self.note_ambiguity(database.as_ref());
        self.database = Some(database);
        rows
    }

    /// The version table's name, with its schema after the first connection.
    pub(super) fn version_table(&self) -> String {
        let known = self.database.as_ref().map(|it| it.version_table());
        known.unwrap_or_else(|| self.settings.version_table.clone())
    }

    /// Fails if the choice of the version table is ambiguous, since a script that runs later writes
    /// to it as well.
    ///
    /// # Errors
    /// [`DatabaseError::AmbiguousTable`]
    pub(super) fn ensure_unambiguous(&self) -> Result<(), DatabaseError> {
        let database = self.database.as_ref();
        database.and_then(|it| it.ambiguity()).map_or(Ok(()), Err)
    }

    /// The version table's name for display, with its schema after the first connection.
    pub(super) fn shown_table(&self) -> String {
        let known = self.database.as_ref().map(|it| it.shown_table());
        known.unwrap_or_else(|| self.settings.version_table.clone())
    }

    /// The schema of the version table, in which scripts create what they name without one; `None` for
    /// databases without schemas, and before the first connection.
    pub(super) fn home_schema(&self) -> Option<String> {
        self.database.as_ref()?.home_schema()
    }

    /// Takes the connection for an operation that takes the lock itself, and lets signals stop it.
    /// [`Self::release`] returns the connection.
    pub(super) async fn exclusive(&mut self) -> Result<Box<dyn Database>, Error> {
        let database = self.take().await?;
        match self.listen(database.as_ref()) {
            Ok(()) => Ok(database),
            Err(error) => {
                self.database = Some(database);
                Err(error)
            }
        }
    }

    /// Takes the connection and the lock. [`Self::release`] returns the connection.
    pub(super) async fn lock(&mut self) -> Result<Box<dyn Database>, Error> {
        let mut database = self.exclusive().await?;
        let (wait, stop, events) = (self.lock_wait, &self.stop, &self.events);
        match execute::lock(database.as_mut(), wait, stop, events).await {
            Ok(()) => Ok(database),
            Err(error) => {
                self.release(database).await;
                Err(error.into())
            }
        }
    }

    /// Connects, takes the lock if it is free, and reads the state.
    pub(super) async fn look_early(&mut self) -> Result<Option<Observed>, DatabaseError> {
        let mut database = self.take().await?;
        match execute::look_early(database.as_mut()).await {
            Ok(observed) => {
                self.database = Some(database);
                Ok(observed)
            }
            Err(error) => {
                self.release(database).await;
                Err(error)
            }
        }
    }

    /// Drops the connection and its lock.
    pub(super) async fn abandon(&mut self) {
        if let Some(mut database) = self.database.take() {
            // The lock ends with its session at the latest.
            let _ = database.unlock().await;
            let _ = database.close().await;
        }
    }

    /// Keeps the connection and its lock.
    #[cfg(feature = "cli")]
    pub(super) fn keep(&mut self, database: Box<dyn Database>) {
        self.database = Some(database);
    }

    /// Releases the lock and keeps the connection. A failure cannot undo finished work, so it
    /// becomes a warning.
    pub(super) async fn release(&mut self, mut database: Box<dyn Database>) {
        match database.unlock().await {
            Ok(()) => self.database = Some(database),
            // The lock ends with its session.
            Err(error) => self.warnings.push(error),
        }
    }

    /// Reading continues with the table that the name resolves to, with a warning.
    fn note_ambiguity(&mut self, database: &dyn Database) {
        if let Some(ambiguity) = database.ambiguity()
            && !self.warnings.contains(&ambiguity)
        {
            self.warnings.push(ambiguity);
        }
    }

    fn listen(&mut self, database: &dyn Database) -> Result<(), Error> {
        #[cfg(feature = "cli")]
        if let Some(cancellers) = &self.cancellers {
            self.entered = Some(cancellers.enter(database.canceller()));
        }
        if self.signals != Signals::Heard {
            return Ok(());
        }
        execute::watch(self.stop.clone(), database.canceller(), self.events.clone())
            .map_err(Error::Signals)?;
        self.signals = Signals::Listening;
        Ok(())
    }

    /// Takes the connection, or opens a new one.
    async fn take(&mut self) -> Result<Box<dyn Database>, DatabaseError> {
        match self.database.take() {
            Some(database) => Ok(database),
            None => {
                let settings = self.settings.clone();
                database::connect(&self.location, self.access, settings).await
            }
        }
    }

    /// Takes the errors that occurred after operations were complete and that did not affect their
    /// results.
    pub fn take_warnings(&mut self) -> Vec<DatabaseError> {
        std::mem::take(&mut self.warnings)
    }

    /// Closes the connection, which releases the lock.
    ///
    /// # Errors
    /// Fails when the database does not answer. The session is closed in any case.
    pub async fn close(mut self) -> Result<(), DatabaseError> {
        match self.database.take() {
            Some(database) => database.close().await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("database", &self.place)
            .finish_non_exhaustive()
    }
}

/// Does `work` until a request to stop, which drops it once nothing holds the request up.
///
/// # Errors
/// [`Error::Interrupted`] after a request to stop.
pub(super) async fn until_stopped<T>(
    stop: &Stop,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = stop.takes_effect() => Err(Error::Interrupted),
        done = work => done,
    }
}
