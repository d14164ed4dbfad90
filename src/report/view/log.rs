use std::time::Duration;

use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, history::rfc3339, object};
use crate::{
    ops::LogReport,
    report::{Style, duration},
    revision::{LogRow, Subject},
};

/// The event that stores slow statements in its detail.
const SLOW: &str = "slow";

/// The indentation of the details of an event.
const INDENT: &str = "    ";

impl View for LogReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if self.rows.is_empty() {
            return Page::of("The log is empty: migrator has not changed this database.");
        }
        let width = self.rows.iter().map(|row| id(row).len()).max();
        let width = width.unwrap_or(0).max("Revision".len());
        let head = format!(
            "{:<19}  {:<9}  {:<width$}  {:<7}  {:>9}  By",
            "When (UTC)", "Event", "Revision", "Outcome", "Took"
        );
        let mut page = Page::default();
        page.row(paint.paint(Style::Dim, head));
        // Slow statements belong to the event before them and are shown with it.
        let said = |row: &&LogRow| verbosity == Verbosity::Verbose || row.event != SLOW;
        for row in self.rows.iter().filter(said) {
            page.row(line(row, paint, width));
            for more in details(row, verbosity) {
                page.row(paint.paint(Style::Dim, format!("{INDENT}{more}")));
            }
        }
        page
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

/// The duration of a row; the log stores whole milliseconds.
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
    // An event that runs no script needs no duration.
    let took = match row.event.as_str() {
        "upgrade" | "downgrade" => took(row),
        _ => String::new(),
    };
    format!(
        "{}  {:<9}  {}  {}  {took:>9}  {}",
        row.at.format("%Y-%m-%d %H:%M:%S"),
        row.event,
        paint.paint(Style::Id, format!("{:<width$}", id(row))),
        paint.paint(style, format!("{:<7}", row.outcome)),
        row.actor,
    )
}

/// The details of a row. Errors are always shown, truncated to one line; the rest with `-v`.
fn details(row: &LogRow, verbosity: Verbosity) -> Vec<String> {
    let mut lines = Vec::new();
    if verbosity < Verbosity::Verbose {
        lines.extend(row.error.iter().map(|error| first_line(error)));
        return lines;
    }
    lines.extend(row.message.clone());
    match slow_statements(row) {
        Some(slow) => lines.extend(slow.iter().map(slow_line)),
        None => lines.extend(row.detail.clone()),
    }
    if let Some(error) = &row.error {
        lines.extend(error.lines().map(str::to_owned));
    }
    lines.push(format!("migrator {}", row.tool_version));
    lines
}

/// The slow statements stored in an event, if they can be parsed.
fn slow_statements(row: &LogRow) -> Option<Vec<Value>> {
    let detail = row.detail.as_deref().filter(|_| row.event == SLOW)?;
    serde_json::from_str(detail).ok()
}

/// A slow statement in the format of the run that recorded it.
fn slow_line(slow: &Value) -> String {
    let number = |key: &str| slow[key].as_u64().unwrap_or_default();
    let (first, last) = (number("statement"), number("last_statement"));
    let several = (last > first).then(|| format!(" (statements {first} to {last})"));
    let verb = match slow["outcome"].as_str() {
        Some("failed") => "failed after",
        _ => "took",
    };
    let up_to = slow["at_most"].as_bool().unwrap_or_default();
    let waits = slow["waited_for"].as_array();
    let waits: Vec<_> = waits
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let waited =
        (!waits.is_empty()).then(|| format!(" (waited for {})", waits.join("; then for ")));
    format!(
        "{}:{}{} {verb} {}{}{}",
        slow["file"].as_str().unwrap_or_default(),
        number("line"),
        several.unwrap_or_default(),
        if up_to { "up to " } else { "" },
        duration(Duration::from_millis(number("duration_ms"))),
        waited.unwrap_or_default(),
    )
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
        "detail": row.detail.as_ref().filter(|_| slow_statements(row).is_none()),
        "slow_statements": slow_statements(row),
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
        let view = LogReport { database, rows };
        view.human(Paint(false), verbosity).to_string()
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
    fn slow_statements_are_said_with_v() {
        let slow = r#"[{"file": "m/1.up.sql", "line": 2, "statement": 1, "last_statement": 1,
            "duration_ms": 1250, "at_most": false, "outcome": "ok",
            "waited_for": ["ShareLock on public.t"]}]"#;
        let row = LogRow {
            detail: Some(slow.to_owned()),
            message: None,
            ..row(SLOW, None)
        };
        assert_eq!(
            shown(vec![row.clone()], Verbosity::Normal).lines().count(),
            1
        );
        let text = shown(vec![row.clone()], Verbosity::Verbose);
        let line = text.lines().nth(2).unwrap().trim();
        assert_eq!(
            line,
            "m/1.up.sql:2 took 1.25 s (waited for ShareLock on public.t)"
        );
        let json = row_json(&row);
        assert_eq!(json["detail"], Value::Null);
        assert_eq!(json["slow_statements"][0]["duration_ms"], 1250);
        // A newer version may write other data.
        let odd = LogRow {
            detail: Some("else".to_owned()),
            ..row
        };
        assert!(shown(vec![odd], Verbosity::Verbose).contains("    else\n"));
    }

    #[test]
    fn everything_is_said_with_v() {
        let text = shown(vec![row("upgrade", Some("one\ntwo"))], Verbosity::Verbose);
        let lines: Vec<_> = text.lines().skip(2).map(str::trim).collect();
        assert_eq!(lines, ["Create users", "one", "two", "migrator 0.1.0"]);
    }
}
