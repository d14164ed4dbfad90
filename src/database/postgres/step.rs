//! Builds the messages of a step and sends them.

use std::time::Instant;

use sqlx::PgConnection;

#[cfg(feature = "cli")]
use super::trace::Tracer;
use super::{
    super::{BatchRecord, Progress, RecordRows, StatementDone, StepRequest, StepStage},
    backend::Backend,
    cancel::Running,
    lock::{self, Hold},
    mark::Marks,
    message::{Failed, Message, PINNED, Took, byte_of},
    record::{self, Began, IndexNames, Recorder},
    session::{self, Timeouts},
    version_table::VersionTable,
};
use crate::sql::{Statement, StatementKind};

/// The size in bytes from which a message is sent and another one started, since the server keeps
/// the parsed form of a whole message in memory.
const ENOUGH: usize = 1 << 20;

/// The number of statements above which they are not measured individually.
const MANY: usize = 1000;

/// The size in bytes of a chunk of COPY data.
const CHUNK: usize = 1 << 20;

/// The context in which a step runs.
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
    /// Observes each statement, if there is one.
    #[cfg(feature = "cli")]
    pub tracer: Option<&'a Tracer>,
}

/// Timeouts of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepTimeouts {
    /// The timeouts with which the session was opened, and which RESET restores.
    Usual(Timeouts),
    /// Other timeouts.
    Changed(Timeouts),
}

impl StepTimeouts {
    /// Commands that set the timeouts for a transaction if those of the session may differ, as
    /// after a script that `keeps` the session.
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
    /// The transaction consists of this step.
    Own,
    /// The transaction contains many steps.
    Run {
        /// The number of the transaction, if known.
        number: Option<&'a str>,
        /// Whether constraints may exist that [`session::DECLARED_CONSTRAINTS`] concerns.
        deferrable: bool,
    },
}

/// The reports about a running step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Telling {
    /// Whether to measure the time of each statement.
    pub times: bool,
    /// Whether to show other sessions which statement runs.
    pub marks: bool,
}

/// The guards that prevent a step from running where it must not.
#[derive(Clone, Copy)]
pub(super) enum Guard<'a> {
    /// In a session, only what is not known to hold is checked.
    Session(Hold),
    /// In a script, these commands replace the knowledge of a session.
    Script(&'a ScriptGuards),
}

/// The guards of a script, as commands.
pub(super) struct ScriptGuards {
    /// Takes the lock for the transaction.
    pub lock: String,
    /// Compares the state, or creates the version table.
    pub state: Vec<String>,
}

/// The reason why a step stopped.
pub(super) enum Stop {
    /// A command failed.
    Failed {
        failed: Failed,
        /// Whether the message contained the COMMIT.
        committing: bool,
    },
    /// The step was cancelled between two messages.
    Interrupted(StepStage),
}

/// An action of a step, in order.
pub(super) enum Action<'a> {
    /// Sends one message.
    Send(Message),
    /// Runs the statement with this index, with its COPY data.
    Copy(usize, &'a Statement),
}

impl Stepper<'_> {
    /// Runs the step. Without COPY and megabytes of SQL, this is one message.
    pub async fn run(
        &self,
        connection: &mut PgConnection,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), Stop> {
        #[cfg(feature = "cli")]
        if let Some(tracer) = self.tracer {
            return self.run_traced(connection, step, progress, tracer).await;
        }
        let began = Instant::now();
        let (mut actions, mut last) = self.actions(step);
        if self.backend.takes_one {
            actions.push(Action::Send(std::mem::take(&mut last)));
        }
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

    /// Runs a batch: its statement, and then the record of its rows, which is stored in `recorded`
    /// as well. This takes two messages, since the number of rows is known only to the client.
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
    pub(super) fn commits(&self) -> bool {
        self.transaction == Transaction::Own
    }

    pub(super) async fn send(
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
        let sent = match self.backend.takes_one {
            true => message.send_one_by_one(connection, done).await,
            false => message.send(connection, done).await,
        };
        sent.map_err(|failed| Stop::Failed { failed, committing })
    }

    pub(super) fn go_on(&self, stage: StepStage) -> Result<(), Stop> {
        if self.running.is_cancelled() {
            Err(Stop::Interrupted(stage))
        } else {
            Ok(())
        }
    }

    /// All actions of the step, in order.
    pub fn written<'a>(&self, step: &StepRequest<'a>) -> Vec<Action<'a>> {
        let (mut actions, mut last) = self.actions(step);
        last.append(&self.tail(step, Began::Transaction));
        actions.push(Action::Send(last));
        actions
    }

    /// The head and the statements: the actions to send first, and the start of the last message.
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
            self.push(&mut message, step, index);
            let sets = statement.kind == StatementKind::Session;
            if message.len() > ENOUGH || sets && session::may_change_lexing(text) {
                actions.push(Action::Send(std::mem::take(&mut message)));
            }
        }
        (actions, message)
    }

    /// Adds a statement that is no COPY.
    pub(super) fn push(&self, message: &mut Message, step: &StepRequest<'_>, index: usize) {
        let statement = &step.statements[index];
        let text = statement.text(step.text);
        if !self.telling.times || step.statements.len() > MANY {
            message.push(StepStage::Statement(index), text);
        } else {
            message.push_timed(StepStage::Statement(index), text);
        }
        if statement.kind == StatementKind::Session && session::may_change_encoding(text) {
            message.push(StepStage::Verify, "SET client_encoding TO 'UTF8'");
        }
    }

    /// BEGIN, settings and guards, and the number of statements that had to come before the guards.
    pub(super) fn head(&self, step: &StepRequest<'_>, marks: &Marks<'_>) -> (Message, usize) {
        let mut message = Message::default();
        let mut leading = 0;
        let begin = StepStage::Begin;
        if self.transaction == Transaction::Own {
            // A resumable script may have made read-only the default, which must not apply to its
            // progress.
            let write = if step.keep_session { "READ WRITE" } else { "" };
            message.push(begin, format!("BEGIN {} {write}", step.modes).trim_end());
            let statements = step.statements.iter().map(|one| one.text(step.text));
            for text in statements.take_while(|text| session::sets_transaction(text)) {
                message.push(StepStage::Statement(leading), text);
                leading += 1;
            }
        } else {
            // Earlier commands of the same transaction may have pinned the settings.
            message.extend(begin, self.backend.unpinned());
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
                // The session holds the lock, so this cannot fail. The script may release the lock
                // later.
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
            // The script's role may lack access to the table. Rolling back to the savepoint
            // restores that role.
            message.push(begin, "SAVEPOINT migrator");
            message.extend(begin, session::login_role(self.authorized));
            message.extend(begin, PINNED);
            message.extend(begin, guards);
            message.push(begin, "ROLLBACK TO SAVEPOINT migrator");
            message.push(begin, "RELEASE SAVEPOINT migrator");
        } else {
            message.extend(begin, PINNED);
            message.extend(begin, guards);
            message.extend(begin, self.backend.unpinned());
        }
    }

    /// Checks, the return to migrator's session settings, the record and COMMIT.
    pub(super) fn tail(&self, step: &StepRequest<'_>, began: Began) -> Message {
        let mut message = Message::default();
        let verify = StepStage::Verify;
        // This fails if the script has ended the transaction.
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
            // If the script has released the lock, the transaction's own hold on the key has kept
            // others out.
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

/// Runs a `COPY … FROM STDIN` with the data in the script.
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
    // A git checkout may have converted every LF to CRLF.
    let data = data.replace("\r\n", "\n");
    let sent = async {
        let mut copy = connection.copy_in_raw(text).await?;
        for chunk in data.as_bytes().chunks(CHUNK) {
            if running.is_cancelled() {
                break;
            }
            copy.send(chunk).await?;
        }
        // If cancelled, COPY fails now because of the server's cancel request, or right after
        // because of this error.
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
