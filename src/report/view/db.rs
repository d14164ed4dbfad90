use std::time::Duration;

use serde_json::json;

use super::{Json, Paint, Verbosity, View, change::millis, object};
use crate::report::{Style, duration};

/// `db create`, `db drop` and `db wait`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbView {
    /// The database.
    pub database: String,
    /// What came of it.
    pub change: DbChange,
}

/// What was done with a database as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbChange {
    /// Whether it had to be made.
    Created(bool),
    /// Whether it was there.
    Dropped(bool),
    /// It is there, after so long.
    Ready(Duration),
}

impl View for DbView {
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
