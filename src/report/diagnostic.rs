use std::{ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet as Source};
use serde_json::{Value, json};

use super::{Diff, Page, escape, format::wrapped, page::pictured, shown};
use crate::{
    plan::SourceSpan,
    sql::{Position, position},
};

/// A problem, with everything that helps to fix it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// The error code, such as `M701`; empty for warnings.
    pub code: &'static str,
    /// The message, one sentence.
    pub message: String,
    /// The location of the problem.
    pub place: Option<Snippet>,
    /// Further facts, one per note.
    pub notes: Vec<String>,
    /// Advice on how to fix the problem.
    pub hint: Option<String>,
    /// The change of the script that is the problem. [`super::Shown`] adds it to the text.
    pub diff: Option<Diff>,
}

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// A problem that has to be solved.
    Error,
    /// A problem that may be none.
    Warning,
    /// Worth knowing.
    Note,
}

impl Weight {
    /// The name, as annotations of GitHub use it.
    pub fn annotation(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "notice",
        }
    }
}

/// A location in a file, with the file's text if available.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The name of the file for display.
    pub file: String,
    /// The text.
    pub text: Option<Arc<str>>,
    /// The byte offset of the location, unless it is the whole file.
    pub offset: Option<usize>,
    /// The length in bytes; at least one is shown.
    pub length: usize,
    /// The line and column of a location whose text must not be shown because it may contain a
    /// password.
    pub at: Option<Position>,
}

impl Snippet {
    /// The location of a whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            ..Self::default()
        }
    }

    /// The sort key of locations in one file, which does not need the file's text.
    pub fn order(&self) -> (Option<usize>, Option<Position>) {
        (self.offset, self.at)
    }

    /// The line and column, if known.
    pub fn position(&self) -> Option<Position> {
        self.at
            .or_else(|| Some(position(self.text.as_deref()?, self.offset?)))
    }
}

impl From<&SourceSpan> for Snippet {
    /// The word at the position, or the whole line of a comment.
    fn from(span: &SourceSpan) -> Self {
        let rest = span.text.get(span.offset..).unwrap_or_default();
        let length = if rest.starts_with("--") {
            rest.lines().next().map_or(0, |line| line.trim_end().len())
        } else {
            rest.find(|c: char| c.is_whitespace() || c == ';')
                .unwrap_or(rest.len())
        };
        Self {
            file: span.file.clone(),
            text: Some(Arc::clone(&span.text)),
            offset: Some(span.offset),
            length: length.max(1),
            at: None,
        }
    }
}

/// The width in columns if there is no terminal.
const WIDTH: usize = 100;

/// The columns before the text of a note, for files of up to 9999 lines.
const NOTE: usize = "     = note: ".len();

impl Diagnostic {
    /// Shows the file `path` as `name` wherever the message and the notes mention it.
    pub fn rename(&mut self, path: &str, name: &str) {
        for text in std::iter::once(&mut self.message).chain(&mut self.notes) {
            *text = renamed(text, path, name);
        }
    }

    /// The diagnostic as text: a headline, the location with its source line and a caret, notes,
    /// the hint. On a terminal of `width` columns, sentences are wrapped. Elsewhere programs may
    /// search for them, so only the source line is truncated.
    pub fn human(&self, colour: bool, weight: Weight, width: Option<usize>) -> Page {
        let broken = |text: &str, used: usize| {
            let text = escape::lines(text);
            match width {
                Some(width) => wrapped(&text, width.saturating_sub(used)),
                None => text.into_owned(),
            }
        };

        let level = match weight {
            Weight::Error => Level::ERROR,
            Weight::Warning => Level::WARNING,
            Weight::Note => Level::NOTE,
        };
        let head = format!("error[{}]: ", self.code).len();
        let message = broken(&self.message, head);
        let mut title = level.primary_title(message);
        if !self.code.is_empty() {
            title = title.id(self.code);
        }
        let columns = width.unwrap_or(WIDTH);
        let window = self
            .place
            .as_ref()
            .and_then(|place| Window::around(place, columns));
        let file = self.place.as_ref().map(|place| shown(&place.file));
        let mut group = match (&window, &self.place, &file) {
            (Some(window), _, Some(file)) => title.element(
                Source::source(window.text.as_str())
                    .path(file)
                    .line_start(window.line)
                    .annotation(AnnotationKind::Primary.span(window.span.clone())),
            ),
            (_, Some(place), Some(file)) => title.element(origin(place, file)),
            _ => Group::with_title(title),
        };
        for note in &self.notes {
            group = group.element(Level::NOTE.message(broken(note, NOTE)));
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(broken(hint, NOTE)));
        }
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let renderer = renderer.term_width(columns);
        let mut text = renderer.render(&[group]).to_string();
        if let (Some(window), Some(place), Some(file)) = (&window, &self.place, &file) {
            text = window.placed(&text, place, file);
        }
        if window.is_none() {
            // Continuation lines are indented like lines with a line number.
            text = text.replace('\n', "\n ");
        }
        let mut page = Page::default();
        page.rendered(&text);
        page
    }

    /// The diagnostic as JSON.
    pub fn json(&self) -> Value {
        let position = self.place.as_ref().and_then(Snippet::position);
        let mut object = json!({
            "code": self.code,
            "message": self.message,
            "file": self.place.as_ref().map(|place| &place.file),
            "line": position.map(|at| at.line),
            "column": position.map(|at| at.column),
            "notes": self.notes,
            "hint": self.hint,
        });
        if let Some(diff) = &self.diff {
            object["diff"] = json!(diff.change.unified());
        }
        object
    }
}

fn origin<'a>(place: &Snippet, file: &'a str) -> Origin<'a> {
    let origin = Origin::path(file);
    match place.position() {
        Some(at) => origin
            .line(at.line as usize)
            .char_column(at.column as usize),
        None => origin,
    }
}

/// The visible part of a source line. Scripts, such as dumps, can have lines of megabytes.
struct Window {
    text: String,
    line: usize,
    span: Range<usize>,
}

impl Window {
    fn around(place: &Snippet, columns: usize) -> Option<Self> {
        let text = place.text.as_deref()?;
        let offset = floor(text, place.offset?);
        let number = position(text, offset).line as usize;
        let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = text[offset..]
            .find('\n')
            .map_or(text.len(), |at| offset + at);
        // A byte order mark is invisible and would misplace the caret.
        let bom = text[start..end].starts_with('\u{feff}');
        let start = if bom {
            start + '\u{feff}'.len_utf8()
        } else {
            start
        };
        let line = text[start..end].trim_end_matches('\r');
        let from = offset.saturating_sub(start).min(line.len());
        let to = floor(line, from + place.length.max(1));
        let room = columns.saturating_sub(number.to_string().len() + " | ".len());
        let (text, span) = cut(line, from..to.max(from), room);
        let (text, span) = pictured_at(&text, span);
        Some(Self {
            line: number,
            span,
            text: if text.is_empty() {
                " ".to_owned()
            } else {
                text
            },
        })
    }
}

impl Window {
    /// The rendered text with the column that `place` has in the script, since the renderer counts
    /// from the visible part of the line.
    fn placed(&self, text: &str, place: &Snippet, file: &str) -> String {
        let column = self.text[..self.span.start].chars().count() + 1;
        let shown = format!("{file}:{}:{column}", self.line);
        let Some(at) = place.position() else {
            return text.to_owned();
        };
        let meant = format!("{file}:{}:{}", at.line, at.column);
        match text.find("-->").and_then(|arrow| {
            let found = text[arrow..].find(&shown)?;
            Some(arrow + found)
        }) {
            Some(start) => {
                let end = start + shown.len();
                format!("{}{meant}{}", &text[..start], &text[end..])
            }
            None => text.to_owned(),
        }
    }
}

/// The line without control characters; the span is adjusted to mark the same text.
fn pictured_at(text: &str, span: Range<usize>) -> (String, Range<usize>) {
    let length = |part: &str| pictured(part).len();
    let start = length(&text[..span.start]);
    let end = start + length(&text[span]);
    (pictured(text), start..end)
}

/// Marks omitted text.
const MORE: &str = "…";

/// The part of `line` that shows `span`, or at least its start, in `room` columns.
fn cut(line: &str, span: Range<usize>, room: usize) -> (String, Range<usize>) {
    // Text further away cannot be visible; a character has up to four bytes.
    let end = floor(line, span.start + 4 * room);
    let first = floor(line, span.start.saturating_sub(4 * room));
    let fits = first == 0 && end == line.len() && console::measure_text_width(line) <= room;
    if fits {
        return (line.to_owned(), span);
    }
    let after = console::measure_text_width(&line[span.start..end]);
    // Shows as much text before the span as fits, but at least a quarter.
    let before = room.saturating_sub(after).max(room / 4);
    let mut start = span.start;
    if first == 0 && console::measure_text_width(&line[..start]) <= before {
        start = 0;
    }
    while start > first && console::measure_text_width(&line[start..span.start]) + 1 < before {
        start = floor(line, start - 1);
    }
    let mark = if start > 0 { MORE } else { "" };
    let shown = format!("{mark}{}", &line[start..end]);
    let mut text = console::truncate_str(&shown, room, MORE).into_owned();
    if end < line.len() && !text.ends_with(MORE) {
        text.push_str(MORE);
    }
    let moved = |at: usize| floor(&text, (at + mark.len()).saturating_sub(start));
    let span = moved(span.start)..moved(span.end);
    (text, span)
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// `text` with `name` instead of `path`, except where it is part of a longer path.
fn renamed(text: &str, path: &str, name: &str) -> String {
    let mut parts = text.split(path);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = part.is_empty() || part.starts_with([' ', ':', ',', ';', ')']);
        renamed += if ends { name } else { path };
        renamed += part;
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::escape::is_hidden;

    fn diagnostic(line: &str) -> Diagnostic {
        Diagnostic {
            code: "M701",
            message: "it failed".to_owned(),
            place: Some(Snippet {
                file: "x.sql".to_owned(),
                text: Some(line.into()),
                offset: line.find('!'),
                length: 1,
                at: None,
            }),
            notes: vec!["one two three four five six seven eight nine ten eleven".to_owned()],
            ..Diagnostic::default()
        }
    }

    #[test]
    fn a_terminal_gets_no_line_that_is_wider() {
        let line = format!("{}!{}", "SELECT 1, ".repeat(30), " tail".repeat(30));
        for width in [40, 80, 120] {
            let human = |it: &Diagnostic| it.human(false, Weight::Error, Some(width)).to_string();
            let text = human(&diagnostic(&line));
            assert!(text.contains('!'), "{text}");
            let whole = Snippet {
                length: line.len(),
                offset: Some(0),
                ..diagnostic(&line).place.unwrap()
            };
            let whole = Diagnostic {
                place: Some(whole),
                ..diagnostic(&line)
            };
            let text = text + &human(&whole);
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{width}:\n{text}");
        }
    }

    #[test]
    fn a_line_is_cut_around_what_is_meant() {
        let check = |line: &str, span: Range<usize>, room, expected: &str, meant: &str| {
            let (text, span) = cut(line, span, room);
            assert_eq!((text.as_str(), &text[span]), (expected, meant), "{line}");
            assert!(console::measure_text_width(&text) <= room, "{text}");
        };
        check("0123456789", 2..4, 10, "0123456789", "23");
        check("0123456789", 0..10, 8, "0123456…", "0123456…");
        check("0123456789", 2..4, 8, "0123456…", "23");
        check("0123456789", 8..9, 8, "…3456789", "8");
        check("0123456789", 9..10, 4, "…789", "9");
        check("żółw żółw żółw", 8..15, 9, "… żółw ż…", "żółw");
        check("", 0..0, 8, "", "");
    }

    #[test]
    fn without_a_terminal_a_note_is_one_line() {
        let text = diagnostic("a ! b")
            .human(false, Weight::Error, None)
            .to_string();
        assert!(text.contains("= note: one two three four five six seven eight nine ten eleven"));
    }

    #[test]
    fn places_with_and_without_source_stand_alike() {
        let whole = Diagnostic {
            place: Some(Snippet::file("x.sql")),
            ..diagnostic("!")
        };
        for text in [
            whole.human(false, Weight::Error, None),
            diagnostic("!").human(false, Weight::Error, None),
        ] {
            let text = text.to_string();
            assert!(text.contains("\n --> x.sql"), "{text}");
            assert!(text.contains("\n  = note: one"), "{text}");
        }
    }

    #[test]
    fn nothing_from_outside_is_obeyed() {
        const BAD: &str = "a\u{1b}[2J\r\u{9b}1m\u{202e}\n::error::x\n##[error]y";
        for colour in [false, true] {
            for text in [None, Some(format!("x{BAD}!"))] {
                let found = Diagnostic {
                    code: "M701",
                    message: BAD.to_owned(),
                    place: Some(Snippet {
                        file: BAD.to_owned(),
                        offset: text.as_ref().map(|_| 3),
                        text: text.map(Into::into),
                        length: 4,
                        at: None,
                    }),
                    notes: vec![BAD.to_owned()],
                    hint: Some(BAD.to_owned()),
                    diff: None,
                };
                for width in [None, Some(40)] {
                    let text = found.human(colour, Weight::Error, width).to_string();
                    let plain = console::strip_ansi_codes(&text);
                    assert!(!plain.contains(is_hidden), "{plain:?}");
                    assert!(!plain.contains("##["), "{plain}");
                    for line in plain.lines() {
                        assert!(!line.trim_start().starts_with("::"), "{plain}");
                    }
                    assert_eq!(text.contains('\u{1b}'), colour, "{text:?}");
                    assert!(!text.contains("\u{1b}[2J"), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn the_column_is_that_of_the_script() {
        let check = |line: &str, column: usize| {
            let found = diagnostic(line);
            for colour in [false, true] {
                for width in [None, Some(40)] {
                    let text = found.human(colour, Weight::Error, width).to_string();
                    let plain = console::strip_ansi_codes(&text).into_owned();
                    assert!(
                        plain.contains(&format!("--> x.sql:1:{column}\n")),
                        "{plain}"
                    );
                }
            }
            assert_eq!(found.json()["column"], column);
        };
        check("a ! b", 3);
        check(&format!("{}! b", "ż".repeat(1812)), 1813);
        check(&format!("{}! b", "\u{1b}\t".repeat(50)), 101);
    }

    #[test]
    fn a_caret_stays_below_its_text() {
        let text = diagnostic("a\u{85}\u{9b}b ! c").human(false, Weight::Error, None);
        let text = text.to_string();
        let lines: Vec<_> = text.lines().collect();
        let column = |line: &str, c| line.chars().position(|it| it == c);
        assert_eq!(column(lines[3], '!'), column(lines[4], '^'), "{text}");
    }

    #[test]
    fn only_whole_paths_are_renamed() {
        let check = |text: &str, expected: &str| {
            assert_eq!(renamed(text, "/x/app.db", "sqlite:app.db"), expected);
        };
        check("no database at /x/app.db", "no database at sqlite:app.db");
        check("/x/app.db: locked", "sqlite:app.db: locked");
        check("/x/app.db-wal is gone", "/x/app.db-wal is gone");
        check("nothing", "nothing");
    }
}
