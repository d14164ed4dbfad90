use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet as Source};
use serde_json::{Value, json};

use crate::sql::{Position, position};

/// Something wrong, with everything that helps to mend it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// `M701`; empty for warnings.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// Where.
    pub place: Option<Snippet>,
    /// Further facts, one each.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// A place in a file, with the file's text where it is at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The file as it is shown.
    pub file: String,
    /// Its text.
    pub text: Option<Arc<str>>,
    /// First byte, when the place is a part of the file.
    pub offset: Option<usize>,
    /// Bytes from there, at least one is shown.
    pub length: usize,
    /// Line and column, for a place whose line must not be shown: a password may stand there.
    pub at: Option<Position>,
}

impl Snippet {
    /// The file as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            ..Self::default()
        }
    }

    /// Line and column, where they are known.
    pub fn position(&self) -> Option<Position> {
        self.at
            .or_else(|| Some(position(self.text.as_deref()?, self.offset?)))
    }
}

/// Scripts can have lines of megabytes (dumps): only this many bytes around the place are shown.
const MARGIN: usize = 200;

/// Columns where there is no terminal.
const WIDTH: usize = 100;

/// Columns before the text of a note, for files of up to 9999 lines.
const NOTE: usize = "     = note: ".len();

impl Diagnostic {
    /// For people: a headline, the place with its source line and a caret, notes, the hint.
    /// On a terminal of `width` columns sentences are broken there; elsewhere programs may look
    /// for them, and only the source is cut.
    pub fn human(&self, colour: bool, warning: bool, width: Option<usize>) -> String {
        let broken = |text: &str, used: usize| match width {
            Some(width) => wrapped(text, width.saturating_sub(used)),
            None => text.to_owned(),
        };

        let level = if warning {
            Level::WARNING
        } else {
            Level::ERROR
        };
        let head = format!("error[{}]: ", self.code).len();
        let message = broken(&self.message, head);
        let mut title = level.primary_title(message);
        if !self.code.is_empty() {
            title = title.id(self.code);
        }
        let window = self.place.as_ref().and_then(Window::around);
        let mut group = match (&window, &self.place) {
            (Some(window), _) => title.element(
                Source::source(window.text.as_str())
                    .path(window.file)
                    .line_start(window.line)
                    .annotation(AnnotationKind::Primary.span(window.span.clone())),
            ),
            (None, Some(place)) => title.element(origin(place)),
            (None, None) => Group::with_title(title),
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
        let renderer = renderer.term_width(width.unwrap_or(WIDTH));
        let mut text = renderer.render(&[group]).to_string();
        if window.is_none() {
            // As if the number of a line stood there.
            text = text.replace('\n', "\n ");
        }
        text.push('\n');
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let position = self.place.as_ref().and_then(Snippet::position);
        json!({
            "code": self.code,
            "message": self.message,
            "file": self.place.as_ref().map(|place| &place.file),
            "line": position.map(|at| at.line),
            "column": position.map(|at| at.column),
            "notes": self.notes,
            "hint": self.hint,
        })
    }
}

fn origin(place: &Snippet) -> Origin<'_> {
    let origin = Origin::path(place.file.as_str());
    match place.position() {
        Some(at) => origin
            .line(at.line as usize)
            .char_column(at.column as usize),
        None => origin,
    }
}

/// The lines that are shown, cut to what a terminal can hold.
struct Window<'a> {
    file: &'a str,
    text: String,
    line: usize,
    span: std::ops::Range<usize>,
}

impl<'a> Window<'a> {
    fn around(place: &'a Snippet) -> Option<Self> {
        let text = place.text.as_deref()?;
        let mut offset = place.offset?.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[offset..]
            .find('\n')
            .map_or(text.len(), |at| offset + at);
        let start = floor(text, line_start.max(offset.saturating_sub(MARGIN)));
        let end = floor(text, line_end.min(offset + MARGIN));
        // A byte order mark is nothing to see and would push the caret aside.
        let shown = text[start..end].trim_end_matches('\r');
        let bom = if shown.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let from = (offset - start).clamp(bom, shown.len().max(bom));
        let to = (from + place.length.max(1)).min(shown.len());
        let text = shown[bom..].to_owned();
        Some(Self {
            file: &place.file,
            line: position(place.text.as_deref()?, offset).line as usize,
            span: from - bom..floor(shown, to).max(from) - bom,
            text: if text.is_empty() {
                " ".to_owned()
            } else {
                text
            },
        })
    }
}

/// `text` with line breaks between words, for lines of `width` columns.
fn wrapped(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    let mut used = 0;
    for (index, word) in text.split(' ').enumerate() {
        let columns = console::measure_text_width(word);
        if index > 0 {
            let fits = used + 1 + columns <= width;
            wrapped.push(if fits { ' ' } else { '\n' });
            used = if fits { used + 1 } else { 0 };
        }
        wrapped.push_str(word);
        used += columns;
    }
    wrapped
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

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
            hint: None,
        }
    }

    #[test]
    fn lines_are_broken_between_words() {
        let check = |text: &str, width, expected: &str| assert_eq!(wrapped(text, width), expected);
        check("one two three", 80, "one two three");
        check("one two three", 7, "one two\nthree");
        check("one two three", 6, "one\ntwo\nthree");
        check("extraordinary", 3, "extraordinary");
        check("", 3, "");
        check("żółw żółw", 4, "żółw\nżółw");
    }

    #[test]
    fn a_terminal_gets_no_line_that_is_wider() {
        let line = format!("{}!{}", "SELECT 1, ".repeat(30), " tail".repeat(30));
        for width in [40, 80, 120] {
            let text = diagnostic(&line).human(false, false, Some(width));
            assert!(text.contains('!'), "{text}");
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{width}:\n{text}");
        }
    }

    #[test]
    fn without_a_terminal_a_note_is_one_line() {
        let text = diagnostic("a ! b").human(false, false, None);
        assert!(text.contains("= note: one two three four five six seven eight nine ten eleven"));
    }

    #[test]
    fn places_with_and_without_source_stand_alike() {
        let whole = Diagnostic {
            place: Some(Snippet::file("x.sql")),
            ..diagnostic("!")
        };
        for text in [
            whole.human(false, false, None),
            diagnostic("!").human(false, false, None),
        ] {
            assert!(text.contains("\n --> x.sql"), "{text}");
            assert!(text.contains("\n  = note: one"), "{text}");
        }
    }
}
