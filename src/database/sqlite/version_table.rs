//! The version table and the log beside it: how they look, and reading them.

use super::{
    super::{DatabaseError, Detail, Distrust},
    command::Command,
    connect::Connection,
    record::Times,
    row::{COLUMNS, LOG_COLUMNS, applied, log_row},
    value::{Bind, Value},
};
use crate::{
    revision::{LogRow, Observed},
    sql::mentions,
};

/// The layout of the tables below. Older ones are brought up to date by `prepare`.
pub(super) const LAYOUT: u32 = 1;

/// Names of the version table and its log.
#[derive(Clone, Debug)]
pub(super) struct VersionTable {
    /// As configured.
    pub name: String,
    /// With `_log`.
    pub log_name: String,
    /// Qualified and quoted: no temporary or attached table can stand in for it.
    pub table: String,
    /// Likewise.
    pub log: String,
}

impl VersionTable {
    /// # Errors
    /// When SQLite has no such tables.
    pub fn new(name: &str) -> Result<Self, DatabaseError> {
        let reason = if name.contains('.') {
            Some("SQLite has no schemas; the name must be without a dot")
        } else if name.is_empty() || name.contains('\0') {
            Some("it is no name for a table")
        } else if name.to_ascii_lowercase().starts_with("sqlite_") {
            Some("names that begin with sqlite_ are SQLite's own")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(DatabaseError::Foreign {
                table: name.to_owned(),
                reason: reason.to_owned(),
            });
        }
        let log_name = format!("{name}_log");
        Ok(Self {
            table: format!("main.{}", quoted(name)),
            log: format!("main.{}", quoted(&log_name)),
            name: name.to_owned(),
            log_name,
        })
    }

    /// Reads the version table; without one, the state is empty.
    pub fn observe(
        &self,
        connection: &mut Connection,
        detail: Detail,
    ) -> Result<Observed, DatabaseError> {
        connection.in_snapshot(|connection| {
            let Some(layout) = self.layout(connection)? else {
                return Ok(Observed::default());
            };
            let columns = COLUMNS.map(|column| match (column, detail) {
                ("down_script", Detail::Brief) => "NULL".to_owned(),
                _ => quoted(column),
            });
            let sql = format!(
                "SELECT {} FROM {} ORDER BY sequence",
                columns.join(", "),
                self.table
            );
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

    /// Reads the log; without one, it is empty.
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

    /// Makes both tables where they are missing. Writes nothing where they are there.
    pub fn prepare(&self, connection: &mut Connection, actor: &str) -> Result<(), DatabaseError> {
        if connection
            .in_snapshot(|connection| self.layout(connection))?
            .is_some()
        {
            return Ok(());
        }
        connection.in_transaction_of_its_own(|connection| {
            if self.layout(connection)?.is_some() {
                return Ok(());
            }
            for sql in self.definitions() {
                connection.write(&sql, &[])?;
            }
            Command::layout(self, actor).run(&mut connection.writer(), &Times::now())
        })
    }

    /// # Errors
    /// [`DatabaseError::StateChanged`] when the highest sequence is another one; it is 0 when nothing
    /// is applied.
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

    /// Whether `text` could have one of the tables in it.
    pub fn may_be_meant(&self, text: &str) -> bool {
        // Names that are quoted may be written in several ways.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !self.name.chars().all(is_plain) || mentions(text, &self.name)
    }

    /// Whether there is a view, a trigger or a table with one of the tables in it.
    pub fn is_used_by_others(&self, connection: &mut Connection) -> Result<bool, DatabaseError> {
        let sql = "SELECT 1 FROM main.sqlite_schema WHERE instr(lower(sql), lower(?1)) > 0
             AND lower(name) NOT IN (lower(?1), lower(?2)) LIMIT 1";
        let binds = [Bind::Text(&self.name), Bind::Text(&self.log_name)];
        Ok(!connection.query(sql, &binds)?.is_empty())
    }

    /// The layout's version; `None` when there is neither table.
    fn layout(&self, connection: &mut Connection) -> Result<Option<u32>, DatabaseError> {
        let table = self.columns(connection, &self.name)?;
        let log = self.columns(connection, &self.log_name)?;
        let (table, log) = match (table, log) {
            (None, None) => return Ok(None),
            (Some(table), Some(log)) => (table, log),
            (Some(_), None) => {
                let reason = format!("its log {} is missing", self.log_name);
                return Err(self.foreign(reason));
            }
            (None, Some(_)) => {
                let reason = format!("its log {} is there, the table is not", self.log_name);
                return Err(self.foreign(reason));
            }
        };
        // Before the other columns: a newer layout may have others.
        require(&self.log_name, &log, &["sequence", "event", "detail"])?;
        let layout = self.logged_layout(connection)?;
        if layout > LAYOUT {
            return Err(DatabaseError::NewerLayout {
                table: self.name.clone(),
                found: layout,
                known: LAYOUT,
            });
        }
        require(&self.name, &table, &COLUMNS)?;
        require(&self.log_name, &log, &LOG_COLUMNS)?;
        Ok(Some(layout))
    }

    /// The latest row of event `layout` counts.
    fn logged_layout(&self, connection: &mut Connection) -> Result<u32, DatabaseError> {
        let sql = format!(
            "SELECT detail FROM {} WHERE event = 'layout' ORDER BY sequence DESC LIMIT 1",
            self.log
        );
        let rows = connection.query(&sql, &[])?;
        let detail = match rows.first().and_then(|row| row.first()) {
            Some(Value::Text(text)) => text.parse().ok(),
            Some(Value::Integer(value)) => u32::try_from(*value).ok(),
            _ => None,
        };
        detail
            .filter(|layout| *layout > 0)
            .ok_or_else(|| self.foreign(format!("its log {} names no layout", self.log_name)))
    }

    /// The columns of a table of ours; `None` when there is none.
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

    fn foreign(&self, reason: String) -> DatabaseError {
        DatabaseError::Foreign {
            table: self.name.clone(),
            reason,
        }
    }

    /// No AUTOINCREMENT, which would put a table `sqlite_sequence` into the user's schema.
    pub fn definitions(&self) -> [String; 2] {
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
        [table, log]
    }
}

/// Whether there is a table of that name.
///
/// # Errors
/// [`DatabaseError::Untrusted`] when what has the name is none.
pub(super) fn is_table(connection: &mut Connection, name: &str) -> Result<bool, DatabaseError> {
    let found = connection.query(
        "SELECT CASE WHEN type = 'view' THEN 'a view'
                     WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'a virtual table' END
         FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
        &[Bind::Text(name)],
    )?;
    let kind = match found.first().and_then(|row| row.first()) {
        None => return Ok(false),
        Some(Value::Text(kind)) if kind == "a view" => "a view",
        Some(Value::Text(_)) => "a virtual table",
        Some(_) => return Ok(true),
    };
    Err(DatabaseError::Untrusted {
        table: name.to_owned(),
        reason: Distrust::Kind(kind),
    })
}

/// A name between double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn require(table: &str, found: &[String], wanted: &[&str]) -> Result<(), DatabaseError> {
    match wanted
        .iter()
        .find(|column| !found.iter().any(|name| name.eq_ignore_ascii_case(column)))
    {
        None => Ok(()),
        Some(missing) => Err(DatabaseError::Foreign {
            table: table.to_owned(),
            reason: format!("it has no column {missing}"),
        }),
    }
}
