use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use super::{
    Exit,
    args::{Color, Format, Global},
    codes,
    error::Error,
};
use crate::report::{
    Bar, Diagnostic, Json, Page, Paint, Progress, Shown, Stdio, Style, Verbosity, View, eprint,
    escape, print, print_exact, unwritten,
};

/// The version of the JSON objects: raised when a field changes its meaning or goes.
const JSON_VERSION: u32 = 1;

/// Where results and errors go, and what they look like.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    command: &'static str,
    format: Format,
    verbosity: Verbosity,
    out: Paint,
    err: Paint,
}

impl Output {
    /// What the global options ask for.
    pub fn new(global: &Global, command: &'static str) -> Self {
        let paint = |is_terminal: bool| {
            Paint(match global.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => is_terminal && colours_wanted(),
            })
        };
        Self {
            command,
            format: global.format,
            verbosity: match (global.quiet, global.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
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
            Format::Json => self.json(true, view.json(), &[]),
            Format::Github => print(&view.github(&repository_path)),
        }
    }

    /// Columns of the terminal that results are shown on.
    pub fn columns(&self) -> Option<usize> {
        let (_, columns) = console::Term::stdout().size_checked()?;
        Some(usize::from(columns))
    }

    /// Whether people read it.
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Whether every statement is shown.
    pub fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Says something that is no error.
    pub fn warn(&self, warning: &Diagnostic) {
        if self.format == Format::Human && self.verbosity > Verbosity::Quiet {
            eprint(&warning.human(self.err.0, true, width()));
        }
    }

    /// Says what it is waiting for.
    pub fn waiting(&self, text: &str) {
        if self.format == Format::Human && self.verbosity > Verbosity::Quiet {
            eprint(&Page::of(self.err.paint(Style::Dim, text)));
        }
    }

    /// Prints what went wrong and says how the process ends.
    pub fn error(&self, error: Error) -> Exit {
        match self.format {
            Format::Human => {
                let shown = Shown::of(&error.diagnostics);
                eprint(&shown.human(|one| one.human(self.err.0, false, width())));
            }
            Format::Json => self.json(false, error.result.unwrap_or_default(), &error.diagnostics),
            Format::Github => print(&Shown::of(&error.diagnostics).github(&repository_path)),
        }
        error.exit
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

    fn json(&self, ok: bool, fields: Json, errors: &[Diagnostic]) {
        let mut object = Json::new();
        object.insert("version".to_owned(), json!(JSON_VERSION));
        object.insert("command".to_owned(), json!(self.command));
        object.insert("ok".to_owned(), json!(ok));
        object.extend(fields);
        if !ok {
            object.extend(Shown::of(errors).json("errors"));
        }
        let text = format!("{:#}\n", Value::Object(object));
        print_exact(escape::json(&text).as_bytes());
    }
}

/// Whether a result said that the command has changed something.
static CHANGED: AtomicBool = AtomicBool::new(false);

/// How the process ends: not well when somebody has not got all of its output.
pub fn end(exit: Exit) -> Exit {
    let Some(error) = unwritten() else {
        return exit;
    };
    let has_changed = CHANGED.load(Ordering::Relaxed);
    let mut found = Diagnostic {
        code: codes::M003.id,
        message: format!("cannot write to standard output: {error}"),
        ..Diagnostic::default()
    };
    if has_changed {
        let note = "the command itself was completed; only its output is missing";
        found.notes.push(note.to_owned());
    }
    eprint(&found.human(false, false, width()));
    match exit {
        Exit::Done if has_changed => Exit::Partway,
        Exit::Done => Exit::Failed,
        other => other,
    }
}

/// <https://no-color.org>: set and not empty means no.
fn colours_wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Columns of the terminal that errors are shown on.
fn width() -> Option<usize> {
    let (_, columns) = console::Term::stderr().size_checked()?;
    Some(usize::from(columns))
}

/// A file as GitHub finds it: from the root of the repository, wherever the command runs.
fn repository_path(file: &str) -> String {
    let root = std::env::var_os("GITHUB_WORKSPACE").filter(|root| !root.is_empty());
    let absolute = std::env::current_dir().map(|cwd| cwd.join(file));
    let (Some(root), Ok(absolute)) = (root, absolute) else {
        return file.to_owned();
    };
    let inside = absolute.strip_prefix(&root);
    inside.map_or(file.to_owned(), |inside| inside.display().to_string())
}

/// A notice of the server.
pub fn notice(severity: &str, text: &str) {
    let mut page = Page::default();
    page.block("    ", &format!("{severity}: {text}"));
    eprint(&page);
}
