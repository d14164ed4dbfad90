use std::fmt;

use super::{
    Paint, Style,
    escape::{defused, is_hidden, push_code},
    style,
};

/// Text for a terminal or a log; nothing is printed in another form.
///
/// A page is built line by line. Each line stays one line whatever it contains, and only the styles
/// of [`Paint`] reach a terminal as control sequences. So a message, a name or a record cannot
/// start a line of its own that looks like one of migrator's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    lines: Vec<Line>,
}

/// A line for the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// A line wrapped between words at the terminal's width; continuation lines are indented by
    /// this many columns.
    Prose(String, usize),
    /// A line that is never wrapped.
    Exact(String),
    /// A line that a CI service is meant to interpret as a command.
    Command(String),
}

impl Page {
    /// A page of one sentence.
    pub fn of(sentence: impl AsRef<str>) -> Self {
        let mut page = Self::default();
        page.sentence(sentence);
        page
    }

    /// Adds sentences.
    pub fn sentence(&mut self, text: impl AsRef<str>) {
        self.lines.push(Line::Prose(shown(text.as_ref()), 0));
    }

    /// Adds a list entry; wrapped lines are indented further.
    pub fn row(&mut self, text: impl AsRef<str>) {
        let text = shown(text.as_ref());
        let plain = console::strip_ansi_codes(&text);
        let indent = plain.len() - plain.trim_start_matches(' ').len();
        self.lines.push(Line::Prose(text, indent + 2));
    }

    /// Adds a name and its value; the name takes `columns`.
    pub fn fact(&mut self, name: impl AsRef<str>, value: impl AsRef<str>, columns: usize) {
        let text = shown(&format!("{}{}", name.as_ref(), value.as_ref()));
        self.lines.push(Line::Prose(text, columns));
    }

    /// Adds a line that is never wrapped.
    pub fn exact(&mut self, text: impl AsRef<str>) {
        self.lines.push(Line::Exact(shown(text.as_ref())));
    }

    /// Adds external text of several lines, each prefixed with `indent`.
    pub fn block(&mut self, indent: &str, text: &str) {
        for line in text.lines() {
            self.exact(format!("{indent}{line}"));
        }
    }

    /// Adds external text of several lines in one style.
    pub fn painted_block(&mut self, indent: &str, text: &str, paint: Paint, style: Style) {
        for line in text.lines() {
            self.exact(format!("{indent}{}", paint.paint(style, line.trim_end())));
        }
    }

    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.lines.push(Line::Exact(String::new()));
    }

    /// Adds lines that another renderer has created from escaped text. Their colours are kept, and
    /// other control sequences are escaped.
    pub fn rendered(&mut self, text: &str) {
        let lines = text.lines().map(|line| Line::Exact(coloured(line)));
        self.lines.extend(lines);
    }

    /// Adds a command line for a CI service. It must be escaped by the rules of that service.
    pub(super) fn command(&mut self, line: String) {
        self.lines.push(Line::Command(line));
    }

    /// Adds all lines of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.lines.append(&mut other.lines);
    }

    /// Whether the page has no lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The text, wrapped to `width` columns if given.
    pub fn text(&self, width: Option<usize>) -> String {
        let mut text = String::new();
        for line in &self.lines {
            match (line, width) {
                (Line::Prose(line, indent), Some(width)) => {
                    for part in broken(line, width, *indent) {
                        text.push_str(&defused(&part));
                        text.push('\n');
                    }
                }
                (Line::Prose(line, _), None) | (Line::Exact(line), _) => {
                    text.push_str(&defused(line));
                    text.push('\n');
                }
                (Line::Command(line), _) => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        text
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(None))
    }
}

/// A line as a terminal receives it.
pub fn shown(line: &str) -> String {
    style::rendered(line, |c| c == '\n' || is_hidden(c))
}

/// `line` without control sequences other than colours.
fn coloured(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let length = match colour(rest) {
            Some(length) => {
                shown.push_str(&rest[..length]);
                length
            }
            None if is_hidden(c) => {
                push_code(&mut shown, c);
                c.len_utf8()
            }
            None => {
                shown.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    shown
}

/// The length in bytes of the colour sequence at the start of `text`: `ESC [ 1 ; 31 m`.
fn colour(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("\u{1b}[")?;
    let end = inside.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    inside[end..].starts_with('m').then_some(end + 3)
}

/// External `text` with each hidden character replaced by one visible character, so that a caret
/// below a source line stays aligned.
pub(super) fn pictured(text: &str) -> String {
    let picture = |c| if is_hidden(c) { '\u{fffd}' } else { c };
    text.chars().map(picture).collect()
}

/// `line` wrapped between words.
fn broken(line: &str, width: usize, indent: usize) -> Vec<String> {
    let indent = if indent < width / 2 { indent } else { 0 };
    let mut parts = vec![String::new()];
    let (mut used, mut spaces) = (0, 0);
    for word in line.split(' ') {
        if word.is_empty() {
            spaces += 1;
            continue;
        }
        let columns = console::measure_text_width(word);
        let part = parts.last_mut().expect("there is always one");
        if used > 0 && used + spaces + columns > width {
            parts.push(format!("{:indent$}{word}", ""));
            used = indent + columns;
        } else {
            part.push_str(&" ".repeat(spaces));
            part.push_str(word);
            // A line cannot be wrapped after only spaces or a colour.
            used += if columns > 0 { spaces + columns } else { 0 };
        }
        spaces = 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let mut page = Page::default();
        page.row("  7  one\ntwo\r");
        page.block("    ", "SELECT 1\r\n\t::error::x\n\u{1b}[2J");
        assert_eq!(
            page.to_string(),
            "  7  one\\ntwo\\r\n    SELECT 1\n    \t\\u{3a}:error::x\n    \\u{1b}[2J\n"
        );
    }

    #[test]
    fn lines_are_broken_between_words() {
        let check = |line: &str, width, indent, expected: &[&str]| {
            assert_eq!(broken(line, width, indent), expected, "{line}");
        };
        check("one two three", 80, 0, &["one two three"]);
        check("one two three", 7, 0, &["one two", "three"]);
        check("  7  one two three", 12, 4, &["  7  one two", "    three"]);
        check("1  żółw żółw", 7, 2, &["1  żółw", "  żółw"]);
        check("extraordinary", 3, 8, &["extraordinary"]);
        check("a extraordinary", 3, 2, &["a", "extraordinary"]);
        check("    extraordinary", 3, 0, &["    extraordinary"]);
        check(
            "\u{1b}[2m  extraordinary",
            3,
            0,
            &["\u{1b}[2m  extraordinary"],
        );
        check("", 3, 0, &[""]);
        check("a  ", 3, 0, &["a"]);
    }

    #[test]
    fn other_renderers_have_colours_and_no_more() {
        let check = |line: &str, expected: &str| assert_eq!(coloured(line), expected);
        check("\u{1b}[1;31mx\u{1b}[0m", "\u{1b}[1;31mx\u{1b}[0m");
        check("\u{1b}[2Jx", "\\u{1b}[2Jx");
        check("\u{1b}]0;t\u{7}", "\\u{1b}]0;t\\u{7}");
        check("\u{1b}[1", "\\u{1b}[1");
        check("\u{1b}", "\\u{1b}");
        check("żółw\r", "żółw\\r");
    }

    #[test]
    fn a_word_that_comes_to_the_start_of_a_line_is_no_command() {
        let page = Page::of("message ::error::x");
        assert_eq!(page.to_string(), "message ::error::x\n");
        assert_eq!(page.text(Some(10)), "message\n\\u{3a}:error::x\n");
    }
}
