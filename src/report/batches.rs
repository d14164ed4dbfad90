//! The display of repeated statements.

use std::time::{Duration, Instant};

use super::duration;
use crate::{execute::BatchState, revision::Partial};

/// The time until the first line, if the live line cannot be redrawn.
const FIRST: Duration = Duration::from_secs(5);

/// Intervals between lines, each twice as long as the last.
#[derive(Debug)]
pub(super) struct Doubling {
    since: Instant,
    next: Duration,
}

impl Doubling {
    /// The first interval starts at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            next: FIRST,
        }
    }

    /// Whether a line is due.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since);
        if passed < self.next {
            return false;
        }
        while self.next <= passed {
            self.next *= 2;
        }
        true
    }
}

/// The text for a statement in progress. The number of rows in the table is no promise: many of
/// them may not be affected.
pub(super) fn going_on(state: &BatchState) -> String {
    let rows = match state.table_rows {
        Some(most) => format!("{} of at most {}", grouped(state.rows), rows(most)),
        None => rows(state.rows),
    };
    format!(
        "statement {}: {rows} in {}, {} rows/s",
        state.index + 1,
        batches(state.batches),
        grouped(state.rows_per_second),
    )
}

/// The text for a completed statement.
pub(super) fn total(state: &BatchState) -> String {
    format!(
        "statement {}: {} in {}, {}",
        state.index + 1,
        rows(state.rows),
        batches(state.batches),
        duration(state.elapsed),
    )
}

/// The text for a statement that stopped partway; `None` if there is no such statement.
pub(super) fn so_far(partial: &Partial) -> Option<String> {
    let batch = partial.batch.as_ref()?;
    Some(format!(
        "statement {} is repeated: {} in {} so far",
        partial.statements_done + 1,
        rows(batch.rows),
        batches(batch.batches),
    ))
}

fn rows(number: u64) -> String {
    let name = if number == 1 { "row" } else { "rows" };
    format!("{} {name}", grouped(number))
}

fn batches(number: u64) -> String {
    let name = if number == 1 { "batch" } else { "batches" };
    format!("{} {name}", grouped(number))
}

/// A number with separators, such as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_ever_more_rarely() {
        let start = Instant::now();
        let mut doubling = Doubling::new(start);
        let due: Vec<u64> = (0..100)
            .filter(|second| doubling.is_due(start + Duration::from_secs(*second)))
            .collect();
        assert_eq!(due, [5, 10, 20, 40, 80]);
        // After a long batch, the missed intervals are skipped.
        assert!(doubling.is_due(start + Duration::from_secs(1000)));
        assert!(!doubling.is_due(start + Duration::from_secs(1001)));
    }

    #[test]
    fn a_batch_is_told_without_a_promise() {
        let state = BatchState {
            index: 1,
            batches: 12,
            rows: 60_000,
            table_rows: Some(2_000_000),
            rows_per_second: 18_400,
            elapsed: Duration::from_millis(3260),
        };
        assert_eq!(
            going_on(&state),
            "statement 2: 60,000 of at most 2,000,000 rows in 12 batches, 18,400 rows/s"
        );
        assert_eq!(
            total(&state),
            "statement 2: 60,000 rows in 12 batches, 3.26 s"
        );
        let few = BatchState {
            batches: 1,
            rows: 1,
            table_rows: None,
            rows_per_second: 7,
            ..state
        };
        assert_eq!(going_on(&few), "statement 2: 1 row in 1 batch, 7 rows/s");
        assert_eq!(total(&few), "statement 2: 1 row in 1 batch, 3.26 s");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345, "12,345"),
            (123_456, "123,456"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
