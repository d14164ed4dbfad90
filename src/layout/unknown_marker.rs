//! Detects comments that may divide a file into parts that must not run in sequence: a part that
//! reverts a script, or the changelog of an unknown tool. They matter if the layout is only
//! guessed.

use super::{LayoutProblem, read::Fault};
use crate::sql::{Dialect, TokenKind, lex};

/// Words that begin a part that reverts a script.
const DOWN: &[&str] = &[
    "down",
    "downs",
    "downgrade",
    "undo",
    "rollback",
    "revert",
    "reverse",
    "backward",
    "backwards",
    "teardown",
];

/// Words that, unlike `down`, are always a heading, whatever follows.
const HEADING: &[&str] = &["undo", "rollback", "revert", "downgrade"];

/// Words that begin the headers of a changelog.
const CHANGELOG: &[&str] = &["liquibase", "changeset"];

/// The maximum number of words of a short comment.
const SHORT: usize = 5;

/// Returns the first comment of `text` that may be a marker, with its place.
pub fn unknown_marker(dialect: Dialect, text: &str) -> Option<Fault> {
    let tokens: Vec<_> = lex(dialect, text.as_bytes()).collect();
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            // A parenthesis left open at the end of a statement would never be closed.
            TokenKind::Semicolon => depth = 0,
            TokenKind::LineComment | TokenKind::BlockComment if depth == 0 => {
                let comment = &text[token.start..token.end];
                let divides = || tokens[at..].iter().any(|later| !later.is_blank());
                if is_alone(text, token.start, token.end)
                    && (is_changelog(comment) || is_down(comment) && divides())
                {
                    let marker = comment.lines().next().unwrap_or_default().trim().to_owned();
                    let problem = LayoutProblem::UnknownSection { marker };
                    return Some(Fault::at(token.start, problem));
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns whether nothing else is on the same lines.
fn is_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].rsplit('\n').next().unwrap_or_default();
    let after = text[end..].split('\n').next().unwrap_or_default();
    let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    before.chars().all(is_blank) && after.chars().all(is_blank)
}

fn is_changelog(comment: &str) -> bool {
    let mut words = comment.split(|c: char| !c.is_alphanumeric());
    let first = words.find(|word| !word.is_empty());
    first.is_some_and(|first| {
        CHANGELOG
            .iter()
            .any(|word| first.eq_ignore_ascii_case(word))
    })
}

fn is_down(comment: &str) -> bool {
    let words = words(comment);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is = |word: &&str| DOWN.contains(word);
    let pairs = words.windows(2);
    let mut pairs = pairs.map(|pair| (pair[0], pair[1]));
    let rolls_back =
        pairs.any(|pair| matches!(pair, ("roll" | "rolled", "back") | ("drop", "below")));
    match words.as_slice() {
        [] => false,
        _ if words.len() <= SHORT && rolls_back => true,
        [first, ..] if HEADING.contains(first) => true,
        [first, .., last] if words.len() <= SHORT && (is(first) || is(last)) => true,
        few => few.len() <= 3 && few.iter().any(is),
    }
}

/// Returns the words of a comment in lower case, without decoration; `MigrateDown` is two words.
fn words(comment: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in comment.chars() {
        let begins = c.is_uppercase() && was_lower;
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<usize> {
        unknown_marker(Dialect::Postgres, text).and_then(|fault| fault.offset)
    }

    #[test]
    fn what_could_begin_a_down_part_is_a_marker() {
        for marker in [
            "-- DOWN",
            "--down",
            "--- Down ---",
            "-- ==== DOWN ====",
            "-- [down]",
            "-- Down Migration",
            "-- +micrate Down",
            "-- +duck Down",
            "-- rambler down",
            "-- migrate:down",
            "-- migration: down",
            "-- @DOWN",
            "-- //@UNDO",
            "-- @MigrateDown",
            "-- migrate_down",
            "-- !Downs",
            "---- create above / drop below ----",
            "-- Undo",
            "-- ROLLBACK",
            "--rollback DROP TABLE t1;",
            "-- Roll back",
            "-- revert the above, step by step, in the other order:",
            "-- downgrade from 2 to 1, as far as it goes",
            "/* DOWN */",
            "/*\n * Rollback\n */",
            "  -- down",
            "-- Teardown",
            "-- SQL down script",
        ] {
            let text = format!("CREATE TABLE t (a int);\n{marker}\nDROP TABLE t;\n");
            let start = text.find('\n').unwrap() + 1;
            let expected = start + marker.len() - marker.trim_start().len();
            assert_eq!(found(&text), Some(expected), "{marker}");
            let windows = text.replace('\n', "\r\n");
            assert!(found(&windows).is_some(), "{marker}");
            assert!(found(&format!("\u{feff}{marker}\nDROP TABLE t;")).is_some());
        }
    }

    #[test]
    fn a_changelog_is_of_another_tool() {
        for text in [
            "--liquibase formatted sql",
            "-- liquibase formatted sql\nSELECT 1;",
            "SELECT 1;\n--changeset joe:1 context:test\n",
            "--ChangeSet joe:1",
        ] {
            assert!(found(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_divides_nothing_is_a_comment() {
        for text in [
            "",
            "CREATE TABLE t (a int); -- down\nSELECT 1;",
            "CREATE TABLE t (\n-- down\na int);",
            "SELECT '\n-- down\n';",
            "DO $$\n-- down\nBEGIN END$$;",
            "-- scale the workers down when it is quiet\nSELECT 1;",
            "-- break down by region\nSELECT 1;",
            "-- countdown\nSELECT 1;",
            "-- the drop-down list of countries\nSELECT 1;",
            "SELECT 1;\n-- rollback: DROP TABLE t;\n",
            "-- up\nSELECT 1;",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
