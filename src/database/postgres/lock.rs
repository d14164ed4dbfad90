//! The lock shared by all runs that use the same version table, and the sessions that block it.

use std::{convert::Infallible, sync::Mutex, time::Duration};

use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{super::LockAttempt, connect, message::rows, options::ServerOptions};

/// The facts known to hold in a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hold {
    /// Not even the lock is known to be held.
    #[default]
    Nothing,
    /// The lock is held.
    Lock,
    /// The lock is held and the state was seen as planned. The lock has been held ever since, so
    /// the state cannot have changed.
    State,
}

impl Hold {
    /// A step has completed. It checked the state and renewed the lock.
    pub fn seen(&mut self) {
        if *self == Self::Lock {
            *self = Self::State;
        }
    }

    /// A statement ran that may have released the lock.
    pub fn doubt(&mut self) {
        if *self == Self::State {
            *self = Self::Lock;
        }
    }
}

/// The key of the advisory lock. PostgreSQL already separates keys by database.
pub(super) fn key(schema: &str, table: &str) -> i64 {
    let mut hash = Sha256::new();
    for part in ["migrator", "\0", schema, "\0", table] {
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Makes one attempt. This is harmless if the lock is held already, since [`release`] releases all.
pub(super) async fn attempt(
    connection: &mut PgConnection,
    key: i64,
) -> Result<LockAttempt, sqlx::Error> {
    let sql = format!("SELECT {}::text", for_session(key));
    let found = rows(connection, &sql).await?;
    let taken = found.first().map(|row| row.try_get::<String, _>(0));
    if taken.transpose()?.as_deref() == Some("true") {
        return Ok(LockAttempt::Acquired);
    }
    let sql = format!("SELECT {SESSION} {} ORDER BY a.pid", held_by_others(key));
    let holders = rows(connection, &sql).await?;
    Ok(LockAttempt::Held {
        holder: holders.first().map(describe).transpose()?,
    })
}

/// An expression that takes the lock for the transaction as well.
pub(super) fn for_transaction(key: i64) -> String {
    format!("pg_catalog.pg_try_advisory_xact_lock({key})")
}

/// An expression that takes the lock for the session.
pub(super) fn for_session(key: i64) -> String {
    format!("pg_catalog.pg_try_advisory_lock({key})")
}

/// A command that takes the lock again, in a transaction that keeps others out.
pub(super) fn again(key: i64) -> String {
    format!("SELECT {}", for_session(key))
}

/// Releases the lock, however often it was taken. Other advisory locks of the session can only be
/// left over from scripts.
pub(super) async fn release(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    rows(connection, RELEASE).await.map(drop)
}

/// Releases all advisory locks of the session.
pub(super) const RELEASE: &str = "SELECT pg_catalog.pg_advisory_unlock_all()";

/// Writes the sessions that block session `pid` into `blockers`, as long as it is polled. Connects
/// only after it has been polled for half of `lock_timeout`.
pub(super) async fn watch(
    options: &ServerOptions,
    pid: i32,
    lock_timeout: Duration,
    blockers: &Mutex<Vec<String>>,
) -> Infallible {
    let patience = (lock_timeout / 2).min(Duration::from_secs(1));
    tokio::time::sleep(patience).await;
    let options = connect::named(options, "migrator (who is in the way?)");
    // A failure is ignored, since this only improves a message.
    if let Ok((mut connection, _)) = connect::open(&options, &[], lock_timeout, "").await {
        while let Ok(found) = blocking(&mut connection, pid).await {
            if !found.is_empty()
                && let Ok(mut blockers) = blockers.lock()
            {
                *blockers = found;
            }
            tokio::time::sleep((patience / 2).max(Duration::from_millis(10))).await;
        }
    }
    std::future::pending().await
}

async fn blocking(connection: &mut PgConnection, pid: i32) -> Result<Vec<String>, sqlx::Error> {
    let sql = format!(
        "SELECT {SESSION} FROM pg_catalog.pg_stat_activity AS a \
         WHERE a.pid = ANY (pg_catalog.pg_blocking_pids({pid})) ORDER BY a.pid"
    );
    rows(connection, &sql).await?.iter().map(describe).collect()
}

/// The columns that [`describe`] reads.
pub(super) const SESSION: &str = "a.pid::text, a.application_name::text, a.usename::text, \
     pg_catalog.host(a.client_addr)::text, \
     pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS')::text, a.state::text";

/// The number of these columns.
pub(super) const SESSION_COLUMNS: usize = 6;

/// A query that has a row if any session holds the lock with this key in the database.
pub(super) fn is_held(key: i64) -> String {
    format!("SELECT l.pid {}", held_by_others(key))
}

/// Other sessions that hold the lock.
fn held_by_others(key: i64) -> String {
    let (high, low) = ((key as u64) >> 32, key as u64 & 0xffff_ffff);
    format!(
        "FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND l.classid = {high} AND l.objid = {low} AND l.database = \
         (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()) \
         AND l.pid <> pg_catalog.pg_backend_pid()"
    )
}

/// A session: `psql (pid 4711, app@10.0.0.7, since 12:31:05 UTC)`. The server hides parts of it
/// from roles without pg_read_all_stats.
pub(super) fn describe(row: &PgRow) -> Result<String, sqlx::Error> {
    let text = |column: usize| {
        row.try_get::<Option<String>, _>(column)
            .map(Option::unwrap_or_default)
    };
    let (pid, application, user) = (text(0)?, text(1)?, text(2)?);
    let (address, since, state) = (text(3)?, text(4)?, text(5)?);
    let name = if application.is_empty() {
        "a session"
    } else {
        &application
    };
    let mut line = format!("{name} (pid {pid}");
    if !user.is_empty() {
        line += &format!(", {user}");
    }
    match (address.as_str(), since.as_str()) {
        (_, "") => {}
        ("", since) => line += &format!("@local, since {since} UTC"),
        (address, since) => line += &format!("@{address}, since {since} UTC"),
    }
    if state.starts_with("idle in transaction") {
        line += &format!(", {state}");
    }
    Ok(line + ")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_known_only_while_the_lock_is_held() {
        let after = |mut hold: Hold, change: fn(&mut Hold)| {
            change(&mut hold);
            hold
        };
        assert_eq!(after(Hold::Nothing, Hold::seen), Hold::Nothing);
        assert_eq!(after(Hold::Lock, Hold::seen), Hold::State);
        assert_eq!(after(Hold::State, Hold::doubt), Hold::Lock);
        assert_eq!(after(Hold::Nothing, Hold::doubt), Hold::Nothing);
    }

    #[test]
    fn the_key_is_frozen_and_tells_tables_apart() {
        assert_ne!(key("a", "bc"), key("ab", "c"));
        assert_eq!(key("public", "migrator_version"), 4_269_383_724_586_612_489);
    }
}
