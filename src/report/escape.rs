//! Escapes external text (scripts, records, names, messages of servers) for terminals and the logs
//! of CI jobs.

use std::{borrow::Cow, fmt::Write as _};

/// Whether a terminal would interpret `c` or reorder the text around it: C0 and C1 controls, line
/// separators and bidirectional marks. Zero-width characters that occur in no language's words are
/// hidden as well.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && !matches!(c, '\n' | '\t');
    }
    c.is_control()
        || matches!(
            c,
            '\u{feff}' | '\u{200b}' | '\u{2060}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// `text` with its line endings, and hidden characters as `\r`, `\u{1b}`. The `\r` of a CR LF is
/// dropped.
pub fn lines(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            c if is_hidden(c) => push_code(&mut safe, c),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Appends the escape of a character: `\n`, `\r`, `\u{1b}`.
pub(super) fn push_code(text: &mut String, c: char) {
    match c {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        c => drop(write!(text, "\\u{{{:x}}}", u32::from(c))),
    }
}

/// JSON text with hidden characters that serde_json leaves unescaped, and the prefixes of CI
/// commands, as JSON escapes. They occur only in strings, so the values are unchanged.
pub fn json(text: &str) -> Cow<'_, str> {
    let is_meant = |c| is_hidden(c);
    if !text.contains(is_meant) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if is_hidden(c) || begins_command(&text[at..]) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Prefixes that CI services interpret as a command anywhere in a line: GitHub (old), Azure,
/// TeamCity.
const COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// The prefix that GitHub interprets as a command at the start of a line, after white space.
const AT_START: &str = "::";

fn begins_command(text: &str) -> bool {
    text.starts_with('#') && COMMANDS.iter().any(|command| begins(text, command))
}

/// Whether `text` starts with `prefix`, ignoring case and zero-width characters as GitHub does.
fn begins(text: &str, prefix: &str) -> bool {
    let mut chars = text.chars();
    prefix.chars().all(|wanted| {
        chars
            .by_ref()
            .find(|c| !is_invisible(*c))
            .is_some_and(|c| c.eq_ignore_ascii_case(&wanted))
    })
}

fn is_invisible(c: char) -> bool {
    !c.is_ascii() && console::measure_text_width(c.encode_utf8(&mut [0; 4])) == 0
}

/// A display line without anything that a CI service would interpret. Colours are kept.
pub(super) fn defused(line: &str) -> Cow<'_, str> {
    let start = start_of_text(line);
    let at_start = begins(&line[start..], AT_START);
    if !at_start && !line.contains('#') {
        return Cow::Borrowed(line);
    }
    let mut safe = String::with_capacity(line.len() + 16);
    for (at, c) in line.char_indices() {
        if at_start && at == start || begins_command(&line[at..]) {
            push_code(&mut safe, c);
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// The offset of the text after white space, zero-width characters and colours.
fn start_of_text(line: &str) -> usize {
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        if c == '\u{1b}' {
            let end = line[at..].find('m').map_or(line.len(), |end| at + end + 1);
            at = end;
        } else if c.is_whitespace() || is_invisible(c) {
            at += c.len_utf8();
        } else {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::shown;

    #[test]
    fn hidden_characters_are_named() {
        let check = |text: &str, line: &str, block: &str| {
            assert_eq!(shown(text), line);
            assert_eq!(lines(text), block);
        };
        check("żółw\t1", "żółw\t1", "żółw\t1");
        check("a\nb", "a\\nb", "a\nb");
        check("a\r\nb\rc", "a\\r\\nb\\rc", "a\nb\\rc");
        check("\u{1b}[2J", "\\u{1b}[2J", "\\u{1b}[2J");
        check("\u{9b}31m\0", "\\u{9b}31m\\u{0}", "\\u{9b}31m\\u{0}");
        check(
            "\u{202e}x\u{2066}",
            "\\u{202e}x\\u{2066}",
            "\\u{202e}x\\u{2066}",
        );
        check(
            "a\u{2028}b\u{7f}",
            "a\\u{2028}b\\u{7f}",
            "a\\u{2028}b\\u{7f}",
        );
    }

    #[test]
    fn commands_of_ci_services_lose_their_start() {
        let check = |text: &str, expected: &str| assert_eq!(defused(text), expected, "{text:?}");
        check("::error::x", "\\u{3a}:error::x");
        check(" \t::error::x", " \t\\u{3a}:error::x");
        check("\u{ad}:\u{200b}:error::x", "\u{ad}\\u{3a}\u{200b}:error::x");
        check(
            "\u{1b}[2m::error::x\u{1b}[0m",
            "\u{1b}[2m\\u{3a}:error::x\u{1b}[0m",
        );
        check("a ::error::", "a ::error::");
        check("a ##[error]x", "a \\u{23}#[error]x");
        check("##VSO[task.x]", "\\u{23}#VSO[task.x]");
        check("##teamcity[x]", "\\u{23}#teamcity[x]");
        check("#\u{200d}#[x]", "\\u{23}\u{200d}#[x]");
        check("## heading [x]", "## heading [x]");
    }

    proptest! {
        #[test]
        fn json_keeps_its_values(text in "[\\PC\\x00-\\x1f\u{7f}-\u{9f}\u{2020}-\u{2070}#\\[:]{0,20}") {
            let plain = serde_json::to_string(&text).unwrap();
            let safe = json(&plain);
            prop_assert!(!safe.contains(is_hidden), "{safe:?}");
            prop_assert!(!safe.contains("##["), "{safe:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }

        #[test]
        fn nothing_hidden_is_left(text in "[\\PC\\x00-\\x1f\u{7f}-\u{9f}\u{2020}-\u{2070}#\\[:]{0,20}") {
            let line = shown(&text);
            prop_assert!(!line.contains(|c| c == '\n' || is_hidden(c)), "{line:?}");
            prop_assert!(!lines(&text).contains(is_hidden));
            let safe = defused(&line);
            prop_assert!(!safe.trim_start().starts_with("::") && !safe.contains("##["), "{safe:?}");
            // Safe text is unchanged.
            prop_assert_eq!(shown(&safe), safe.as_ref());
            prop_assert_eq!(defused(&safe), safe.as_ref());
        }
    }
}
