//! The column of each box.

use super::Size;
use crate::arrange::Arrange as _;

/// An arc from a box to one that refers to it: the first belongs to the left of the second.
pub(super) type Arc = (usize, usize);

/// The space below a box.
const GAP: f64 = super::place::BOX_GAP;

/// Whether each arc points against the order that few arcs point against.
pub(super) fn reversed(count: usize, arcs: &[Arc]) -> Vec<bool> {
    let mut graph = Graph::new(count, arcs);
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let mut ends: Vec<usize> = (0..count).rev().collect();
    loop {
        while let Some(node) = ends.pop() {
            if graph.is_gone[node] {
                continue;
            }
            if graph.into[node] == 0 {
                first.push(node);
            } else if graph.out[node] == 0 {
                last.push(node);
            } else {
                continue;
            }
            graph.remove(node, &mut ends);
        }
        let left = (0..count).filter(|&node| !graph.is_gone[node]);
        let surplus = |node: usize| graph.out[node] as isize - graph.into[node] as isize;
        let Some(node) = left.max_by_key(|&node| (surplus(node), std::cmp::Reverse(node))) else {
            break;
        };
        first.push(node);
        graph.remove(node, &mut ends);
    }
    let mut place = vec![0; count];
    for (at, &node) in first.iter().chain(last.iter().rev()).enumerate() {
        place[node] = at;
    }
    arcs.iter().map(|&(a, b)| place[a] > place[b]).collect()
}

/// What is left of a graph from which boxes are taken.
struct Graph {
    after: Vec<Vec<usize>>,
    before: Vec<Vec<usize>>,
    out: Vec<usize>,
    into: Vec<usize>,
    is_gone: Vec<bool>,
}

impl Graph {
    fn new(count: usize, arcs: &[Arc]) -> Self {
        let (before, after) = neighbours(count, arcs);
        Self {
            out: after.iter().map(Vec::len).collect(),
            into: before.iter().map(Vec::len).collect(),
            is_gone: vec![false; count],
            before,
            after,
        }
    }

    /// Takes a box away; its neighbours that have become ends are added to `ends`.
    fn remove(&mut self, node: usize, ends: &mut Vec<usize>) {
        self.is_gone[node] = true;
        for &other in &self.after[node] {
            self.into[other] -= 1;
            if self.into[other] == 0 {
                ends.push(other);
            }
        }
        for &other in &self.before[node] {
            self.out[other] -= 1;
            if self.out[other] == 0 {
                ends.push(other);
            }
        }
    }
}

/// The boxes before and after each box.
fn neighbours(count: usize, arcs: &[Arc]) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let (mut before, mut after) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for &(a, b) in arcs {
        after[a].push(b);
        before[b].push(a);
    }
    (before, after)
}

/// Assigns boxes to columns.
pub(super) struct Ranks<'a> {
    sizes: &'a [Size],
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    /// The number of columns that must be to the left of each box.
    depths: Vec<usize>,
    /// The boxes, each after those before it.
    sequence: Vec<usize>,
}

impl<'a> Ranks<'a> {
    /// Reads arcs without cycles.
    pub(super) fn new(sizes: &'a [Size], arcs: &[Arc]) -> Self {
        let (before, after) = neighbours(sizes.len(), arcs);
        let mut depths = vec![0; sizes.len()];
        let mut left: Vec<usize> = before.iter().map(Vec::len).collect();
        let is_first = |&node: &usize| before[node].is_empty();
        let mut sequence: Vec<usize> = (0..sizes.len()).filter(is_first).collect();
        let mut at = 0;
        while let Some(&node) = sequence.get(at) {
            at += 1;
            for &other in &after[node] {
                depths[other] = depths[other].max(depths[node] + 1);
                left[other] -= 1;
                if left[other] == 0 {
                    sequence.push(other);
                }
            }
        }
        // A box moves towards those after it if that makes more lines shorter than longer.
        for &node in sequence.iter().rev() {
            if before[node].len() < after[node].len() {
                let next = after[node].iter().map(|&other| depths[other]).min();
                depths[node] = next.map_or(depths[node], |next| next - 1);
            }
        }
        sequence.arrange_by_key(|&node| depths[node]);
        Self {
            sizes,
            before,
            after,
            depths,
            sequence,
        }
    }

    /// The column of each box, so that no column of several boxes is higher than `limit`.
    pub(super) fn columns(&self, limit: f64) -> Vec<usize> {
        let mut columns = vec![0; self.sizes.len()];
        let mut heights: Vec<f64> = Vec::new();
        for level in self
            .sequence
            .chunk_by(|&a, &b| self.depths[a] == self.depths[b])
        {
            let mut level = level.to_vec();
            // Those that others wait for come first, then neighbours of the same box.
            level.arrange_by_key(|&node| {
                let before = self.before[node].iter();
                let last = before.map(|&other| (columns[other], other)).max();
                (self.after[node].is_empty(), last, node)
            });
            for node in level {
                let before = self.before[node].iter().map(|&other| columns[other] + 1);
                let earliest = before.max().unwrap_or(0).max(self.depths[node]);
                let height = self.sizes[node].height + GAP;
                let column = first_with_room(&mut heights, earliest, height, limit);
                heights[column] += height;
                columns[node] = column;
            }
        }
        self.shift(&mut columns, &mut heights, limit);
        without_gaps(&mut columns);
        columns
    }

    /// Moves boxes to the right where that makes lines shorter and there is room.
    fn shift(&self, columns: &mut [usize], heights: &mut [f64], limit: f64) {
        for &node in self.sequence.iter().rev() {
            if self.before[node].len() >= self.after[node].len() {
                continue;
            }
            let after = self.after[node].iter().map(|&other| columns[other]);
            let (from, to) = (columns[node], after.min().unwrap_or(0));
            let height = self.sizes[node].height + GAP;
            let has_room = |&column: &usize| heights[column] + height <= limit * 1.1;
            if let Some(column) = (from + 1..to).rev().find(has_room) {
                heights[from] -= height;
                heights[column] += height;
                columns[node] = column;
            }
        }
    }
}

fn first_with_room(heights: &mut Vec<f64>, earliest: usize, height: f64, limit: f64) -> usize {
    let mut column = earliest;
    loop {
        if heights.len() <= column {
            heights.resize(column + 1, 0.0);
        }
        if heights[column] == 0.0 || heights[column] + height <= limit {
            return column;
        }
        column += 1;
    }
}

/// Numbers the used columns from 0.
fn without_gaps(columns: &mut [usize]) {
    let mut used: Vec<usize> = columns.to_vec();
    used.sort_unstable();
    used.dedup();
    for column in columns {
        *column = used.partition_point(|it| it < column);
    }
}
