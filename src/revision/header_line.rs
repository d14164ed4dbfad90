//! The syntax of headers: `-- migrator: key = value`.

use std::collections::HashMap;

use super::{
    RevisionId,
    batch::BATCH,
    block::{self, BOM, Comment, CommentKind},
};
use crate::sql::{self, Dialect, TokenKind};

/// The prefix of a header, after the dashes.
const DIRECTIVE: &str = "migrator:";

/// The kind of a comment line.
pub(super) enum Line<'a> {
    Header(HeaderLine<'a>),
    /// A malformed header.
    Malformed(usize),
    /// A directive of the statement below it.
    OfStatement,
    /// Any other text, without decoration.
    Prose(&'a str),
}

/// `key = value` with the byte offsets of both.
pub(super) struct HeaderLine<'a> {
    pub key: &'a str,
    pub key_at: usize,
    pub value: &'a str,
    pub value_at: usize,
}

/// Returns the kind of `comment`.
pub(super) fn line<'a>(comment: &Comment<'a>) -> Line<'a> {
    if comment.kind == CommentKind::Block {
        let decoration = |c: char| c.is_whitespace() || c == '*';
        return prose(comment.text.trim_matches(decoration));
    }
    if let Some((at, rest)) = directive(comment) {
        return header_line(at, rest);
    }
    let (at, text) = trimmed(comment.offset, comment.text);
    if almost_directive(text).is_some() {
        return Line::Malformed(at);
    }
    prose(text.trim_start_matches(['-', ' ']))
}

/// Returns the text after `-- migrator:`, with its offset.
pub(super) fn directive<'a>(comment: &Comment<'a>) -> Option<(usize, &'a str)> {
    let (at, text) = trimmed(comment.offset, comment.text);
    let rest = text.strip_prefix(DIRECTIVE)?;
    Some(trimmed(at + DIRECTIVE.len(), rest))
}

/// The directive that suppresses rules of lint, after `migrator:`. Only lint reads it.
pub(super) const ALLOW: &str = "allow";

/// Returns whether the directive applies to the next statement, and so may be anywhere: `batch` and
/// `allow`.
pub(super) fn is_of_statement(text: &str) -> bool {
    [BATCH, ALLOW]
        .iter()
        .any(|name| after(name, text).is_some())
}

/// Returns what follows the name of a directive.
pub(super) fn after<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix(name)?;
    let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
    (!goes_on).then_some(rest)
}

/// A suppression of rules of lint: what follows `-- migrator: allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowDirective {
    /// Byte offset of its comment.
    pub start: usize,
    /// Byte offset of [`Self::text`].
    pub at: usize,
    /// What follows `allow`, without white space around it.
    pub text: String,
}

/// Returns the suppressions in a script, in text order.
pub fn allow_directives(dialect: Dialect, text: &str) -> Vec<AllowDirective> {
    if !may_hold_directive(text) {
        return Vec::new();
    }
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let inner = &text[start..];
    let comments =
        sql::lex(dialect, inner.as_bytes()).filter(|token| token.kind == TokenKind::LineComment);
    let found = comments.filter_map(|token| {
        let comment = Comment {
            kind: CommentKind::Line,
            offset: start + token.start + 2,
            text: inner.get(token.start + 2..token.end)?,
        };
        let (at, directive) = directive(&comment)?;
        let rest = after(ALLOW, directive)?;
        let (at, rest) = trimmed(at + ALLOW.len(), rest);
        Some(AllowDirective {
            start: start + token.start,
            at,
            text: rest.to_owned(),
        })
    });
    found.collect()
}

/// Returns whether `text` may contain a directive or a misspelled one.
pub(super) fn may_hold_directive(text: &str) -> bool {
    text.contains("igrator") || text.contains("IGRATOR")
}

/// Returns the text after `-- Migrator:` or `-- migrator :`, which would silently have no effect.
pub(super) fn almost_directive(text: &str) -> Option<&str> {
    let (word, rest) = text.split_once(':')?;
    let is_almost = word.trim().eq_ignore_ascii_case("migrator");
    is_almost.then(|| rest.trim_start())
}

/// Returns whether `first` is sqlx's `-- no-transaction`, which counts only at the very start.
pub(super) fn is_sqlx_marker(text: &str, first: &Comment<'_>) -> bool {
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    first.kind == CommentKind::Line
        && first.offset == start + 2
        && first
            .text
            .trim_start()
            .strip_prefix("no-transaction")
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
}

/// Returns the offset of the value of header `key`, or of the last `id` in it.
pub(super) fn locate(text: &str, key: &str, id: Option<&RevisionId>) -> Option<usize> {
    // The script's dialect is no longer known; it only matters for nested comments.
    Dialect::ALL
        .into_iter()
        .find_map(|dialect| locate_in(dialect, text, key, id))
}

/// Returns the offset of the last occurrence of each ID in header `key`: [`locate`] for all IDs at
/// once.
pub(super) fn locate_all(text: &str, key: &str) -> HashMap<RevisionId, usize> {
    let mut found = HashMap::new();
    for dialect in Dialect::ALL {
        let Some(line) = header_of(dialect, text, key) else {
            continue;
        };
        let of_dialect: HashMap<_, _> = ids_of(&line).collect();
        for (id, at) in of_dialect {
            found.entry(id).or_insert(at);
        }
    }
    found
}

fn prose(text: &str) -> Line<'_> {
    // A header inside a comment is commented out.
    let out = text.trim_start_matches(['-', ' ']).starts_with(DIRECTIVE);
    Line::Prose(if out { "" } else { text })
}

fn header_line(at: usize, text: &str) -> Line<'_> {
    if is_of_statement(text) {
        return Line::OfStatement;
    }
    let Some((key, value)) = text.split_once('=') else {
        return Line::Malformed(at);
    };
    let value_start = at + key.len() + 1;
    let key = key.trim_end();
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Line::Malformed(at);
    }
    let (value_at, value) = trimmed(value_start, value);
    Line::Header(HeaderLine {
        key,
        key_at: at,
        value,
        value_at,
    })
}

fn trimmed(offset: usize, text: &str) -> (usize, &str) {
    let inner = text.trim_start();
    (offset + text.len() - inner.len(), inner.trim_end())
}

fn locate_in(dialect: Dialect, text: &str, key: &str, id: Option<&RevisionId>) -> Option<usize> {
    let line = header_of(dialect, text, key)?;
    match id {
        None => Some(line.value_at),
        Some(id) => {
            let named = ids_of(&line).filter(|(other, _)| other == id);
            named.last().map(|(_, at)| at)
        }
    }
}

fn header_of<'a>(dialect: Dialect, text: &'a str, key: &str) -> Option<HeaderLine<'a>> {
    let block = block::top_block(dialect, text);
    block.comments.iter().find_map(|c| match line(c) {
        Line::Header(header) if header.key == key => Some(header),
        _ => None,
    })
}

/// Returns the IDs of a list, with their offsets.
fn ids_of(line: &HeaderLine<'_>) -> impl Iterator<Item = (RevisionId, usize)> {
    let mut next = line.value_at;
    line.value.split(',').filter_map(move |part| {
        let at = next + part.len() - part.trim_start().len();
        next += part.len() + 1;
        Some((part.trim().parse().ok()?, at))
    })
}
