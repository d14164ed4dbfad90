//! Tables of the tokens that a byte can begin.

/// The UTF-8 byte order mark.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The kind of token that a byte begins outside quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Other,
    Space,
    Word,
    Digit,
    Quote,
    DoubleQuote,
    Backtick,
    Bracket,
    Dollar,
    Dash,
    Slash,
    Semicolon,
    Open,
    Close,
    Backslash,
    Dot,
}

/// Returns whether `byte` continues a name; `$` and all non-ASCII bytes do in both dialects.
#[inline]
pub(super) fn continues_word(byte: u8) -> bool {
    WORD[byte as usize]
}

static WORD: [bool; 256] = word();

const fn word() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        table[byte] =
            value.is_ascii_alphanumeric() || value == b'_' || value == b'$' || value >= 0x80;
        byte += 1;
    }
    table
}

/// Returns the classes of bytes: those common to all dialects, and `own` for the others.
pub(super) const fn classes(own: &[(u8, Class)]) -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0C => Class::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xFF => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b'\'' => Class::Quote,
            b'"' => Class::DoubleQuote,
            b'`' => Class::Backtick,
            b'[' => Class::Bracket,
            b'-' => Class::Dash,
            b'/' => Class::Slash,
            b';' => Class::Semicolon,
            b'(' => Class::Open,
            b')' => Class::Close,
            b'\\' => Class::Backslash,
            b'.' => Class::Dot,
            _ => Class::Other,
        };
        byte += 1;
    }
    let mut at = 0;
    while at < own.len() {
        table[own[at].0 as usize] = own[at].1;
        at += 1;
    }
    table
}
