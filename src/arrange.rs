//! Stable sorts of which all types share one compiled copy. Below all rooms.
//!
//! `sort_by` of the standard library is compiled anew, 5 KB each time, for every closure that is given to it. These sort the
//! places of the items instead, with one closure behind a pointer, and then move each item once.

use std::cmp::Ordering;

/// What a slice of any type can do with its items: the methods do what `sort`, `sort_by` and `sort_by_key` do.
pub(crate) trait Arrange<T> {
    /// Sorts the items; equal ones keep their order.
    fn arrange(&mut self)
    where
        T: Ord;

    /// Sorts the items by what `order` says of two of them; equal ones keep their order.
    fn arrange_by(&mut self, order: impl FnMut(&T, &T) -> Ordering);

    /// Sorts the items by a key of each; those with equal keys keep their order.
    fn arrange_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K);
}

impl<T> Arrange<T> for [T] {
    fn arrange(&mut self)
    where
        T: Ord,
    {
        self.arrange_by(T::cmp);
    }

    fn arrange_by(&mut self, mut order: impl FnMut(&T, &T) -> Ordering) {
        let items = &*self;
        let mut from = places(items.len(), &mut |a, b| order(&items[a], &items[b]));
        // Each cycle of places is gone through once; what stood at its start is carried to its end.
        for start in 0..from.len() {
            let mut to = start;
            while from[to] != start {
                let next = std::mem::replace(&mut from[to], to);
                self.swap(to, next);
                to = next;
            }
            from[to] = to;
        }
    }

    fn arrange_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.arrange_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// The places of `count` items in their order: at each position that of the item that belongs there.
fn places(count: usize, order: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| order(*a, *b));
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn does_what_the_standard_library_does(keys in prop::collection::vec(0..20_u8, 0..80)) {
            let mut found: Vec<(u8, usize)> = keys.iter().copied().zip(0..).collect();
            let mut expected = found.clone();
            found.arrange_by_key(|(key, _)| *key);
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(&found, &expected);
            found.arrange_by(|a, b| b.1.cmp(&a.1));
            expected.sort_by_key(|(_, place)| std::cmp::Reverse(*place));
            prop_assert_eq!(&found, &expected);
            found.arrange();
            expected.sort();
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn items_need_not_be_copied() {
        let mut words = ["tables", "are", "sorted", "by", "length"].map(str::to_owned);
        words.arrange_by_key(String::len);
        assert_eq!(words, ["by", "are", "tables", "sorted", "length"]);
    }
}
