use std::{borrow::Cow, fmt, ops::Deref};

use serde::{Deserialize, Serialize};

use super::{
    keywords::{in_quotes, is_plain, is_reserved, quoted},
    tokens::{significant, unquoted},
};
use crate::sql::{Token, TokenKind};

/// A piece of SQL as it is written: an expression, a query, the body of a trigger, a type.
///
/// Two of them are equal if they have the same tokens. White space and comments do not matter, nor
/// does the case of keywords and names, or whether a name is quoted that need not be. The text of
/// strings matters. A name in double quotes stands for a string where there is no such column, so
/// one with a capital letter is equal only to itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expression(String);

impl Expression {
    /// An expression in one line, without comments and without parentheses around all of it.
    pub fn new(text: &str) -> Self {
        if is_tidy(text) {
            return Self(text.to_owned());
        }
        let tokens: Vec<Token> = significant(text).collect();
        Self(joined(text, inner(text, &tokens), |_| None))
    }

    /// A text of several lines, such as that of a query.
    pub fn verbatim(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The expression without quotes around names for which `is_column` holds, where they need
    /// none.
    pub fn with_columns(self, is_column: impl Fn(&str) -> bool) -> Self {
        if !self.0.contains('"') {
            return self;
        }
        let tokens: Vec<Token> = significant(&self.0).collect();
        let column = |token: &Token| {
            let text = &self.0[token.start..token.end];
            let name = unquoted(token.kind, text).filter(|_| text.starts_with('"'))?;
            (is_plain(&name) && is_column(&name)).then(|| name.into_owned())
        };
        Self(joined(&self.0, &tokens, column))
    }

    /// The expression with canonical spaces and quotes. That of equal expressions differs in nothing
    /// but the case of letters.
    pub fn canonical(&self) -> String {
        let mut canonical = String::with_capacity(self.0.len());
        let mut last: Option<Token> = None;
        let mut in_exponent = false;
        for token in significant(&self.0) {
            let text = &self.0[token.start..token.end];
            if let Some(last) = last {
                let starts_exponent = ends_in_exponent(&self.0, &last, &token);
                let is_joined = starts_exponent || in_exponent;
                if !is_joined && is_spaced(&self.0, &last, &token) {
                    canonical.push(' ');
                }
                in_exponent = starts_exponent;
            }
            last = Some(token);
            match key(token.kind, text) {
                Key::Word(name) if token.kind == TokenKind::QuotedName && !is_plain(&name) => {
                    canonical.push_str(&quoted(&name));
                }
                Key::Word(_) if token.kind == TokenKind::QuotedName => {
                    canonical.extend(unquoted(token.kind, text));
                }
                Key::Quoted(name) => canonical.push_str(&in_quotes(&name)),
                Key::Word(_) | Key::Other(_) => canonical.push_str(text),
            }
        }
        canonical
    }

    /// The name of which the whole expression consists.
    pub fn as_name(&self) -> Option<Cow<'_, str>> {
        let mut tokens = significant(&self.0);
        let (token, None) = (tokens.next()?, tokens.next()) else {
            return None;
        };
        let text = &self.0[token.start..token.end];
        match token.kind {
            TokenKind::Word if is_reserved(text) => None,
            TokenKind::Word | TokenKind::QuotedName => unquoted(token.kind, text),
            _ => None,
        }
    }

    /// The names that could be those of tables: all words and quoted names but those behind AS,
    /// which are new, and those behind a point, unless the name of the database is before it.
    pub fn names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let mut last = ["", ""];
        significant(&self.0).filter_map(move |token| {
            let text = &self.0[token.start..token.end];
            let is_taken = match last {
                [_, word] if word.eq_ignore_ascii_case("as") => true,
                [database, "."] => !database.eq_ignore_ascii_case("main"),
                _ => false,
            };
            last = [last[1], text];
            match token.kind {
                TokenKind::Word | TokenKind::QuotedName if !is_taken => unquoted(token.kind, text),
                _ => None,
            }
        })
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || keys(&self.0).eq(keys(&other.0))
    }
}

impl Eq for Expression {}

impl Deref for Expression {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` is one line without comments, surplus spaces or parentheses around it.
fn is_tidy(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let untidy = |pair: &[u8]| matches!(pair, b"  " | b"--" | b"/*");
    !bytes
        .first()
        .is_some_and(|byte| is_space(byte) || *byte == b'(')
        && !bytes.last().is_some_and(is_space)
        && !bytes.iter().any(|byte| is_space(byte) && *byte != b' ')
        && !bytes.windows(2).any(untidy)
}

/// The tokens inside the parentheses around all of `tokens`. Those of a subquery are part of it.
fn inner<'a>(text: &str, mut tokens: &'a [Token]) -> &'a [Token] {
    while let [open, inside @ .., _] = tokens {
        let is_query = inside.first().is_some_and(|first| {
            let word = &text[first.start..first.end];
            let words = ["select", "values", "with"];
            words.iter().any(|query| word.eq_ignore_ascii_case(query))
        });
        if open.kind != TokenKind::Open || is_query || closing(tokens) != Some(tokens.len() - 1) {
            break;
        }
        tokens = inside;
    }
    tokens
}

/// The place of the `)` that matches the first token.
fn closing(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The tokens with one space where there is any between them in `text`, and with some of them
/// replaced.
fn joined(text: &str, tokens: &[Token], replaced: impl Fn(&Token) -> Option<String>) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut end = tokens.first().map_or(0, |first| first.start);
    for token in tokens {
        if token.start > end {
            joined.push(' ');
        }
        end = token.end;
        match replaced(token) {
            Some(other) => joined.push_str(&other),
            None => joined.push_str(&text[token.start..token.end]),
        }
    }
    joined
}

/// Whether the canonical form has a space between two tokens that follow each other.
fn is_spaced(text: &str, last: &Token, next: &Token) -> bool {
    let touch = last.end == next.start;
    let (before, after) = (&text[last.start..last.end], &text[next.start..next.end]);
    let is_name = match last.kind {
        TokenKind::Word => !is_reserved(before),
        kind => kind == TokenKind::QuotedName,
    };
    let is_operator = |kind, text: &str| kind == TokenKind::Other && "<>=!|-".contains(text);
    match (before, after) {
        ("(" | ".", _) | (_, ")" | "," | ";") => false,
        (_, "(" | ".") if is_name => false,
        // Operators of several characters, which must touch.
        _ if touch && is_operator(last.kind, before) && "<>=|".contains(after) => false,
        _ => true,
    }
}

/// Whether `next` is the sign of the exponent of the number `last`.
fn ends_in_exponent(text: &str, last: &Token, next: &Token) -> bool {
    let number = &text[last.start..last.end];
    last.kind == TokenKind::Number
        && number.ends_with(['e', 'E'])
        && !number.starts_with("0x")
        && !number.starts_with("0X")
        && last.end == next.start
        && matches!(&text[next.start..next.end], "+" | "-")
}

/// A token in the form that is compared.
#[derive(PartialEq, Eq)]
enum Key<'a> {
    /// A keyword or a name.
    Word(Cow<'a, str>),
    /// A name whose quotes matter.
    Quoted(Cow<'a, str>),
    /// A string, a number or a symbol.
    Other(Cow<'a, str>),
}

fn keys(text: &str) -> impl Iterator<Item = Key<'_>> {
    significant(text).map(|token| key(token.kind, &text[token.start..token.end]))
}

fn key(kind: TokenKind, text: &str) -> Key<'_> {
    let name = match kind {
        TokenKind::QuotedName => unquoted(kind, text),
        _ => None,
    };
    match (kind, name) {
        (TokenKind::Word, _) => Key::Word(lower(text.into())),
        (_, Some(name)) if text.starts_with('"') && has_capital(&name) => Key::Quoted(name),
        (_, Some(name)) if is_reserved(&name) => Key::Quoted(lower(name)),
        (_, Some(name)) => Key::Word(lower(name)),
        (TokenKind::Number, None) => Key::Other(lower(text.into())),
        (_, None) => Key::Other(text.into()),
    }
}

fn has_capital(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if has_capital(&text) {
        text.to_ascii_lowercase().into()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_shown_as_written_in_one_line() {
        let check = |text: &str, shown: &str| assert_eq!(&*Expression::new(text), shown);
        check("a > 0", "a > 0");
        check(" a>0 ", "a>0");
        check("a\n\t> -- why\n 0", "a > 0");
        check("((a > 0))", "a > 0");
        check("(a) > (0)", "(a) > (0)");
        check("/* why */ (a > 0)", "a > 0");
        check("a = 'x  -- y'", "a = 'x  -- y'");
        check("(SELECT 1)", "(SELECT 1)");
        check("(.5 < a)", ".5 < a");
        check("", "");
        check("()", "");
    }

    #[test]
    fn formatting_is_no_difference() {
        let same = |a: &str, b: &str| assert!(Expression::new(a) == Expression::new(b), "{a} {b}");
        same("a>0", "(a  >  0)");
        same("a > 0", "A > 0");
        same("a is NOT null", "a IS NOT NULL");
        same("\"a\" > 0", "a > 0");
        same("[userId] > 0", "userid > 0");
        same("`a b`", "[A B]");
        same("\"Open\"", "\"Open\"");
        same(".5", ". 5");
        same("varchar (10)", "VARCHAR(10)");
        same("0xFF", "0xff");
    }

    #[test]
    fn words_are_differences() {
        let other = |a: &str, b: &str| assert!(Expression::new(a) != Expression::new(b), "{a} {b}");
        other("'a'", "'A'");
        other("'a  b'", "'a b'");
        other("\"Open\"", "\"open\"");
        other("\"a\"", "'a'");
        other("\"null\"", "null");
        other("[current_date]", "current_date");
        other("a > 0", "a >= 0");
        other("(a) > 0", "a > 0");
        other("\"1\"", "1");
    }

    #[test]
    fn the_canonical_form_has_canonical_spaces() {
        let check = |text: &str, expected: &str| {
            let canonical = Expression::new(text).canonical();
            assert_eq!(canonical, expected);
            assert_eq!(Expression::new(&canonical).canonical(), canonical);
            assert!(
                Expression::new(&canonical) == Expression::new(text),
                "{text}"
            );
        };
        check("a>0", "a > 0");
        check("length ( a )>=.5", "length(a) >= .5");
        check("a IN('x','y')", "a IN ('x', 'y')");
        check("t . a||b", "t.a || b");
        check("a->>'$.b' <> -1", "a ->> '$.b' <> - 1");
        check("1e-5+a", "1e-5 + a");
        check("[userId] = `two words`", "userId = \"two words\"");
        check(
            "\"Open\" = \"open\" and [null]",
            "\"Open\" = open and \"null\"",
        );
    }

    #[test]
    fn quotes_of_columns_are_dropped() {
        let check = |text: &str, shown: &str| {
            let is_column = |name: &str| ["userId", "order"].contains(&name);
            assert_eq!(&*Expression::new(text).with_columns(is_column), shown);
        };
        check("\"userId\" > \"Open\"", "userId > \"Open\"");
        check("\"order\" > 1", "\"order\" > 1");
        check("'\"userId\"'", "'\"userId\"'");
    }

    #[test]
    fn names_of_tables_are_found() {
        let text = "SELECT a.b AS c FROM main.\"d e\" AS a, [f] WHERE 'g' = h(1)";
        let expression = Expression::verbatim(text);
        let names: Vec<_> = expression.names().collect();
        let expected = [
            "SELECT", "a", "AS", "FROM", "main", "d e", "AS", "f", "WHERE", "h",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_single_name_is_recognised() {
        let check = |text: &str, name: Option<&str>| {
            assert_eq!(Expression::new(text).as_name().as_deref(), name, "{text}");
        };
        check("a", Some("a"));
        check("(\"a b\")", Some("a b"));
        check("[a]", Some("a"));
        check("'a'", None);
        check("null", None);
        check("a + 1", None);
        check("1", None);
    }
}
