use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, change::millis, object};
use crate::{
    ops::{DbChange, DbReport},
    report::{Style, duration},
};

impl View for DbReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let place = &self.database;
        let done = |verb| paint.paint(Style::Good, verb);
        Page::of(match self.change {
            DbChange::Created(true) => format!("{} {place}.", done("Created")),
            DbChange::Created(false) => format!("Nothing to do: {place} already exists."),
            DbChange::Dropped(true) => format!("{} {place}.", done("Dropped")),
            DbChange::Dropped(false) => {
                format!("Nothing to do: database {place} does not exist.")
            }
            DbChange::Ready(waited) => {
                format!("{} {place}, after {}.", done("Ready:"), duration(waited))
            }
        })
    }

    fn has_changed(&self) -> bool {
        matches!(
            self.change,
            DbChange::Created(true) | DbChange::Dropped(true)
        )
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
