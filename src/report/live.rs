use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::{Paint, Style, format::wrapped, out, shown};

/// The live line of a run on stderr: the step under way, and below it what is reported about its
/// statement. Nothing where nobody looks.
pub(super) struct Live {
    bar: ProgressBar,
    paint: Paint,
    begun: bool,
    step: Step,
    /// How far a statement that is repeated is, or what it waits for.
    activity: String,
    /// What a slow statement does.
    slow: String,
}

#[derive(Default)]
struct Step {
    id: String,
    message: String,
    /// Behind the message, and never cut: `(2 of 7) statement 3 of 4`.
    count: String,
    statement: String,
}

const LINE: &str = "  {spinner} {msg} {elapsed:.dim}";
const LINES: &str = "  {spinner} {msg} {elapsed:.dim}\n{prefix}";

/// Columns of [`LINE`] beside the message: the time is `59m` or so.
const FRAME: usize = "  x  59m".len();

/// Columns that stay free at the end of a line; see [`Narrowed`].
const FREE: u16 = "^C^C".len() as u16;

/// Before what stands below the line.
const INDENT: &str = "    ";

impl Live {
    pub fn new(paint: Paint, is_live: bool) -> Self {
        let live = Self {
            bar: ProgressBar::with_draw_target(None, target(is_live)),
            paint,
            begun: false,
            step: Step::default(),
            activity: String::new(),
            slow: String::new(),
        };
        live.set_template(LINE);
        live
    }

    /// Whether nobody looks, so that lines must say what it would.
    pub fn is_hidden(&self) -> bool {
        self.bar.is_hidden()
    }

    /// Columns that a line may take.
    pub fn columns(&self) -> usize {
        usize::from(Narrowed::new(Term::stderr()).width())
    }

    /// Shows another step.
    pub fn begin(&mut self, id: &str, message: &str, number: usize, total: usize) {
        if self.is_hidden() {
            return;
        }
        self.step = Step {
            id: shown(id),
            message: shown(message),
            count: format!("({number} of {total})"),
            statement: String::new(),
        };
        (self.activity, self.slow) = (String::new(), String::new());
        self.draw();
        self.bar.reset_elapsed();
        // Each call starts a thread, so once is enough.
        if !std::mem::replace(&mut self.begun, true) {
            self.bar.enable_steady_tick(Duration::from_millis(120));
            out::set_live(Some(self.bar.clone()));
        }
    }

    /// Shows which statement is done.
    pub fn statement(&mut self, number: usize, total: usize) {
        self.activity = String::new();
        self.step.statement = format!(" statement {number} of {total}");
        self.draw();
    }

    /// Shows what is happening below the line.
    pub fn activity(&mut self, text: &str) {
        self.activity = shown(text);
        self.draw();
    }

    /// Shows lines of a slow statement below it.
    pub fn slow(&mut self, lines: String) {
        self.slow = lines;
        self.draw();
    }

    /// Takes them away.
    pub fn end_slow(&mut self) {
        if !self.slow.is_empty() {
            self.slow(String::new());
        }
    }

    /// Takes all of it away.
    pub fn finish(&self) {
        out::set_live(None);
        self.bar.finish_and_clear();
    }

    fn draw(&self) {
        if self.is_hidden() {
            return;
        }
        let columns = self.columns();
        let below = below(&self.activity, &self.slow, columns);
        // One that is empty would take a line.
        self.set_template(if below.is_empty() { LINE } else { LINES });
        self.bar.set_prefix(below);
        let room = columns.saturating_sub(FRAME);
        self.bar.set_message(self.step.line(self.paint, room));
    }

    fn set_template(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
    }
}

impl Step {
    /// In `room` columns; the message is cut where it is too long.
    fn line(&self, paint: Paint, room: usize) -> String {
        let Self {
            id,
            message,
            count,
            statement,
        } = self;
        let width = console::measure_text_width;
        let taken = width(id) + width(count) + width(statement) + 4;
        let message = console::truncate_str(message, room.saturating_sub(taken), "…");
        let id = shown(&paint.paint(Style::Id, id));
        format!("{id}  {message}  {count}{statement}")
    }
}

fn below(activity: &str, slow: &str, columns: usize) -> String {
    let room = columns.saturating_sub(INDENT.len());
    let activity = wrapped(activity, room);
    let activity = activity.lines().map(|line| format!("{INDENT}{line}"));
    let lines = activity.chain(slow.lines().map(str::to_owned));
    lines.collect::<Vec<_>>().join("\n")
}

/// Where live lines are drawn: stderr, or nowhere.
pub(super) fn target(is_live: bool) -> ProgressDrawTarget {
    if is_live {
        let screen = Narrowed::new(Term::buffered_stderr());
        ProgressDrawTarget::term_like_with_hz(Box::new(screen), 12)
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// A terminal that seems to be narrower than it is. The cursor waits at the end of a live line, and
/// there the terminal shows Ctrl-C as `^C`. At its right edge that would take the cursor to the
/// next line, and a line of the live ones would stay where it is for ever.
///
/// A line is filled with spaces up to the edge by who draws it, for the terminal to continue at the
/// next one. So that is done here.
#[derive(Debug)]
struct Narrowed {
    term: Term,
    /// Where the cursor is in its line.
    column: AtomicUsize,
}

impl Narrowed {
    fn new(term: Term) -> Self {
        let column = AtomicUsize::new(0);
        Self { term, column }
    }
}

impl TermLike for Narrowed {
    fn width(&self) -> u16 {
        self.term.size().1.saturating_sub(FREE).max(1)
    }

    fn height(&self) -> u16 {
        self.term.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.column.store(0, Ordering::Relaxed);
        self.term.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text == "\r" {
            self.column.store(0, Ordering::Relaxed);
            return self.term.write_str(text);
        }
        let columns = console::measure_text_width(text);
        let before = self.column.load(Ordering::Relaxed);
        let is_full = columns > 0 && before >= usize::from(self.width());
        if is_full {
            self.term.write_str("\n")?;
        }
        let before = if is_full { 0 } else { before };
        self.column.store(before + columns, Ordering::Relaxed);
        self.term.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.column.store(0, Ordering::Relaxed);
        self.term.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.term.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_line_cuts_the_message_and_no_number() {
        let step = Step {
            id: "20260101000002".to_owned(),
            message: "set done in small pieces for all rows of the table".to_owned(),
            count: "(2 of 3)".to_owned(),
            statement: " statement 3 of 14".to_owned(),
        };
        let line = step.line(Paint(false), 68);
        assert_eq!(
            line,
            "20260101000002  set done in small piece…  (2 of 3) statement 3 of 14"
        );
        assert!(console::measure_text_width(&line) <= 68, "{line}");
    }

    #[test]
    fn numbers_of_batches_go_on_below() {
        let batch =
            "statement 1: 1,320,000 of at most 12,000,000 rows in 1,216 batches, 52,033 rows/s";
        let lines = below(batch, "    m/1.sql:2 runs for 2 s", 60);
        let expected = [
            "    statement 1: 1,320,000 of at most 12,000,000 rows in",
            "    1,216 batches, 52,033 rows/s",
            "    m/1.sql:2 runs for 2 s",
        ];
        assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
        assert_eq!(below("", "", 60), "");
    }
}
