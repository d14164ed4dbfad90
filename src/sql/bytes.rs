//! What a single byte can begin, as tables.

use super::Dialect;

/// The UTF-8 byte order mark.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What a byte begins outside of quotes.
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

/// The class of `byte` in `dialect`.
#[inline]
pub(super) fn class(dialect: Dialect, byte: u8) -> Class {
    match dialect {
        Dialect::Postgres => POSTGRES[byte as usize],
        Dialect::Sqlite => SQLITE[byte as usize],
    }
}

/// Whether `byte` goes on with a name; `$` and all of UTF-8 do in both dialects.
#[inline]
pub(super) fn continues_word(byte: u8) -> bool {
    WORD[byte as usize]
}

static POSTGRES: [Class; 256] = classes(true);
static SQLITE: [Class; 256] = classes(false);
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

const fn classes(postgres: bool) -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0C => Class::Space,
            // White space since PostgreSQL 16, an error before it and in SQLite.
            0x0B if postgres => Class::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xFF => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b'\'' => Class::Quote,
            b'"' => Class::DoubleQuote,
            b'`' => Class::Backtick,
            b'[' => Class::Bracket,
            b'$' if postgres => Class::Dollar,
            // A variable in SQLite, which reads on like a name.
            b'$' => Class::Word,
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
    table
}
