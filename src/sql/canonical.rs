//! The canonical form of scripts, version 1, as `docs/checksums.md` defines it.
//!
//! The format is frozen. It is built from tokens and the segments between their `;`, not from the
//! results of `split` or `classify`, so that those may change. The token boundaries of everything
//! quoted are part of it.

use std::ops::Range;

use super::{Dialect, Token, TokenKind, lex, split::command_name, words::Words};

/// The canonical form of a script, version 1, which its checksum is computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The bytes to hash.
    pub bytes: Vec<u8>,
    /// Modes of a dropped BEGIN, in upper case with single spaces and without commas; empty if
    /// there are none.
    pub modes: String,
    /// The value of a dropped leading `PRAGMA foreign_keys`.
    pub foreign_keys: Option<bool>,
    /// The bytes dropped before `bytes`. In a `transaction = off` script, where nothing replaces
    /// the wrapper, `before`, `bytes` and `after` are hashed together.
    pub before: Vec<u8>,
    /// The bytes dropped after `bytes`.
    pub after: Vec<u8>,
}

/// Returns the canonical form of `text`. The rules are frozen: a change would invalidate every
/// recorded checksum.
pub fn canonicalize(dialect: Dialect, text: &str) -> Canonical {
    let mut writer = Writer::new(dialect, text);
    for token in lex(dialect, text.as_bytes()) {
        writer.take(&token);
    }
    writer.end()
}

struct Writer<'a> {
    dialect: Dialect,
    text: &'a str,
    bytes: Vec<u8>,
    /// The completed segments, without their `;`.
    segments: Vec<Range<usize>>,
    /// The start of the current segment.
    segment: usize,
    gap: Gap,
    last: TokenKind,
}

/// The gap between two tokens.
#[derive(Default)]
struct Gap {
    any: bool,
    line_end: bool,
    block_comment: bool,
}

impl<'a> Writer<'a> {
    fn new(dialect: Dialect, text: &'a str) -> Self {
        Self {
            dialect,
            text,
            bytes: Vec::with_capacity(text.len()),
            segments: Vec::new(),
            segment: 0,
            gap: Gap::default(),
            last: TokenKind::Semicolon,
        }
    }

    fn take(&mut self, token: &Token) {
        let text = &self.text[token.start..token.end];
        match token.kind {
            TokenKind::Space => {
                self.gap.any = true;
                self.gap.line_end |= text.bytes().any(|byte| matches!(byte, b'\n' | b'\r'));
            }
            TokenKind::LineComment => self.gap.any = true,
            TokenKind::BlockComment => {
                self.gap.any = true;
                self.gap.block_comment = true;
            }
            TokenKind::MetaCommand if self.is_passed_over(text) => self.gap.any = true,
            TokenKind::Semicolon => self.end_segment(),
            TokenKind::CopyData => self.copy_data(text, token.closed),
            TokenKind::MetaCommand => self.write(token.kind, text.trim_end_matches('\r')),
            _ => self.write(token.kind, text),
        }
    }

    fn write(&mut self, kind: TokenKind, text: &str) {
        let gap = std::mem::take(&mut self.gap);
        if gap.any && self.bytes.len() > self.segment {
            let separator = self.separator(&gap, kind, text);
            self.bytes.push(separator);
        }
        push_lines(&mut self.bytes, text);
        self.last = kind;
    }

    /// Returns the separator of two tokens. Only two strings separated by a line end are a single
    /// one.
    fn separator(&self, gap: &Gap, kind: TokenKind, text: &str) -> u8 {
        let continues = self.dialect.lexical().strings_continue
            && self.last == TokenKind::String
            && kind == TokenKind::String
            && text.starts_with('\'')
            && gap.line_end
            && !gap.block_comment;
        let command = TokenKind::MetaCommand;
        if continues || self.last == command || kind == command {
            b'\n'
        } else {
            b' '
        }
    }

    fn end_segment(&mut self) {
        self.gap = Gap::default();
        self.last = TokenKind::Semicolon;
        if self.bytes.len() > self.segment {
            self.segments.push(self.segment..self.bytes.len());
            self.bytes.push(b';');
            self.segment = self.bytes.len();
        }
    }

    /// Adds COPY data to the segment before it.
    fn copy_data(&mut self, text: &str, closed: bool) {
        self.gap = Gap::default();
        self.bytes.push(b'\n');
        if closed && !text.ends_with('\n') {
            push_lines(&mut self.bytes, text.trim_end_matches('\r'));
            self.bytes.push(b'\n');
        } else {
            push_lines(&mut self.bytes, text);
        }
        if self.bytes.last() == Some(&b'\n')
            && let Some(copy) = self.segments.last_mut()
        {
            copy.end = self.bytes.len();
            self.segment = self.bytes.len();
        }
    }

    fn is_passed_over(&self, text: &str) -> bool {
        let passed_over = self.dialect.lexical().passed_over;
        passed_over.contains(&command_name(text))
    }

    fn end(mut self) -> Canonical {
        self.end_segment();
        self.bytes
            .truncate(self.segments.last().map_or(0, |last| last.end));
        let wrapper = self.wrapper();
        let body = &self.segments[wrapper.body.clone()];
        let (start, end) = match (body.first(), body.last()) {
            (Some(first), Some(last)) => (first.start, last.end),
            _ => (self.bytes.len(), self.bytes.len()),
        };
        let after = self.bytes.split_off(end);
        let before = self.bytes.drain(..start).collect();
        Canonical {
            bytes: self.bytes,
            modes: wrapper.modes.unwrap_or_default(),
            foreign_keys: wrapper.foreign_keys,
            before,
            after,
        }
    }

    fn wrapper(&self) -> Wrapper {
        let segment = |range: &Range<usize>| {
            // The range was cut from a string at ASCII bytes, so it is valid UTF-8.
            std::str::from_utf8(&self.bytes[range.clone()]).unwrap_or_default()
        };
        let words = |range: &Range<usize>| Words::new(self.dialect, segment(range));
        let statements = self.dialect.statements();
        let pragma = |range: &Range<usize>| (statements.foreign_keys)(segment(range));
        let mut body = 0..self.segments.len();
        let mut foreign_keys = None;
        while let Some(value) = self.segments[body.clone()].first().and_then(pragma) {
            foreign_keys = Some(value);
            body.start += 1;
        }
        while self.segments[body.clone()]
            .last()
            .and_then(pragma)
            .is_some()
        {
            body.end -= 1;
        }
        let modes = match &self.segments[body.clone()] {
            [first, .., last] if (statements.commit)(words(last)) => {
                (statements.begin)(words(first))
            }
            _ => None,
        };
        if modes.is_some() {
            body = body.start + 1..body.end - 1;
        }
        Wrapper {
            body,
            modes,
            foreign_keys,
        }
    }
}

struct Wrapper {
    body: Range<usize>,
    modes: Option<String>,
    foreign_keys: Option<bool>,
}

/// Appends `text` with every CRLF converted to LF.
fn push_lines(bytes: &mut Vec<u8>, text: &str) {
    if !text.as_bytes().contains(&b'\r') {
        return bytes.extend_from_slice(text.as_bytes());
    }
    let mut lines = text.split("\r\n");
    bytes.extend_from_slice(lines.next().unwrap_or_default().as_bytes());
    for line in lines {
        bytes.push(b'\n');
        bytes.extend_from_slice(line.as_bytes());
    }
}

#[cfg(test)]
mod tests;
