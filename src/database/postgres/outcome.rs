//! The outcome: failed steps, and connections that were lost.

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

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

impl Postgres {
    /// What `stop` means, after the session was restored: the transaction is gone, and so
    /// is session state, unless a run or `keep_session` says otherwise.
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
        // Once more, should a late cancel have hit it.
        for _ in 0..2 {
            if message.send(connection, |_, _, _| {}).await.is_ok() {
                if !keep_session {
                    self.session = super::SessionState::default();
                }
                return;
            }
        }
        // A session in an unknown state is of no use to anyone.
        self.forget().await;
    }

    /// An error of a question, which may have shown that the connection is broken.
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

    /// The connection broke before COMMIT was sent. What the server may still
    /// do for the old session is stopped, as far as it can be reached.
    pub(super) async fn lost(&mut self, reason: String) -> DatabaseError {
        let reason = self.verdict().unwrap_or(reason);
        let old = self.backend.clone();
        self.forget().await;
        if self.ensure().await.is_ok() {
            let deadline = Instant::now() + self.settings.connect_timeout;
            // Without success there is nothing more to be done about it.
            let _ = self.outlive(&old, deadline).await;
        }
        DatabaseError::ConnectionLost(reason)
    }

    /// The connection broke after COMMIT was sent: waits until the old session
    /// has come to its end, and looks whether `changes` are there. The server is
    /// waited for as long as for any connection. What a script has set in a session that was
    /// kept is not there any more, so that its next statement must not run.
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
        // A step without changes leaves nothing to look for.
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

    /// Why the connection was ended on our side, if it was.
    pub(super) fn verdict(&self) -> Option<String> {
        self.watchdog.as_ref()?.verdict()
    }

    /// Drops the connection, and what went with it.
    pub(super) async fn forget(&mut self) {
        self.watchdog = None;
        if let Some(connection) = self.connection.take() {
            // Of a broken connection nothing is left to be closed in good order.
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

/// Ends session `old` and waits until it is gone; false when it never goes.
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

/// Whether nothing of the script comes after it.
fn ends_script(change: &RecordChange) -> bool {
    matches!(
        change,
        RecordChange::Finish { .. } | RecordChange::Delete(_)
    )
}

/// Whether a transaction is open, be it a failed one. A message that does not parse has not even
/// begun one, and a ROLLBACK without any would be warned about.
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
    // False: it went between the two looks.
    let signalled = found
        .first()
        .map(|row| row.try_get::<String, _>(0))
        .transpose()?;
    Ok(signalled.as_deref() == Some("true"))
}
