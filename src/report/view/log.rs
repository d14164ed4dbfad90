use std::time::Duration;

use serde_json::{Value, json};

use super::{Json, Paint, Verbosity, View, history::rfc3339, object};
use crate::{
    report::{Style, duration},
    revision::{LogRow, Subject},
};

/// `history --log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogView {
    /// The database.
    pub database: String,
    /// Newest first.
    pub rows: Vec<LogRow>,
}

/// Before the lines that say more of an event.
const INDENT: &str = "    ";

impl View for LogView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        if self.rows.is_empty() {
            return "The log is empty: migrator has changed nothing here yet.\n".to_owned();
        }
        let width = self.rows.iter().map(|row| id(row).len()).max();
        let width = width.unwrap_or(0).max("Revision".len());
        let head = format!(
            "{:<19}  {:<9}  {:<width$}  {:<7}  {:>9}  By",
            "When (UTC)", "Event", "Revision", "Outcome", "Took"
        );
        let mut text = format!("{}\n", paint.paint(Style::Dim, head));
        for row in &self.rows {
            text.push_str(&line(row, paint, width));
            for more in details(row, verbosity) {
                text.push_str(&format!("{INDENT}{}\n", paint.paint(Style::Dim, more)));
            }
        }
        text
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "log": self.rows.iter().map(row_json).collect::<Vec<_>>(),
        }))
    }
}

fn id(row: &LogRow) -> &str {
    row.subject.as_ref().map_or("", Subject::as_str)
}

/// The log knows whole milliseconds.
fn took(row: &LogRow) -> String {
    match u64::try_from(row.duration_ms).unwrap_or_default() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis => duration(Duration::from_millis(millis)),
    }
}

fn line(row: &LogRow, paint: Paint, width: usize) -> String {
    let style = if row.outcome == "ok" {
        Style::Good
    } else {
        Style::Bad
    };
    // What runs no script takes no time worth a word.
    let took = match row.event.as_str() {
        "upgrade" | "downgrade" => took(row),
        _ => String::new(),
    };
    format!(
        "{}  {:<9}  {}  {}  {took:>9}  {}\n",
        row.at.format("%Y-%m-%d %H:%M:%S"),
        row.event,
        paint.paint(Style::Id, format!("{:<width$}", id(row))),
        paint.paint(style, format!("{:<7}", row.outcome)),
        row.actor,
    )
}

/// Errors are always said, as far as one line goes; the rest with `-v`.
fn details(row: &LogRow, verbosity: Verbosity) -> Vec<String> {
    let mut lines = Vec::new();
    if verbosity < Verbosity::Verbose {
        lines.extend(row.error.iter().map(|error| first_line(error)));
        return lines;
    }
    lines.extend(row.message.clone());
    lines.extend(row.detail.clone());
    if let Some(error) = &row.error {
        lines.extend(error.lines().map(str::to_owned));
    }
    lines.push(format!("migrator {}", row.tool_version));
    lines
}

fn first_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    match lines.next() {
        Some(_) => format!("{first} …"),
        None => first.to_owned(),
    }
}

fn row_json(row: &LogRow) -> Value {
    json!({
        "sequence": row.sequence,
        "at": rfc3339(row.at),
        "event": row.event,
        "revision": row.subject.as_ref().map(Subject::as_str),
        "message": row.message,
        "outcome": row.outcome,
        "duration_ms": row.duration_ms,
        "actor": row.actor,
        "tool_version": row.tool_version,
        "error": row.error,
        "detail": row.detail,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn row(event: &str, error: Option<&str>) -> LogRow {
        LogRow {
            sequence: 1,
            at: DateTime::UNIX_EPOCH,
            event: event.to_owned(),
            subject: Some("20260101000001".parse().unwrap()),
            message: Some("Create users".to_owned()),
            outcome: if error.is_some() { "failed" } else { "ok" }.to_owned(),
            duration_ms: 1500,
            actor: "ada@engine".to_owned(),
            tool_version: "0.1.0".to_owned(),
            error: error.map(str::to_owned),
            detail: None,
        }
    }

    fn shown(rows: Vec<LogRow>, verbosity: Verbosity) -> String {
        let database = "sqlite:app.db".to_owned();
        LogView { database, rows }.human(Paint(false), verbosity)
    }

    #[test]
    fn an_event_is_a_line_and_its_error_another() {
        let rows = vec![
            row("upgrade", Some("no such table\nin two lines")),
            row("stamp", None),
        ];
        let expected = "\
When (UTC)           Event      Revision        Outcome       Took  By
1970-01-01 00:00:00  upgrade    20260101000001  failed      1.50 s  ada@engine
    no such table …
1970-01-01 00:00:00  stamp      20260101000001  ok                  ada@engine
";
        assert_eq!(shown(rows, Verbosity::Normal), expected);
    }

    #[test]
    fn everything_is_said_with_v() {
        let text = shown(vec![row("upgrade", Some("one\ntwo"))], Verbosity::Verbose);
        let lines: Vec<_> = text.lines().skip(2).map(str::trim).collect();
        assert_eq!(lines, ["Create users", "one", "two", "migrator 0.1.0"]);
    }
}
