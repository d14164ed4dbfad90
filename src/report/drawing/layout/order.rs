//! The order of the items of each column, so that few lines cross.

use super::{
    columns::{Columns, Joint},
    place::stacked,
};
use crate::arrange::Arrange as _;

/// The most sweeps over the columns; large pictures get fewer.
const SWEEPS: usize = 24;

/// The number of items times sweeps that is not exceeded by much.
const EFFORT: usize = 200_000;

/// Orders the items of the columns by sweeps: each item goes to the mean of its neighbours in the
/// column before, then of those in the column after. The best order is kept.
pub(super) fn order(columns: &mut Columns) {
    start(columns);
    let mut best = (crossings(columns), columns.columns.clone());
    let sweeps = (EFFORT / columns.items.len().max(1)).clamp(4, SWEEPS);
    let mut since_best = 0;
    for sweep in 0..sweeps {
        let count = columns.columns.len();
        match sweep % 2 == 0 {
            true => (1..count).for_each(|column| sort(columns, column, Side::Left)),
            false => (0..count.saturating_sub(1))
                .rev()
                .for_each(|column| sort(columns, column, Side::Right)),
        }
        let found = crossings(columns);
        if found < best.0 {
            best = (found, columns.columns.clone());
            since_best = 0;
        } else {
            since_best += 1;
        }
        if best.0 == 0 || since_best == 6 {
            break;
        }
    }
    columns.columns = best.1;
}

/// Orders the items as a search from the first column meets them, so that neighbours are close.
fn start(columns: &mut Columns) {
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); columns.items.len()];
    for joint in columns.channels.iter().flatten() {
        for left in &joint.left {
            for right in &joint.right {
                neighbours[left.item].push(right.item);
                neighbours[right.item].push(left.item);
            }
        }
    }
    let mut rank = vec![usize::MAX; columns.items.len()];
    let mut next = 0;
    for &root in columns.columns.iter().flatten() {
        let mut stack = vec![root];
        while let Some(item) = stack.pop() {
            if rank[item] != usize::MAX {
                continue;
            }
            rank[item] = next;
            next += 1;
            stack.extend(neighbours[item].iter().rev());
        }
    }
    for column in &mut columns.columns {
        column.arrange_by_key(|&item| rank[item]);
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Sorts a column by the places of its neighbours on one side.
fn sort(columns: &mut Columns, column: usize, side: Side) {
    let channel = match side {
        Side::Left => column - 1,
        Side::Right => column,
    };
    let tops = stacked(columns);
    let mut sums = vec![(0.0, 0.0); columns.items.len()];
    for joint in &columns.channels[channel] {
        let (near, far) = match side {
            Side::Left => (&joint.right, &joint.left),
            Side::Right => (&joint.left, &joint.right),
        };
        let places = far.iter().map(|tip| tops[tip.item] + tip.offset);
        let sum: f64 = places.sum();
        for tip in near {
            sums[tip.item].0 += sum;
            sums[tip.item].1 += far.len() as f64;
        }
    }
    let key = |item: usize| match sums[item] {
        (_, 0.0) => tops[item] + columns.items[item].height / 2.0,
        (sum, count) => sum / count,
    };
    let mut sorted = columns.columns[column].clone();
    sorted.arrange_by(|&a, &b| key(a).total_cmp(&key(b)));
    columns.columns[column] = sorted;
}

/// The number of crossings of straight lines between neighbouring columns.
fn crossings(columns: &Columns) -> usize {
    let tops = stacked(columns);
    let channels = columns.channels.iter();
    channels.map(|joints| crossings_in(joints, &tops)).sum()
}

fn crossings_in(joints: &[Joint], tops: &[f64]) -> usize {
    let mut lines = Vec::new();
    for joint in joints {
        for left in &joint.left {
            for right in &joint.right {
                lines.push((
                    tops[left.item] + left.offset,
                    tops[right.item] + right.offset,
                ));
            }
        }
    }
    lines.arrange_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut ends: Vec<f64> = lines.into_iter().map(|line| line.1).collect();
    inversions(&mut ends)
}

/// The number of pairs in the wrong order; sorts.
fn inversions(values: &mut [f64]) -> usize {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut count = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        if j == right.len() || i < left.len() && left[i] <= right[j] {
            merged.push(left[i]);
            i += 1;
        } else {
            merged.push(right[j]);
            j += 1;
            count += left.len() - i;
        }
    }
    values.copy_from_slice(&merged);
    count
}

#[cfg(test)]
mod tests {
    use super::inversions;

    #[test]
    fn inversions_are_counted() {
        let count = |values: &[f64]| inversions(&mut values.to_vec());
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[1.0, 1.0, 2.0]), 0);
        assert_eq!(count(&[3.0, 2.0, 1.0]), 3);
        assert_eq!(count(&[2.0, 4.0, 1.0, 3.0, 1.0]), 6);
    }
}
