use std::{sync::Mutex, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Stdio, Verbosity, live,
    out::{self, Screen},
};

/// A live line for long work, with the current phase and its progress. It is hidden unless stderr
/// is a terminal.
pub struct Bar {
    bar: ProgressBar,
    shown: Mutex<Option<(String, bool)>>,
}

const KNOWN: &str = "  {spinner} {msg:<20} {bar:30} {percent:>3} %  {elapsed:.dim}";
const TOLD: &str = "  {spinner} {msg}  {elapsed:.dim}";
const UNKNOWN: &str = "  {spinner} {msg:<20} {elapsed:.dim}";

impl Bar {
    /// A bar on stderr, hidden if that is no terminal or `verbosity` is quiet.
    pub fn new(verbosity: Verbosity) -> Self {
        let is_live = Stdio.is_live() && verbosity > Verbosity::Quiet;
        Self {
            bar: ProgressBar::with_draw_target(None, live::target(is_live)),
            shown: Mutex::default(),
        }
    }

    /// Shows the progress of a phase; `total` is 0 if unknown.
    pub fn show(&self, phase: &str, done: u64, total: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let mut shown = self
            .shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = (phase.to_owned(), total > 0);
        if shown.as_ref() != Some(&now) {
            *shown = Some(now);
            self.bar.set_message(phase.to_owned());
            self.start(if total > 0 { KNOWN } else { UNKNOWN });
        }
        if total > 0 {
            self.bar.set_length(total);
            self.bar.set_position(done.min(total));
        }
    }

    /// Shows a line of its own words.
    pub fn tell(&self, text: &str) {
        if self.bar.is_hidden() {
            return;
        }
        let mut shown = self
            .shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if shown.as_ref().is_none_or(|(phase, _)| !phase.is_empty()) {
            *shown = Some((String::new(), false));
            self.start(TOLD);
        }
        self.bar.set_message(text.to_owned());
    }

    /// Starts a phase, also after another one was finished.
    fn start(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        self.bar.reset();
        self.bar.enable_steady_tick(Duration::from_millis(120));
        out::set_live(Some(self.bar.clone()));
    }

    /// Hides the line while `say` prints something else.
    pub fn suspend(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    /// Removes the line.
    pub fn finish(&self) {
        out::set_live(None);
        *self
            .shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        self.bar.finish_and_clear();
    }
}
