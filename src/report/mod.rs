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
    AdoptView, BackupsView, BranchesView, ChangedSince, CheckView, CodesView, ConvertView,
    CurrentView, DbChange, DbView, EditView, EnsuredView, ExplainView, ExplainedCode, Fork,
    HistoryView, InitView, Json, Lead, LogView, MadeBackupView, Mark, NewRevisionView, PlanView,
    RebaseView, RecoveredView, RedoPlanView, RedoView, RepairView, RestoredView, RevisionLine,
    RunView, ScriptView, ShowView, SquashView, StampView, StatusView, TemplateLine, TemplatesView,
    VerifiedView, View, WrittenView,
};
