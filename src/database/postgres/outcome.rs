//! The outcome of failed steps and lost connections.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};
use tokio::time::Instant;

use super::{
    super::{DatabaseError, Detail, Records, StepError},
    Postgres,
    backend::{AS_LOGIN, Backend, STARTED},
    error,
    lock::Hold,
    message::{Message, literal, rows},
    record, session,
    step::Stop,
    version_table::Trouble,
};
use crate::{database::StepStage, revision::RecordChange};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

impl Postgres {
    /// Converts `stop` to an error after restoring the session: the transaction is rolled back and
    /// session state reset, unless a run or `keep_session` requires otherwise.
    pub(super) async fn stopped(
        &mut self,
        stop: Stop,
        cancelled: bool,
        blockers: Vec<String>,
        changes: &[RecordChange],
        keep_session: bool,
    ) -> Result<(), StepError> {
        let (failed, committing) = match stop {
            Stop::Failed { failed, committing } => (failed, committing),
            Stop::Interrupted(stage) => {
                self.clean_up(keep_session).await;
                let error = DatabaseError::Interrupted;
                return Err(StepError { stage, error });
            }
        };
        let stage = failed.stage;
        let Some(server) = error::from_server(&failed.error) else {
            let reason = error::reason(&failed.error);
            return if committing {
                self.settle(changes, reason).await
            } else {
                Err(self.lost(reason).await)
            }
            .map_err(|error| StepError { stage, error });
        };
        let error = if cancelled && error::is_cancel(server) {
            DatabaseError::Interrupted
        } else {
            let failure = error::failure(server, failed.offset);
            error::at_stage(failure, stage, &self.place, blockers)
        };
        self.clean_up(keep_session).await;
        Err(StepError { stage, error })
    }

    /// Rolls back and resets the session; a run is left to `rollback_run`.
    pub(super) async fn clean_up(&mut self, keep_session: bool) {
        if self.run.is_some() {
            return;
        }
        let Some(connection) = &mut self.connection else {
            return;
        };
        let mut message = Message::default();
        if in_transaction(connection).await {
            message.push(StepStage::Begin, "ROLLBACK");
        }
        if !keep_session {
            message.extend(StepStage::Begin, session::reset(&self.backend));
        }
        // The second attempt is for a late cancel request that hits the first.
        for _ in 0..2 {
            if message.send(connection, |_, _, _| {}).await.is_ok() {
                if !keep_session {
                    self.session = super::SessionState::default();
                }
                return;
            }
        }
        // A session in an unknown state is unusable.
        self.forget().await;
    }

    /// The error of a query, which may have shown that the connection is broken.
    pub(super) async fn trouble(&mut self, trouble: Trouble) -> DatabaseError {
        match trouble {
            Trouble::Ours(error) => error,
            Trouble::Theirs(error) => match error::from_server(&error) {
                Some(server) => {
                    let failure = error::failure(server, None);
                    error::at_stage(failure, StepStage::Record, &self.place, Vec::new())
                }
                None => self.lost(error::reason(&error)).await,
            },
        }
    }

    /// Handles a connection that was lost before COMMIT was sent. The server is asked to stop the
    /// old session, if it can be reached.
    pub(super) async fn lost(&mut self, reason: String) -> DatabaseError {
        let reason = self.verdict().unwrap_or(reason);
        let old = self.backend.clone();
        self.forget().await;
        if self.ensure().await.is_ok() {
            let deadline = Instant::now() + self.settings.connect_timeout;
            // A failure here cannot be handled further.
            let _ = self.outlive(&old, deadline).await;
        }
        DatabaseError::ConnectionLost(reason)
    }

    /// Handles a connection that was lost after COMMIT was sent: waits until the old session has
    /// ended, and checks whether `changes` are visible. The server is waited for as long as for any
    /// connection. Settings of a script in a kept session are lost, so its next statement must not
    /// run.
    pub(super) async fn settle(
        &mut self,
        changes: &[RecordChange],
        reason: String,
    ) -> Result<(), DatabaseError> {
        let reason = self.verdict().unwrap_or(reason);
        let old = self.backend.clone();
        let goes_on = self.session.entered && !changes.iter().any(ends_script);
        self.forget().await;
        let deadline = Instant::now() + self.settings.connect_timeout;
        let unknown = || DatabaseError::OutcomeUnknown(reason.clone());
        loop {
            match self.ensure().await {
                Ok(()) => match self.outlive(&old, deadline).await {
                    Ok(true) => break,
                    Ok(false) => return Err(unknown()),
                    Err(_) => self.forget().await,
                },
                Err(_) if Instant::now() < deadline => {}
                Err(_) => return Err(unknown()),
            }
            tokio::time::sleep(PAUSE).await;
        }
        // A step without changes leaves nothing to check.
        if changes.is_empty() {
            return Err(unknown());
        }
        match Records::observe(self, Detail::WithScripts).await {
            Ok(observed) if record::is_visible(changes, &observed) => match goes_on {
                true => Err(DatabaseError::SessionLost(reason)),
                false => Ok(()),
            },
            Ok(_) => Err(DatabaseError::ConnectionLost(reason)),
            Err(_) => Err(unknown()),
        }
    }

    /// The reason why this side ended the connection, if it did.
    pub(super) fn verdict(&self) -> Option<String> {
        self.watchdog.as_ref()?.verdict()
    }

    /// Drops the connection and everything tied to it.
    pub(super) async fn forget(&mut self) {
        self.watchdog = None;
        if let Some(connection) = self.connection.take() {
            // A broken connection cannot be closed cleanly.
            let _ = connection.close_hard().await;
        }
        self.hold = Hold::Nothing;
        self.session = super::SessionState::default();
        self.run = None;
    }

    /// See [`outlive`].
    async fn outlive(&mut self, old: &Backend, deadline: Instant) -> Result<bool, sqlx::Error> {
        match &mut self.connection {
            Some(connection) => outlive(connection, old, deadline).await,
            None => Ok(false),
        }
    }
}

/// Terminates session `old` and waits until it has ended; returns false if it does not end.
pub(super) async fn outlive(
    connection: &mut PgConnection,
    old: &Backend,
    deadline: Instant,
) -> Result<bool, sqlx::Error> {
    while is_alive(connection, old).await? {
        if Instant::now() > deadline {
            return Ok(false);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(true)
}

/// Whether the change is the last one of its script.
fn ends_script(change: &RecordChange) -> bool {
    matches!(
        change,
        RecordChange::Finish { .. } | RecordChange::Delete(_) | RecordChange::DeleteApplied(_)
    )
}

/// Whether a transaction is open, even a failed one. A message that cannot be parsed has not begun
/// one, and a ROLLBACK without a transaction would cause a warning.
async fn in_transaction(connection: &mut PgConnection) -> bool {
    let mut probe = Message::default();
    probe.push(StepStage::Begin, "SAVEPOINT migrator");
    match probe.send(connection, |_, _, _| {}).await {
        Ok(()) => true,
        Err(failed) => {
            let code = error::from_server(&failed.error).map(|server| server.code());
            code != Some("25P01")
        }
    }
}

/// Whether session `old` still exists; asks it to end.
async fn is_alive(connection: &mut PgConnection, old: &Backend) -> Result<bool, sqlx::Error> {
    let sql = format!(
        "{AS_LOGIN};\nSELECT pg_catalog.pg_terminate_backend(a.pid)::text FROM pg_catalog.pg_stat_activity AS a \
         WHERE a.pid = {} AND {STARTED} = {} AND a.pid <> pg_catalog.pg_backend_pid()",
        old.pid,
        literal(&old.started)
    );
    let found = rows(connection, &sql).await?;
    // False means that it ended between the two queries.
    let signalled = found
        .first()
        .map(|row| row.try_get::<String, _>(0))
        .transpose()?;
    Ok(signalled.as_deref() == Some("true"))
}
