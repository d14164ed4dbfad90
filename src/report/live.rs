use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::{Paint, Style, format::wrapped, out, shown};

/// The live line of a run on stderr: the current step, and below it what is reported about its
/// statement. It is hidden unless stderr is a terminal.
pub(super) struct Live {
    bar: ProgressBar,
    paint: Paint,
    begun: bool,
    step: Step,
    /// The progress of a repeated statement, or what it waits for.
    activity: String,
    /// The activity of a slow statement.
    slow: String,
}

#[derive(Default)]
struct Step {
    id: String,
    message: String,
    /// The count after the message, which is never truncated: `(2 of 7) statement 3 of 4`.
    count: String,
    statement: String,
}

const LINE: &str = "  {spinner} {msg} {elapsed:.dim}";
const LINES: &str = "  {spinner} {msg} {elapsed:.dim}\n{prefix}";

/// The columns of [`LINE`] besides the message, with a time like `59m`.
const FRAME: usize = "  x  59m".len();

/// The columns left free at the end of a line; see [`Narrowed`].
const FREE: u16 = "^C^C".len() as u16;

/// The indentation of lines below the live line.
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

    /// Whether the line is hidden, so that its contents must be printed instead.
    pub fn is_hidden(&self) -> bool {
        self.bar.is_hidden()
    }

    /// The width of a line in columns.
    pub fn columns(&self) -> usize {
        usize::from(Narrowed::new(Term::stderr()).width())
    }

    /// Shows a new step.
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
        // Each call starts a thread, so it is made only once.
        if !std::mem::replace(&mut self.begun, true) {
            self.bar.enable_steady_tick(Duration::from_millis(120));
            out::set_live(Some(self.bar.clone()));
        }
    }

    /// Shows the number of the finished statement.
    pub fn statement(&mut self, number: usize, total: usize) {
        self.activity = String::new();
        self.step.statement = format!(" statement {number} of {total}");
        self.draw();
    }

    /// Shows an activity below the line.
    pub fn activity(&mut self, text: &str) {
        self.activity = shown(text);
        self.draw();
    }

    /// Shows the lines of a slow statement below the line.
    pub fn slow(&mut self, lines: String) {
        self.slow = lines;
        self.draw();
    }

    /// Removes the lines of a slow statement.
    pub fn end_slow(&mut self) {
        if !self.slow.is_empty() {
            self.slow(String::new());
        }
    }

    /// Removes the live line and everything below it.
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
        // An empty part would take a line.
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
    /// The line in `room` columns, with the message truncated if necessary.
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

/// The draw target of live lines: stderr, or nowhere.
pub(super) fn target(is_live: bool) -> ProgressDrawTarget {
    if is_live {
        let screen = Narrowed::new(Term::buffered_stderr());
        ProgressDrawTarget::term_like_with_hz(Box::new(screen), 12)
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// A terminal that reports fewer columns than it has. The cursor stays at the end of a live line,
/// where the terminal prints Ctrl-C as `^C`. At the right edge, that would move the cursor to the
/// next line and leave a line of the live display behind forever.
///
/// The renderer fills a line with spaces up to the edge and relies on the terminal to wrap to the
/// next line. The wrapper therefore adds the line break itself.
#[derive(Debug)]
struct Narrowed {
    term: Term,
    /// The column of the cursor.
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
