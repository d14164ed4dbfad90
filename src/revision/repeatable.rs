use std::sync::Arc;

use super::{Problem, RepeatableId, Script};
use crate::sql::Dialect;

/// A script that is applied again whenever it changes: views, functions, grants. It is not part of
/// the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// The name of the script in records.
    pub id: RepeatableId,
    /// The first comment line, or the slug with spaces.
    pub message: String,
    /// The script to run.
    pub script: Script,
}

impl Repeatable {
    /// Parses the script with that name.
    ///
    /// # Errors
    /// Returns every problem of its headers, in text order.
    pub fn parse(
        dialect: Dialect,
        id: RepeatableId,
        file: impl Into<String>,
        text: impl Into<Arc<str>>,
    ) -> Result<Self, Vec<Problem>> {
        let script = Script::repeatable(dialect, file, text)?;
        let message = script.headers.message.clone();
        Ok(Self {
            message: message.unwrap_or_else(|| id.slug().replace('_', " ")),
            id,
            script,
        })
    }

    /// Creates a repeatable script from a part of another tool's file, which on its own is the
    /// script `alone`.
    ///
    /// # Errors
    /// Returns every problem of its headers, without a place.
    pub fn part(
        dialect: Dialect,
        id: RepeatableId,
        file: impl Into<String>,
        text: impl Into<Arc<str>>,
        alone: impl Into<Arc<str>>,
    ) -> Result<Self, Vec<Problem>> {
        let mut found = Self::parse(dialect, id, file, alone).map_err(|mut problems| {
            for problem in &mut problems {
                problem.place.offset = None;
            }
            problems
        })?;
        found.script = found.script.in_file(text.into());
        Ok(found)
    }
}
