use serde_json::json;

use super::{Json, Paint, Verbosity, View, history::subjects, object};
use crate::revision::{Direction, Subject};

/// `upgrade --sql` and `downgrade --sql`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptView {
    /// The state it starts from, for people.
    pub from: String,
    /// The state it leads to, for people.
    pub to: String,
    /// Which way.
    pub direction: Direction,
    /// What it applies or reverts, in order.
    pub steps: Vec<Subject>,
    /// The script.
    pub sql: String,
}

impl View for ScriptView {
    /// Nothing but the script, so that it can be run as it is.
    fn human(&self, _: Paint, _: Verbosity) -> String {
        self.sql.clone()
    }

    fn json(&self) -> Json {
        object(json!({
            "direction": self.direction.as_str(),
            "from": self.from,
            "to": self.to,
            "revisions": subjects(&self.steps),
            "sql": self.sql,
        }))
    }
}
