//! Detection of poolers that assign server sessions per transaction.

use std::pin::pin;

use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use tokio::time::timeout;

use super::{
    super::{DatabaseError, Location},
    Postgres, backend, connect, error, lock,
    message::{rows, unpinned_rows},
    options::ServerOptions,
    product::Product,
    url, usual_timeouts,
    version_table::Trouble,
    watchdog::Watchdog,
};

/// The maximum number of attempts to get the same session. One is enough if nobody else is active
/// and all connections reach the same pool; others can hide the pooler for a round.
const ROUNDS: u32 = 10;

/// The number of rounds after which the session is certainly shared. A server that refreshes its
/// caches between two queries makes a single round look so.
const CERTAIN: u32 = 3;

/// The fraction of the connect timeout that a round waits for a free session.
const SHARE: u32 = 4;

/// The result of one round.
enum Finding {
    /// Another connection can get this session.
    Shared,
    /// No other connection got this session.
    Kept,
    /// The other connection did not get this session, but a foreign transaction ran in it.
    Used,
    /// No other connection gets any session while this one is in use.
    Exclusive,
}

impl Postgres {
    /// Fails if the lock would be held by a session that is shared with others.
    pub(super) async fn refuse_shared_sessions(&mut self) -> Result<(), DatabaseError> {
        self.ensure().await?;
        if !self.backend.pooled || self.keeps_session {
            return Ok(());
        }
        let mut used = 0;
        for _ in 0..ROUNDS {
            match self.compete().await? {
                Finding::Shared => used = CERTAIN,
                Finding::Used => used += 1,
                Finding::Kept => {}
                Finding::Exclusive => break,
            }
            if used == CERTAIN {
                let place = self.place.clone();
                if let Some(Location::Postgres(direct)) = self.settings.direct.clone() {
                    return self.go_direct(&direct).await;
                }
                return Err(match self.backend.product {
                    Product::PgLite => DatabaseError::SharedSession { place },
                    _ => DatabaseError::Pooled { place },
                });
            }
        }
        self.keeps_session = true;
        self.set_pooled_session().await
    }

    /// Goes on in a session of `direct`, which has to lead to the same database.
    async fn go_direct(&mut self, direct: &ServerOptions) -> Result<(), DatabaseError> {
        let place = url::place(direct);
        let options = connect::prepared(direct, &self.settings);
        let defaults = usual_timeouts(&self.settings).options();
        let timeout = self.settings.connect_timeout;
        let opened = connect::open_for_scripts(&options, &defaults, timeout, &place).await?;
        let (mut connection, backend, socket) = opened;
        let is_same = self.sees_lock_of(&mut connection).await?;
        if !is_same {
            let pooled = self.place.clone();
            return Err(DatabaseError::OtherDatabase { place, pooled });
        }
        if backend.pooled {
            return Err(DatabaseError::Pooled { place });
        }
        self.forget().await;
        self.running.set_pid(backend.pid);
        self.watchdog = Watchdog::over(socket, &options, &backend, &self.running);
        (self.options, self.place, self.backend) = (options, place, backend);
        self.connection = Some(connection);
        Ok(())
    }

    /// Whether a lock that this session takes in a transaction is visible to `other`, which proves that
    /// both are sessions of the same database. Copies of a server have the same identifiers.
    async fn sees_lock_of(&mut self, other: &mut PgConnection) -> Result<bool, DatabaseError> {
        let key = lock::key(&backend::unique_mark(), &self.place);
        let take = format!("BEGIN; SELECT pg_catalog.pg_advisory_xact_lock({key})");
        let (connection, _) = self.parts().await?;
        let taken = unpinned_rows(connection, &take).await;
        if taken.as_ref().is_err_and(error::refuses_transactions) {
            let place = self.place.clone();
            return Err(DatabaseError::Pooled { place });
        }
        self.answer(taken.map_err(Trouble::from)).await?;
        let seen = rows(other, &lock::is_held(key)).await;
        let (connection, _) = self.parts().await?;
        let ended = unpinned_rows(connection, "ROLLBACK").await;
        self.answer(ended.map_err(Trouble::from)).await?;
        let seen = self.answer(seen.map_err(Trouble::from)).await?;
        Ok(!seen.is_empty())
    }

    /// Applies the settings that could not be set at login, in a session that is not shared.
    async fn set_pooled_session(&mut self) -> Result<(), DatabaseError> {
        let commands = self.backend.settings.join(";\n");
        if commands.is_empty() {
            return Ok(());
        }
        let (connection, _) = self.parts().await?;
        match unpinned_rows(connection, &commands).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.trouble(error.into()).await),
        }
    }

    /// Uses this session, so that it was used last, lets another connection begin a transaction,
    /// which then gets this session if it can be assigned, and uses the session again.
    async fn compete(&mut self) -> Result<Finding, DatabaseError> {
        let patience = self.settings.connect_timeout;
        let Some(before) = self.last_transaction().await? else {
            return Ok(Finding::Shared);
        };
        let (mark, ours) = (backend::unique_mark(), self.backend.pid);
        let options = self.options.clone();
        let mut rival = pin!(async {
            let mut rival = connect::login(&options, &[], &mark).await?;
            let shared = is_shared(&unpinned_rows(&mut rival, BEGIN).await, ours);
            Ok((rival, shared))
        });
        let mut answer = timeout(patience / SHARE, &mut rival).await.ok();
        let mut after = None;
        if !matches!(answer, Some(Ok((_, true)))) {
            // Meanwhile the other connection keeps its session, or its place in the queue.
            after = self.last_transaction().await?;
        }
        if answer.is_none() {
            // This session can be assigned after that, if at all.
            answer = timeout(patience / SHARE, &mut rival).await.ok();
        }
        let finding = match (&answer, after) {
            (_, None) | (Some(Ok((_, true))), _) => Finding::Shared,
            (_, Some(after)) if after != before + 1 => Finding::Used,
            (Some(Ok(_)), _) => Finding::Kept,
            // Its server refuses a second connection, by closing it.
            (Some(Err(_)), _) if self.backend.product == Product::PgLite => Finding::Exclusive,
            (Some(Err(error)), _) => return Err(error::connecting(error, &self.place)),
            // An exhausted pool makes this connection wait, and every later one.
            (None, _) => Finding::Exclusive,
        };
        if let Some(Ok((rival, _))) = answer {
            // If this fails, the pooler discards the session.
            let _ = timeout(patience, leave(rival)).await;
        }
        Ok(finding)
    }

    /// The number of the current transaction within its session; `None` if the session is not the
    /// original one.
    async fn last_transaction(&mut self) -> Result<Option<i64>, DatabaseError> {
        let patience = self.settings.connect_timeout;
        let (connection, _) = self.parts().await?;
        match timeout(patience, rows(connection, TRANSACTION)).await {
            Ok(Ok(found)) => {
                let number = || found.first()?.try_get::<String, _>(1).ok()?.parse().ok();
                Ok(number().filter(|_| pid(&found) == Some(self.backend.pid)))
            }
            Ok(Err(error)) => Err(self.trouble(error.into()).await),
            // All sessions are in use, including this one.
            Err(_) => {
                self.forget().await;
                Ok(None)
            }
        }
    }
}

/// The ID of a virtual transaction, such as `3/4711`, consists of the session's slot and the number
/// of the transaction.
const TRANSACTION: &str = "SELECT l.pid, pg_catalog.split_part(l.virtualtransaction, '/', 2) \
     FROM pg_catalog.pg_locks AS l WHERE l.locktype OPERATOR(pg_catalog.=) 'virtualxid' \
     AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()";
const BEGIN: &str = "BEGIN; SELECT pg_catalog.pg_backend_pid()";

/// Closes a connection cleanly, so that its session can be reused.
async fn leave(mut connection: PgConnection) -> Result<(), sqlx::Error> {
    unpinned_rows(&mut connection, "ROLLBACK").await?;
    connection.close().await
}

/// Whether the other connection got session `ours`, or may not begin a transaction at all.
fn is_shared(found: &Result<Vec<PgRow>, sqlx::Error>, ours: i32) -> bool {
    match found {
        Ok(found) => pid(found) == Some(ours),
        Err(error) => error::refuses_transactions(error),
    }
}

fn pid(found: &[PgRow]) -> Option<i32> {
    found.first()?.try_get(0).ok()
}
