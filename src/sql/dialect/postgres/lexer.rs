//! Lexes the tokens specific to PostgreSQL.

use crate::sql::{
    Lexer, TokenKind,
    bytes::Class,
    lexer::{End, Escapes, other},
    scan,
};

use super::CLASSES;

/// Returns the token that begins with byte `first`, at `start`.
pub(in crate::sql) fn token(lexer: &Lexer, start: usize, first: u8) -> (TokenKind, End) {
    let text = lexer.text;
    match CLASSES[first as usize] {
        Class::Space => lexer.space(start),
        Class::Word => word(lexer, start, first),
        Class::Digit => (TokenKind::Number, (number(text, start), true)),
        Class::Quote if lexer.escapes == Escapes::On => {
            (TokenKind::String, scan::escaped(text, start + 1))
        }
        Class::Dollar => match scan::dollar_tag(text, start) {
            Some(tag) => (
                TokenKind::DollarString,
                scan::dollar_quoted(text, start, tag),
            ),
            None => other(start),
        },
        Class::Dash if lexer.peek(start + 1) == b'-' => {
            let end = scan::until(text, start, |b| matches!(b, b'\n' | b'\r'));
            (TokenKind::LineComment, (end, true))
        }
        Class::Slash if lexer.peek(start + 1) == b'*' => {
            (TokenKind::BlockComment, scan::nested_comment(text, start))
        }
        Class::Backslash => {
            let end = scan::until(text, start, |b| matches!(b, b'\n' | b'\r'));
            (TokenKind::MetaCommand, (end, true))
        }
        class => lexer.common(start, first, class),
    }
}

fn word(lexer: &Lexer, start: usize, first: u8) -> (TokenKind, End) {
    let text = lexer.text;
    let second = lexer.peek(start + 1);
    match (first | 0x20, second) {
        (b'e', b'\'') => return (TokenKind::String, scan::escaped(text, start + 2)),
        (b'b' | b'x' | b'n', b'\'') => {
            return (TokenKind::String, scan::quoted(text, start + 2, b'\''));
        }
        (b'u', b'&') => match lexer.peek(start + 2) {
            b'\'' => return (TokenKind::String, scan::quoted(text, start + 3, b'\'')),
            b'"' => return (TokenKind::QuotedName, scan::quoted(text, start + 3, b'"')),
            _ => {}
        },
        _ => {}
    }
    lexer.word(start)
}

/// Returns the end of a number: digits, at most one dot, an exponent. Letters after it are a
/// separate word.
fn number(text: &[u8], start: usize) -> usize {
    let digits = |at| scan::until(text, at, |byte| !byte.is_ascii_digit() && byte != b'_');
    let mut end = digits(start);
    if text.get(end) == Some(&b'.') && text.get(end + 1) != Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        if text.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    end
}
