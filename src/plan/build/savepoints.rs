//! The savepoints that are open at a place of a script.

use std::collections::HashMap;

use crate::plan::SourceSpan;

/// Savepoints that are open, the last one innermost.
#[derive(Default)]
pub(super) struct Savepoints {
    open: Vec<(String, SourceSpan)>,
    /// Where each name is among them; of several the last one counts.
    places: HashMap<String, Vec<usize>>,
}

impl Savepoints {
    pub fn push(&mut self, name: String, source_span: SourceSpan) {
        let places = self.places.entry(name.clone()).or_default();
        places.push(self.open.len());
        self.open.push((name, source_span));
    }

    /// Where the innermost savepoint of that name is.
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

    /// All that are open; none is afterwards.
    pub fn close(&mut self) -> Vec<(String, SourceSpan)> {
        self.places.clear();
        std::mem::take(&mut self.open)
    }
}
