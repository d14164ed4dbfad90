//! The output for people and programs: results, progress and errors, as text for a terminal or as
//! one JSON object.
//!
//! This module never opens a connection or a script; it renders its input. Most of that is external
//! text, so output for people is a [`Page`], which no text can break out of, and one writer prints
//! it.

mod bar;
mod batches;
pub mod codes;
mod diagnostic;
mod diff;
mod drawing;
pub mod error;
pub mod escape;
pub mod exit;
mod fleet;
mod format;
mod github;
mod html;
mod lines;
mod live;
mod log_file;
mod markdown;
mod note;
mod out;
mod output;
mod page;
mod progress;
mod shell;
mod shown;
mod slow;
mod style;
mod view;
mod warning;

pub use bar::Bar;
pub use diagnostic::{Diagnostic, Snippet, Weight};
pub use diff::Diff;
pub use drawing::{DrawingFormat, SchemaDrawView};
pub use fleet::{FleetReasons, progress as fleet_progress};
pub use format::{bytes, count, count_steps, duration};
pub use github::annotation;
pub use log_file::LogFile;
pub use out::{Stdio, ask, eprint, is_terminal, print, print_exact, unwritten};
pub use output::{Format, Output, notice};
pub use page::{Page, shown};
pub use progress::{Progress, Verbosity};
pub use shell::{shell_word, shell_words};
pub use shown::Shown;
pub use style::{Paint, Style};
pub use view::{
    AutogenerateView, CheckView, CodesView, ExplainView, ExplainedCode, FleetCheckView,
    FleetFindings, FleetPlanView, FleetRunView, FleetStatusView, FleetVerifyView, Json, LintView,
    Preview, RedoPlanView, RehearseView, RuleView, SchemaDiffView, SchemaDumpView, StatusView,
    VerifyView, View, WrittenView, difference_sentences, drift_sentences, target_json,
};
