//! One struct per result, with its text and its JSON side by side.

mod adopt;
mod autogenerate;
mod backup;
mod branches;
mod change;
mod check;
mod convert;
mod db;
mod fleet;
mod history;
mod lint;
mod log;
mod made;
mod metrics;
mod preview;
mod rebase;
mod redo;
mod rehearse;
mod repair;
mod schema;
mod scratch;
mod script;
mod squash;
mod status;
mod tools;
mod verify;

use serde_json::{Map, Value};

pub use autogenerate::AutogenerateView;
pub use check::CheckView;
pub use fleet::{
    FleetCheckView, FleetFindings, FleetPlanView, FleetRunView, FleetStatusView, FleetVerifyView,
    target_json,
};
pub use lint::LintView;
pub use preview::Preview;
pub use redo::RedoPlanView;
pub use rehearse::RehearseView;
pub use schema::{
    SchemaDiffView, SchemaDumpView, StatusView, difference_sentences, drift_sentences,
};
pub use tools::{CodesView, ExplainView, ExplainedCode, RuleView, WrittenView};
pub use verify::VerifyView;

use super::{Page, Paint, Verbosity};

/// The fields of a JSON object, in order.
pub type Json = Map<String, Value>;

/// The result of a command.
pub trait View {
    /// The result as text; empty if there is nothing to report.
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page;

    /// Exact output for another program that replaces the text.
    fn exact(&self) -> Option<&str> {
        None
    }

    /// Whether the command has changed a database or files, which is true even if the result cannot
    /// be printed.
    fn has_changed(&self) -> bool {
        false
    }

    /// The result as JSON: the fields besides `version` and `command`.
    fn json(&self) -> Json;

    /// Annotations for GitHub workflows, for results with file locations. `path` converts a file
    /// name to one that GitHub finds.
    fn github(&self, path: &dyn Fn(&str) -> String) -> Page {
        let _ = path;
        Page::default()
    }

    /// The result in SARIF, for results that have it.
    fn sarif(&self, path: &dyn Fn(&str) -> String) -> Option<Value> {
        let _ = path;
        None
    }

    /// The result as a page that needs no network, for results that have it.
    fn html(&self) -> Option<String> {
        None
    }

    /// The result as metrics in the text format of Prometheus, for results that have them.
    fn prometheus(&self) -> Option<String> {
        None
    }

    /// The result in Markdown, for results that have it.
    fn markdown(&self, path: &dyn Fn(&str) -> String) -> Option<String> {
        let _ = path;
        None
    }
}

/// The map of a `json!({…})` object.
fn object(value: Value) -> Json {
    match value {
        Value::Object(map) => map,
        other => Json::from_iter([("value".to_owned(), other)]),
    }
}
