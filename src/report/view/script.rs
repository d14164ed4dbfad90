use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, history::subjects, object};
use crate::ops::ScriptReport;

impl View for ScriptReport {
    fn human(&self, _: Paint, _: Verbosity) -> Page {
        Page::default()
    }

    /// Only the script, so that it can be run unchanged.
    fn exact(&self) -> Option<&str> {
        Some(&self.sql)
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
