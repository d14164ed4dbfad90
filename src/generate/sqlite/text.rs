//! Texts that SQLite keeps, and SQL made of them.

use std::{borrow::Cow, collections::HashSet};

use crate::{
    schema::sqlite::{Expression, scan::Span, significant, unquoted},
    sql::TokenKind,
};

/// `text` as a string of SQL.
pub(super) fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `name` in lower case, as what identifies it.
pub(super) fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// All words and quoted names of a text, without their quotes.
fn names(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    significant(text).filter_map(|token| unquoted(token.kind, &text[token.start..token.end]))
}

/// Whether `name` is among the words and names of a text.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    names(text).any(|found| found.eq_ignore_ascii_case(name))
}

/// Whether a text qualifies a name with `table`.
pub(super) fn qualifies(text: &str, table: &str) -> bool {
    let mut last_is_table = false;
    for token in significant(text) {
        let part = &text[token.start..token.end];
        if last_is_table && part == "." {
            return true;
        }
        let name = unquoted(token.kind, part);
        last_is_table = name.is_some_and(|name| name.eq_ignore_ascii_case(table));
    }
    false
}

/// Whether all names in double quotes are among `known`, so that none of them is a string.
pub(super) fn quotes_names_only(text: &str, known: &HashSet<String>) -> bool {
    significant(text).all(|token| {
        let part = &text[token.start..token.end];
        let name = match token.kind {
            TokenKind::QuotedName if part.starts_with('"') => unquoted(token.kind, part),
            _ => None,
        };
        name.is_none_or(|name| known.contains(&folded(&name)))
    })
}

/// The names that a view or trigger reads or writes as tables, apart from those that it defines
/// itself in WITH.
pub(super) fn sources(text: &str) -> Vec<String> {
    let tokens: Vec<(TokenKind, &str)> = significant(text)
        .map(|token| (token.kind, &text[token.start..token.end]))
        .collect();
    let is = |at: usize, words: &[&str]| {
        let token = tokens.get(at);
        token.is_some_and(|(_, text)| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    };
    let name = |at: usize| {
        let (kind, text) = tokens.get(at)?;
        unquoted(*kind, text).map(|name| folded(&name))
    };
    let defined: HashSet<String> = (0..tokens.len())
        .filter(|at| is(at + 1, &["AS", "("]))
        .filter_map(name)
        .collect();
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if !is(at, &["FROM", "JOIN", "INTO", "UPDATE"]) {
            continue;
        }
        let mut next = at + 1;
        if is(next, &["OR"]) {
            next += 2;
        }
        if is(next + 1, &["."]) {
            next += 2;
        }
        // UPDATE ON and UPDATE OF are events of a trigger.
        let is_event = is(at, &["UPDATE"]) && is(next, &["ON", "OF"]);
        if let Some(name) = name(next).filter(|name| !is_event && !defined.contains(name)) {
            found.push(name);
        }
    }
    found
}

/// `text` with another part at `span`.
pub(super) fn replaced(text: &str, span: Span, part: &str) -> String {
    format!("{}{part}{}", &text[..span.start], &text[span.end..])
}

/// Whether a value is a constant that ADD COLUMN accepts as a default. `NULL` is none.
pub(super) fn is_constant(value: &Expression) -> bool {
    let mut tokens: Vec<_> = significant(value).collect();
    let part = |at: usize, tokens: &[crate::sql::Token]| {
        let token = tokens[at];
        value[token.start..token.end].to_owned()
    };
    if tokens.len() == 2 && matches!(part(0, &tokens).as_str(), "+" | "-") {
        tokens.remove(0);
        return tokens[0].kind == TokenKind::Number;
    }
    let [only] = tokens[..] else { return false };
    match only.kind {
        TokenKind::Number | TokenKind::String => true,
        TokenKind::Word => {
            let word = part(0, &tokens);
            word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false")
        }
        _ => false,
    }
}

/// Whether a value is NULL.
pub(super) fn is_null(value: &Expression) -> bool {
    value.eq_ignore_ascii_case("null")
}

/// A name for a table that `taken` does not have, made of a prefix and `name`.
pub(super) fn free_name(prefix: &str, name: &str, taken: &mut HashSet<String>) -> String {
    let mut free = format!("{prefix}_{name}");
    let mut number = 2;
    while !taken.insert(folded(&free)) {
        free = format!("{prefix}_{name}_{number}");
        number += 1;
    }
    free
}
