//! Writes scripts for psql.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    backend::Backend,
    index, lock, lookup,
    message::{Message, block, literal},
    record::{Began, IndexNames, Recorder},
    run::{check_modes, entering, own_transaction},
    script_guards::{USUAL_SCHEMA, refusal, taken},
    session::{self, Timeouts},
    step::{Action, Guard, StepTimeouts, Stepper, Telling, Transaction},
    usual_timeouts,
    version_table::{Presence, VersionTable},
};
use crate::{
    database::{
        DatabaseError, Ledger, Progress, Runner, ScriptHead, ScriptWriter, Settings, StepError,
        StepRequest, StepStage,
        script::{Expected, end, origin, part, part_title, title},
    },
    revision::{LogEntry, RecordChange},
    sql::{ConcurrentIndex, Dialect, Statement, StatementKind, for_shell},
};

/// psql reads the whole file as UTF-8, stops at the first error, commits only when the script does,
/// and prints nothing on success.
const HEAD: &str = "\
\\set ON_ERROR_STOP on
\\set ON_ERROR_ROLLBACK off
\\set AUTOCOMMIT on
\\set SINGLELINE off
\\set QUIET on
\\encoding UTF8
";

/// Writes what a run does on PostgreSQL.
pub struct PostgresScript {
    text: String,
    pub(super) head: ScriptHead,
    pub(super) settings: Settings,
    pub(super) table: VersionTable,
    pub(super) expected: Expected,
    backend: Backend,
    in_run: bool,
    /// Whether the session has the lock.
    locked: bool,
    /// Whether migrator's settings were made for the session.
    entered: bool,
    /// Whether a statement may have changed the session's user.
    authorized: bool,
    label: String,
    /// The comment to write before the next statement of a script.
    origin: Option<String>,
}

impl PostgresScript {
    /// Creates an empty script.
    ///
    /// # Errors
    /// Fails when the version table's name is invalid.
    pub fn new(settings: Settings, head: ScriptHead) -> Result<Self, DatabaseError> {
        let (schema, name) =
            lookup::split_name(&settings.version_table).map_err(DatabaseError::Other)?;
        let is_usual = schema.is_none();
        let schema = schema.unwrap_or_else(|| USUAL_SCHEMA.to_owned());
        let table = VersionTable::new(&schema, &name, Presence::Unknown);
        let session = &settings.session.clone();
        let mut script = Self {
            text: title(&head, &table.shown(), "psql -v ON_ERROR_STOP=1 -f FILE"),
            expected: Expected::new(&head.observed),
            head,
            settings,
            table,
            backend: Backend::of_script(session),
            in_run: false,
            locked: false,
            entered: false,
            authorized: false,
            label: String::new(),
            origin: None,
        };
        script.text.push_str(HEAD);
        let commands: Vec<_> = script.backend.settings.clone();
        for command in [session::ENCODING.to_owned()].iter().chain(&commands) {
            script.command(command);
        }
        if is_usual && !script.expected.table {
            let guard = script.path_guard();
            script.command(&guard);
        }
        Ok(script)
    }

    fn command(&mut self, command: &str) {
        self.text.push_str(command);
        self.text.push_str(";\n");
    }

    fn message(&mut self, message: &Message) {
        for (stage, command) in message.commands() {
            match stage {
                StepStage::Statement(_) => self.statement(command),
                _ => self.command(command),
            }
        }
    }

    /// A statement of a script, which ends with a token and not with a comment.
    fn statement(&mut self, statement: &str) {
        self.text.extend(self.origin.take());
        self.text.push_str(&for_shell(Dialect::Postgres, statement));
        self.text.push_str(";\n");
    }

    /// The data of a statement that reads data.
    fn copy_data(&mut self, data: &str) {
        self.text.push_str(&data.replace("\r\n", "\n"));
        self.text.push_str("\\.\n");
    }

    fn begin_part(&mut self, label: &str) {
        if self.label != label {
            label.clone_into(&mut self.label);
            self.text.push_str(&part_title(label));
            self.origin = origin(&self.head, label);
        }
    }

    fn timeouts(&self, step: &StepRequest<'_>) -> Timeouts {
        let usual = usual_timeouts(&self.settings);
        Timeouts {
            lock: step.lock_timeout.unwrap_or(usual.lock),
            statement: step.statement_timeout.unwrap_or(usual.statement),
        }
    }

    fn enter(&mut self, step: &StepRequest<'_>) {
        if !self.entered && !self.in_run {
            self.message(&entering(step.label, self.timeouts(step)));
            self.entered = true;
        }
    }

    fn note_user(&mut self, step: &StepRequest<'_>) {
        let mut texts = step.statements.iter().map(|one| one.text(step.text));
        self.authorized |= texts.any(session::may_change_user);
    }

    fn swap_lock_timeout(&mut self, from: Duration, to: Duration) {
        let swap = session::lock_timeout_swap(from, to);
        self.command(&block(&format!("BEGIN PERFORM {swap}; END")));
    }

    /// Takes the lock before statements that run outside any transaction, and keeps it until the
    /// end of their script.
    fn hold_lock(&mut self) {
        if !self.locked {
            self.command(&taken(&lock::for_session(self.table.key)));
            self.locked = true;
        }
    }

    /// The database cannot be queried here, so the script does it.
    fn note_indexes(&mut self, created: &ConcurrentIndex) {
        if let Some(condition) = index::is_in_the_way(created) {
            let name = created.name.as_deref().unwrap_or_default();
            let message = literal(&format!("an invalid index {name} already exists"));
            let hint =
                "drop it with DROP INDEX CONCURRENTLY, then continue with `migrator upgrade`";
            self.command(&refusal(&condition, &message, hint));
        }
        let note = index::note(created);
        self.command(&block(&format!("BEGIN PERFORM {note}; END")));
    }

    fn write_record(&mut self, changes: &[RecordChange], log: &[LogEntry], indexes: IndexNames) {
        if let Some(label) = part(&self.head, changes) {
            self.begin_part(&label);
        }
        let guards = self.guards();
        let recorder = Recorder {
            table: &self.table,
            actor: &self.settings.actor,
            began: Began::Transaction,
            carried: Duration::ZERO,
            indexes,
        };
        let mut commands = vec![guards.lock];
        commands.extend(guards.state);
        commands.extend(recorder.commands(changes, log));
        let timeouts = usual_timeouts(&self.settings);
        let message = own_transaction(!self.in_run, self.authorized, timeouts, &commands);
        self.message(&message);
        self.expected.change(changes);
    }
}

#[async_trait]
impl ScriptWriter for PostgresScript {
    async fn mark(
        &mut self,
        mark: RecordChange,
        created: Option<&ConcurrentIndex>,
    ) -> Result<(), DatabaseError> {
        self.hold_lock();
        let indexes = match created {
            Some(created) => {
                self.note_indexes(created);
                IndexNames::Noted
            }
            None => IndexNames::Known,
        };
        self.write_record(&[mark], &[], indexes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> String {
        self.text.push_str(&end(&self.head, self.label.is_empty()));
        self.text
    }
}

#[async_trait]
impl Ledger for PostgresScript {
    async fn record_after(
        &mut self,
        _: Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        self.write_record(changes, log, IndexNames::Known);
        Ok(())
    }
}

#[async_trait]
impl Runner for PostgresScript {
    async fn run_step(&mut self, step: &StepRequest<'_>, _: Progress<'_>) -> Result<(), StepError> {
        check_modes(step.modes, self.in_run).map_err(|error| StepError {
            stage: StepStage::Begin,
            error,
        })?;
        self.begin_part(step.label);
        if step.keep_session {
            self.enter(step);
        }
        self.note_user(step);
        let guards = self.guards();
        let stepper = Stepper {
            table: &self.table,
            actor: &self.settings.actor,
            backend: &self.backend,
            timeouts: StepTimeouts::Changed(self.timeouts(step)),
            transaction: if self.in_run {
                Transaction::Run {
                    number: None,
                    deferrable: true,
                }
            } else {
                Transaction::Own
            },
            authorized: self.authorized,
            telling: Telling::default(),
            guard: Guard::Script(&guards),
            running: &super::cancel::Running::default(),
            #[cfg(feature = "cli")]
            tracer: None,
        };
        for action in stepper.written(step) {
            match action {
                Action::Send(message) => self.message(&message),
                Action::Copy(_, statement) => {
                    self.statement(statement.text(step.text));
                    let data = statement.copy_data.clone();
                    self.copy_data(data.map_or("", |data| &step.text[data]));
                }
            }
        }
        self.expected.change(step.changes);
        if !step.keep_session {
            self.entered = false;
            self.authorized = false;
        }
        Ok(())
    }

    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        _: Progress<'_>,
    ) -> Result<(), StepError> {
        self.begin_part(step.label);
        // Statements that set the session are harmless without the lock.
        let sets = |statement: &Statement| statement.kind == StatementKind::Session;
        if !step.statements.iter().all(sets) {
            self.hold_lock();
        }
        self.enter(step);
        self.note_user(step);
        let patience = self.settings.lock_timeout;
        if step.lock_timeout.is_none() {
            self.swap_lock_timeout(patience, Duration::ZERO);
        }
        for statement in step.statements {
            let text = statement.text(step.text);
            self.statement(text);
            if statement.kind == StatementKind::CopyIn {
                let data = statement.copy_data.clone();
                self.copy_data(data.map_or("", |data| &step.text[data]));
            }
            if statement.kind == StatementKind::Session && session::may_change_encoding(text) {
                self.command(session::ENCODING);
            }
        }
        if step.lock_timeout.is_none() {
            self.swap_lock_timeout(Duration::ZERO, patience);
        }
        Ok(())
    }

    async fn reset_session(&mut self) -> Result<(), DatabaseError> {
        (self.entered, self.authorized) = (false, false);
        if std::mem::take(&mut self.locked) {
            let key = self.table.key;
            self.command(&block(&format!(
                "BEGIN PERFORM pg_catalog.pg_advisory_unlock({key}); END"
            )));
        }
        let commands: Vec<_> = session::reset(&self.backend).map(str::to_owned).collect();
        for command in commands {
            self.command(&command);
        }
        Ok(())
    }

    async fn begin_run(&mut self, _: bool) -> Result<(), DatabaseError> {
        let guards = self.guards();
        self.text.push('\n');
        self.command("BEGIN");
        self.command(&guards.lock);
        self.in_run = true;
        Ok(())
    }

    async fn commit_run(&mut self) -> Result<(), DatabaseError> {
        self.in_run = false;
        self.command("COMMIT");
        Ok(())
    }
}
