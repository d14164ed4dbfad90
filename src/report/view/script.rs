use serde_json::json;

use super::{Json, Paint, Verbosity, View, history::subjects, object};
use crate::ops::ScriptReport;

impl View for ScriptReport {
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
