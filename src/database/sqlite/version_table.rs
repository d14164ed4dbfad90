//! The version table and its log: their definitions, and reading them.

use super::{
    super::{DatabaseError, Detail, Distrust},
    command::Command,
    connect::Connection,
    record::Times,
    row::{COLUMNS, LOG_COLUMNS, PROGRESS_COLUMNS, UP_SCRIPT, applied, log_row, stored},
    value::{Bind, Value},
};
pub(super) use crate::sql::in_quotes as quoted;
use crate::{
    revision::{LAYOUT, LogRow, Observed, StoredScripts, Subject},
    sql::mentions,
};

/// The names of the version table, its log, and the table of progress.
#[derive(Clone, Debug)]
pub(super) struct VersionTable {
    /// The configured name.
    pub name: String,
    /// The name with `_log`.
    pub log_name: String,
    /// The name with `_progress`.
    pub progress_name: String,
    /// The qualified and quoted table, for which no temporary or attached table can be substituted.
    pub table: String,
    /// The qualified and quoted log.
    pub log: String,
    /// The qualified and quoted table of progress of scripts that run statement by statement.
    /// SQLite rewrites a row as a whole, and that of the version table contains two scripts.
    pub progress: String,
}

impl VersionTable {
    /// The tables for a configured name.
    ///
    /// # Errors
    /// Fails when the name is invalid in SQLite.
    pub fn new(name: &str) -> Result<Self, DatabaseError> {
        let reason = if name.contains('.') {
            Some("SQLite has no schemas; the name must be without a dot")
        } else if name.is_empty() || name.contains('\0') {
            Some("it is not a name for a table")
        } else if name.to_ascii_lowercase().starts_with("sqlite_") {
            Some("names that begin with sqlite_ are SQLite's own")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(DatabaseError::NotAVersionTable {
                table: name.to_owned(),
                reason: reason.to_owned(),
            });
        }
        let log_name = format!("{name}_log");
        let progress_name = format!("{name}_progress");
        Ok(Self {
            table: format!("main.{}", quoted(name)),
            log: format!("main.{}", quoted(&log_name)),
            progress: format!("main.{}", quoted(&progress_name)),
            name: name.to_owned(),
            log_name,
            progress_name,
        })
    }

    /// Reads the version table; a missing one is an empty state.
    pub fn observe(
        &self,
        connection: &mut Connection,
        detail: Detail,
    ) -> Result<Observed, DatabaseError> {
        connection.in_snapshot(|connection| {
            let Some(layout) = self.layout(connection)? else {
                return Ok(Observed::default());
            };
            // The table of progress is empty unless a script is partially applied, so this single
            // query saves one per row.
            let any = format!("SELECT 1 FROM {} LIMIT 1", self.progress);
            let has_progress = layout >= 2 && !connection.query(&any, &[])?.is_empty();
            let sql = self.query(has_progress, detail);
            let mut observed = Ok(Observed::of([], layout));
            connection.for_each(&sql, |row| {
                match (&mut observed, applied(&self.name, row)) {
                    (Ok(observed), Ok(row)) => observed.add(row),
                    (Ok(_), Err(error)) => observed = Err(error),
                    (Err(_), _) => {}
                }
            })?;
            observed
        })
    }

    /// A query for all rows, with the columns of [`COLUMNS`].
    pub fn query(&self, has_progress: bool, detail: Detail) -> String {
        let columns = COLUMNS.map(|column| {
            let own = format!("t.{}", quoted(column));
            match column {
                "down_script" if detail == Detail::Brief => "NULL".to_owned(),
                "duration_ms" if has_progress => format!("{own} + coalesce(p.{column}, 0)"),
                "statements_done" | "statement_checksums" | "error" | "batch" if has_progress => {
                    format!("CASE WHEN p.revision IS NULL THEN {own} ELSE p.{column} END")
                }
                _ => own,
            }
        });
        let progress = if has_progress {
            format!(
                " LEFT JOIN {} AS p ON t.state = 'partial' AND p.revision = t.revision",
                self.progress
            )
        } else {
            String::new()
        };
        format!(
            "SELECT {} FROM {} AS t{progress} ORDER BY t.sequence",
            columns.join(", "),
            self.table
        )
    }

    /// Reads the stored scripts of the rows of `subjects`.
    pub fn scripts(
        &self,
        connection: &mut Connection,
        subjects: &[Subject],
    ) -> Result<Vec<StoredScripts>, DatabaseError> {
        connection.in_snapshot(|connection| {
            let up = match self.layout(connection)? {
                None => return Ok(Vec::new()),
                Some(1) => "NULL",
                Some(_) => UP_SCRIPT,
            };
            let sql = format!(
                "SELECT {up}, down_script FROM {} WHERE revision = ?1",
                self.table
            );
            let mut scripts = Vec::new();
            for subject in subjects {
                let rows = connection.query(&sql, &[Bind::Text(subject.as_str())])?;
                scripts.extend(rows.into_iter().map(|row| stored(subject, row)));
            }
            Ok(scripts)
        })
    }

    /// Reads the log; a missing one is empty.
    pub fn read_log(&self, connection: &mut Connection) -> Result<Vec<LogRow>, DatabaseError> {
        connection.in_snapshot(|connection| {
            if self.layout(connection)?.is_none() {
                return Ok(Vec::new());
            }
            let columns = LOG_COLUMNS.map(quoted).join(", ");
            let sql = format!("SELECT {columns} FROM {} ORDER BY sequence", self.log);
            let mut log = Vec::new();
            connection.for_each(&sql, |row| log.push(log_row(&self.log_name, row)))?;
            log.into_iter().collect()
        })
    }

    /// Creates missing tables and upgrades those of an older layout. Writes nothing if they are up
    /// to date.
    pub fn prepare(&self, connection: &mut Connection, actor: &str) -> Result<(), DatabaseError> {
        let layout = connection.in_snapshot(|connection| self.layout(connection))?;
        if layout == Some(LAYOUT) {
            return Ok(());
        }
        connection.in_transaction_of_its_own(|connection| {
            let commands = match self.layout(connection)? {
                Some(LAYOUT) => return Ok(()),
                Some(_) => {
                    if self.columns(connection, &self.progress_name)?.is_some() {
                        let name = &self.progress_name;
                        return Err(
                            self.not_a_version_table(format!("a table {name} already exists"))
                        );
                    }
                    self.upgrade()
                }
                None => self.definitions(),
            };
            for sql in commands {
                connection.write(&sql, &[])?;
            }
            Command::layout(self, actor).run(&mut connection.writer(), &Times::now())
        })
    }

    /// Checks the highest sequence, which is 0 if nothing is applied.
    ///
    /// # Errors
    /// [`DatabaseError::StateChanged`] when the sequence is another one.
    pub fn expect(&self, connection: &mut Connection, expected: i64) -> Result<(), DatabaseError> {
        let sql = format!(
            "SELECT sequence FROM {} ORDER BY sequence DESC LIMIT 1",
            self.table
        );
        let found = connection.integer(&sql)?.unwrap_or_default();
        if found == expected {
            return Ok(());
        }
        Err(DatabaseError::StateChanged {
            reason: format!("its last sequence is {found} and was to be {expected}"),
        })
    }

    /// Whether `text` could refer to one of the tables.
    pub fn may_be_meant(&self, text: &str) -> bool {
        // Quoted names can be written in several ways.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !self.name.chars().all(is_plain) || mentions(text, &self.name)
    }

    /// Whether a view, a trigger or a table refers to one of the tables.
    pub fn is_used_by_others(&self, connection: &mut Connection) -> Result<bool, DatabaseError> {
        let sql = "SELECT 1 FROM main.sqlite_schema WHERE instr(lower(sql), lower(?1)) > 0
             AND lower(name) NOT IN (lower(?1), lower(?2), lower(?3)) LIMIT 1";
        let names = [&self.name, &self.log_name, &self.progress_name];
        let binds = names.map(|name| Bind::Text(name));
        Ok(!connection.query(sql, &binds)?.is_empty())
    }

    /// The layout version; `None` if neither table exists.
    fn layout(&self, connection: &mut Connection) -> Result<Option<u32>, DatabaseError> {
        let table = self.columns(connection, &self.name)?;
        let log = self.columns(connection, &self.log_name)?;
        let (table, log) = match (table, log) {
            (None, None) => return Ok(None),
            (Some(table), Some(log)) => (table, log),
            (Some(_), None) => {
                let reason = format!("its log {} is missing", self.log_name);
                return Err(self.not_a_version_table(reason));
            }
            (None, Some(_)) => {
                let reason = format!("its log {} is there, the table is not", self.log_name);
                return Err(self.not_a_version_table(reason));
            }
        };
        // This comes before checking the other columns, which may differ in a newer layout.
        require(&self.log_name, &log, &["sequence", "event", "detail"])?;
        let logged = self.logged_layout(connection)?;
        if let Some(found) = logged.filter(|layout| *layout > LAYOUT) {
            return Err(DatabaseError::NewerLayout {
                table: self.name.clone(),
                found,
                known: LAYOUT,
            });
        }
        require(&self.name, &table, &COLUMNS)?;
        require(&self.log_name, &log, &LOG_COLUMNS)?;
        // Old rows of the log may be deleted, so the columns tell the layout.
        let layout = if has(&table, UP_SCRIPT) { 2 } else { 1 };
        if logged == Some(LAYOUT) {
            require(&self.name, &table, &[UP_SCRIPT])?;
        }
        if layout >= 2 {
            let Some(progress) = self.columns(connection, &self.progress_name)? else {
                let reason = format!("its table {} is missing", self.progress_name);
                return Err(self.not_a_version_table(reason));
            };
            require(&self.progress_name, &progress, &PROGRESS_COLUMNS)?;
        }
        Ok(Some(layout))
    }

    /// The layout in the latest log entry of the event `layout`; `None` if there is none.
    fn logged_layout(&self, connection: &mut Connection) -> Result<Option<u32>, DatabaseError> {
        let sql = format!(
            "SELECT detail FROM {} WHERE event = 'layout' ORDER BY sequence DESC LIMIT 1",
            self.log
        );
        let rows = connection.query(&sql, &[])?;
        let detail = match rows.first().and_then(|row| row.first()) {
            None => return Ok(None),
            Some(Value::Text(text)) => text.parse().ok(),
            Some(Value::Integer(value)) => u32::try_from(*value).ok(),
            _ => None,
        };
        let layout = detail.filter(|layout| *layout > 0);
        layout.map(Some).ok_or_else(|| {
            self.not_a_version_table(format!("its log {} names no layout", self.log_name))
        })
    }

    /// The columns of one of the tables; `None` if it does not exist.
    fn columns(
        &self,
        connection: &mut Connection,
        name: &str,
    ) -> Result<Option<Vec<String>>, DatabaseError> {
        if !is_table(connection, name)? {
            return Ok(None);
        }
        let sql = format!("PRAGMA main.table_xinfo({})", quoted(name));
        let rows = connection.query(&sql, &[])?;
        let names = rows
            .into_iter()
            .filter_map(|row| match row.into_iter().nth(1) {
                Some(Value::Text(name)) => Some(name),
                _ => None,
            });
        Ok(Some(names.collect()))
    }

    fn not_a_version_table(&self, reason: String) -> DatabaseError {
        DatabaseError::NotAVersionTable {
            table: self.name.clone(),
            reason,
        }
    }

    /// The definitions have no AUTOINCREMENT, which would add a table `sqlite_sequence` to the
    /// user's schema.
    pub fn definitions(&self) -> Vec<String> {
        let table = format!(
            "CREATE TABLE {} (
    sequence INTEGER NOT NULL PRIMARY KEY CHECK (sequence > 0),
    revision TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('revision', 'repeatable')),
    message TEXT NOT NULL,
    parents TEXT NOT NULL,
    depends_on TEXT NOT NULL,
    up_checksum TEXT NOT NULL,
    down_checksum TEXT,
    down_script TEXT,
    state TEXT NOT NULL CHECK (state IN ('applied', 'partial')),
    direction TEXT CHECK (direction IN ('up', 'down')),
    script TEXT,
    statements_done INTEGER CHECK (statements_done BETWEEN 0 AND statements_total),
    statements_total INTEGER,
    statement_checksums TEXT,
    error TEXT,
    batch TEXT,
    started_at TEXT NOT NULL,
    applied_at TEXT,
    duration_ms INTEGER NOT NULL,
    applied_by TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    {UP_SCRIPT} TEXT,
    CHECK ((state = 'partial') = (direction IS NOT NULL)),
    CHECK ((state = 'partial') = (script IS NOT NULL)),
    CHECK ((state = 'partial') = (statements_done IS NOT NULL)),
    CHECK ((state = 'partial') = (statements_total IS NOT NULL)),
    CHECK ((state = 'partial') = (statement_checksums IS NOT NULL)),
    CHECK (state = 'partial' OR error IS NULL),
    CHECK (state = 'partial' OR batch IS NULL),
    CHECK (state = 'partial' OR applied_at IS NOT NULL)
)",
            self.table
        );
        let log = format!(
            "CREATE TABLE {} (
    sequence INTEGER NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    revision TEXT,
    message TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'failed')),
    duration_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    error TEXT,
    detail TEXT
)",
            self.log
        );
        vec![table, log, self.progress_definition()]
    }

    /// The commands that upgrade tables of layout 1.
    pub fn upgrade(&self) -> Vec<String> {
        let column = format!("ALTER TABLE {} ADD COLUMN {UP_SCRIPT} TEXT", self.table);
        vec![column, self.progress_definition()]
    }

    fn progress_definition(&self) -> String {
        format!(
            "CREATE TABLE {} (
    revision TEXT NOT NULL PRIMARY KEY,
    direction TEXT NOT NULL CHECK (direction IN ('up', 'down')),
    statements_done INTEGER NOT NULL CHECK (statements_done >= 0),
    statement_checksums TEXT NOT NULL,
    error TEXT,
    batch TEXT,
    duration_ms INTEGER NOT NULL
)",
            self.progress
        )
    }
}

/// Whether a table of that name exists.
///
/// # Errors
/// [`DatabaseError::Untrusted`] when the object with this name is not a table.
pub(super) fn is_table(connection: &mut Connection, name: &str) -> Result<bool, DatabaseError> {
    // SQLite answers this from its schema in memory; a SELECT would read all rows.
    let list = format!("PRAGMA main.table_list({})", quoted(name));
    let found = connection.query(&list, &[])?;
    let kind = match found.first().and_then(|row| row.get(2)) {
        None => return Ok(false),
        Some(Value::Text(kind)) if kind == "view" => "a view",
        Some(Value::Text(kind)) if kind == "virtual" => "a virtual table",
        Some(_) => return Ok(true),
    };
    Err(DatabaseError::Untrusted {
        table: name.to_owned(),
        reason: Distrust::Kind(kind),
    })
}

fn has(found: &[String], column: &str) -> bool {
    found.iter().any(|name| name.eq_ignore_ascii_case(column))
}

fn require(table: &str, found: &[String], wanted: &[&str]) -> Result<(), DatabaseError> {
    match wanted.iter().find(|column| !has(found, column)) {
        None => Ok(()),
        Some(missing) => Err(DatabaseError::NotAVersionTable {
            table: table.to_owned(),
            reason: format!("it has no column {missing}"),
        }),
    }
}
