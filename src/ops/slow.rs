use std::sync::{Arc, Mutex, PoisonError};

use crate::execute::{EventKind, Sink, SlowStatement};

/// Collects slow statements for the result of a run.
#[derive(Clone, Default)]
pub(super) struct SlowStatements(Arc<Mutex<Vec<SlowStatement>>>);

impl SlowStatements {
    /// A sink that collects slow statements and forwards every event.
    pub fn watch(&self, events: &Sink) -> Sink {
        let kept = Arc::clone(&self.0);
        events.after(move |event| {
            if let EventKind::StatementSlow(slow) = &event.kind {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push(slow.clone());
            }
        })
    }

    /// Takes the statements collected so far.
    pub fn take(&self) -> Vec<SlowStatement> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
