//! The vertical places of the items of each column, in their order.

use super::columns::{Columns, Item, Tip};
use crate::arrange::Arrange as _;

/// The space between two boxes.
pub(super) const BOX_GAP: f64 = 30.0;

/// The space between a box and a passing line.
const SIDE_GAP: f64 = 16.0;

/// The space between two passing lines.
const LANE_GAP: f64 = 10.0;

/// How much higher than the highest column a part may become, for straighter lines.
const SLACK: f64 = 1.05;

/// The height that is added to that of a part in any case.
const EXTRA: f64 = 60.0;

/// The number of sweeps over the columns.
const SWEEPS: usize = 12;

/// The largest bend of a line that is removed by moving an item for it.
const BEND: f64 = 26.0;

fn gap(a: Item, b: Item) -> f64 {
    match (a.node, b.node) {
        (Some(_), Some(_)) => BOX_GAP,
        (None, None) => LANE_GAP,
        _ => SIDE_GAP,
    }
}

/// The tops of the items of a column that begins at 0, and its height.
fn stack(items: &[Item], column: &[usize]) -> (Vec<f64>, f64) {
    let mut tops = Vec::with_capacity(column.len());
    let mut y = 0.0;
    for (at, &item) in column.iter().enumerate() {
        if at > 0 {
            y += gap(items[column[at - 1]], items[item]);
        }
        tops.push(y);
        y += items[item].height;
    }
    (tops, y)
}

/// The tops of all items, as close together as they may be, with the columns centred at 0.
pub(super) fn stacked(columns: &Columns) -> Vec<f64> {
    let mut all = vec![0.0; columns.items.len()];
    for column in &columns.columns {
        let (tops, height) = stack(&columns.items, column);
        for (&item, top) in column.iter().zip(tops) {
            all[item] = top - height / 2.0;
        }
    }
    all
}

/// The tops of all items, so that lines bend little, and the height of the part.
pub(super) fn place(columns: &Columns) -> (Vec<f64>, f64) {
    let stacks = columns.columns.iter();
    let stacks: Vec<(Vec<f64>, f64)> = stacks.map(|it| stack(&columns.items, it)).collect();
    let highest = stacks.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    let room = highest * SLACK + EXTRA;
    let mut tops = stacked(columns);
    for top in &mut tops {
        *top += room / 2.0;
    }
    let count = columns.columns.len();
    for sweep in 0..SWEEPS {
        for step in 0..count {
            let column = if sweep % 2 == 0 {
                step
            } else {
                count - 1 - step
            };
            let sides = (sweep > 0 || step > 0, sweep > 0);
            let wishes = wishes(columns, column, &tops, sides);
            let settled = settle(&stacks[column], &wishes, room);
            for (&item, top) in columns.columns[column].iter().zip(settled) {
                tops[item] = top;
            }
        }
    }
    straighten(columns, &mut tops);
    let lowest = tops.iter().copied().fold(f64::INFINITY, f64::min);
    let ends = columns.items.iter().zip(&tops);
    let ends = ends.map(|(item, top)| top + item.height);
    let height = ends.fold(0.0, f64::max) - lowest;
    for top in &mut tops {
        *top -= lowest;
    }
    (tops, height)
}

/// The wanted top of each item of a column with the strength of the wish: at the height of its
/// neighbours to the left, to the right, or both.
fn wishes(
    columns: &Columns,
    column: usize,
    tops: &[f64],
    (left, right): (bool, bool),
) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0); columns.items.len()];
    let mut wish = |tip: &Tip, others: &[Tip]| {
        let mut places: Vec<f64> = others.iter().map(|it| tops[it.item] + it.offset).collect();
        if places.is_empty() {
            return;
        }
        places.arrange_by(f64::total_cmp);
        let lanes = others
            .iter()
            .filter(|it| columns.items[it.item].node.is_none());
        let strength = match (columns.items[tip.item].node, lanes.count()) {
            (None, 1..) => 8.0,
            (None, 0) | (Some(_), 1..) => 3.0,
            _ => 1.0,
        };
        let sum = &mut sums[tip.item];
        let middle = (places[(places.len() - 1) / 2] + places[places.len() / 2]) / 2.0;
        sum.0 += (middle - tip.offset) * strength;
        sum.1 += strength;
    };
    if left && column > 0 {
        for joint in &columns.channels[column - 1] {
            joint.right.iter().for_each(|tip| wish(tip, &joint.left));
        }
    }
    if right {
        for joint in &columns.channels[column] {
            joint.left.iter().for_each(|tip| wish(tip, &joint.right));
        }
    }
    let column = columns.columns[column].iter();
    let wish = |&item: &usize| match sums[item] {
        (_, 0.0) => (tops[item], 0.05),
        (sum, strength) => (sum / strength, strength),
    };
    column.map(wish).collect()
}

/// The tops nearest to the wishes, by least squares, that keep the order and the gaps of the stack
/// and stay within `room`.
fn settle((stack, height): &(Vec<f64>, f64), wishes: &[(f64, f64)], room: f64) -> Vec<f64> {
    // Blocks of items without space between them: the wanted shift, its strength, the number.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((wish, strength), top) in wishes.iter().zip(stack) {
        let mut block = (wish - top, *strength, 1);
        while let Some(&(shift, strength, count)) = blocks.last()
            && shift > block.0
        {
            let sum = strength + block.1;
            block = (
                (shift * strength + block.0 * block.1) / sum,
                sum,
                count + block.2,
            );
            blocks.pop();
        }
        blocks.push(block);
    }
    let most = (room - height).max(0.0);
    let shifts = blocks
        .into_iter()
        .flat_map(|(shift, _, count)| std::iter::repeat_n(shift.clamp(0.0, most), count));
    stack
        .iter()
        .zip(shifts)
        .map(|(top, shift)| top + shift)
        .collect()
}

/// Moves items a little where that makes the line from the left straight.
fn straighten(columns: &Columns, tops: &mut [f64]) {
    for column in 1..columns.columns.len() {
        let mut wanted: Vec<Option<f64>> = vec![None; columns.items.len()];
        for joint in &columns.channels[column - 1] {
            let [left] = joint.left.as_slice() else {
                continue;
            };
            for tip in &joint.right {
                let top = tops[left.item] + left.offset - tip.offset;
                let is_nearer =
                    |other: f64| (top - tops[tip.item]).abs() < (other - tops[tip.item]).abs();
                if wanted[tip.item].is_none_or(is_nearer) {
                    wanted[tip.item] = Some(top);
                }
            }
        }
        let order = &columns.columns[column];
        for (at, &item) in order.iter().enumerate() {
            let Some(top) = wanted[item] else { continue };
            let this = columns.items[item];
            let above = at.checked_sub(1).map(|at| order[at]);
            let from = above.map_or(f64::NEG_INFINITY, |above| {
                tops[above] + columns.items[above].height + gap(columns.items[above], this)
            });
            let to = order.get(at + 1).map_or(f64::INFINITY, |&below| {
                tops[below] - gap(this, columns.items[below]) - this.height
            });
            if (top - tops[item]).abs() <= BEND && (from..=to).contains(&top) {
                tops[item] = top;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn settled_items_keep_their_gaps(
            wishes in prop::collection::vec((-500.0..500.0, 0.1..9.0), 1..30),
            height in 10.0..50.0,
        ) {
            let stack: Vec<f64> = (0..wishes.len()).map(|at| at as f64 * height).collect();
            let total = wishes.len() as f64 * height;
            let room = total * 1.5;
            let tops = settle(&(stack, total), &wishes, room);
            for pair in tops.windows(2) {
                prop_assert!(pair[1] - pair[0] >= height - 1e-6);
            }
            prop_assert!(tops[0] >= -1e-6);
            prop_assert!(tops[tops.len() - 1] + height <= room + 1e-6);
        }
    }

    #[test]
    fn free_items_get_their_wish() {
        let stack = (vec![0.0, 10.0, 20.0], 30.0);
        let wishes = [(5.0, 1.0), (40.0, 1.0), (44.0, 1.0)];
        assert_eq!(settle(&stack, &wishes, 100.0), [5.0, 37.0, 47.0]);
    }
}
