//! The tokenizer. The token boundaries of everything quoted (strings, names,
//! dollar quotes, comments, COPY data) are part of the frozen checksum format.

use super::{
    Dialect,
    bytes::{self, Class},
    dialect::Boundary,
    scan,
};

/// The kind of a token. Only kinds that matter for quoting and splitting are distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A run of white space, or a byte order mark at the very start.
    Space,
    /// `-- …` without its line end.
    LineComment,
    /// `/* … */`, nested in PostgreSQL.
    BlockComment,
    /// A keyword or an unquoted name.
    Word,
    /// `"x"`, and on SQLite `[x]` and `` `x` ``.
    QuotedName,
    /// `'…'`, and with its prefix `X'…'`, on PostgreSQL also `E'…'`, `B'…'`, `N'…'`, `U&'…'`.
    String,
    /// `$tag$ … $tag$` (PostgreSQL).
    DollarString,
    /// A number.
    Number,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// A psql command (`\d`) or a sqlite3 dot-command, up to the end of its line.
    MetaCommand,
    /// The lines after `COPY … FROM STDIN;` up to and including the line `\.`.
    CopyData,
    /// Any other single byte.
    Other,
}

/// A piece of the text. The tokens of a text follow each other without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The kind of the token.
    pub kind: TokenKind,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset one past the last byte.
    pub end: usize,
    /// False if the text ends inside a quote, comment or COPY block.
    pub closed: bool,
}

impl Token {
    /// Returns whether the token is white space or a comment.
    pub fn is_blank(&self) -> bool {
        matches!(
            self.kind,
            TokenKind::Space | TokenKind::LineComment | TokenKind::BlockComment
        )
    }
}

/// An iterator over the tokens of a text; see [`lex`].
#[derive(Clone)]
pub struct Lexer<'a> {
    pub(super) text: &'a [u8],
    at: usize,
    dialect: Dialect,
    boundary: Boundary,
    pub(super) escapes: Escapes,
    data: Data,
}

/// The state of escapes across strings. PostgreSQL continues a string after a line end under the
/// rules of the part before it, so that an `E'…'` extends into the next `'…'`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// The next plain string has no backslash escapes.
    Off,
    /// Directly after an escape string, without a line end so far.
    After,
    /// After an escape string and a line end.
    On,
}

/// The position of the data of a COPY statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Data {
    None,
    /// The data begins after the end of this line.
    NextLine,
    /// The data begins here.
    Due,
}

/// Splits `text` into tokens by the quoting rules of `dialect`.
///
/// Accepts any bytes, never fails, and loses nothing: the joined tokens are the text. The rules of
/// PostgreSQL are those for `standard_conforming_strings = on`, the default.
pub fn lex(dialect: Dialect, text: &[u8]) -> Lexer<'_> {
    Lexer {
        text,
        at: 0,
        dialect,
        boundary: dialect.boundary(),
        escapes: Escapes::Off,
        data: Data::None,
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        let first = *self.text.get(start)?;
        let (kind, (end, closed)) = if self.data == Data::Due {
            (TokenKind::CopyData, scan::copy_data(self.text, start))
        } else {
            self.dialect.token(self, start, first)
        };
        let token = Token {
            kind,
            start,
            end,
            closed,
        };
        self.at = end;
        self.follow(&token);
        Some(token)
    }
}

/// The end of a token, and whether it is closed.
pub(super) type End = (usize, bool);

impl<'a> Lexer<'a> {
    /// Returns the state of the statement after the last token.
    pub(super) fn boundary(&self) -> &Boundary {
        &self.boundary
    }

    fn follow(&mut self, token: &Token) {
        let bytes = &self.text[token.start..token.end];
        match token.kind {
            TokenKind::Space => {
                if self.escapes == Escapes::After
                    && bytes.iter().any(|b| matches!(b, b'\n' | b'\r'))
                {
                    self.escapes = Escapes::On;
                }
                if self.data == Data::NextLine && bytes.ends_with(b"\n") {
                    self.data = Data::Due;
                }
                return;
            }
            TokenKind::LineComment => return,
            TokenKind::String => {
                let escaped = self.escapes == Escapes::On && bytes[0] == b'\'';
                self.escapes = if escaped || matches!(bytes[0], b'e' | b'E') {
                    Escapes::After
                } else {
                    Escapes::Off
                };
            }
            _ => self.escapes = Escapes::Off,
        }
        match token.kind {
            TokenKind::BlockComment | TokenKind::MetaCommand => {}
            TokenKind::CopyData => self.data = Data::None,
            _ => {
                self.boundary.feed(token.kind, bytes);
                if self.boundary.data_follows() {
                    self.data = Data::NextLine;
                }
            }
        }
    }

    pub(super) fn peek(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    pub(super) fn common(&self, start: usize, first: u8, class: Class) -> (TokenKind, End) {
        match class {
            Class::Quote => (TokenKind::String, scan::quoted(self.text, start + 1, first)),
            Class::DoubleQuote => (
                TokenKind::QuotedName,
                scan::quoted(self.text, start + 1, first),
            ),
            Class::Semicolon => (TokenKind::Semicolon, (start + 1, true)),
            Class::Open => (TokenKind::Open, (start + 1, true)),
            Class::Close => (TokenKind::Close, (start + 1, true)),
            _ => other(start),
        }
    }

    pub(super) fn word(&self, start: usize) -> (TokenKind, End) {
        if start == 0 && self.text.starts_with(bytes::BOM) {
            return (TokenKind::Space, (bytes::BOM.len(), true));
        }
        let end = scan::until(self.text, start, |b| !bytes::continues_word(b));
        (TokenKind::Word, (end, true))
    }

    pub(super) fn space(&self, start: usize) -> (TokenKind, End) {
        let classes = self.dialect.classes();
        let is_space = |b: u8| classes[b as usize] == Class::Space;
        let mut end = scan::until(self.text, start, |b| !is_space(b));
        if self.data == Data::NextLine
            && let Some(line) = self.text[start..end].iter().position(|b| *b == b'\n')
        {
            end = start + line + 1;
        }
        (TokenKind::Space, (end, true))
    }

    pub(super) fn at_line_start(&self, at: usize) -> bool {
        at == 0
            || self.text[at - 1] == b'\n'
            || (at == bytes::BOM.len() && self.text.starts_with(bytes::BOM))
    }
}

pub(super) fn other(start: usize) -> (TokenKind, End) {
    (TokenKind::Other, (start + 1, true))
}

#[cfg(test)]
pub(crate) mod tests;
