use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::OnceLock,
};

use super::escape::push_code;

/// The meaning of a piece of text, which determines its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// IDs.
    Id,
    /// Success.
    Good,
    /// Failure.
    Bad,
    /// Warnings.
    Warning,
    /// Headings and names.
    Strong,
    /// Less important text.
    Dim,
}

/// The colours of a stream, if enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    /// `text` in the colour of `meaning`, for a line of a [`Page`](super::Page). The result is not
    /// yet terminal output.
    pub fn paint(self, meaning: Style, text: impl ToString) -> String {
        let text = text.to_string();
        if !self.0 {
            return text;
        }
        let letter = LETTERS.iter().find(|(style, ..)| *style == meaning);
        let letter = letter.map_or(RESET, |(_, letter, _)| *letter);
        let key = key();
        format!("{ESC}{key}{letter}{text}{ESC}{key}{RESET}")
    }
}

const ESC: char = '\u{1b}';

/// Ends every style.
const RESET: char = 'r';

/// The letter of each style and its terminal sequence.
const LETTERS: [(Style, char, &str); 6] = [
    (Style::Id, 'i', "\u{1b}[33m"),
    (Style::Good, 'g', "\u{1b}[32m"),
    (Style::Bad, 'b', "\u{1b}[1;31m"),
    (Style::Warning, 'w', "\u{1b}[35m"),
    (Style::Strong, 's', "\u{1b}[1m"),
    (Style::Dim, 'd', "\u{1b}[2m"),
];

/// The key that distinguishes style marks from other text. Each process draws a random one, so
/// external text cannot contain it.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| format!("{:016x}", RandomState::new().build_hasher().finish()))
}

/// The terminal sequence of the style mark at the start of `text`, and the length of the mark in
/// bytes.
fn mark(text: &str) -> Option<(&'static str, usize)> {
    let rest = text.strip_prefix(ESC)?.strip_prefix(key())?;
    let letter = rest.chars().next()?;
    let end = text.len() - rest.len() + letter.len_utf8();
    if letter == RESET {
        return Some(("\u{1b}[0m", end));
    }
    let known = LETTERS.iter().find(|(_, known, _)| *known == letter);
    known.map(|(.., code)| (*code, end))
}

/// `text` with its style marks as terminal sequences, and with hidden characters escaped as
/// `\u{1b}` if `is_meant` accepts them, which printable ASCII never is.
pub(super) fn rendered(text: &str, is_meant: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        // Most text is printable ASCII, which is neither a mark nor hidden.
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
        let plain = rest.bytes().take_while(is_plain).count();
        shown.push_str(&rest[..plain]);
        rest = &rest[plain..];
        if let Some((code, length)) = mark(rest) {
            shown.push_str(code);
            rest = &rest[length..];
            continue;
        }
        let mut chars = rest.chars();
        match chars.next() {
            None => return shown,
            Some(c) if is_meant(c) => push_code(&mut shown, c),
            Some(c) => shown.push(c),
        }
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::escape::is_hidden;

    #[test]
    fn only_our_own_styles_reach_a_terminal() {
        let painted = Paint(true).paint(Style::Id, "7\u{1b}[31m");
        let text = format!("{painted} \u{1b}[8m");
        assert_eq!(
            rendered(&text, is_hidden),
            "\u{1b}[33m7\\u{1b}[31m\u{1b}[0m \\u{1b}[8m"
        );
        assert_eq!(Paint(false).paint(Style::Id, "7"), "7");
    }

    #[test]
    fn marks_of_another_process_are_text() {
        let forged = format!("{ESC}0123456789abcdefi");
        assert_eq!(rendered(&forged, is_hidden), "\\u{1b}0123456789abcdefi");
        assert_eq!(rendered(&format!("{ESC}"), is_hidden), "\\u{1b}");
    }
}
