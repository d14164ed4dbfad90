//! Stops of a run over many targets.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{database::Cancel, execute::Stop};

/// The first request ends a run after the running targets; the second one cancels what runs.
#[derive(Clone, Debug, Default)]
pub struct FleetStop {
    /// No further target is started.
    pub(super) outer: Stop,
    /// The running targets stop.
    pub(super) inner: Stop,
    pub(super) running: Cancellers,
}

impl FleetStop {
    /// The requests to start no further target.
    pub fn requests(&self) -> Stop {
        self.outer.clone()
    }

    /// Whether the running targets are to stop as well.
    pub fn is_forced(&self) -> bool {
        self.outer.is_forced()
    }
}

/// What cancels the running statements of several sessions.
#[derive(Clone, Default)]
pub(in crate::ops) struct Cancellers(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    next: u64,
    all: HashMap<u64, Arc<dyn Cancel>>,
}

/// A session that can be cancelled, as long as the value lives.
pub(in crate::ops) struct Entered {
    of: Cancellers,
    number: u64,
}

impl Cancellers {
    pub fn enter(&self, canceller: Arc<dyn Cancel>) -> Entered {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = entries.next;
        entries.next += 1;
        entries.all.insert(number, canceller);
        Entered {
            of: self.clone(),
            number,
        }
    }
}

impl std::fmt::Debug for Cancellers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cancellers")
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut entries = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.all.remove(&self.number);
    }
}

#[async_trait]
impl Cancel for FleetStop {
    async fn cancel(&self) {
        if !self.inner.is_forced() {
            self.inner.request();
            self.inner.request();
        }
        let all: Vec<_> = {
            let entries = self
                .running
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            entries.all.values().cloned().collect()
        };
        for canceller in all {
            canceller.cancel().await;
        }
    }
}
