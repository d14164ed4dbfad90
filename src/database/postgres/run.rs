//! Runs steps, single statements and migrator's own transactions on the connection.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    super::{
        BatchRecord, DatabaseError, Progress, RecordRows, SqlFailure, StatementDone, StepError,
        StepRequest, StepStage,
    },
    Postgres, SessionState, error, lock,
    message::{Failed, Message, PINNED, Took},
    options::ServerOptions,
    session::{self, Timeouts},
    step::{self, Guard, StepTimeouts, Stepper, Stop, Telling, Transaction},
    usual_timeouts,
};
use crate::{revision::RecordChange, sql::StatementKind};

/// The work of a step.
pub(super) enum Work<'a> {
    /// All statements run, with progress reports.
    Statements(Progress<'a>),
    /// The only statement runs, and its number of rows determines the record.
    Batch(RecordRows<'a>),
}

impl Postgres {
    /// Runs a step and restores the session afterwards.
    pub(super) async fn step(
        &mut self,
        step: &StepRequest<'_>,
        work: Work<'_>,
    ) -> Result<(), StepError> {
        let begin = |error| StepError {
            stage: StepStage::Begin,
            error,
        };
        self.check_modes(step.modes).map_err(begin)?;
        self.ensure_as_psql().await.map_err(begin)?;
        if step.keep_session {
            self.enter(step).await.map_err(begin)?;
        }
        self.note_user(step);
        self.layout = None;
        if self.run.is_some() {
            let mut texts = step.statements.iter().map(|one| one.text(step.text));
            self.deferrable = self.deferrable || texts.any(session::may_defer);
        }
        let mut recorded = BatchRecord::default();
        let is_batch = matches!(work, Work::Batch(_));
        self.running.begin();
        let (outcome, blockers) = self.drive(step, work, &mut recorded).await;
        let changes = if is_batch {
            &recorded.changes[..]
        } else {
            step.changes
        };
        let cancelled = self.running.end().await;
        // The lock is known to be held only after a completed step that renewed it.
        match &outcome {
            Ok(()) => self.hold.seen(),
            Err(_) => self.hold.doubt(),
        }
        if let Err(stop) = outcome {
            let keep = step.keep_session;
            self.stopped(stop, cancelled, blockers, changes, keep)
                .await?;
        }
        if !step.keep_session {
            self.session = SessionState::default();
        }
        if let Some(run) = &mut self.run {
            run.changes.extend_from_slice(changes);
        }
        Ok(())
    }

    /// Refuses transaction modes that a step cannot run with.
    pub(super) fn check_modes(&self, modes: &str) -> Result<(), DatabaseError> {
        check_modes(modes, self.run.is_some())
    }

    /// Makes migrator's settings for the session, once, so that later settings of the script are
    /// kept.
    pub(super) async fn enter(&mut self, step: &StepRequest<'_>) -> Result<(), DatabaseError> {
        if self.session.entered || self.run.is_some() {
            return Ok(());
        }
        let message = entering(step.label, self.timeouts(step));
        self.send_own(&message, None).await?;
        self.session.entered = true;
        Ok(())
    }

    /// Records whether the session's user may differ from now on.
    pub(super) fn note_user(&mut self, step: &StepRequest<'_>) {
        let mut texts = step.statements.iter().map(|one| one.text(step.text));
        self.session.authorized |= texts.any(session::may_change_user);
        let mut texts = step.statements.iter().map(|one| one.text(step.text));
        self.backend.takes_one |= texts.any(session::may_add_citus);
    }

    /// Runs a step. Also returns the sessions that blocked it, if they were seen.
    async fn drive(
        &mut self,
        step: &StepRequest<'_>,
        work: Work<'_>,
        recorded: &mut BatchRecord,
    ) -> (Result<(), Stop>, Vec<String>) {
        let timeouts = self.timeouts(step);
        let Some(connection) = &mut self.connection else {
            return (Err(no_connection()), Vec::new());
        };
        let stepper = Stepper {
            table: &self.table,
            actor: &self.settings.actor,
            backend: &self.backend,
            timeouts: if self.backend.pooled || timeouts != usual_timeouts(&self.settings) {
                StepTimeouts::Changed(timeouts)
            } else {
                StepTimeouts::Usual(timeouts)
            },
            transaction: match &self.run {
                Some(run) => Transaction::Run {
                    number: Some(&run.transaction),
                    deferrable: self.deferrable,
                },
                None => Transaction::Own,
            },
            authorized: self.session.authorized,
            telling: Telling {
                times: self.settings.statement_times,
                marks: self.settings.statement_marks,
            },
            guard: Guard::Session(self.hold),
            running: &self.running,
            #[cfg(feature = "cli")]
            tracer: self.tracer.as_ref(),
        };
        let work = async {
            match work {
                Work::Statements(progress) => stepper.run(connection, step, progress).await,
                Work::Batch(record) => stepper.run_batch(connection, step, record, recorded).await,
            }
        };
        watched(&self.options, self.backend.pid, timeouts.lock, work).await
    }

    /// Runs the one statement of `step` outside any transaction.
    pub(super) async fn alone(
        &mut self,
        step: &StepRequest<'_>,
    ) -> (Result<StatementDone, Stop>, Vec<String>) {
        let (Some(connection), [statement]) = (&mut self.connection, step.statements) else {
            return (Err(no_connection()), Vec::new());
        };
        let text = statement.text(step.text);
        let running = &*self.running;
        #[cfg(feature = "cli")]
        let tracer = self.tracer.as_ref();
        let work = async {
            #[cfg(feature = "cli")]
            if let Some(tracer) = tracer {
                tracer.before(connection).await?;
            }
            if statement.kind == StatementKind::CopyIn {
                return step::copy(connection, step.text, 0, statement, running).await;
            }
            let mut message = Message::default();
            message.push(StepStage::Statement(0), text);
            let mut finished = StatementDone {
                index: 0,
                rows: 0,
                elapsed: Duration::ZERO,
                is_timed: true,
            };
            let sent = message.send(connection, |_, rows, took| {
                let (Took::Exactly(elapsed) | Took::Answered(elapsed)) = took;
                finished = StatementDone {
                    rows,
                    elapsed,
                    ..finished
                };
            });
            sent.await.map_err(not_committing)?;
            if statement.kind == StatementKind::Session && session::may_change_encoding(text) {
                let mut message = Message::default();
                message.push(StepStage::Verify, "SET client_encoding TO 'UTF8'");
                let sent = message.send(connection, |_, _, _| {});
                sent.await.map_err(not_committing)?;
            }
            #[cfg(feature = "cli")]
            if let Some(tracer) = tracer {
                tracer.compare(connection, statement.span.start).await?;
            }
            Ok(finished)
        };
        // Blocking sessions are not reported if the wait is unlimited.
        let lock_timeout = step.lock_timeout.unwrap_or_default();
        watched(&self.options, self.backend.pid, lock_timeout, work).await
    }

    /// Converts `stop` to an error for a statement that ran alone.
    pub(super) async fn alone_stopped(
        &mut self,
        stop: Stop,
        cancelled: bool,
        blockers: Vec<String>,
    ) -> StepError {
        let stage = StepStage::Statement(0);
        let failed = match stop {
            Stop::Failed { failed, .. } => failed,
            Stop::Interrupted(_) => {
                let error = DatabaseError::Interrupted;
                return StepError { stage, error };
            }
        };
        let error = match error::from_server(&failed.error) {
            Some(server) if cancelled && error::is_cancel(server) => DatabaseError::Interrupted,
            Some(server) => {
                let failure = error::failure(server, failed.offset);
                error::at_stage(failure, stage, &self.place, blockers)
            }
            None => {
                // The statement commits by itself, at an unknown time.
                let reason = error::reason(&failed.error);
                let reason = self.verdict().unwrap_or(reason);
                self.lost(reason.clone()).await;
                DatabaseError::OutcomeUnknown(reason)
            }
        };
        StepError { stage, error }
    }

    /// Sets the session's lock_timeout to `to` if it is `from`, and not a value set by a script.
    pub(super) async fn swap_lock_timeout(
        &mut self,
        from: Duration,
        to: Duration,
    ) -> Result<(), DatabaseError> {
        let mut message = Message::default();
        let swap = session::lock_timeout_swap(from, to);
        message.push(StepStage::Begin, &format!("SELECT {swap}"));
        self.send_own(&message, None).await
    }

    /// Runs `commands` as the login role in one transaction, or as part of the current run.
    /// `changes` are the changes that they write to the version table.
    pub(super) async fn transaction(
        &mut self,
        commands: &[String],
        changes: &[RecordChange],
    ) -> Result<(), DatabaseError> {
        let alone = self.run.is_none();
        let authorized = self.session.authorized;
        let message = own_transaction(alone, authorized, self.usual_timeouts(), commands);
        self.send_own(&message, alone.then_some(changes)).await
    }

    /// Sends a message of migrator's own. If it contains a COMMIT, `committing` holds its changes.
    pub(super) async fn send_own(
        &mut self,
        message: &Message,
        committing: Option<&[RecordChange]>,
    ) -> Result<(), DatabaseError> {
        let Some(connection) = &mut self.connection else {
            return Err(DatabaseError::ConnectionLost("it was lost earlier".into()));
        };
        let Err(failed) = message.send(connection, |_, _, _| {}).await else {
            return Ok(());
        };
        let Some(server) = error::from_server(&failed.error) else {
            let reason = error::reason(&failed.error);
            return match committing {
                Some(changes) => self.settle(changes, reason).await,
                None => Err(self.lost(reason).await),
            };
        };
        let error = if error::is_cancel(server) && self.running.is_cancelled() {
            DatabaseError::Interrupted
        } else {
            let failure = error::failure(server, None);
            error::at_stage(failure, failed.stage, &self.place, Vec::new())
        };
        self.clean_up(self.session.entered).await;
        Err(error)
    }
}

/// Settings for the session.
pub(super) fn entering(label: &str, timeouts: Timeouts) -> Message {
    let mut message = Message::default();
    message.push(StepStage::Begin, &session::name_command(label));
    let timeouts = timeouts.commands("");
    message.extend(StepStage::Begin, timeouts.iter().map(String::as_str));
    message
}

/// `commands` as the login role; `alone` in a transaction of their own.
pub(super) fn own_transaction(
    alone: bool,
    authorized: bool,
    timeouts: Timeouts,
    commands: &[String],
) -> Message {
    let mut message = Message::default();
    let stage = StepStage::Record;
    if alone {
        message.push(StepStage::Begin, "BEGIN READ WRITE");
    }
    message.extend(stage, session::login_role(authorized));
    let timeouts = timeouts.commands("LOCAL");
    message.extend(stage, timeouts.iter().map(String::as_str));
    message.extend(stage, PINNED);
    message.extend(stage, commands.iter().map(String::as_str));
    if alone {
        message.push(StepStage::Commit, "COMMIT");
    }
    message
}

/// Refuses transaction modes that a step cannot run with, in a run or outside one.
pub(super) fn check_modes(modes: &str, in_run: bool) -> Result<(), DatabaseError> {
    let words: Vec<String> = modes
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    if words.windows(2).any(|pair| pair == ["READ", "ONLY"]) {
        return Err(DatabaseError::Sql(SqlFailure {
            code: Some("25006".into()),
            message: "the script asks for a READ ONLY transaction, \
                      in which it cannot be recorded"
                .into(),
            hint: Some("leave READ ONLY out".into()),
            ..SqlFailure::default()
        }));
    }
    let strict = |word: &String| word == "SERIALIZABLE" || word == "REPEATABLE";
    if in_run && words.iter().any(strict) {
        return Err(DatabaseError::Other(format!(
            "the script asks for a transaction of its own ({modes}), \
             which it cannot have where one transaction holds the whole run"
        )));
    }
    Ok(())
}

/// Awaits `work`, and looks up the blocking sessions if it takes long.
async fn watched<T>(
    options: &ServerOptions,
    pid: i32,
    lock_timeout: Duration,
    work: impl Future<Output = T>,
) -> (T, Vec<String>) {
    if lock_timeout.is_zero() {
        return (work.await, Vec::new());
    }
    let blockers = Mutex::new(Vec::new());
    let done = tokio::select! {
        biased;
        done = work => done,
        never = lock::watch(options, pid, lock_timeout, &blockers) => match never {},
    };
    let blockers = blockers
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    (done, blockers)
}

fn not_committing(failed: Failed) -> Stop {
    Stop::Failed {
        failed,
        committing: false,
    }
}

fn no_connection() -> Stop {
    not_committing(Failed {
        stage: StepStage::Begin,
        offset: None,
        error: sqlx::Error::Protocol("there is no connection to run it on".into()),
    })
}
