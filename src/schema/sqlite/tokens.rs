use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::scan::ScanError;
use crate::sql::{Dialect, Lexer, Token, TokenKind, lex};

/// A part of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset one past the last byte.
    pub end: usize,
}

impl Span {
    /// The part of `text`.
    pub fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// The tokens of a text that are neither white space nor comments.
pub struct Significant<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The offset of the lexer's text in `text`.
    base: usize,
}

/// Returns the tokens of a text that are neither white space nor comments.
pub fn significant(text: &str) -> Significant<'_> {
    Significant {
        text,
        lexer: lex(Dialect::Sqlite, text.as_bytes()),
        base: 0,
    }
}

impl Iterator for Significant<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let mut token = self.lexer.find(|token| !token.is_blank())?;
        token.start += self.base;
        token.end += self.base;
        if token.kind == TokenKind::MetaCommand {
            // Within a statement, such as at the start of an expression, this is the point of a number.
            token.kind = TokenKind::Other;
            token.end = token.start + 1;
            self.base = token.end;
            self.lexer = lex(Dialect::Sqlite, &self.text.as_bytes()[self.base..]);
        }
        Some(token)
    }
}

/// The name in a token, without quotes.
pub fn unquoted(kind: TokenKind, text: &str) -> Option<Cow<'_, str>> {
    let quote = match kind {
        TokenKind::Word => return Some(text.into()),
        TokenKind::QuotedName | TokenKind::String => text.get(..1)?,
        _ => return None,
    };
    let close = match quote {
        "x" | "X" => return None,
        "[" => "]",
        other => other,
    };
    let inner = text[1..].strip_suffix(close)?;
    if quote == "[" || !inner.contains(quote) {
        return Some(inner.into());
    }
    Some(inner.replace(&quote.repeat(2), quote).into())
}

/// A name in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAt {
    /// The name without quotes.
    pub name: String,
    /// The place of the name, with its quotes.
    pub span: Span,
}

/// A place among the tokens of a text.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            tokens: significant(text).collect(),
            at: 0,
        }
    }

    fn at(&self, ahead: usize) -> Option<(TokenKind, &'a str)> {
        let token = self.tokens.get(self.at + ahead)?;
        Some((token.kind, &self.text[token.start..token.end]))
    }

    /// The next token.
    pub(super) fn peek(&self) -> Option<(TokenKind, &'a str)> {
        self.at(0)
    }

    /// The start of the next token, or the end of the text.
    pub(super) fn start(&self) -> usize {
        let token = self.tokens.get(self.at);
        token.map_or(self.text.len(), |token| token.start)
    }

    /// The end of the last token that was taken.
    pub(super) fn end(&self) -> usize {
        match self.at.checked_sub(1) {
            Some(last) => self.tokens[last].end,
            None => 0,
        }
    }

    /// From `start` to the end of the last token that was taken.
    pub(super) fn since(&self, start: usize) -> Span {
        let end = self.end().max(start);
        Span { start, end }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == self.tokens.len()
    }

    pub(super) fn skip(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len());
    }

    /// Whether the token `ahead` of the next one is the keyword `word`.
    pub(super) fn is_at(&self, ahead: usize, word: &str) -> bool {
        self.at(ahead)
            .is_some_and(|(kind, text)| kind == TokenKind::Word && text.eq_ignore_ascii_case(word))
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Takes the next token if it is the keyword `word`.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Takes these keywords if all of them follow, or takes nothing.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = (0..)
            .zip(words)
            .all(|(ahead, word)| self.is_at(ahead, word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// Takes the next token if it is one of these keywords, and returns the keyword.
    pub(super) fn eat_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.eat(word))
    }

    /// Takes the next token if it is `symbol`.
    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_some_and(|(_, text)| text == symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<(), ScanError> {
        if self.eat(word) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Result<(), ScanError> {
        if self.eat_symbol(symbol) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    /// Takes a name.
    pub(super) fn name(&mut self) -> Result<NameAt, ScanError> {
        let start = self.start();
        let name = self.peek().and_then(|(kind, text)| unquoted(kind, text));
        let name = name.ok_or_else(|| self.error())?.into_owned();
        self.skip();
        let span = self.since(start);
        Ok(NameAt { name, span })
    }

    /// Takes a name that may be qualified by the name of a database.
    pub(super) fn qualified_name(&mut self) -> Result<NameAt, ScanError> {
        let name = self.name()?;
        if self.eat_symbol(".") {
            return self.name();
        }
        Ok(name)
    }

    /// Takes `(` and everything up to the matching `)`. Returns what is between them.
    pub(super) fn parentheses(&mut self) -> Result<Span, ScanError> {
        self.expect_symbol("(")?;
        let start = self.end();
        self.skip_nested(|_| false);
        let end = self.start();
        self.expect_symbol(")")?;
        Ok(Span { start, end })
    }

    /// Skips to the first token outside of parentheses for which `stop` holds, to a `)` without its
    /// `(`, or to the end.
    pub(super) fn skip_nested(&mut self, stop: impl Fn(&Self) -> bool) {
        let mut depth = 0_usize;
        while let Some((kind, _)) = self.peek() {
            match kind {
                TokenKind::Close if depth == 0 => return,
                _ if depth == 0 && stop(self) => return,
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth -= 1,
                _ => {}
            }
            self.skip();
        }
    }

    /// Whether the last token that was taken and the next one touch.
    pub(super) fn touches(&self) -> bool {
        self.start() == self.end()
    }

    /// The error at the next token.
    pub(super) fn error(&self) -> ScanError {
        ScanError { at: self.start() }
    }
}
