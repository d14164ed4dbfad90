//! The tokens of a statement, one after the other.

use crate::{
    schema::{
        Name,
        sqlite::{name, significant, unquoted},
    },
    sql::{Token, TokenKind},
};

/// A place among the tokens of a statement.
pub(super) struct Words<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            tokens: significant(text).collect(),
            at: 0,
        }
    }

    fn text_at(&self, at: usize) -> Option<(TokenKind, &'a str)> {
        let token = self.tokens.get(at)?;
        Some((token.kind, self.text.get(token.start..token.end)?))
    }

    /// The next token.
    pub(super) fn peek(&self) -> Option<(TokenKind, &'a str)> {
        self.text_at(self.at)
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The offset of the next token, or of the end.
    pub(super) fn start(&self) -> usize {
        let token = self.tokens.get(self.at);
        token.map_or(self.text.len(), |token| token.start)
    }

    /// The end of the last token that was taken.
    pub(super) fn end(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.map_or(0, |token| token.end)
    }

    /// The text from the next token on.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.start()..).unwrap_or_default()
    }

    fn is_at(&self, at: usize, word: &str) -> bool {
        let found = self.text_at(at);
        found.is_some_and(|(kind, text)| kind == TokenKind::Word && text.eq_ignore_ascii_case(word))
    }

    /// Whether the next token is the keyword.
    pub(super) fn is(&self, word: &str) -> bool {
        self.is_at(self.at, word)
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Takes one of the keywords.
    pub(super) fn eat_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.eat(word))
    }

    /// Takes all of the keywords, or none.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = (self.at..)
            .zip(words)
            .all(|(at, word)| self.is_at(at, word));
        self.at += if found { words.len() } else { 0 };
        found
    }

    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_some_and(|(_, text)| text == symbol);
        self.at += usize::from(found);
        found
    }

    /// Takes an identifier.
    pub(super) fn word(&mut self) -> Option<String> {
        let (kind, text) = self.peek()?;
        let word = unquoted(kind, text)?.into_owned();
        self.skip();
        Some(word)
    }

    /// Takes the name of an object, without that of its database.
    pub(super) fn name(&mut self) -> Option<Name> {
        let mut found = self.word()?;
        if self.eat_symbol(".") {
            found = self.word()?;
        }
        Some(name(found))
    }

    /// Skips to after the `)` that belongs to a `(` that was taken.
    pub(super) fn leave(&mut self) {
        let mut depth = 1_usize;
        while let Some((kind, _)) = self.peek() {
            self.skip();
            match kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips to the keyword outside parentheses. Returns whether it is there.
    pub(super) fn skip_to(&mut self, words: &[&str]) -> bool {
        while let Some((kind, _)) = self.peek() {
            if words.iter().any(|word| self.is(word)) {
                return true;
            }
            self.skip();
            if kind == TokenKind::Open {
                self.leave();
            }
        }
        false
    }
}
