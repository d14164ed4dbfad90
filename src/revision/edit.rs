//! Edits headers of a script without changing any other byte.

use std::collections::HashMap;

use super::{
    RevisionId,
    block::{self, BOM, CommentKind},
    header::{DEPENDS_ON, REVISES, TRANSACTION},
    header_line::{HeaderLine, Line, is_sqlx_marker, line},
};
use crate::sql::Dialect;

/// Returns `text` with `parents` as the value of its header `revises`. A new header is inserted
/// below the first comment line, or at the top if there is none.
pub fn with_parents(dialect: Dialect, text: &str, parents: &[RevisionId]) -> String {
    let value = if parents.is_empty() {
        "base".to_owned()
    } else {
        let ids: Vec<_> = parents.iter().map(RevisionId::as_str).collect();
        ids.join(", ")
    };
    with_header(dialect, text, REVISES, &value)
}

/// Returns `text` with the header that makes its statements run one by one.
pub fn with_transaction_off(dialect: Dialect, text: &str) -> String {
    with_header(dialect, text, TRANSACTION, "off")
}

fn with_header(dialect: Dialect, text: &str, key: &str, value: &str) -> String {
    if let Some(found) = header(dialect, text, key) {
        let end = found.value_at + found.value.len();
        return format!("{}{value}{}", &text[..found.value_at], &text[end..]);
    }
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let at = below_the_message(dialect, text);
    let (before, after) = text.split_at(at);
    let open = !before.is_empty() && before != BOM && !before.ends_with('\n');
    let gap = if open { newline } else { "" };
    format!("{before}{gap}-- migrator: {key} = {value}{newline}{after}")
}

/// Returns `text` with its dependencies renamed.
pub fn with_dependencies(
    dialect: Dialect,
    text: &str,
    renamed: &HashMap<RevisionId, RevisionId>,
) -> String {
    let Some(found) = header(dialect, text, DEPENDS_ON) else {
        return text.to_owned();
    };
    let parts = found.value.split(',').map(|part| {
        let written = part.trim();
        let new = written.parse().ok().and_then(|id| renamed.get(&id));
        new.map_or(part.to_owned(), |new| part.replace(written, new.as_str()))
    });
    let value = parts.collect::<Vec<_>>().join(",");
    let end = found.value_at + found.value.len();
    format!("{}{value}{}", &text[..found.value_at], &text[end..])
}

/// Returns `text` with sqlx's marker replaced by a header, if it has the marker.
pub fn without_marker(text: &str) -> String {
    // The marker is on the first line, which is the same in every dialect.
    let block = block::top_block(Dialect::default(), text);
    match block.comments.first() {
        Some(first) if is_sqlx_marker(text, first) => {
            let (before, marker) = text.split_at(first.offset - "--".len());
            let rest = &marker["--".len() + first.text.len()..];
            let end = if first.text.ends_with('\r') { "\r" } else { "" };
            format!("{before}-- migrator: {TRANSACTION} = off{end}{rest}")
        }
        _ => text.to_owned(),
    }
}

fn header<'a>(dialect: Dialect, text: &'a str, key: &str) -> Option<HeaderLine<'a>> {
    let block = block::top_block(dialect, text);
    block.comments.iter().find_map(|c| match line(c) {
        Line::Header(header) if header.key == key => Some(header),
        _ => None,
    })
}

/// Returns the place for a new header: below the message and sqlx's marker, which counts only on
/// the first line.
fn below_the_message(dialect: Dialect, text: &str) -> usize {
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let block = block::top_block(dialect, text);
    match block.comments.first() {
        Some(first) if first.kind == CommentKind::Line && first.offset == start + 2 => {
            let rest = &text[first.offset..];
            rest.find('\n')
                .map_or(text.len(), |end| first.offset + end + 1)
        }
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revision::{Direction, Script, testing::ids};

    const DIALECTS: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

    #[test]
    fn a_header_takes_the_place_of_the_marker() {
        let check = |text: &str, expected: &str| assert_eq!(without_marker(text), expected);
        check(
            "-- no-transaction\nVACUUM",
            "-- migrator: transaction = off\nVACUUM",
        );
        check("--no-transaction\r\n", "-- migrator: transaction = off\r\n");
        check(
            "\u{feff}-- no-transaction",
            "\u{feff}-- migrator: transaction = off",
        );
        check("\n-- no-transaction", "\n-- no-transaction");
        check("-- no-transactions\n", "-- no-transactions\n");
        check("SELECT 1", "SELECT 1");
    }

    #[test]
    fn parents_are_put_in() {
        let check = |text: &str, parents: &str, expected: &str| {
            for dialect in DIALECTS {
                let new = with_parents(dialect, text, &ids(parents));
                assert_eq!(new, expected, "{text:?}");
                let script = Script::parse(dialect, Direction::Up, "f", new).unwrap();
                assert_eq!(script.headers.revises, Some(ids(parents)), "{text:?}");
            }
        };
        check(
            "-- a\n--migrator:revises=1 , 2\nX",
            "9",
            "-- a\n--migrator:revises=9\nX",
        );
        check(
            "-- migrator: revises = base \r\nX",
            "9 8",
            "-- migrator: revises = 9, 8 \r\nX",
        );
        check(
            "-- migrator: revises = 1",
            "",
            "-- migrator: revises = base",
        );
        check("-- a\nX", "9", "-- a\n-- migrator: revises = 9\nX");
        check("-- a\r\nX", "9", "-- a\r\n-- migrator: revises = 9\r\nX");
        check("-- a", "9", "-- a\n-- migrator: revises = 9\n");
        check("", "9", "-- migrator: revises = 9\n");
        check("X", "9", "-- migrator: revises = 9\nX");
        check("\u{feff}X", "9", "\u{feff}-- migrator: revises = 9\nX");
        check(
            "\u{feff}-- a\nX",
            "9",
            "\u{feff}-- a\n-- migrator: revises = 9\nX",
        );
        check("/* a */ X", "9", "-- migrator: revises = 9\n/* a */ X");
        check("\n-- a\nX", "9", "-- migrator: revises = 9\n\n-- a\nX");
        check(
            "-- no-transaction\nX",
            "9",
            "-- no-transaction\n-- migrator: revises = 9\nX",
        );
    }

    #[test]
    fn dependencies_are_renamed_where_they_stand() {
        let renamed = HashMap::from([(ids("3")[0].clone(), ids("30")[0].clone())]);
        let check = |text: &str, expected: &str| {
            for dialect in DIALECTS {
                assert_eq!(with_dependencies(dialect, text, &renamed), expected);
            }
        };
        check(
            "-- migrator: depends-on = 1,  03 ,4\nX 3",
            "-- migrator: depends-on = 1,  30 ,4\nX 3",
        );
        check(
            "-- migrator: depends-on = 33\n",
            "-- migrator: depends-on = 33\n",
        );
        check("-- migrator: revises = 3\n", "-- migrator: revises = 3\n");
        check("", "");
    }

    proptest! {
        /// Only the header changes: removing it restores the text.
        #[test]
        fn no_other_byte_changes(
            text in "(\u{feff})?(-- [a-z]{0,3}\r?\n|/\\* x \\*/|\r?\n|X;){0,5}(-- [a-z]{0,3})?",
        ) {
            for dialect in DIALECTS {
                let new = with_parents(dialect, &text, &ids("7"));
                let at = new.find("-- migrator: revises = 7").unwrap();
                let end = new[at..].find('\n').unwrap() + at + 1;
                let mut rest = format!("{}{}", &new[..at], &new[end..]);
                if rest.len() > text.len() {
                    rest = rest.trim_end_matches(['\r', '\n']).to_owned();
                }
                prop_assert_eq!(rest, text.as_str());
                let again = with_parents(dialect, &new, &ids("7"));
                prop_assert_eq!(again, new);
            }
        }
    }
}
