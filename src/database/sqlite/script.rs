//! Writes scripts for the sqlite3 shell.

use std::{fmt::Write as _, time::Duration};

use async_trait::async_trait;

use super::{
    command::Command,
    script_guards::written,
    version_table::{VersionTable, quoted},
};
use crate::{
    database::{
        DatabaseError, Ledger, Progress, Runner, ScriptHead, ScriptWriter, Settings, StepError,
        StepRequest,
        script::{Expected, end, origin, part, part_title, title},
    },
    revision::{LogEntry, RecordChange},
    sql::{ConcurrentIndex, Dialect, SessionChange, StatementKind, for_shell, mentions},
};

/// The initial state of the shell's session, as far as it matters. The shell cannot read its
/// pragmas and set them again, so these are SQLite's defaults.
const USUAL: [&str; 9] = [
    "PRAGMA query_only = 0",
    "PRAGMA ignore_check_constraints = 0",
    "PRAGMA writable_schema = RESET",
    "PRAGMA legacy_alter_table = 0",
    "PRAGMA recursive_triggers = 0",
    "PRAGMA reverse_unordered_selects = 0",
    "PRAGMA defer_foreign_keys = 0",
    "PRAGMA trusted_schema = 1",
    "PRAGMA case_sensitive_like = 0",
];

/// Writes what a run does on SQLite.
pub struct SqliteScript {
    pub(super) text: String,
    pub(super) head: ScriptHead,
    pub(super) settings: Settings,
    pub(super) table: VersionTable,
    pub(super) expected: Expected,
    in_run: bool,
    /// Whether the violations before the first statement of a script with several steps are stored.
    pub(super) keeps_keys: bool,
    session: Session,
    /// Whether the shell accepts `"text"` as a string literal, as migrator does.
    lenient: bool,
    /// Whether the shell lets a script write to the schema table.
    trusting: bool,
    pub(super) label: String,
    /// The comment to write before the next statement of a script.
    origin: Option<String>,
}

/// The changes that scripts have made to the session.
#[derive(Debug, Default)]
struct Session {
    touched: bool,
    /// The kinds and names of temporary objects.
    temporary: Vec<(&'static str, String)>,
    attached: Vec<String>,
}

impl SqliteScript {
    /// Creates an empty script.
    ///
    /// # Errors
    /// Fails when the version table's name is invalid.
    pub fn new(settings: Settings, head: ScriptHead) -> Result<Self, DatabaseError> {
        let table = VersionTable::new(&settings.version_table)?;
        let mut text = title(&head, &table.name, "sqlite3 -bail DATABASE < FILE");
        let patience = settings.connect_timeout.as_millis();
        let _ = writeln!(text, ".bail on\n.timeout {patience}");
        Ok(Self {
            text,
            expected: Expected::new(&head.observed),
            head,
            settings,
            table,
            in_run: false,
            keeps_keys: false,
            session: Session::default(),
            lenient: false,
            trusting: false,
            label: String::new(),
            origin: None,
        })
    }

    pub(super) fn command(&mut self, command: &str) {
        self.text.push_str(&for_shell(Dialect::Sqlite, command));
        self.text.push_str(";\n");
    }

    /// A statement of a script. It ends with a token and not with a comment, since SQLite stores
    /// its text up to the semicolon.
    fn statement(&mut self, statement: &str) {
        self.text.extend(self.origin.take());
        self.text.push_str(&for_shell(Dialect::Sqlite, statement));
        self.text.push_str(";\n");
    }

    fn begin_part(&mut self, label: &str) {
        if self.label != label {
            label.clone_into(&mut self.label);
            self.text.push_str(&part_title(label));
            self.origin = origin(&self.head, label);
        }
    }

    /// Relaxes the shell, which is stricter than migrator.
    fn loosen(&mut self, step: &StepRequest<'_>) {
        self.begin_part(step.label);
        let texts = || step.statements.iter().map(|one| one.text(step.text));
        let settings = |shell: &mut String, names: &[&str]| {
            for name in names {
                let _ = writeln!(shell, ".dbconfig {name}");
            }
        };
        if !self.lenient && !self.in_run && texts().any(|text| text.contains('"')) {
            self.lenient = true;
            settings(&mut self.text, &["dqs_ddl on", "dqs_dml on"]);
        }
        let writes = |text: &str| mentions(text, "writable_schema");
        if !self.trusting && !self.in_run && texts().any(writes) {
            self.trusting = true;
            settings(&mut self.text, &["defensive off"]);
        }
    }

    fn begin(&mut self, modes: &str, foreign_keys: bool) {
        if self.session.touched {
            self.command(USUAL[0]);
            self.command(USUAL[1]);
        }
        self.command(&format!(
            "PRAGMA foreign_keys = {}",
            i32::from(foreign_keys)
        ));
        let exclusive = modes.trim().eq_ignore_ascii_case("exclusive");
        self.command(if exclusive {
            "BEGIN EXCLUSIVE"
        } else {
            "BEGIN IMMEDIATE"
        });
    }

    fn note(&mut self, kind: &StatementKind, text: &str) {
        self.session.touched |= !matches!(kind, StatementKind::Plain);
        match Dialect::Sqlite.session_change(text) {
            Some(SessionChange::Temporary(kind, name)) => self.session.temporary.push((kind, name)),
            Some(SessionChange::Attach(name)) => self.session.attached.push(name),
            Some(SessionChange::Detach(name)) => self.session.attached.retain(|it| *it != name),
            None => {}
        }
    }

    /// Reverts the session changes of scripts that can be reverted in a transaction.
    fn restore(&mut self) {
        if std::mem::take(&mut self.session.touched) {
            for command in USUAL {
                self.command(command);
            }
        }
        // Objects are dropped in reverse order: a trigger before its table.
        for (kind, name) in std::mem::take(&mut self.session.temporary)
            .into_iter()
            .rev()
        {
            self.command(&format!("DROP {kind} IF EXISTS temp.{}", quoted(&name)));
        }
    }

    fn detach(&mut self) {
        for name in std::mem::take(&mut self.session.attached) {
            self.command(&format!("DETACH {}", quoted(&name)));
        }
    }

    fn write(&mut self, changes: &[RecordChange], log: &[LogEntry]) {
        let (table, actor) = (self.table.clone(), self.settings.actor.clone());
        let wrong = "the record would not change exactly one row";
        for change in changes {
            // An insert fails by itself if its row exists.
            let fails = matches!(change, RecordChange::Insert(_) | RecordChange::Begin(..));
            for command in Command::of(&table, &actor, change) {
                let text = written(&command);
                if fails || !command.must_change_one() {
                    self.command(&text);
                } else {
                    self.guard(wrong, Some(&text), "changes() = 1");
                }
            }
        }
        for entry in log {
            let command = written(&Command::entry(&table, &actor, entry));
            self.command(&command);
        }
        self.command("DROP TABLE temp.migrator_state");
        self.expected.change(changes);
    }
}

#[async_trait]
impl ScriptWriter for SqliteScript {
    async fn mark(
        &mut self,
        mark: RecordChange,
        _: Option<&ConcurrentIndex>,
    ) -> Result<(), DatabaseError> {
        self.record(&[mark], &[]).await
    }

    fn finish(mut self: Box<Self>) -> String {
        self.text.push_str(&end(&self.head, self.label.is_empty()));
        self.text
    }
}

#[async_trait]
impl Ledger for SqliteScript {
    async fn record_after(
        &mut self,
        _: Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        if let Some(label) = part(&self.head, changes) {
            self.begin_part(&label);
        }
        if !self.in_run {
            self.command("BEGIN IMMEDIATE");
        }
        self.enter();
        self.write(changes, log);
        if !self.in_run {
            self.command("COMMIT");
        }
        Ok(())
    }
}

#[async_trait]
impl Runner for SqliteScript {
    async fn run_step(&mut self, step: &StepRequest<'_>, _: Progress<'_>) -> Result<(), StepError> {
        self.loosen(step);
        if !self.in_run {
            self.begin(step.modes, step.foreign_keys);
        }
        self.enter();
        let compares = self.keep_keys(step);
        for statement in step.statements {
            let text = statement.text(step.text);
            self.note(&statement.kind, text);
            self.statement(text);
        }
        if step.keep_session {
            if self.session.touched {
                self.command(USUAL[0]);
                self.command(USUAL[1]);
            }
        } else {
            self.restore();
        }
        if compares {
            self.compare_keys();
        }
        self.write(step.changes, step.log);
        if !self.in_run {
            self.command("COMMIT");
            if !step.keep_session {
                self.detach();
            }
        }
        Ok(())
    }

    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        _: Progress<'_>,
    ) -> Result<(), StepError> {
        self.loosen(step);
        for statement in step.statements {
            let text = statement.text(step.text);
            self.note(&statement.kind, text);
            self.statement(text);
        }
        Ok(())
    }

    async fn reset_session(&mut self) -> Result<(), DatabaseError> {
        self.restore();
        self.detach();
        self.command("PRAGMA foreign_keys = 0");
        if std::mem::take(&mut self.keeps_keys) {
            self.command("DROP TABLE temp.migrator_keys");
        }
        Ok(())
    }

    async fn begin_run(&mut self, foreign_keys: bool) -> Result<(), DatabaseError> {
        self.text
            .push_str("\n.dbconfig dqs_ddl on\n.dbconfig dqs_dml on\n.dbconfig defensive off\n");
        self.begin("", foreign_keys);
        self.in_run = true;
        Ok(())
    }

    async fn commit_run(&mut self) -> Result<(), DatabaseError> {
        self.in_run = false;
        self.command("COMMIT");
        self.detach();
        Ok(())
    }
}
