//! Finds the ends of quoted tokens. All functions take the whole text and a position in the token,
//! and return one past its last byte and whether it is closed.

use super::{bytes::continues_word, lexer::End};

/// Returns the first position from `at` whose byte is a `stop`, or the end.
#[inline]
pub(super) fn until(text: &[u8], at: usize, stop: impl Fn(u8) -> bool) -> usize {
    text[at..]
        .iter()
        .position(|byte| stop(*byte))
        .map_or(text.len(), |found| at + found)
}

/// Scans from after the opening `quote`; a doubled quote is an escaped one.
pub(super) fn quoted(text: &[u8], mut at: usize, quote: u8) -> End {
    loop {
        at = until(text, at, |byte| byte == quote);
        if at == text.len() {
            return (at, false);
        }
        if text.get(at + 1) != Some(&quote) {
            return (at + 1, true);
        }
        at += 2;
    }
}

/// Scans from after the opening quote of an escape string, where `\` escapes the next byte.
pub(super) fn escaped(text: &[u8], mut at: usize) -> End {
    loop {
        at = until(text, at, |byte| matches!(byte, b'\'' | b'\\'));
        match text.get(at) {
            None => return (at, false),
            Some(b'\\') => at = (at + 2).min(text.len()),
            Some(_) if text.get(at + 1) == Some(&b'\'') => at += 2,
            Some(_) => return (at + 1, true),
        }
    }
}

/// Scans from after a `[`, up to the first `]`.
pub(super) fn bracketed(text: &[u8], at: usize) -> End {
    let end = until(text, at, |byte| byte == b']');
    if end == text.len() {
        (end, false)
    } else {
        (end + 1, true)
    }
}

/// Scans from the `/*` of a SQLite comment.
pub(super) fn flat_comment(text: &[u8], start: usize) -> End {
    let mut at = start + 2;
    loop {
        at = until(text, at, |byte| byte == b'*');
        if at == text.len() {
            return (at, false);
        }
        if text.get(at + 1) == Some(&b'/') {
            return (at + 2, true);
        }
        at += 1;
    }
}

/// Scans from the `/*` of a PostgreSQL comment.
pub(super) fn nested_comment(text: &[u8], start: usize) -> End {
    let mut at = start + 2;
    let mut depth = 1u64;
    loop {
        at = until(text, at, |byte| matches!(byte, b'*' | b'/'));
        match text.get(at..at + 2) {
            None => return (text.len(), false),
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return (at, true);
                }
            }
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(_) => at += 1,
        }
    }
}

/// Returns the length of `$tag$` at `start`, unless this `$` opens no dollar quote.
pub(super) fn dollar_tag(text: &[u8], start: usize) -> Option<usize> {
    let name = start + 1;
    if text.get(name)?.is_ascii_digit() {
        return None;
    }
    let end = until(text, name, |byte| byte == b'$' || !continues_word(byte));
    (text.get(end) == Some(&b'$')).then_some(end + 1 - start)
}

/// Scans a dollar quote from its opening `$tag$`, which is `tag` bytes long.
pub(super) fn dollar_quoted(text: &[u8], start: usize, tag: usize) -> End {
    let delimiter = &text[start..start + tag];
    let mut at = start + tag;
    loop {
        at = until(text, at, |byte| byte == b'$');
        if at == text.len() {
            return (at, false);
        }
        if text[at..].starts_with(delimiter) {
            return (at + tag, true);
        }
        at += 1;
    }
}

/// Scans the lines of a COPY up to and including the line `\.`.
pub(super) fn copy_data(text: &[u8], start: usize) -> End {
    let mut line = start;
    while line < text.len() {
        let end = until(text, line, |byte| byte == b'\n');
        let next = (end + 1).min(text.len());
        let content = &text[line..end];
        if content.strip_suffix(b"\r").unwrap_or(content) == b"\\." {
            return (next, true);
        }
        line = next;
    }
    (text.len(), false)
}
