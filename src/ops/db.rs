use std::time::{Duration, Instant};

use super::{Error, Session};
use crate::database::{DatabaseError, engine};

/// The result of an operation on a whole database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbReport {
    /// The database.
    pub database: String,
    /// The outcome.
    pub change: DbChange,
}

/// The outcome of an operation on a whole database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbChange {
    /// The database exists; the value is whether it had to be created.
    Created(bool),
    /// The database does not exist; the value is whether it had to be dropped.
    Dropped(bool),
    /// The database accepts connections, after this time.
    Ready(Duration),
}

/// A database that was not ready in time.
#[derive(Debug)]
pub struct NotReady {
    /// The database.
    pub place: String,
    /// The time spent waiting.
    pub timeout: Duration,
    /// The last error.
    pub reason: DatabaseError,
}

/// The pause after the first attempt to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The timeout of a single attempt when there is no time to wait.
const ONE_LOOK: Duration = Duration::from_secs(1);

/// Creates the database unless it exists. `maintenance` is the database on the PostgreSQL server to
/// connect to meanwhile.
///
/// # Errors
/// Fails when the server refuses.
pub async fn create_database(
    session: &Session,
    maintenance: Option<&str>,
) -> Result<DbReport, Error> {
    let made = engine::create(session.location(), session.settings(), maintenance).await?;
    Ok(report(session, DbChange::Created(made)))
}

/// Drops the database. `force` terminates the sessions of others.
///
/// # Errors
/// Fails when the server refuses or the database is in use.
pub async fn drop_database(
    session: &Session,
    maintenance: Option<&str>,
    force: bool,
) -> Result<DbReport, Error> {
    let (location, settings) = (session.location(), session.settings());
    let gone = engine::drop(location, settings, maintenance, force).await?;
    Ok(report(session, DbChange::Dropped(gone)))
}

/// Waits until the database accepts connections. `waiting` is called with each new reason why it
/// does not.
///
/// # Errors
/// [`Error::NotReady`] after `timeout`, [`Error::Interrupted`] after a request to stop, and errors
/// that waiting cannot resolve.
pub async fn wait_for_database(
    session: &Session,
    timeout: Duration,
    waiting: impl FnMut(&DatabaseError),
) -> Result<DbReport, Error> {
    tokio::select! {
        ready = look_until_ready(session, timeout, waiting) => ready,
        () = session.stop_signal().requested() => Err(Error::Interrupted),
    }
}

async fn look_until_ready(
    session: &Session,
    timeout: Duration,
    mut waiting: impl FnMut(&DatabaseError),
) -> Result<DbReport, Error> {
    let begin = Instant::now();
    let mut said = String::new();
    let mut pause = FIRST_PAUSE;
    loop {
        let left = timeout.saturating_sub(begin.elapsed());
        let patience = match timeout {
            Duration::ZERO => ONE_LOOK,
            _ => left.min(session.settings().connect_timeout),
        };
        let looked = engine::probe(session.location(), session.settings(), patience).await;
        let reason = match looked {
            Ok(()) => return Ok(report(session, DbChange::Ready(begin.elapsed()))),
            Err(error @ DatabaseError::InMemory) => return Err(error.into()),
            Err(error) => error,
        };
        let left = timeout.saturating_sub(begin.elapsed());
        if left <= pause {
            // Another attempt would exceed the timeout.
            tokio::time::sleep(left).await;
            return Err(Error::NotReady(Box::new(NotReady {
                place: session.place().to_owned(),
                timeout,
                reason,
            })));
        }
        let text = reason.to_string();
        if text != said {
            waiting(&reason);
            said = text;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn report(session: &Session, change: DbChange) -> DbReport {
    DbReport {
        database: session.place().to_owned(),
        change,
    }
}
