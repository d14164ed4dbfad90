//! Tracks the savepoints that are open at a place in a script.

use std::collections::HashMap;

use crate::plan::SourceSpan;

/// Open savepoints; the innermost is last.
#[derive(Default)]
pub(super) struct Savepoints {
    open: Vec<(String, SourceSpan)>,
    /// Positions of each name; if a name repeats, the last one counts.
    places: HashMap<String, Vec<usize>>,
}

impl Savepoints {
    pub fn push(&mut self, name: String, source_span: SourceSpan) {
        let places = self.places.entry(name.clone()).or_default();
        places.push(self.open.len());
        self.open.push((name, source_span));
    }

    /// Returns the position of the innermost savepoint with that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name)?.last().copied()
    }

    /// Keeps the outermost `count`.
    pub fn truncate(&mut self, count: usize) {
        for (name, _) in self.open.drain(count..) {
            if let Some(places) = self.places.get_mut(&name) {
                places.pop();
            }
        }
    }

    /// Removes and returns all open savepoints.
    pub fn close(&mut self) -> Vec<(String, SourceSpan)> {
        self.places.clear();
        std::mem::take(&mut self.open)
    }
}
