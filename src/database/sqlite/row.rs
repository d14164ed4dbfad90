//! Converts rows of the version table and the log.

use std::{cell::Cell, fmt::Display, str::FromStr};

use chrono::{DateTime, Utc};

use super::{
    super::DatabaseError,
    value::{Present, Row, Value},
};
use crate::revision::{
    AppliedRepeatable, AppliedRevision, Direction, Interruption, LogRow, Partial, Row as TableRow,
    State, StoredScripts, Subject,
};

/// The columns of the version table in every layout, in the order of its definition.
pub(super) const COLUMNS: [&str; 22] = [
    "sequence",
    "revision",
    "kind",
    "message",
    "parents",
    "depends_on",
    "up_checksum",
    "down_checksum",
    "down_script",
    "state",
    "direction",
    "script",
    "statements_done",
    "statements_total",
    "statement_checksums",
    "error",
    "batch",
    "started_at",
    "applied_at",
    "duration_ms",
    "applied_by",
    "tool_version",
];

/// The column of up scripts, which layout 1 lacks. It is the last one, since SQLite reads all
/// columns before the one it needs.
pub(super) const UP_SCRIPT: &str = "up_script";

/// The columns of the log, in the order of its definition.
pub(super) const LOG_COLUMNS: [&str; 11] = [
    "sequence",
    "at",
    "event",
    "revision",
    "message",
    "outcome",
    "duration_ms",
    "actor",
    "tool_version",
    "error",
    "detail",
];

/// The columns of the table of progress, in the order of its definition.
pub(super) const PROGRESS_COLUMNS: [&str; 7] = [
    "revision",
    "direction",
    "statements_done",
    "statement_checksums",
    "error",
    "batch",
    "duration_ms",
];

/// Converts a row of the version table with the columns of [`COLUMNS`].
///
/// # Errors
/// The inconsistency, with the row.
pub(super) fn applied(table: &str, row: Present<'_>) -> Result<TableRow, DatabaseError> {
    let read = Reader::new(table, &COLUMNS, row);
    match read.one_of("kind", ["revision", "repeatable"], |kind| kind)? {
        "revision" => revision(&read).map(TableRow::Revision),
        _ => repeatable(&read).map(TableRow::Repeatable),
    }
}

fn repeatable(read: &Reader<'_>) -> Result<AppliedRepeatable, DatabaseError> {
    Ok(AppliedRepeatable {
        sequence: read.integer("sequence")?,
        id: read.parsed("revision")?,
        message: read.text("message")?.to_owned(),
        upon: read.list("parents")?,
        checksum: read.parsed("up_checksum")?,
        started_at: read.time("started_at")?,
        applied_at: read.time("applied_at")?,
        duration_ms: read.integer("duration_ms")?,
        applied_by: read.text("applied_by")?.to_owned(),
        tool_version: read.text("tool_version")?.to_owned(),
    })
}

fn revision(read: &Reader<'_>) -> Result<AppliedRevision, DatabaseError> {
    Ok(AppliedRevision {
        sequence: read.integer("sequence")?,
        revision: read.parsed("revision")?,
        message: read.text("message")?.to_owned(),
        parents: read.list("parents")?,
        depends_on: read.list("depends_on")?,
        up_checksum: read.parsed("up_checksum")?,
        down_checksum: read
            .optional("down_checksum")?
            .map(|text| read.parse("down_checksum", text))
            .transpose()?,
        down_script: read.optional("down_script")?.map(str::to_owned),
        state: state(read)?,
        started_at: read.time("started_at")?,
        applied_at: read
            .optional("applied_at")?
            .map(|text| read.parse_time("applied_at", text))
            .transpose()?,
        duration_ms: read.integer("duration_ms")?,
        applied_by: read.text("applied_by")?.to_owned(),
        tool_version: read.text("tool_version")?.to_owned(),
    })
}

/// Converts a row of the up script and the down script of `subject`.
pub(super) fn stored(subject: &Subject, row: Row) -> StoredScripts {
    let mut texts = row.into_iter().map(|value| match value {
        Value::Text(text) => Some(text.into()),
        _ => None,
    });
    StoredScripts {
        subject: subject.clone(),
        up: texts.next().flatten(),
        down: texts.next().flatten(),
    }
}

fn state(read: &Reader<'_>) -> Result<State, DatabaseError> {
    if read.one_of("state", ["applied", "partial"], |name| name)? == "applied" {
        return Ok(State::Applied);
    }
    let partial = Partial {
        direction: read.one_of(
            "direction",
            [Direction::Up, Direction::Down],
            Direction::as_str,
        )?,
        script: read.text("script")?.to_owned(),
        statements_done: read.count("statements_done")?,
        statements_total: read.count("statements_total")?,
        statements_digest: read.parsed("statement_checksums")?,
        interruption: read.optional("error")?.map(Interruption::from),
        batch: read
            .optional("batch")?
            .map(|text| read.parse("batch", text).map(Box::new))
            .transpose()?,
    };
    Ok(partial.into())
}

/// Converts a row of the log.
pub(super) fn log_row(table: &str, row: Present<'_>) -> Result<LogRow, DatabaseError> {
    let read = Reader::new(table, &LOG_COLUMNS, row);
    let optional = |column| read.optional(column).map(|text| text.map(str::to_owned));
    let subject = read
        .optional("revision")?
        .map(|text| read.parse::<Subject>("revision", text))
        .transpose()?;
    Ok(LogRow {
        sequence: read.integer("sequence")?,
        at: read.time("at")?,
        event: read.text("event")?.to_owned(),
        subject,
        message: optional("message")?,
        outcome: read.text("outcome")?.to_owned(),
        duration_ms: read.integer("duration_ms")?,
        actor: read.text("actor")?.to_owned(),
        tool_version: read.text("tool_version")?.to_owned(),
        error: optional("error")?,
        detail: optional("detail")?,
    })
}

/// Reads the columns of one row by name. An invalid value is an error that names the row.
struct Reader<'a> {
    table: &'a str,
    columns: &'a [&'a str],
    row: Present<'a>,
    /// The index of the last column read, since columns are read nearly in order.
    last: Cell<usize>,
}

impl<'a> Reader<'a> {
    fn new(table: &'a str, columns: &'a [&'a str], row: Present<'a>) -> Self {
        let last = Cell::new(0);
        Self {
            table,
            columns,
            row,
            last,
        }
    }

    fn value(&self, column: &str) -> Value<&'a str> {
        let last = self.last.get();
        let mut places = (last..self.columns.len()).chain(0..last);
        let Some(place) = places.find(|place| self.columns[*place] == column) else {
            return Value::Null;
        };
        self.last.set(place);
        self.row.get(place)
    }

    fn optional(&self, column: &str) -> Result<Option<&'a str>, DatabaseError> {
        match self.value(column) {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Integer(value) => Err(self.odd(column, value)),
            Value::Other(kind) => Err(self.odd(column, kind)),
        }
    }

    fn text(&self, column: &str) -> Result<&'a str, DatabaseError> {
        self.optional(column)?
            .ok_or_else(|| self.odd(column, "NULL"))
    }

    fn integer(&self, column: &str) -> Result<i64, DatabaseError> {
        match self.value(column) {
            Value::Integer(value) => Ok(value),
            Value::Null => Err(self.odd(column, "NULL")),
            Value::Text(text) => Err(self.odd(column, text)),
            Value::Other(kind) => Err(self.odd(column, kind)),
        }
    }

    fn count(&self, column: &str) -> Result<usize, DatabaseError> {
        let value = self.integer(column)?;
        usize::try_from(value).map_err(|_| self.odd(column, value))
    }

    fn parsed<T: FromStr>(&self, column: &str) -> Result<T, DatabaseError> {
        self.parse(column, self.text(column)?)
    }

    fn parse<T: FromStr>(&self, column: &str, text: &str) -> Result<T, DatabaseError> {
        text.parse().map_err(|_| self.odd(column, text))
    }

    fn list<T: FromStr>(&self, column: &str) -> Result<Vec<T>, DatabaseError> {
        let text = self.text(column)?;
        let items = text.split(',').filter(|_| !text.is_empty());
        items
            .map(|item| item.parse().map_err(|_| self.odd(column, text)))
            .collect()
    }

    fn time(&self, column: &str) -> Result<DateTime<Utc>, DatabaseError> {
        self.parse_time(column, self.text(column)?)
    }

    fn parse_time(&self, column: &str, text: &str) -> Result<DateTime<Utc>, DatabaseError> {
        DateTime::parse_from_rfc3339(text)
            .map(|time| time.with_timezone(&Utc))
            .map_err(|_| self.odd(column, text))
    }

    fn one_of<T: Copy, const N: usize>(
        &self,
        column: &str,
        values: [T; N],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, DatabaseError> {
        let text = self.text(column)?;
        let found = values.into_iter().find(|value| name(*value) == text);
        found.ok_or_else(|| self.odd(column, text))
    }

    fn odd(&self, column: &str, value: impl Display) -> DatabaseError {
        let row = match self.row.get(0) {
            Value::Integer(sequence) => format!("row {sequence}"),
            _ => "a row".to_owned(),
        };
        DatabaseError::NotAVersionTable {
            table: self.table.to_owned(),
            reason: format!("`{value}` makes no sense as {column} of {row}"),
        }
    }
}
