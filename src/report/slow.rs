//! Text about finished, slow and running statements.

use super::{count, duration, shown};
use crate::execute::{EventKind, SlowStatement, StatementEnd, StatementRef};

/// The width for a statement if there is no terminal.
const COLUMNS: usize = 120;

/// The maximum number of lock holders below the live line.
const HOLDERS: usize = 3;

/// A finished statement, for `-v`: `    2 of 7  migrations/1_a.up.sql:12  3.0 ms  2 rows  INSERT …`
pub(super) fn ended(ended: &StatementEnd, columns: Option<u16>) -> String {
    let mut line = format!(
        "    {} of {}  {}:{}",
        ended.index + 1,
        ended.total,
        shown(&ended.step.file),
        ended.line
    );
    if let Some(elapsed) = ended.elapsed {
        line += &format!("  {}", duration(elapsed));
    }
    let rows = usize::try_from(ended.rows).unwrap_or(usize::MAX);
    line += &format!("  {}  ", count(rows, "row"));
    let columns = columns.map_or(COLUMNS, usize::from);
    let room = columns.saturating_sub(console::measure_text_width(&line));
    line += &start(ended.sql(), room);
    line.trim_end().to_owned()
}

/// The start of a statement, on one line of at most `columns`; empty if that is too short to be
/// useful.
fn start(statement: &str, columns: usize) -> String {
    if columns < 8 {
        return String::new();
    }
    // Limits the work for long statements; some of the text may be white space.
    let head: String = statement.chars().take(columns * 4).collect();
    let words: Vec<_> = head.split_whitespace().collect();
    console::truncate_str(&shown(&words.join(" ")), columns, "…").into_owned()
}

/// A slow statement: `migrations/1_a.up.sql:12 took 12.3 s (waited for …)`.
pub(super) fn took(slow: &SlowStatement) -> String {
    let verb = match (slow.has_failed, slow.is_at_most) {
        (false, false) => "took",
        (false, true) => "took up to",
        (true, false) => "failed after",
        (true, true) => "failed after up to",
    };
    let mut text = format!(
        "{} {verb} {}",
        place(&slow.statement),
        duration(slow.elapsed)
    );
    if !slow.waited_for.is_empty() {
        let waits = slow.waited_for.iter().map(ToString::to_string);
        let waits = waits.collect::<Vec<_>>().join("; then for ");
        text += &format!(" (waited for {waits})");
    }
    text
}

/// A running statement: `migrations/1_a.up.sql:12 runs for 2.00 s, waits for …`. The event must be
/// [`EventKind::StatementRuns`].
pub(super) fn runs(event: &EventKind) -> String {
    parts(event).join(", ")
}

/// A running statement below the live line. Each part and each lock holder is on a line of its own
/// that fits the width.
pub(super) fn live(event: &EventKind, columns: usize) -> String {
    let mut parts = parts(event);
    if let (Some(first), EventKind::StatementRuns { statement, .. }) = (parts.first_mut(), event) {
        // The time must be visible even if the file name is long.
        let file = shown(&statement.file);
        let taken = console::measure_text_width(&shown(first)) - console::measure_text_width(&file);
        let room = columns.saturating_sub(4 + taken);
        *first = first.replacen(&statement.file, &console::truncate_str(&file, room, "…"), 1);
    }
    if let EventKind::StatementRuns {
        waiting: Some(waiting),
        ..
    } = event
    {
        parts.pop();
        parts.push(format!("waits for {}", waiting.lock));
        let holders = waiting.holders.iter().take(HOLDERS);
        parts.extend(holders.map(|holder| format!("  held by {holder}")));
    }
    let lines = parts.into_iter().map(|part| {
        let line = shown(&format!("    {part}"));
        console::truncate_str(&line, columns, "…").into_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn parts(event: &EventKind) -> Vec<String> {
    let EventKind::StatementRuns {
        statement,
        elapsed,
        waiting,
        advance,
    } = event
    else {
        return Vec::new();
    };
    let runs = format!("{} runs for {}", place(statement), duration(*elapsed));
    let waits = waiting
        .as_ref()
        .map(|waiting| format!("waits for {waiting}"));
    let advance = advance.as_ref().map(ToString::to_string);
    [Some(runs), advance, waits].into_iter().flatten().collect()
}

fn place(source_span: &StatementRef) -> String {
    let mut place = format!("{}:{}", source_span.file, source_span.line);
    if source_span.last > source_span.first {
        place += &format!(
            " (statements {} to {})",
            source_span.first + 1,
            source_span.last + 1
        );
    }
    place
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        database::{Advance, Waiting},
        execute::StepRef,
        revision::{Direction, Subject},
    };

    fn source_span(first: usize, last: usize) -> StatementRef {
        StatementRef {
            subject: Subject::Revision("1".parse().unwrap()),
            file: "migrations/1_a.up.sql".to_owned(),
            line: 12,
            column: 1,
            first,
            last,
            total: 9,
        }
    }

    fn wait() -> Waiting {
        Waiting {
            lock: "AccessExclusiveLock on public.t".to_owned(),
            holders: vec!["psql (pid 7, ada@local): SELECT 1".to_owned()],
        }
    }

    #[test]
    fn statements_end_where_the_line_does() {
        let text = "SELECT 1;\nINSERT INTO t\n  VALUES (1, 'żółć')";
        let line = StatementEnd {
            step: Arc::new(StepRef {
                subject: Subject::Revision("1".parse().unwrap()),
                direction: Direction::Up,
                file: "m/1.up.sql".to_owned(),
            }),
            index: 1,
            total: 2,
            text: text.into(),
            span: 10..text.len(),
            line: 2,
            column: 1,
            rows: 1,
            elapsed: Some(Duration::from_millis(3)),
            error: None,
        };
        let check = |columns, expected: &str| {
            let shown = ended(&line, columns);
            assert_eq!(shown, expected);
            let width = console::measure_text_width(&shown);
            assert!(columns.is_none_or(|columns| width <= columns.into()));
        };
        let head = "    2 of 2  m/1.up.sql:2  3.0 ms  1 row";
        check(None, &format!("{head}  INSERT INTO t VALUES (1, 'żółć')"));
        check(Some(60), &format!("{head}  INSERT INTO t VALU…"));
        check(Some(44), head);
    }

    #[test]
    fn slow_ones_tell_what_they_waited_for() {
        let slow = SlowStatement {
            statement: source_span(2, 2),
            elapsed: Duration::from_millis(12_300),
            is_at_most: false,
            has_failed: false,
            waited_for: vec![wait()],
        };
        let waited = "(waited for AccessExclusiveLock on public.t, \
                      held by psql (pid 7, ada@local): SELECT 1)";
        assert_eq!(
            took(&slow),
            format!("migrations/1_a.up.sql:12 took 12.30 s {waited}")
        );
        let failed = SlowStatement {
            statement: source_span(2, 4),
            is_at_most: true,
            has_failed: true,
            waited_for: Vec::new(),
            ..slow
        };
        assert_eq!(
            took(&failed),
            "migrations/1_a.up.sql:12 (statements 3 to 5) failed after up to 12.30 s"
        );
    }

    #[test]
    fn what_runs_tells_how_far_it_is() {
        let event = EventKind::StatementRuns {
            statement: source_span(0, 0),
            elapsed: Duration::from_secs(2),
            waiting: Some(wait()),
            advance: Some(Advance {
                command: "CREATE INDEX".to_owned(),
                relation: Some("public.t".to_owned()),
                phase: "building index: scanning table".to_owned(),
                percent: Some(34),
            }),
        };
        let lines = live(&event, 59);
        let expected = [
            "    migrations/1_a.up.sql:12 runs for 2.00 s",
            "    CREATE INDEX on public.t: building index: scanning tab…",
            "    waits for AccessExclusiveLock on public.t",
            "      held by psql (pid 7, ada@local): SELECT 1",
        ];
        assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
        let narrow = live(&event, 30);
        assert!(
            narrow.starts_with("    migrat…:12 runs for 2.00 s\n"),
            "{narrow}"
        );
        assert!(runs(&event).starts_with("migrations/1_a.up.sql:12 runs for 2.00 s, CREATE INDEX"));
    }
}
