//! "Did you mean": the known names nearest to an unknown one. Below all rooms.

use crate::arrange::Arrange as _;

/// Longer texts get no hint; comparing costs the product of both lengths.
const LONGEST: usize = 200;

/// Share of the characters that must agree.
const SIMILAR: f64 = 0.6;

/// What a candidate that contains the text scores.
const CONTAINED: f64 = 0.9;

/// Up to `count` candidates similar to `text`, the most similar first, of
/// equals the last in alphabetical order (of IDs, the newest).
pub(crate) fn nearest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<&'a str> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    let text = fold(text);
    let mut scored: Vec<_> = candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (score(&text, &fold(candidate)), candidate))
        .filter(|(score, _)| *score >= SIMILAR)
        .collect();
    scored.arrange_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.cmp(a.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.truncate(count);
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The candidate that `text` is a misspelling of: at most one character in four differs, and one
/// more. Of equals the first in alphabetical order.
pub(crate) fn misspelt<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if text.len() > LONGEST {
        return None;
    }
    let text = fold(text);
    let limit = 1 + text.chars().count() / 4;
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::osa_distance(&text, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Case and separators are what people mistype first.
fn fold(text: &str) -> String {
    text.to_lowercase().replace([' ', '-'], "_")
}

fn score(text: &str, candidate: &str) -> f64 {
    let whole = similarity(text, candidate);
    if text.bytes().all(|b| b.is_ascii_digit()) {
        // An unknown prefix is compared with the beginnings of the IDs.
        let start = candidate.get(..text.len()).unwrap_or(candidate);
        return whole.max(similarity(text, start) * CONTAINED);
    }
    if text.len() >= 3 && candidate.contains(text) {
        return whole.max(CONTAINED);
    }
    whole
}

fn similarity(a: &str, b: &str) -> f64 {
    let longest = a.chars().count().max(b.chars().count());
    if longest == 0 {
        return 0.0;
    }
    1.0 - strsim::osa_distance(a, b) as f64 / longest as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_differ_in_few_characters() {
        let check = |text: &str, expected: Option<&str>| {
            let known = ["url", "lock-wait", "log-file", "version-table"];
            assert_eq!(misspelt(text, known), expected, "{text}");
        };
        check("ulr", Some("url"));
        check("LOCK_WAIT", Some("lock-wait"));
        check("version-tabel", Some("version-table"));
        check("lock", None);
        check("log", None);
        check("colour", None);
        check(&"x".repeat(10_000), None);
        assert_eq!(misspelt("ac", ["ad", "ab"]), Some("ab"));
    }

    #[test]
    fn similar_names_are_found_best_first() {
        let check = |text: &str, candidates: &[&str], expected: &[&str]| {
            let found = nearest(text, candidates.iter().copied(), 2);
            assert_eq!(found, expected, "{text}");
        };
        let keys = ["transaction", "depends-on", "label", "revises"];
        check("transactoin", &keys, &["transaction"]);
        check("Depends_On", &keys, &["depends-on"]);
        check("colour", &keys, &[]);
        check("", &keys, &[]);
        check(&"x".repeat(10_000), &keys, &[]);
        let slugs = ["add_users_table", "drop_users", "add_user_table", "x"];
        check("users", &slugs, &["drop_users", "add_users_table"]);
        check(
            "add users tabel",
            &slugs,
            &["add_users_table", "add_user_table"],
        );
        check("x", &["x", "x"], &["x"]);
        let ids = ["20250101000000", "20260101000000", "20260202000000"];
        check("2027", &ids, &["20260202000000", "20260101000000"]);
        check(
            "20260201000000",
            &ids,
            &["20260202000000", "20260101000000"],
        );
    }
}
