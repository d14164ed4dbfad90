//! One struct a result, with its text and its JSON side by side.

mod change;
mod db;
mod history;
mod log;
mod made;
mod redo;
mod repair;
mod script;
mod status;
mod tools;

use serde_json::{Map, Value};

pub use change::{PlanView, RunView, StampView};
pub use db::{DbChange, DbView};
pub use history::{ChangedSince, CurrentView, HistoryView, Mark, RevisionLine, ShowView};
pub use log::LogView;
pub use made::{InitView, NewRevisionView};
pub use redo::{RedoPlanView, RedoView};
pub use repair::RepairView;
pub use script::ScriptView;
pub use status::StatusView;
pub use tools::{
    CodesView, EditView, EnsuredView, ExplainView, ExplainedCode, TemplateLine, TemplatesView,
    WrittenView,
};

use super::{Paint, Verbosity};

/// The fields of a JSON object, in order.
pub type Json = Map<String, Value>;

/// The result of a command.
pub trait View {
    /// For people, lines with their ends; empty when there is nothing to say.
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String;

    /// For programs: the fields beside `version` and `command`.
    fn json(&self) -> Json;
}

/// An object from a `json!({…})`.
fn object(value: Value) -> Json {
    match value {
        Value::Object(map) => map,
        other => Json::from_iter([("value".to_owned(), other)]),
    }
}
