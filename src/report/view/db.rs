use serde_json::json;

use super::{Json, Paint, Verbosity, View, change::millis, object};
use crate::{
    ops::{DbChange, DbReport},
    report::{Style, duration},
};

impl View for DbReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        if verbosity == Verbosity::Quiet {
            return String::new();
        }
        let place = &self.database;
        let done = |verb| paint.paint(Style::Good, verb);
        match self.change {
            DbChange::Created(true) => format!("{} {place}.\n", done("Created")),
            DbChange::Created(false) => format!("Nothing to do: {place} is there already.\n"),
            DbChange::Dropped(true) => format!("{} {place}.\n", done("Dropped")),
            DbChange::Dropped(false) => {
                format!("Nothing to do: there is no database at {place}.\n")
            }
            DbChange::Ready(waited) => {
                format!("{} {place}, after {}.\n", done("Ready:"), duration(waited))
            }
        }
    }

    fn json(&self) -> Json {
        let (name, value) = match self.change {
            DbChange::Created(made) => ("created", json!(made)),
            DbChange::Dropped(gone) => ("dropped", json!(gone)),
            DbChange::Ready(waited) => ("duration_ms", json!(millis(waited))),
        };
        object(json!({ "database": self.database, name: value }))
    }
}
