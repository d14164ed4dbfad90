use std::time::{Duration, Instant};

use super::{EventKind, Sink, Stop};
use crate::database::{Database, DatabaseError, LockAttempt};

/// An error of taking the lock.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another session held the lock during the whole wait.
    #[error("the lock was busy for {waited:?}")]
    Busy {
        /// The holder, if known.
        holder: Option<String>,
        /// The time spent waiting.
        waited: Duration,
    },
    /// A signal ended the wait.
    #[error("interrupted while waiting for the lock")]
    Interrupted,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Pauses between two attempts: short at first, since most runs are short.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Takes the lock, polling until `wait` is over.
///
/// If the session ends while waiting, it reconnects until `wait` is over: nothing has run yet, and
/// a restore terminates all sessions when it replaces the database.
///
/// Polling avoids blocking in the server: a session that waits inside `pg_advisory_lock` holds a
/// snapshot, for which a CREATE INDEX CONCURRENTLY of the lock's holder would wait.
///
/// # Errors
/// [`LockError`]; the lock is not held then.
pub async fn lock(
    database: &mut dyn Database,
    wait: Duration,
    stop: &Stop,
    sink: &Sink,
) -> Result<(), LockError> {
    let begin = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let (holder, broken) = match database.try_lock().await {
            Ok(LockAttempt::Acquired) => {
                if pause > FIRST_PAUSE {
                    sink.tell(EventKind::LockTaken {
                        waited: begin.elapsed(),
                    });
                }
                return Ok(());
            }
            Ok(LockAttempt::Held { holder }) => (holder, None),
            Err(error) if may_come_back(&error, pause > FIRST_PAUSE) => (None, Some(error)),
            Err(error) => return Err(error.into()),
        };
        let waited = begin.elapsed();
        if waited >= wait {
            return Err(match broken {
                Some(error) => error.into(),
                None => LockError::Busy { holder, waited },
            });
        }
        sink.tell(EventKind::WaitingForLock {
            holder,
            waited,
            limit: wait,
        });
        tokio::select! {
            () = tokio::time::sleep(pause.min(wait - waited)) => {}
            () = stop.requested() => return Err(LockError::Interrupted),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether a database that has answered before may become available again. While it is being
/// replaced, it does not exist for a moment.
fn may_come_back(error: &DatabaseError, waiting: bool) -> bool {
    match error {
        DatabaseError::ConnectionLost(_) => true,
        DatabaseError::Unreachable { .. } | DatabaseError::Missing { .. } => waiting,
        _ => false,
    }
}
