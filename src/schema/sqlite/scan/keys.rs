use super::{ScanError, Span};
use crate::{
    schema::sqlite::{
        Identifier,
        tokens::{Cursor, significant, unquoted},
    },
    sql::{Token, TokenKind},
};

/// A key of an index or a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyScan {
    /// What is sorted by, without its collation, order and outer parentheses.
    pub expression: Span,
    /// The collating sequence.
    pub collation: Option<Identifier>,
    /// Whether DESC is given.
    pub descending: bool,
    /// The whole key.
    pub span: Span,
}

impl KeyScan {
    /// The name of which the key consists, if it is one. It may be in single quotes, too.
    pub fn column(&self, text: &str) -> Option<String> {
        let part = self.expression.of(text);
        let mut tokens = significant(part);
        let (token, None) = (tokens.next()?, tokens.next()) else {
            return None;
        };
        let name = unquoted(token.kind, &part[token.start..token.end])?;
        Some(name.into_owned())
    }
}

/// Takes the keys in parentheses. Returns whether AUTOINCREMENT is among them.
pub(super) fn sort_keys(cursor: &mut Cursor<'_>) -> Result<(Vec<KeyScan>, bool), ScanError> {
    cursor.expect_symbol("(")?;
    let mut keys = Vec::new();
    loop {
        let start = cursor.start();
        cursor.skip_nested(|cursor| {
            let is_comma = cursor.peek().is_some_and(|(_, text)| text == ",");
            is_comma || cursor.is("AUTOINCREMENT")
        });
        keys.push(key(cursor.text, cursor.since(start))?);
        let autoincrement = cursor.eat("AUTOINCREMENT");
        if !cursor.eat_symbol(",") {
            cursor.expect_symbol(")")?;
            return Ok((keys, autoincrement));
        }
    }
}

/// Takes names in parentheses. Each may have a collation and an order, which mean nothing.
pub(super) fn names(cursor: &mut Cursor<'_>) -> Result<Vec<Identifier>, ScanError> {
    cursor.expect_symbol("(")?;
    let mut names = Vec::new();
    loop {
        names.push(cursor.name()?.name.into());
        if cursor.eat("COLLATE") {
            cursor.name()?;
        }
        cursor.eat_any(&["ASC", "DESC"]);
        if !cursor.eat_symbol(",") {
            cursor.expect_symbol(")")?;
            return Ok(names);
        }
    }
}

fn key(text: &str, span: Span) -> Result<KeyScan, ScanError> {
    let part = span.of(text);
    let all: Vec<Token> = significant(part).collect();
    let is = |token: &Token, word: &str| {
        token.kind == TokenKind::Word && part[token.start..token.end].eq_ignore_ascii_case(word)
    };
    let mut tokens = all.as_slice();
    let mut descending = false;
    if let [rest @ .., last] = tokens
        && (is(last, "ASC") || is(last, "DESC"))
        && !rest.is_empty()
    {
        descending = is(last, "DESC");
        tokens = rest;
    }
    let mut collation: Option<Identifier> = None;
    loop {
        let mut rest = tokens;
        let mut outermost = None;
        while let [before @ .., collate, name] = rest
            && is(collate, "COLLATE")
        {
            outermost = outermost.or(Some(name));
            rest = before;
        }
        if let Some(name) = outermost
            && is_one_term(rest)
        {
            let name = unquoted(name.kind, &part[name.start..name.end]);
            collation = collation.or(name.map(|name| name.into_owned().into()));
            tokens = rest;
        } else if let [_, inside @ .., _] = tokens
            && is_in_parentheses(tokens)
        {
            tokens = inside;
        } else {
            break;
        }
    }
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return Err(ScanError { at: span.start });
    };
    let expression = Span {
        start: span.start + first.start,
        end: span.start + last.end,
    };
    Ok(KeyScan {
        expression,
        collation,
        descending,
        span,
    })
}

/// Whether COLLATE behind these tokens belongs to all of them: behind a name, a call, or
/// parentheses.
fn is_one_term(tokens: &[Token]) -> bool {
    match tokens {
        [_] => true,
        [name, arguments @ ..] if name.kind != TokenKind::Open => {
            let is_name = matches!(name.kind, TokenKind::Word | TokenKind::QuotedName);
            is_name && is_in_parentheses(arguments)
        }
        _ => is_in_parentheses(tokens),
    }
}

/// Whether the tokens are in one pair of parentheses.
fn is_in_parentheses(tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return token.kind == TokenKind::Close && at + 1 == tokens.len();
        }
    }
    false
}
