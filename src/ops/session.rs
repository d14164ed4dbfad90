use std::{fmt, time::Duration};

use super::Error;
use crate::{
    database::{self, Access, Database, DatabaseError, Detail, Location, Settings},
    execute::{self, Event, RunOptions, Sink, Stop},
    layout::{ExternalChoice, ExternalRecords, Surroundings},
    revision::{LogRow, Observed},
    sql::Dialect,
};

/// One database as operations reach it: its connection, its lock, the signal to stop, and the
/// receiver of its events. Several sessions can be used side by side.
///
/// The connection is made by the first operation that needs it and kept for the next one. It is
/// taken out while an operation uses it, so that a dropped future takes it along, and its lock with
/// it.
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
    database: Option<Box<dyn Database>>,
    warnings: Vec<DatabaseError>,
}

/// Whether the process' signals stop operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signals {
    /// They are the program's own.
    Ignored,
    /// From the first operation on that holds the lock.
    Heard,
    /// A thread listens already.
    Listening,
}

impl Session {
    /// A session with the database at `location`; there is no connection yet.
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
            database: None,
            warnings: Vec::new(),
        }
    }

    /// A session over a connection that exists.
    #[cfg(test)]
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

    /// The database's name in results.
    pub fn named(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// Whether a missing SQLite file is created when something is written.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// How long another run's lock is waited for; zero is one attempt.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// How patient the steps of a run are.
    pub fn options(mut self, options: RunOptions) -> Self {
        self.options = options;
        self
    }

    /// Tells `receiver` of every event of every operation. Comes after [`Self::named`].
    pub fn on_events(mut self, receiver: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = Sink::new(self.place.as_str(), receiver);
        self
    }

    /// Ends operations at the next boundary once it is requested.
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// SIGINT, SIGTERM and SIGHUP request to stop from the first operation on that takes the lock.
    #[cfg(feature = "cli")]
    pub fn hear_signals(mut self) -> Self {
        self.signals = Signals::Heard;
        self
    }

    /// Where the database is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The rules that scripts follow.
    pub fn dialect(&self) -> Dialect {
        self.location.dialect()
    }

    /// The database's name in results; never with a password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What connections are opened with.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What another connection to the same database needs.
    #[cfg(feature = "cli")]
    pub(super) fn subject(&self) -> (Location, Settings) {
        (self.location.clone(), self.settings.clone())
    }

    /// The signal to stop.
    pub(super) fn stop_signal(&self) -> &Stop {
        &self.stop
    }

    /// The receiver of events.
    pub(super) fn events(&self) -> &Sink {
        &self.events
    }

    /// Adds a receiver of events for one operation; returns the one before.
    pub(super) fn replace_events(&mut self, events: Sink) -> Sink {
        std::mem::replace(&mut self.events, events)
    }

    /// How runs go about it.
    pub(super) fn patience(&self) -> (Duration, RunOptions) {
        (self.lock_wait, self.options)
    }

    /// Lets a missing SQLite file count as an empty database: as long as a project has no
    /// revisions, nothing is missing.
    pub(super) fn allow_missing(&mut self, allow: bool) {
        if allow {
            self.access = Access::Create;
        }
    }

    /// Whether it is a SQLite file that does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.location.is_missing()
    }

    /// Connects, unless there is a connection.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses access.
    pub async fn connect(&mut self) -> Result<(), DatabaseError> {
        let database = self.take().await?;
        self.database = Some(database);
        Ok(())
    }

    /// Reads the version table.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    pub async fn observe(&mut self, detail: Detail) -> Result<Observed, DatabaseError> {
        let mut database = self.take().await?;
        let observed = database.observe(detail).await;
        self.note_ambiguity(database.as_ref());
        self.database = Some(database);
        observed
    }

    /// Reads the version table; a SQLite file that does not exist yet is an empty state.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    pub async fn observe_or_empty(&mut self, detail: Detail) -> Result<Observed, DatabaseError> {
        if self.database.is_none() && self.is_missing() {
            return Ok(Observed::default());
        }
        self.observe(detail).await
    }

    /// Reads what is beside the version table, where `observed` shows that it is absent or empty.
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

    /// Reads what another tool has recorded.
    pub(super) async fn external_records(
        &mut self,
        wanted: &ExternalChoice,
    ) -> Result<ExternalRecords, DatabaseError> {
        let mut database = self.take().await?;
        let records = database.external_records(wanted).await;
        self.database = Some(database);
        records
    }

    /// Reads the log, oldest first.
    pub(super) async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError> {
        let mut database = self.take().await?;
        let rows = database.log().await;
        self.note_ambiguity(database.as_ref());
        self.database = Some(database);
        rows
    }

    /// The version table's name, with its schema once there was a connection.
    pub(super) fn version_table(&self) -> String {
        let known = self.database.as_ref().map(|it| it.version_table());
        known.unwrap_or_else(|| self.settings.version_table.clone())
    }

    /// Fails where it is in doubt which table is the version table: a script that is to be run later
    /// writes to it as well.
    ///
    /// # Errors
    /// [`DatabaseError::AmbiguousTable`]
    pub(super) fn ensure_unambiguous(&self) -> Result<(), DatabaseError> {
        let database = self.database.as_ref();
        database.and_then(|it| it.ambiguity()).map_or(Ok(()), Err)
    }

    /// The version table for people, with its schema once there was a connection.
    pub(super) fn shown_table(&self) -> String {
        let known = self.database.as_ref().map(|it| it.shown_table());
        known.unwrap_or_else(|| self.settings.version_table.clone())
    }

    /// The connection, for an operation that takes the lock itself; signals stop it from now on.
    /// [`Self::release`] takes it back.
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

    /// The connection, with the lock held. [`Self::release`] takes it back.
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

    /// Connects and, where nobody else has the lock, takes it and reads the state.
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

    /// Gives up the connection, and with it the lock: nothing was done with it.
    pub(super) async fn abandon(&mut self) {
        if let Some(mut database) = self.database.take() {
            // The lock ends with its session at the latest.
            let _ = database.unlock().await;
            let _ = database.close().await;
        }
    }

    /// Gives the lock back, and keeps the connection. What fails here cannot undo what was done: it
    /// becomes a warning.
    pub(super) async fn release(&mut self, mut database: Box<dyn Database>) {
        match database.unlock().await {
            Ok(()) => self.database = Some(database),
            // The lock ends with its session.
            Err(error) => self.warnings.push(error),
        }
    }

    /// Reading goes on with the table that the name leads to, and says so.
    fn note_ambiguity(&mut self, database: &dyn Database) {
        if let Some(ambiguity) = database.ambiguity()
            && !self.warnings.contains(&ambiguity)
        {
            self.warnings.push(ambiguity);
        }
    }

    fn listen(&mut self, database: &dyn Database) -> Result<(), Error> {
        if self.signals != Signals::Heard {
            return Ok(());
        }
        execute::watch(self.stop.clone(), database.canceller(), self.events.clone())
            .map_err(Error::Signals)?;
        self.signals = Signals::Listening;
        Ok(())
    }

    /// The connection; a new one when there is none.
    async fn take(&mut self) -> Result<Box<dyn Database>, DatabaseError> {
        match self.database.take() {
            Some(database) => Ok(database),
            None => {
                let settings = self.settings.clone();
                database::connect(&self.location, self.access, settings).await
            }
        }
    }

    /// What went wrong after operations had ended, and changes nothing that they did.
    pub fn take_warnings(&mut self) -> Vec<DatabaseError> {
        std::mem::take(&mut self.warnings)
    }

    /// Closes the connection; the lock ends with it.
    ///
    /// # Errors
    /// When the database does not answer. The session is gone all the same.
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
