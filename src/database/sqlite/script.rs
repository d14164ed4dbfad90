//! A script for the sqlite3 shell in place of a file.

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;

use super::{
    record::{Command, Field},
    version_table::{VersionTable, quoted},
};
use crate::{
    database::{
        Cancel, Database, DatabaseError, Detail, LockAttempt, Progress, ScriptHead, ScriptWriter,
        Settings, StepError, StepRequest, TableIndex,
        script::{Expected, Idle, part, premise, title},
    },
    revision::{LogEntry, LogRow, Observed, RecordChange},
    sql::{
        ConcurrentIndex, Dialect, SessionChange, StatementKind, for_shell, may_break_foreign_keys,
        session_change,
    },
};

/// The time as the tables write it.
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// When the transaction began.
const BEGAN: &str = "(SELECT began FROM temp.migrator_state)";

/// Rows without a parent: how many, by child, parent and columns.
const KEYS: &str = "SELECT lower(v.\"table\") AS child, lower(v.parent) AS parent,
    (SELECT group_concat(lower(l.\"from\"), ', ') FROM pragma_foreign_key_list(v.\"table\", 'main') AS l
     WHERE l.id = v.fkid) AS refs, count(*) AS found
    FROM pragma_foreign_key_check(NULL, 'main') AS v GROUP BY 1, 2, 3";

/// What is worse than it was.
const WORSE: &str =
    "AS now WHERE now.found > coalesce((SELECT old.found FROM temp.migrator_keys AS old
    WHERE old.child = now.child AND old.parent = now.parent AND old.refs = now.refs), 0)";

/// The shell's session as it began, as far as it matters to what follows. It can't be asked for
/// its pragmas and set them again, so these are SQLite's defaults.
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
    text: String,
    head: ScriptHead,
    settings: Settings,
    table: VersionTable,
    expected: Expected,
    in_run: bool,
    /// The violations before the first statement of a script that runs in several steps are kept.
    keeps_keys: bool,
    session: Session,
    /// The shell takes `"text"` for a text, as we do.
    lenient: bool,
    /// The shell lets a script write the schema's own table.
    trusting: bool,
    label: String,
}

/// What scripts have left in the session.
#[derive(Debug, Default)]
struct Session {
    touched: bool,
    /// Kinds and names of temporary objects.
    temporary: Vec<(&'static str, String)>,
    attached: Vec<String>,
}

impl SqliteScript {
    /// A script that has only begun.
    ///
    /// # Errors
    /// When the version table's name is none.
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
        })
    }

    fn command(&mut self, command: &str) {
        self.text.push_str(&for_shell(Dialect::Sqlite, command));
        self.text.push_str(";\n");
    }

    /// A script's own statement, which ends with a token and not with a comment: SQLite keeps its
    /// text up to the semicolon.
    fn statement(&mut self, statement: &str) {
        self.text.push_str(&for_shell(Dialect::Sqlite, statement));
        self.text.push_str(";\n");
    }

    /// Stops the script with the name of a constraint where `condition` does not hold after
    /// `command`.
    fn guard(&mut self, name: &str, command: Option<&str>, condition: &str) {
        let name = quoted(name);
        self.command(&format!(
            "CREATE TEMP TABLE migrator_guard (ok CONSTRAINT {name}\n    CHECK (coalesce(ok, 0)))"
        ));
        if let Some(command) = command {
            self.command(command);
        }
        self.command(&format!(
            "INSERT INTO temp.migrator_guard SELECT {condition}"
        ));
        self.command("DROP TABLE temp.migrator_guard");
    }

    fn begin_part(&mut self, label: &str) {
        if self.label != label {
            label.clone_into(&mut self.label);
            let _ = write!(self.text, "\n-- {label}\n");
        }
    }

    /// The shell is stricter than what migrator runs scripts with.
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
        let writes = |text: &str| text.to_ascii_lowercase().contains("writable_schema");
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

    /// Looks at the clock, and compares the state or makes the version table.
    fn enter(&mut self) {
        let premise = premise(&self.head);
        let name = self.table.name.clone();
        let tables = format!(
            "(SELECT count(*) FROM main.sqlite_schema WHERE lower(name) IN (lower({}), lower({})))",
            literal(&name),
            literal(&self.table.log_name)
        );
        if self.expected.table {
            if self.expected.all {
                let absent = format!("{premise}, but there is no version table {name}");
                self.guard(&absent, None, &format!("{tables} = 2"));
            }
            self.guard_state(&premise);
            return;
        }
        self.command(&format!(
            "CREATE TEMP TABLE migrator_state AS SELECT {NOW} AS began"
        ));
        let there =
            format!("{premise} and makes the version table {name}, but that is there already");
        self.guard(&there, None, &format!("{tables} = 0"));
        for sql in self.table.definitions() {
            self.command(&sql);
        }
        let layout = written(&Command::layout(&self.table, &self.settings.actor));
        self.command(&layout);
    }

    fn guard_state(&mut self, premise: &str) {
        let table = &self.table.table;
        let (count, last) = (self.expected.rows.len(), self.expected.last_sequence());
        let newest = self.expected.newest();
        let known = if self.expected.all {
            let marks: Vec<_> = self.expected.marks().map(|mark| literal(&mark)).collect();
            format!(
                "count(*) FILTER (WHERE state = 'applied' \
                 AND sequence || ':' || ltrim(revision, '0') IN ({}))",
                marks.join(", ")
            )
        } else {
            "count(*)".to_owned()
        };
        let state = format!(
            "CREATE TEMP TABLE migrator_state AS SELECT {NOW} AS began,
    coalesce((SELECT revision FROM {table} ORDER BY sequence DESC LIMIT 1), 'base') AS newest,
    coalesce(max(sequence), 0) AS last, count(*) AS applied, {known} AS known
    FROM {table}"
        );
        let is = format!(
            "(ltrim(newest, '0'), last, applied, known) = ({}, {last}, {count}, {count})",
            literal(newest.trim_start_matches('0'))
        );
        let planned = format!("{newest} ({count} applied, the last as number {last})");
        let told = format!(
            "SELECT {} || newest || ' (' || applied || ' applied, the last as number ' || last \
             || {}
    FROM temp.migrator_state WHERE NOT {is}",
            literal(&format!("{premise}, but the database is at ")),
            literal(&format!("), not at {planned}")),
        );
        let wrong = format!("{premise}, but the database is not at {planned}");
        self.command(&state);
        self.command(&told);
        self.guard(&wrong, None, &format!("{is} FROM temp.migrator_state"));
    }

    /// Keeps the violations that the foreign keys are compared with at the end. Returns whether
    /// this is where they are compared.
    fn keep_keys(&mut self, step: &StepRequest<'_>) -> bool {
        let mut texts = step.statements.iter().map(|one| one.text(step.text));
        let may_break = texts.any(|text| may_break_foreign_keys(Dialect::Sqlite, text));
        if may_break && !self.keeps_keys {
            self.command(&format!("CREATE TEMP TABLE migrator_keys AS {KEYS}"));
            self.keeps_keys = true;
        }
        let ends_script = step.changes.iter().any(|change| {
            matches!(
                change,
                RecordChange::Insert(_) | RecordChange::Delete(_) | RecordChange::Finish { .. }
            )
        });
        self.keeps_keys && ends_script
    }

    fn compare_keys(&mut self) {
        self.command(&format!(
            "SELECT 'without a parent in ' || parent || ': ' || found || ' of ' || child || ' (' || refs || ')' \
             FROM ({KEYS}) {WORSE}"
        ));
        let condition = format!("NOT EXISTS (SELECT 1 FROM ({KEYS}) {WORSE})");
        let name = format!(
            "{}: foreign keys are violated that were not before",
            self.label
        );
        self.guard(&name, None, &condition);
        self.command("DROP TABLE temp.migrator_keys");
        self.keeps_keys = false;
    }

    fn note(&mut self, kind: &StatementKind, text: &str) {
        self.session.touched |= !matches!(kind, StatementKind::Plain);
        match session_change(text) {
            Some(SessionChange::Temporary(kind, name)) => self.session.temporary.push((kind, name)),
            Some(SessionChange::Attach(name)) => self.session.attached.push(name),
            Some(SessionChange::Detach(name)) => self.session.attached.retain(|it| *it != name),
            None => {}
        }
    }

    /// Takes back what the scripts have left and a transaction can take back.
    fn restore(&mut self) {
        if std::mem::take(&mut self.session.touched) {
            for command in USUAL {
                self.command(command);
            }
        }
        // Last come, first gone: a trigger before its table.
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
            let command = written(&Command::change(&table, &actor, change));
            match change {
                // It fails by itself.
                RecordChange::Insert(_) | RecordChange::Begin(..) => self.command(&command),
                _ => self.guard(wrong, Some(&command), "changes() = 1"),
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

/// The command with its values in their places.
fn written(command: &Command<'_>) -> String {
    let mut text = String::new();
    let mut in_name = false;
    let mut rest = command.sql.chars().peekable();
    while let Some(c) = rest.next() {
        // A table's name may hold anything.
        in_name ^= c == '"';
        if c != '?' || in_name {
            text.push(c);
            continue;
        }
        let mut number = 0;
        while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
            number = number * 10 + digit as usize;
            rest.next();
        }
        text.push_str(&value(&command.fields[number - 1]));
    }
    text
}

fn value(field: &Field<'_>) -> String {
    match field {
        Field::Null => "NULL".to_owned(),
        Field::Integer(value) => value.to_string(),
        Field::Text(text) => literal(text),
        Field::Began => BEGAN.to_owned(),
        Field::Now => NOW.to_owned(),
        // The clock may have been set back meanwhile.
        Field::Duration => concat!(
            "(SELECT max(0, CAST(round((julianday('now') - julianday(began)) * 86400000) AS INTEGER)) \
             FROM temp.migrator_state)"
        )
        .to_owned(),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl ScriptWriter for SqliteScript {
    fn finish(self: Box<Self>) -> String {
        self.text
    }
}

#[async_trait]
impl Database for SqliteScript {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn place(&self) -> String {
        "a script".to_owned()
    }

    fn version_table(&self) -> String {
        self.settings.version_table.clone()
    }

    async fn observe(&mut self, _: Detail) -> Result<Observed, DatabaseError> {
        Ok(self.head.observed.clone())
    }

    async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn try_lock(&mut self) -> Result<LockAttempt, DatabaseError> {
        Ok(LockAttempt::Acquired)
    }

    async fn unlock(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    /// The tables are made by the first transaction, so that they never stand there empty.
    async fn prepare(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

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

    async fn record(
        &mut self,
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

    async fn indexes(&mut self, _: &ConcurrentIndex) -> Result<Vec<TableIndex>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn drop_index(&mut self, _: &str) -> Result<(), DatabaseError> {
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

    async fn rollback_run(&mut self) -> Result<(), DatabaseError> {
        self.in_run = false;
        Ok(())
    }

    fn canceller(&self) -> Arc<dyn Cancel> {
        Arc::new(Idle)
    }

    async fn close(self: Box<Self>) -> Result<(), DatabaseError> {
        Ok(())
    }
}
