//! What people and programs get to see: results, progress and errors, as
//! text for a terminal or as one JSON object.
//!
//! Never opens a connection or a script; it shows what it is given.

mod bar;
mod batches;
mod diagnostic;
mod format;
mod github;
mod progress;
mod slow;
mod style;
mod view;

pub use bar::Bar;
pub use diagnostic::{Diagnostic, Snippet};
pub use format::{bytes, count, count_steps, duration};
pub use github::annotation;
pub use progress::{Progress, Verbosity};
pub use style::{Paint, Style};
pub use view::{
    CheckView, CodesView, ExplainView, ExplainedCode, Json, RedoPlanView, View, WrittenView,
};
