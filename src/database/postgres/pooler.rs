//! Poolers that hand out server sessions transaction by transaction.

use std::pin::pin;

use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use tokio::time::timeout;

use super::{
    super::DatabaseError,
    Postgres, backend, connect, error,
    message::{rows, unpinned_rows},
};

/// How often it is tried to be given the session that we had. Once is enough where nobody else is
/// at work and all connections reach the same pool; others at work can hide it for a round.
const ROUNDS: u32 = 10;

/// Rounds after which it is certain that others use our session. A server that looks after its caches
/// between two queries makes one round look so.
const CERTAIN: u32 = 3;

/// The share of the patience with a connection that a round waits for a session to be free.
const SHARE: u32 = 4;

/// What one round has shown.
enum Finding {
    /// Someone else can have our session.
    Shared,
    /// Nobody was given it.
    Kept,
    /// The one who asked was not given it, but there was a transaction in it that is not ours.
    Used,
    /// Nobody is given any session as long as we have ours.
    Exclusive,
}

impl Postgres {
    /// Refuses to continue where the lock would be held by a session that is not ours alone.
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
                return Err(DatabaseError::Pooled { place });
            }
        }
        self.keeps_session = true;
        self.set_pooled_session().await
    }

    /// Sets in a session that is ours alone what no login could.
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

    /// Asks for our session, so that it was used last, lets another connection begin a transaction,
    /// which is then given that session if it is free to be given, and asks again.
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
            // Meanwhile the other one keeps its session, or its place in the queue.
            after = self.last_transaction().await?;
        }
        if answer.is_none() {
            // Ours was free to be given after that, if it ever is.
            answer = timeout(patience / SHARE, &mut rival).await.ok();
        }
        let finding = match (&answer, after) {
            (_, None) | (Some(Ok((_, true))), _) => Finding::Shared,
            (_, Some(after)) if after != before + 1 => Finding::Used,
            (Some(Ok(_)), _) => Finding::Kept,
            (Some(Err(error)), _) => return Err(error::connecting(error, &self.place)),
            // An exhausted pool lets it wait, and everyone who comes after it.
            (None, _) => Finding::Exclusive,
        };
        if let Some(Ok((rival, _))) = answer {
            // Should it fail, the pooler throws the session away.
            let _ = timeout(patience, leave(rival)).await;
        }
        Ok(finding)
    }

    /// The number, within its session, of the transaction that asks for it; `None` when we are not
    /// given the session any more that we had.
    async fn last_transaction(&mut self) -> Result<Option<i64>, DatabaseError> {
        let patience = self.settings.connect_timeout;
        let (connection, _) = self.parts().await?;
        match timeout(patience, rows(connection, TRANSACTION)).await {
            Ok(Ok(found)) => {
                let number = || found.first()?.try_get::<String, _>(1).ok()?.parse().ok();
                Ok(number().filter(|_| pid(&found) == Some(self.backend.pid)))
            }
            Ok(Err(error)) => Err(self.trouble(error.into()).await),
            // All sessions are in use, ours as well.
            Err(_) => {
                self.forget().await;
                Ok(None)
            }
        }
    }
}

/// A virtual transaction is called `3/4711`: the session's slot, and the number of the transaction.
const TRANSACTION: &str = "SELECT l.pid, pg_catalog.split_part(l.virtualtransaction, '/', 2) \
     FROM pg_catalog.pg_locks AS l WHERE l.locktype OPERATOR(pg_catalog.=) 'virtualxid' \
     AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()";
const BEGIN: &str = "BEGIN; SELECT pg_catalog.pg_backend_pid()";

/// Ends a connection in good order, so that its session can be used again.
async fn leave(mut connection: PgConnection) -> Result<(), sqlx::Error> {
    unpinned_rows(&mut connection, "ROLLBACK").await?;
    connection.close().await
}

/// Whether the other connection was given session `ours`, or may not begin a transaction at all.
fn is_shared(found: &Result<Vec<PgRow>, sqlx::Error>, ours: i32) -> bool {
    match found {
        Ok(found) => pid(found) == Some(ours),
        Err(error) => error::refuses_transactions(error),
    }
}

fn pid(found: &[PgRow]) -> Option<i32> {
    found.first()?.try_get(0).ok()
}
