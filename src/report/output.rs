//! The output of one command: results to stdout, everything else to stderr, in the chosen format.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use super::{
    Bar, Diagnostic, Json, Page, Paint, Preview, Progress, Shown, Stdio, Style, Verbosity, View,
    Weight, eprint, escape, is_terminal, print, print_exact,
};
use crate::sql::Dialect;

/// The format of results and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text for people.
    Human,
    /// One JSON object.
    Json,
    /// A JSON object a line: one a target, and the result at last.
    Ndjson,
    /// Annotations for GitHub Actions.
    Github,
    /// A log for tools that show results of static analysis.
    Sarif,
    /// A comment on a pull request.
    Markdown,
    /// A page that needs no network.
    Html,
    /// Metrics in the text format of Prometheus.
    Prometheus,
}

/// The version of the JSON objects, raised when a field is removed or changes its meaning.
const JSON_VERSION: u32 = 1;

/// The output of one command.
#[derive(Clone, Debug)]
pub struct Output {
    command: Arc<str>,
    format: Format,
    verbosity: Verbosity,
    out: Paint,
    err: Paint,
}

impl Output {
    /// The output of `command`. `colors` is whether to use colors; `None` depends on the terminal.
    pub fn new(command: &str, format: Format, verbosity: Verbosity, colors: Option<bool>) -> Self {
        let paint = |is_terminal| Paint(colors.unwrap_or_else(|| is_terminal && colors_wanted()));
        Self {
            command: command.into(),
            format,
            verbosity,
            out: paint(std::io::stdout().is_terminal()),
            err: paint(std::io::stderr().is_terminal()),
        }
    }

    /// Prints the result of a command.
    pub fn result(&self, view: &dyn View) {
        CHANGED.fetch_or(view.has_changed(), Ordering::Relaxed);
        match self.format {
            Format::Human => match view.exact() {
                Some(text) => print_exact(text.as_bytes()),
                None => print(&view.human(self.out, self.verbosity)),
            },
            Format::Json | Format::Ndjson => self.json(true, view.json(), &[]),
            Format::Github => print(&view.github(&repository_path)),
            Format::Sarif => {
                if let Some(log) = view.sarif(&repository_path) {
                    print_exact(escape::json(&format!("{log:#}\n")).as_bytes());
                }
            }
            Format::Html => {
                if let Some(page) = view.html() {
                    print_exact(page.as_bytes());
                }
            }
            Format::Markdown => {
                if let Some(text) = view.markdown(&repository_path) {
                    print_exact(text.as_bytes());
                }
            }
            Format::Prometheus => {
                if let Some(metrics) = view.prometheus() {
                    print_exact(metrics.as_bytes());
                }
            }
        }
    }

    /// The text of a result that is longer than the screen; `None` if it fits or stdout is not a
    /// terminal.
    pub fn long_text(&self, view: &dyn View) -> Option<String> {
        if self.format != Format::Human || view.exact().is_some() || !is_terminal() {
            return None;
        }
        let (rows, columns) = console::Term::stdout().size_checked()?;
        let text = view.human(self.out, self.verbosity);
        let text = text.text(Some(usize::from(columns)));
        // The shell's prompt needs one more line.
        (text.lines().count() >= usize::from(rows)).then_some(text)
    }

    /// The width of the terminal on stdout in columns.
    pub fn columns(&self) -> Option<usize> {
        let (_, columns) = console::Term::stdout().size_checked()?;
        Some(usize::from(columns))
    }

    /// Whether the format is text for people.
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// The name of the format if it shows findings alone.
    pub fn findings_format(&self) -> Option<&'static str> {
        match self.format {
            Format::Human | Format::Json | Format::Ndjson => None,
            Format::Github => Some("github"),
            Format::Sarif => Some("sarif"),
            Format::Markdown => Some("markdown"),
            Format::Html => Some("html"),
            Format::Prometheus => Some("prometheus"),
        }
    }

    /// Whether every statement is shown.
    pub fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Prints a warning.
    pub fn warn(&self, warning: &Diagnostic) {
        if self.format == Format::Human && self.verbosity > Verbosity::Quiet {
            eprint(&warning.human(self.err.0, Weight::Warning, width()));
        }
    }

    /// Prints a preview before a confirmation.
    pub fn preview(&self, preview: &Preview, dialect: Dialect) {
        eprint(&preview.page(dialect, self.err));
    }

    /// Prints a result to stderr, before a question about it.
    pub fn shown_before_question(&self, view: &dyn View) {
        eprint(&view.human(self.err, self.verbosity));
    }

    /// Prints what the command is waiting for or has done.
    pub fn waiting(&self, text: &str) {
        if self.format == Format::Human && self.verbosity > Verbosity::Quiet {
            eprint(&Page::of(self.err.paint(Style::Dim, text)));
        }
    }

    /// Prints the errors of a command. `result` is the preceding result, for JSON.
    pub fn errors(&self, errors: &[Diagnostic], result: Json) {
        match self.format {
            Format::Human
            | Format::Sarif
            | Format::Markdown
            | Format::Html
            | Format::Prometheus => {
                let one = |one: &Diagnostic| one.human(self.err.0, Weight::Error, width());
                eprint(&Shown::of(errors).human(self.err, one));
            }
            Format::Json | Format::Ndjson => self.json(false, result, errors),
            Format::Github => print(&Shown::of(errors).github(&repository_path)),
        }
    }

    /// Whether a printed result reported a change.
    pub fn has_changed() -> bool {
        CHANGED.load(Ordering::Relaxed)
    }

    /// A display for the events of a run.
    pub fn progress(&self) -> Option<Arc<Progress>> {
        let is_shown = self.format == Format::Human;
        is_shown.then(|| {
            let screen = Box::new(Stdio);
            Arc::new(Progress::new(screen, self.out, self.err, self.verbosity))
        })
    }

    /// A live line for long work.
    pub fn bar(&self) -> Bar {
        Bar::new(match self.format {
            Format::Human => self.verbosity,
            _ => Verbosity::Quiet,
        })
    }

    /// Whether results are lines of JSON.
    pub fn is_lines(&self) -> bool {
        self.format == Format::Ndjson
    }

    /// Prints a line of JSON.
    pub fn line(&self, value: &Value) {
        print_exact(escape::json(&format!("{value}\n")).as_bytes());
    }

    fn json(&self, ok: bool, fields: Json, errors: &[Diagnostic]) {
        let mut object = Json::new();
        object.insert("version".to_owned(), json!(JSON_VERSION));
        object.insert("command".to_owned(), json!(&*self.command));
        object.insert("ok".to_owned(), json!(ok));
        object.extend(fields);
        if !ok {
            object.extend(Shown::of(errors).json("errors"));
        }
        if self.format == Format::Ndjson {
            return self.line(&Value::Object(object));
        }
        let text = format!("{:#}\n", Value::Object(object));
        print_exact(escape::json(&text).as_bytes());
    }
}

/// Whether a printed result reported a change.
static CHANGED: AtomicBool = AtomicBool::new(false);

/// Whether colours are allowed: `NO_COLOR`, if not empty, disables them (<https://no-color.org>).
fn colors_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The width of the terminal on stderr in columns.
fn width() -> Option<usize> {
    let (_, columns) = console::Term::stderr().size_checked()?;
    Some(usize::from(columns))
}

/// The path of a file from the root of the repository, as GitHub expects.
fn repository_path(file: &str) -> String {
    let root = std::env::var_os("GITHUB_WORKSPACE").filter(|root| !root.is_empty());
    let absolute = std::env::current_dir().map(|cwd| cwd.join(file));
    let (Some(root), Ok(absolute)) = (root, absolute) else {
        return file.to_owned();
    };
    let inside = absolute.strip_prefix(&root);
    inside.map_or(file.to_owned(), |inside| inside.display().to_string())
}

/// Prints a notice of the database server.
pub fn notice(severity: &str, text: &str) {
    let mut page = Page::default();
    page.block("    ", &format!("{severity}: {text}"));
    eprint(&page);
}
