//! Lexes the tokens specific to SQLite.

use crate::sql::{
    Lexer, TokenKind,
    bytes::{Class, continues_word},
    lexer::End,
    scan,
};

use super::CLASSES;

/// Returns the token that begins with byte `first`, at `start`.
pub(in crate::sql) fn token(lexer: &Lexer, start: usize, first: u8) -> (TokenKind, End) {
    let text = lexer.text;
    match CLASSES[first as usize] {
        Class::Space => lexer.space(start),
        Class::Word if matches!(first, b'x' | b'X') && lexer.peek(start + 1) == b'\'' => {
            (TokenKind::String, scan::quoted(text, start + 2, b'\''))
        }
        Class::Word => lexer.word(start),
        Class::Digit => (TokenKind::Number, (number(text, start), true)),
        Class::Backtick => (TokenKind::QuotedName, scan::quoted(text, start + 1, b'`')),
        Class::Bracket => (TokenKind::QuotedName, scan::bracketed(text, start + 1)),
        Class::Dash if lexer.peek(start + 1) == b'-' => {
            let end = scan::until(text, start, |b| b == b'\n');
            (TokenKind::LineComment, (end, true))
        }
        Class::Slash if lexer.peek(start + 1) == b'*' => {
            (TokenKind::BlockComment, scan::flat_comment(text, start))
        }
        Class::Dot if lexer.at_line_start(start) && lexer.boundary().is_between() => {
            let end = scan::until(text, start, |b| b == b'\n');
            (TokenKind::MetaCommand, (end, true))
        }
        class => lexer.common(start, first, class),
    }
}

/// Returns the end of a number, including all name characters that follow it, as in SQLite.
fn number(text: &[u8], start: usize) -> usize {
    scan::until(text, start, |byte| !continues_word(byte) && byte != b'.')
}

/// Returns the length of the bind parameter at the start of `text`: `?`, `?1`, `:a`, `@a`,
/// `$a::b(c)`. Other text with these prefixes is not valid SQL, and SQLite reports it.
pub(in crate::sql) fn parameter(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let until = |stops: fn(u8) -> bool| scan::until(bytes, 1, stops);
    match bytes.first()? {
        b'?' => Some(until(|byte| !byte.is_ascii_digit())),
        b':' | b'@' | b'$' => {
            let end = until(|byte| !continues_word(byte));
            (end > 1).then_some(end)
        }
        _ => None,
    }
}
