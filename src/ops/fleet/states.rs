//! States that several targets are in, each judged once.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    database::{StateDigest, state_digest},
    revision::Observed,
};

/// The most judgements that are kept. A fleet whose targets are all in different states is judged one by
/// one.
const MOST: usize = 10_000;

/// What was judged of each state.
pub(super) struct States<'a, T> {
    judge: Box<dyn Fn(&Observed) -> T + Sync + Send + 'a>,
    known: RwLock<HashMap<StateDigest, Arc<T>>>,
}

impl<'a, T> States<'a, T> {
    pub fn new(judge: impl Fn(&Observed) -> T + Sync + Send + 'a) -> Self {
        Self {
            judge: Box::new(judge),
            known: RwLock::default(),
        }
    }

    /// Whether the state was judged.
    pub fn knows(&self, digest: &StateDigest) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.contains_key(digest)
    }

    /// The judgement of a state that a look has told; `None` if it has told no rows of a new one.
    pub fn of_digest(&self, digest: StateDigest, observed: Option<&Observed>) -> Option<Arc<T>> {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(judged) = known.get(&digest) {
                return Some(Arc::clone(judged));
            }
        }
        let judged = Arc::new((self.judge)(observed?));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            return Some(judged);
        }
        Some(Arc::clone(known.entry(digest).or_insert(judged)))
    }

    /// The judgement of a state that a session has read.
    pub fn of(&self, observed: &Observed) -> Arc<T> {
        let judged = state_digest(observed).and_then(|it| self.of_digest(it, Some(observed)));
        judged.unwrap_or_else(|| Arc::new((self.judge)(observed)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_state_is_judged_once() {
        let count = AtomicUsize::new(0);
        let states = States::new(|observed: &Observed| {
            count.fetch_add(1, Ordering::Relaxed);
            observed.layout
        });
        let nothing = Observed::default();
        assert_eq!(*states.of(&nothing), None);
        assert_eq!(*states.of(&nothing), None);
        assert_eq!(count.load(Ordering::Relaxed), 1);
        let other = Observed::of([], 2);
        assert_eq!(*states.of(&other), Some(2));
        assert_eq!(count.load(Ordering::Relaxed), 2);
        let digest = state_digest(&nothing).unwrap();
        assert!(states.knows(&digest));
        assert!(states.of_digest(digest, None).is_some());
        assert!(states.of_digest([0; 32], None).is_none());
    }
}
