//! A step as messages: building and sending them.

use std::time::Instant;

use sqlx::PgConnection;

use super::{
    super::{BatchRecord, Progress, RecordRows, StatementDone, StepRequest, StepStage},
    backend::Backend,
    cancel::Running,
    lock::{self, Hold},
    mark::Marks,
    message::{Failed, Message, PINNED, Took, UNPINNED, byte_of},
    record::{self, Began, IndexNames, Recorder},
    session::{self, Timeouts},
    version_table::VersionTable,
};
use crate::sql::{Statement, StatementKind};

/// Bytes after which a message is sent, with more to follow: the server keeps
/// the parsed form of a whole message in memory.
const ENOUGH: usize = 1 << 20;

/// Statements, above which it is not worth while to take the time of each one.
const MANY: usize = 1000;

/// Bytes of COPY data that are sent at a time.
const CHUNK: usize = 1 << 20;

/// What a step is run with.
pub(super) struct Stepper<'a> {
    pub table: &'a VersionTable,
    pub actor: &'a str,
    pub backend: &'a Backend,
    pub timeouts: StepTimeouts,
    pub transaction: Transaction<'a>,
    /// Whether the session may have another session user.
    pub authorized: bool,
    pub telling: Telling,
    pub guard: Guard<'a>,
    pub running: &'a Running,
}

/// Timeouts of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepTimeouts {
    /// Those that the session began with, and that RESET leads to.
    Usual(Timeouts),
    /// Others.
    Changed(Timeouts),
}

impl StepTimeouts {
    /// Commands that set them for a transaction where the session may have others: a script that
    /// `keeps` it may have made some.
    fn commands(self, keeps: bool) -> Vec<String> {
        match self {
            Self::Usual(_) if !keeps => Vec::new(),
            Self::Usual(timeouts) | Self::Changed(timeouts) => timeouts.commands("LOCAL").into(),
        }
    }
}

/// The transaction of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction<'a> {
    /// It begins and ends with the step.
    Own,
    /// It holds many steps.
    Run {
        /// Its number, where it is known.
        number: Option<&'a str>,
        /// Whether there may be constraints that [`session::DECLARED_CONSTRAINTS`] are for.
        deferrable: bool,
    },
}

/// What is reported about a step while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Telling {
    /// The time of each statement, to us.
    pub times: bool,
    /// Which statement runs, to other sessions.
    pub marks: bool,
}

/// What keeps a step from running where it must not.
#[derive(Clone, Copy)]
pub(super) enum Guard<'a> {
    /// What the session has no hold on is checked.
    Session(Hold),
    /// In a script these commands stand for what a session knows.
    Script(&'a ScriptGuards),
}

/// Commands that keep a script from running where it must not.
pub(super) struct ScriptGuards {
    /// Takes the lock's key for the transaction.
    pub lock: String,
    /// Compares the state, or makes the version table.
    pub state: Vec<String>,
}

/// Why a step stopped.
pub(super) enum Stop {
    /// Something failed.
    Failed {
        failed: Failed,
        /// Whether the message held the COMMIT.
        committing: bool,
    },
    /// Cancelled between two messages.
    Interrupted(StepStage),
}

/// What a step consists of, in order.
pub(super) enum Action<'a> {
    /// One message.
    Send(Message),
    /// Of the script's statements the one of this index, with its data.
    Copy(usize, &'a Statement),
}

impl Stepper<'_> {
    /// Runs the step. Without COPY and without megabytes of SQL that is one message.
    pub async fn run(
        &self,
        connection: &mut PgConnection,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        let (actions, mut last) = self.actions(step);
        let cut = !actions.is_empty();
        for action in &actions {
            match action {
                Action::Send(message) => {
                    self.send(connection, message, &mut *progress, false)
                        .await?;
                }
                Action::Copy(index, statement) => {
                    self.go_on(StepStage::Statement(*index))?;
                    let copied = copy(connection, step.text, *index, statement, self.running).await;
                    progress(copied?);
                }
            }
        }
        let began = match (self.transaction, cut) {
            (Transaction::Own, _) => Began::Transaction,
            (Transaction::Run { .. }, false) => Began::Message,
            (Transaction::Run { .. }, true) => Began::Before(began.elapsed()),
        };
        last.append(&self.tail(step, began));
        self.send(connection, &last, progress, self.commits()).await
    }

    /// Runs a batch: its statement, and once that has told its rows, the record, which goes into
    /// `recorded` as well. That is two messages: only the client is told the rows.
    pub async fn run_batch(
        &self,
        connection: &mut PgConnection,
        step: &StepRequest<'_>,
        record: RecordRows<'_>,
        recorded: &mut BatchRecord,
    ) -> Result<(), Stop> {
        let (mut actions, message) = self.actions(step);
        if !message.is_empty() {
            actions.push(Action::Send(message));
        }
        let mut rows = 0;
        let mut count = |done: StatementDone| rows = done.rows;
        for action in &actions {
            if let Action::Send(message) = action {
                self.send(connection, message, &mut count, false).await?;
            }
        }
        *recorded = record(rows);
        let step = StepRequest {
            changes: &recorded.changes,
            log: &recorded.log,
            ..*step
        };
        let last = self.tail(&step, Began::Transaction);
        self.send(connection, &last, &mut |_| {}, self.commits())
            .await
    }

    /// Whether COMMIT is the last command of the step.
    fn commits(&self) -> bool {
        self.transaction == Transaction::Own
    }

    async fn send(
        &self,
        connection: &mut PgConnection,
        message: &Message,
        progress: Progress<'_>,
        committing: bool,
    ) -> Result<(), Stop> {
        self.go_on(message.last_stage())?;
        let done = |stage, rows, took| {
            if let StepStage::Statement(index) = stage {
                let (elapsed, is_timed) = match took {
                    Took::Exactly(elapsed) => (elapsed, true),
                    Took::Answered(elapsed) => (elapsed, false),
                };
                progress(StatementDone {
                    index,
                    rows,
                    elapsed,
                    is_timed,
                });
            }
        };
        message
            .send(connection, done)
            .await
            .map_err(|failed| Stop::Failed { failed, committing })
    }

    fn go_on(&self, stage: StepStage) -> Result<(), Stop> {
        if self.running.is_cancelled() {
            Err(Stop::Interrupted(stage))
        } else {
            Ok(())
        }
    }

    /// All that the step does, in order.
    pub fn written<'a>(&self, step: &StepRequest<'a>) -> Vec<Action<'a>> {
        let (mut actions, mut last) = self.actions(step);
        last.append(&self.tail(step, Began::Transaction));
        actions.push(Action::Send(last));
        actions
    }

    /// Head and statements: what is sent first, and what the last message begins with.
    fn actions<'a>(&self, step: &StepRequest<'a>) -> (Vec<Action<'a>>, Message) {
        let mut actions = Vec::new();
        let marks = Marks::of(step, self.telling.marks);
        let (mut message, leading) = self.head(step, &marks);
        for (index, statement) in step.statements.iter().enumerate().skip(leading) {
            let text = statement.text(step.text);
            if index > leading
                && let Some(mark) = marks.before(index)
            {
                message.push_mark(StepStage::Statement(index), &mark);
            }
            if statement.kind == StatementKind::CopyIn {
                if !message.is_empty() {
                    actions.push(Action::Send(std::mem::take(&mut message)));
                }
                actions.push(Action::Copy(index, statement));
                continue;
            }
            if !self.telling.times || step.statements.len() > MANY {
                message.push(StepStage::Statement(index), text);
            } else {
                message.push_timed(StepStage::Statement(index), text);
            }
            let sets = statement.kind == StatementKind::Session;
            if sets && session::may_change_encoding(text) {
                message.push(StepStage::Verify, "SET client_encoding TO 'UTF8'");
            }
            if message.len() > ENOUGH || sets && session::may_change_lexing(text) {
                actions.push(Action::Send(std::mem::take(&mut message)));
            }
        }
        (actions, message)
    }

    /// BEGIN, settings and guards, and how many statements had to come before the guards.
    fn head(&self, step: &StepRequest<'_>, marks: &Marks<'_>) -> (Message, usize) {
        let mut message = Message::default();
        let mut leading = 0;
        let begin = StepStage::Begin;
        if self.transaction == Transaction::Own {
            // A resumable script may have made read-only the default, but not for its progress.
            let write = if step.keep_session { "READ WRITE" } else { "" };
            message.push(begin, format!("BEGIN {} {write}", step.modes).trim_end());
            let statements = step.statements.iter().map(|one| one.text(step.text));
            for text in statements.take_while(|text| session::sets_transaction(text)) {
                message.push(StepStage::Statement(leading), text);
                leading += 1;
            }
        } else {
            // What came before in the same transaction may have pinned them.
            message.extend(begin, UNPINNED);
        }
        if !step.keep_session {
            let timeouts = self.timeouts.commands(false);
            message.extend(begin, timeouts.iter().map(String::as_str));
        }
        let name = marks.first(leading);
        match self.guard {
            Guard::Script(guards) => {
                message.push(begin, &guards.lock);
                self.guard_state(&mut message, step, &guards.state);
            }
            Guard::Session(Hold::State) if !self.backend.pooled => {
                // The session holds the lock, so that this cannot fail; the script may give that away.
                let lock = lock::for_transaction(self.table.key);
                message.push(begin, &format!("SELECT {name}, {lock}"));
            }
            Guard::Session(_) => {
                message.push(begin, &format!("SELECT {name}"));
                message.push(begin, &record::lock_guard(self.table, self.backend.pid));
                let state_guard = record::state_guard(self.table, step.expects);
                self.guard_state(&mut message, step, &[state_guard]);
            }
        }
        (message, leading)
    }

    fn guard_state(&self, message: &mut Message, step: &StepRequest<'_>, guards: &[String]) {
        let begin = StepStage::Begin;
        let guards = guards.iter().map(String::as_str);
        if step.keep_session {
            // The script's role may not be allowed to read the table; rolling
            // back to the savepoint brings that role back.
            message.push(begin, "SAVEPOINT migrator");
            message.extend(begin, session::login_role(self.authorized));
            message.extend(begin, PINNED);
            message.extend(begin, guards);
            message.push(begin, "ROLLBACK TO SAVEPOINT migrator");
            message.push(begin, "RELEASE SAVEPOINT migrator");
        } else {
            message.extend(begin, PINNED);
            message.extend(begin, guards);
            message.extend(begin, UNPINNED);
        }
    }

    /// Checks, the return to our own session, record and COMMIT.
    fn tail(&self, step: &StepRequest<'_>, began: Began) -> Message {
        let mut message = Message::default();
        let verify = StepStage::Verify;
        // Fails when the script has ended the transaction.
        match self.transaction {
            Transaction::Run {
                number: Some(number),
                ..
            } => message.push(verify, &session::within(number)),
            _ => message.extend(verify, ["SAVEPOINT migrator", "RELEASE SAVEPOINT migrator"]),
        }
        message.push(verify, "SET CONSTRAINTS ALL IMMEDIATE");
        if let Transaction::Run {
            deferrable: true, ..
        } = self.transaction
        {
            message.extend(verify, session::DECLARED_CONSTRAINTS);
        }
        if step.keep_session {
            message.extend(verify, session::login_role(self.authorized));
        } else {
            message.extend(verify, session::reset(self.backend));
        }
        let recorder = Recorder {
            table: self.table,
            actor: self.actor,
            began,
            carried: step.carried,
            indexes: IndexNames::Known,
        };
        let record = StepStage::Record;
        message.extend(record, PINNED);
        if let Guard::Session(Hold::Lock | Hold::State) = self.guard {
            // Should the script have given it back: the transaction's own hold on the key lets
            // nobody else in before.
            message.push(record, &lock::again(self.table.key));
        }
        let timeouts = self.timeouts.commands(step.keep_session);
        message.extend(record, timeouts.iter().map(String::as_str));
        for command in recorder.commands(step.changes, step.log) {
            message.push(record, &command);
        }
        if self.commits() {
            message.push(StepStage::Commit, "COMMIT");
        }
        message
    }
}

/// Runs a `COPY … FROM STDIN` with the data that the script holds.
pub(super) async fn copy(
    connection: &mut PgConnection,
    script: &str,
    index: usize,
    statement: &Statement,
    running: &Running,
) -> Result<StatementDone, Stop> {
    let since = Instant::now();
    let text = statement.text(script);
    let data = statement.copy_data.clone().map_or("", |data| &script[data]);
    // A git checkout may have turned every LF into CRLF.
    let data = data.replace("\r\n", "\n");
    let sent = async {
        let mut copy = connection.copy_in_raw(text).await?;
        for chunk in data.as_bytes().chunks(CHUNK) {
            if running.is_cancelled() {
                break;
            }
            copy.send(chunk).await?;
        }
        // Cancelled, it fails now by the request that was sent to the server, or right after by ours.
        copy.finish().await
    };
    let rows = sent.await.map_err(|error| Stop::Failed {
        failed: copy_failed(index, text, error),
        committing: false,
    })?;
    if running.is_cancelled() {
        return Err(Stop::Interrupted(StepStage::Statement(index)));
    }
    Ok(StatementDone {
        index,
        rows,
        elapsed: since.elapsed(),
        is_timed: true,
    })
}

fn copy_failed(index: usize, text: &str, error: sqlx::Error) -> Failed {
    let character = super::error::from_server(&error).and_then(super::error::character);
    Failed {
        stage: StepStage::Statement(index),
        offset: character.and_then(|character| byte_of(text, character)),
        error,
    }
}
