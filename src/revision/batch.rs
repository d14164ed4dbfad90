//! Statements that are repeated until they change no row: their directive and their progress.

use std::{fmt, str::FromStr, time::Duration};

use super::{Checksum, ProblemKind, parse_duration};
use crate::nearest::nearest;

/// The name of the directive, after `migrator:`.
pub(super) const BATCH: &str = "batch";

/// The rate at which a statement is repeated, and its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// `pause`: time between two batches.
    pub pause: Duration,
    /// `max-rows-per-second`
    pub max_rows_per_second: Option<u64>,
    /// `max-batches`: the maximum number of batches in one run of migrator.
    pub max_batches: Option<u64>,
    /// `max-lag`: how far a replica may lag behind when a batch begins.
    pub max_lag: Option<Duration>,
}

/// A directive in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchDirective {
    /// Byte offset of its comment.
    pub start: usize,
    /// One past the comment's last byte.
    pub end: usize,
    /// The pace set by its options.
    pub pace: Pace,
}

/// An option of the directive.
struct Setting {
    name: &'static str,
    expected: &'static str,
    set: fn(&mut Pace, &str) -> Option<()>,
}

const DURATION: &str = "expected a duration such as `50ms`, `5s` or `1min`";
const COUNT: &str = "expected a positive integer";

#[rustfmt::skip]
const OPTIONS: &[Setting] = &[
    Setting { name: "pause", expected: DURATION, set: |pace, text| { pace.pause = parse_duration(text)?; Some(()) } },
    Setting { name: "max-rows-per-second", expected: COUNT, set: |pace, text| put(&mut pace.max_rows_per_second, count(text)) },
    Setting { name: "max-batches", expected: COUNT, set: |pace, text| put(&mut pace.max_batches, count(text)) },
    Setting { name: "max-lag", expected: DURATION, set: |pace, text| put(&mut pace.max_lag, parse_duration(text).filter(|lag| !lag.is_zero())) },
];

/// Parses the options after `batch`, which begin at byte `offset` of the script. Problems are
/// returned with their offsets.
pub(super) fn pace(offset: usize, options: &str) -> (Pace, Vec<(usize, ProblemKind)>) {
    let mut pace = Pace::default();
    let mut seen: Vec<&str> = Vec::new();
    let mut problems = Vec::new();
    for (at, word) in words(options) {
        let at = offset + at;
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let Some(option) = OPTIONS.iter().find(|option| option.name == name) else {
            let names = OPTIONS.iter().map(|option| option.name);
            let kind = ProblemKind::UnknownBatchOption {
                option: if name.is_empty() { word } else { name }.to_owned(),
                nearest: nearest(name, names, 1).first().copied(),
            };
            problems.push((at, kind));
            continue;
        };
        if seen.contains(&option.name) {
            let kind = ProblemKind::RepeatedBatchOption {
                option: option.name,
            };
            problems.push((at, kind));
            continue;
        }
        seen.push(option.name);
        if value.is_none_or(|value| (option.set)(&mut pace, value).is_none()) {
            let kind = ProblemKind::BatchValue {
                option: option.name,
                value: value.unwrap_or_default().to_owned(),
                expected: option.expected,
            };
            problems.push((at, kind));
        }
    }
    (pace, problems)
}

/// Returns the words of `text`, each with its byte offset.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_ascii_whitespace()
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

fn count(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits.then(|| text.parse().ok()).flatten();
    count.filter(|count| *count > 0 && i64::try_from(*count).is_ok())
}

fn put<T>(field: &mut Option<T>, value: Option<T>) -> Option<()> {
    *field = Some(value?);
    Some(())
}

/// The progress of a repeated statement: everything committed, over all runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchProgress {
    /// The checksum of the statement; a different statement starts again.
    pub statement: Checksum,
    /// Number of rows in its table before the first batch, if it limits the statement.
    pub table_rows: Option<u64>,
    /// Number of batches that changed rows.
    pub batches: u64,
    /// Number of rows that they changed.
    pub rows: u64,
    /// The total duration, pauses included, in whole milliseconds.
    pub elapsed_ms: u64,
}

impl BatchProgress {
    /// Creates the progress of a statement that has not run.
    pub fn new(statement: Checksum, table_rows: Option<u64>) -> Self {
        Self {
            statement,
            table_rows,
            batches: 0,
            rows: 0,
            elapsed_ms: 0,
        }
    }

    /// Returns the progress after one more batch, `elapsed` after the start of the first.
    pub fn after(&self, rows: u64, elapsed: Duration) -> Self {
        Self {
            batches: self.batches + 1,
            rows: self.rows.saturating_add(rows),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            ..self.clone()
        }
    }

    /// Returns whether more than twice the table's rows were changed: a statement that skips
    /// completed rows changes each row once.
    pub fn is_endless(&self) -> bool {
        let limit = self.table_rows.map(|rows| rows.saturating_mul(2));
        limit.is_some_and(|limit| self.rows > limit)
    }
}

/// Formats the progress as stored in the version table.
impl fmt::Display for BatchProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            statement,
            table_rows,
            batches,
            rows,
            elapsed_ms,
        } = self;
        write!(f, "batches={batches} rows={rows} elapsed-ms={elapsed_ms}")?;
        if let Some(table_rows) = table_rows {
            write!(f, " table-rows={table_rows}")?;
        }
        write!(f, " statement={statement}")
    }
}

/// The error for text that does not describe the progress of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no batch progress in the text")]
pub struct NoBatchProgress;

impl FromStr for BatchProgress {
    type Err = NoBatchProgress;

    fn from_str(text: &str) -> Result<Self, NoBatchProgress> {
        let field = |name: &str| {
            let mut fields = text.split(' ').filter_map(|field| field.split_once('='));
            fields.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let number = |name| field(name).map(|value| value.parse().map_err(|_| NoBatchProgress));
        let needed = |name| number(name).ok_or(NoBatchProgress)?;
        Ok(Self {
            statement: field("statement")
                .and_then(|value| value.parse().ok())
                .ok_or(NoBatchProgress)?,
            table_rows: number("table-rows").transpose()?,
            batches: needed("batches")?,
            rows: needed("rows")?,
            elapsed_ms: needed("elapsed-ms")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn options_are_read() {
        let check = |text, expected| assert_eq!(pace(0, text), (expected, vec![]), "{text:?}");
        check("", Pace::default());
        check(
            "  pause=50ms\tmax-rows-per-second=20000 max-batches=1 max-lag=5s ",
            Pace {
                pause: Duration::from_millis(50),
                max_rows_per_second: Some(20_000),
                max_batches: Some(1),
                max_lag: Some(Duration::from_secs(5)),
            },
        );
        check("pause=0", Pace::default());
    }

    #[test]
    fn what_is_no_option_is_told_with_its_place() {
        let check = |text: &str, expected: ProblemKind| {
            let at = text.find('¦').expect("a mark");
            let (_, problems) = pace(10, &text.replacen('¦', "", 1));
            assert_eq!(problems, [(10 + at, expected)], "{text:?}");
        };
        let unknown = |option: &str, nearest| ProblemKind::UnknownBatchOption {
            option: option.to_owned(),
            nearest,
        };
        check("¦pasue=50ms", unknown("pasue", Some("pause")));
        check("pause=1s ¦x", unknown("x", None));
        check("¦=1s", unknown("=1s", None));
        check(
            "pause=1s ¦pause=2s",
            ProblemKind::RepeatedBatchOption { option: "pause" },
        );
        let value = |option, value: &str, expected| ProblemKind::BatchValue {
            option,
            value: value.to_owned(),
            expected,
        };
        check(" ¦pause=50", value("pause", "50", DURATION));
        check("¦pause", value("pause", "", DURATION));
        check("¦max-lag=0", value("max-lag", "0", DURATION));
        for wrong in ["0", "-1", "1e3", "", "1_000", "٣", "9223372036854775808"] {
            let text = format!("¦max-batches={wrong}");
            check(&text, value("max-batches", wrong, COUNT));
        }
    }

    #[test]
    fn twice_the_rows_of_the_table_are_the_limit() {
        let check = |table_rows, rows, expected| {
            let checksum = crate::revision::testing::checksum('a');
            let progress = BatchProgress {
                rows,
                ..BatchProgress::new(checksum, table_rows)
            };
            assert_eq!(progress.is_endless(), expected, "{table_rows:?} {rows}");
        };
        check(None, u64::MAX, false);
        check(Some(0), 0, false);
        check(Some(0), 1, true);
        check(Some(10), 20, false);
        check(Some(10), 21, true);
        check(Some(u64::MAX), u64::MAX, false);
    }

    proptest! {
        #[test]
        fn progress_is_read_as_it_is_written(
            table_rows in proptest::option::of(any::<u64>()),
            batches: u64,
            rows: u64,
            elapsed_ms: u64,
            letter in "[0-9a-f]",
        ) {
            let letter = letter.chars().next().unwrap();
            let statement = crate::revision::testing::checksum(letter);
            let progress = BatchProgress { statement, table_rows, batches, rows, elapsed_ms };
            prop_assert_eq!(progress.to_string().parse(), Ok(progress));
        }

        #[test]
        fn any_text_can_be_read(text in "(?s)((batches|rows|elapsed-ms|statement)=?|[0-9 ]|.){0,12}") {
            let _ = text.parse::<BatchProgress>();
            let _ = pace(0, &text);
        }
    }
}
