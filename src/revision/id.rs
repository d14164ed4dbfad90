use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// The ID of a revision: digits of any length, or several numbers with dots between them,
/// compared number by number.
///
/// `007` and `7` are the same ID; `1.9` comes before `1.10`, and `1` before `1.0`. New IDs are UTC
/// timestamps (`YYYYMMDDHHMMSS`), but counters, 20-digit IDs and versions of existing directories
/// are read as well, so an ID may not fit in a machine integer.
#[derive(Clone, Debug)]
pub struct RevisionId {
    text: Arc<str>,
    /// Whether the ID is one number without leading zeros: a longer text is then larger, and
    /// different texts are different IDs.
    plain: bool,
}

/// The error for text that is neither digits nor numbers separated by dots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a revision ID; an ID is digits, or numbers separated by dots")]
pub struct RevisionIdError(pub String);

impl RevisionId {
    /// Returns the ID for `time`: `YYYYMMDDHHMMSS` in UTC.
    pub fn from_time(time: DateTime<Utc>) -> Self {
        Self::new(&time.format("%Y%m%d%H%M%S").to_string())
    }

    /// Returns the next ID: one second later if it is a time, otherwise with its last number
    /// incremented.
    pub(crate) fn successor(&self) -> Self {
        let time = NaiveDateTime::parse_from_str(&self.text, "%Y%m%d%H%M%S").ok();
        if let Some(time) = time.filter(|_| self.text.len() == 14)
            && let Some(later) = time.checked_add_signed(TimeDelta::seconds(1))
        {
            return Self::from_time(later.and_utc());
        }
        let (before, last) = self
            .text
            .split_at(self.text.rfind('.').map_or(0, |at| at + 1));
        Self::new(&format!("{before}{}", increment(last)))
    }

    /// Returns the digits as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            plain: !text.starts_with('0') && !text.contains('.'),
        }
    }

    /// Returns the numbers without leading zeros.
    fn numbers(&self) -> impl Iterator<Item = &str> {
        let numbers = self.text.split('.');
        numbers.map(|number| number.trim_start_matches('0'))
    }
}

impl FromStr for RevisionId {
    type Err = RevisionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if text.split('.').all(is_number) {
            Ok(Self::new(text))
        } else {
            Err(RevisionIdError(text.to_owned()))
        }
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Ord for RevisionId {
    fn cmp(&self, other: &Self) -> Ordering {
        // Without leading zeros, a longer number is larger.
        fn weighed(number: &str) -> (usize, &str) {
            (number.len(), number)
        }
        if self.plain && other.plain {
            return weighed(&self.text).cmp(&weighed(&other.text));
        }
        let (a, b) = (self.numbers(), other.numbers());
        a.map(weighed).cmp(b.map(weighed))
    }
}

impl PartialOrd for RevisionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RevisionId {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RevisionId {}

impl Hash for RevisionId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.plain {
            return self.text.hash(state);
        }
        for number in self.numbers() {
            number.hash(state);
        }
    }
}

/// Returns `digits` plus one, with leading zeros kept.
fn increment(digits: &str) -> String {
    let kept = digits.trim_end_matches('9');
    let nines = "0".repeat(digits.len() - kept.len());
    match kept.split_at_checked(kept.len().wrapping_sub(1)) {
        Some((before, last)) => {
            let last = last.bytes().next().map_or(b'1', |digit| digit + 1);
            format!("{before}{}{nines}", char::from(last))
        }
        None => format!("1{nines}"),
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> RevisionId {
        text.parse().unwrap()
    }

    #[test]
    fn ids_are_compared_by_value() {
        assert_eq!(id("007"), id("7"));
        assert!(id("9") < id("10"));
        assert!(id("20150100000001000000") > id("20261122093000"));
        assert!(id("0") < id("1"));
        assert_eq!(id("01.020"), id("1.20"));
        assert!(id("1") < id("1.0"));
        assert!(id("0") < id("0.0"));
        assert!(id("1.9") < id("1.10"));
        assert!(id("1") < id("1.0.1"));
        assert!(id("1.99") < id("2"));
        assert!(id("0.1") < id("1"));
        assert!(id("1.2") < id("20261122093000"));
        assert_eq!(id("007").to_string(), "007");
    }

    #[test]
    fn only_numbers_are_ids() {
        for text in ["", "a1", "1 ", "-1", "１", ".", "1.", ".1", "1..2", "1.a"] {
            assert_eq!(
                text.parse::<RevisionId>(),
                Err(RevisionIdError(text.into()))
            );
        }
    }

    #[test]
    fn a_time_gives_fourteen_digits() {
        let time = DateTime::from_timestamp(1_795_340_000, 0).unwrap();
        assert_eq!(RevisionId::from_time(time).as_str(), "20261122093320");
    }

    #[test]
    fn the_next_id() {
        let check = |text: &str, next: &str| assert_eq!(id(text).successor().as_str(), next);
        check("20991231235959", "21000101000000");
        check("20201301000000", "20201301000001");
        check("20240202000000456", "20240202000000457");
        check("99999999999999", "100000000000000");
        check("20150100000001000000", "20150100000001000001");
        check("0099", "0100");
        check("9", "10");
        check("1.9", "1.10");
        check("0", "1");
    }

    proptest! {
        #[test]
        fn a_successor_is_later(text in "[0-9]{1,20}(\\.[0-9]{1,3})?") {
            prop_assert!(id(&text) < id(&text).successor());
        }

        #[test]
        fn ids_are_ordered_as_numbers(a in any::<u128>(), b in any::<u128>(), zeros in 0usize..5) {
            let padded = id(&format!("{}{a}", "0".repeat(zeros)));
            prop_assert_eq!(padded.cmp(&id(&b.to_string())), a.cmp(&b));
            prop_assert_eq!(&padded, &id(&a.to_string()));
            let hasher = RandomState::new();
            prop_assert_eq!(hasher.hash_one(&padded), hasher.hash_one(id(&a.to_string())));
        }

        #[test]
        fn ids_of_any_length_are_ordered_as_numbers(a in "[0-9]{1,60}", b in "[0-9]{1,60}") {
            let (wide_a, wide_b) = (format!("{a:0>60}"), format!("{b:0>60}"));
            prop_assert_eq!(id(&a).cmp(&id(&b)), wide_a.cmp(&wide_b));
            prop_assert_eq!(id(&a) == id(&b), wide_a == wide_b);
        }

        #[test]
        fn versions_are_ordered_number_by_number(
            a in prop::collection::vec(0u64..12, 1..4),
            b in prop::collection::vec(0u64..12, 1..4),
        ) {
            let text = |numbers: &[u64]| numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
            let (a_id, b_id) = (id(&text(&a)), id(&text(&b)));
            prop_assert_eq!(a_id.cmp(&b_id), a.cmp(&b));
            prop_assert_eq!(a_id == b_id, a == b);
            let hasher = RandomState::new();
            prop_assert!(a_id != b_id || hasher.hash_one(&a_id) == hasher.hash_one(&b_id));
        }
    }
}
