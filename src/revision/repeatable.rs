use std::sync::Arc;

use super::{Problem, RepeatableId, Script};
use crate::sql::Dialect;

/// A script that is applied again whenever it changes: views, functions, grants. It is not part of
/// the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeatable {
    /// Its name in records.
    pub id: RepeatableId,
    /// The first comment line, or the slug with spaces.
    pub message: String,
    /// What runs.
    pub script: Script,
}

impl Repeatable {
    /// Reads the script of that name.
    ///
    /// # Errors
    /// Every problem of its headers, in the order of the text.
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

    /// That of another tool's file, which on its own is the script `alone`.
    ///
    /// # Errors
    /// Every problem of its headers, at no place.
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
