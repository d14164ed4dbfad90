//! Processes many files in parallel.

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// The minimum number of items per thread.
const WORTH: usize = 100;

/// Number of items that a thread takes at once. The processors may be unequally busy, so there is
/// no fixed share.
const PORTION: usize = 16;

/// Returns the result of `work` for every item, in order.
pub(super) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let others = processors.min(items.len() / WORTH).saturating_sub(1);
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let portion = next.fetch_add(1, Ordering::Relaxed);
            let Some(items) = items.chunks(PORTION).nth(portion) else {
                return done;
            };
            done.push((portion, items.iter().map(&work).collect::<Vec<_>>()));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(portion, _)| *portion);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for count in [0, 1, PORTION, WORTH * 2, WORTH * 9 + 1] {
            let items: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(&items, |item| item * 2), doubled);
        }
    }

    #[test]
    #[should_panic(expected = "the last one")]
    fn a_panic_is_passed_on() {
        let items: Vec<usize> = (0..WORTH * 4).collect();
        map(&items, |item| {
            assert!(*item + 1 < WORTH * 4, "the last one")
        });
    }
}
