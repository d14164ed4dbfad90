//! The horizontal places of columns, and the ways of lines between them.

use super::{
    Point, Size,
    columns::{Columns, Tip},
};
use crate::arrange::Arrange as _;

/// The space between a box and the nearest vertical line: room for the marks at ends.
const SIDE: f64 = 30.0;

/// The space between vertical lines.
const STEP: f64 = 8.0;

/// How far apart vertical lines on the same track are at least.
const CLEARANCE: f64 = 10.0;

/// Lines at the same height that would be drawn over each other count as much as crossings.
const OVERLAP: usize = 12;

/// Up to how many vertical lines of a channel are ordered by trying.
const MOST_TRIED: usize = 160;

/// A net in a channel.
struct Strand {
    net: usize,
    left: Vec<f64>,
    right: Vec<f64>,
    top: f64,
    bottom: f64,
}

impl Strand {
    fn new(net: usize, left: Vec<f64>, right: Vec<f64>) -> Self {
        let all = || left.iter().chain(&right).copied();
        Self {
            net,
            top: all().fold(f64::INFINITY, f64::min),
            bottom: all().fold(f64::NEG_INFINITY, f64::max),
            left,
            right,
        }
    }

    fn is_straight(&self) -> bool {
        self.bottom - self.top < 0.5
    }

    fn meets(&self, other: &Self) -> bool {
        self.top < other.bottom + CLEARANCE && other.top < self.bottom + CLEARANCE
    }

    /// The crossings and overlaps if this strand is to the left of `other`.
    fn cost(&self, other: &Self) -> usize {
        let within = |ys: &[f64], it: &Self| {
            let inside = |y: &&f64| (it.top..=it.bottom).contains(*y);
            ys.iter().filter(inside).count()
        };
        let overlaps = self.right.iter().filter(|right| {
            let is_same = |left: &f64| (left - **right).abs() < 3.0;
            other.left.iter().any(is_same)
        });
        within(&self.right, other) + within(&other.left, self) + OVERLAP * overlaps.count()
    }
}

/// The horizontal places of the columns, and the corners of the lines.
pub(super) struct Routes {
    pub lefts: Vec<f64>,
    pub width: f64,
    pub routes: Vec<Vec<Point>>,
}

/// Routes the lines between items at `tops`.
pub(super) fn route(columns: &Columns, sizes: &[Size], tops: &[f64]) -> Routes {
    let mut lefts = Vec::with_capacity(columns.columns.len());
    let mut tracks: Vec<Vec<(usize, f64)>> = Vec::with_capacity(columns.columns.len());
    let mut x = 0.0;
    for (column, joints) in columns.channels.iter().enumerate() {
        lefts.push(x);
        let boxes = columns.columns[column].iter().copied();
        let boxes = boxes.filter(|&item| columns.items[item].node.is_some());
        x += boxes.map(|item| sizes[item].width).fold(0.0, f64::max);
        let ys = |tips: &[Tip]| tips.iter().map(|tip| tops[tip.item] + tip.offset).collect();
        let strands = joints
            .iter()
            .map(|joint| Strand::new(joint.net, ys(&joint.left), ys(&joint.right)));
        let (assigned, count) = assign(strands.collect());
        let at = |(net, track)| (net, x + SIDE + track as f64 * STEP);
        let mut found: Vec<(usize, f64)> = assigned.into_iter().map(at).collect();
        found.sort_unstable_by_key(|(net, _)| *net);
        tracks.push(found);
        let is_last = column + 1 == columns.channels.len();
        x += match (is_last, count) {
            (true, 0) => 0.0,
            (true, count) => SIDE + (count - 1) as f64 * STEP,
            (false, count) => 2.0 * SIDE + count.saturating_sub(1) as f64 * STEP,
        };
    }
    let plan = Plan {
        columns,
        sizes,
        tops,
        lefts: &lefts,
        tracks: &tracks,
    };
    let routes = (0..columns.wires.len())
        .map(|wire| plan.corners(wire))
        .collect();
    Routes {
        lefts,
        width: x,
        routes,
    }
}

/// The track of each strand that needs one, by net, and the number of tracks.
fn assign(strands: Vec<Strand>) -> (Vec<(usize, usize)>, usize) {
    let mut strands: Vec<Strand> = strands.into_iter().filter(|it| !it.is_straight()).collect();
    let middle = |strand: &Strand| strand.top + strand.bottom;
    strands.arrange_by(|a, b| middle(a).total_cmp(&middle(b)));
    let order = match strands.len() <= MOST_TRIED {
        true => tried(&strands),
        false => (0..strands.len()).collect(),
    };
    let mut tracks: Vec<usize> = Vec::with_capacity(order.len());
    let mut count = 0;
    for (at, &strand) in order.iter().enumerate() {
        let earlier = order[..at].iter().zip(&tracks);
        let met = earlier.filter(|(other, _)| strands[strand].meets(&strands[**other]));
        let track = met.map(|(_, track)| track + 1).max().unwrap_or(0);
        count = count.max(track + 1);
        tracks.push(track);
    }
    let assigned = order.iter().zip(tracks);
    let assigned = assigned.map(|(&strand, track)| (strands[strand].net, track));
    (assigned.collect(), count)
}

/// An order of strands from left to right with few crossings: each one is moved to its best place
/// until nothing improves.
fn tried(strands: &[Strand]) -> Vec<usize> {
    let count = strands.len();
    let mut costs = vec![0_isize; count * count];
    for (i, a) in strands.iter().enumerate() {
        for (j, b) in strands.iter().enumerate() {
            if i != j && a.meets(b) {
                costs[i * count + j] = a.cost(b) as isize;
            }
        }
    }
    let gain =
        |moved: usize, over: usize| costs[moved * count + over] - costs[over * count + moved];
    let mut order: Vec<usize> = (0..count).collect();
    for _ in 0..4 {
        let mut is_better = false;
        for moved in 0..count {
            let from = order.iter().position(|it| *it == moved).unwrap_or(0);
            let (mut best, mut to) = (0, from);
            let mut change = 0;
            for at in (0..from).rev() {
                change += gain(moved, order[at]);
                if change < best {
                    (best, to) = (change, at);
                }
            }
            change = 0;
            for (at, &over) in order.iter().enumerate().skip(from + 1) {
                change -= gain(moved, over);
                if change < best {
                    (best, to) = (change, at);
                }
            }
            if best < 0 {
                order.remove(from);
                order.insert(to, moved);
                is_better = true;
            }
        }
        if !is_better {
            break;
        }
    }
    order
}

struct Plan<'a> {
    columns: &'a Columns,
    sizes: &'a [Size],
    tops: &'a [f64],
    lefts: &'a [f64],
    tracks: &'a [Vec<(usize, f64)>],
}

impl Plan<'_> {
    fn y(&self, tip: Tip) -> f64 {
        self.tops[tip.item] + tip.offset
    }

    fn left(&self, tip: Tip) -> Point {
        Point {
            x: self.lefts[self.columns.column(tip)],
            y: self.y(tip),
        }
    }

    fn right(&self, tip: Tip) -> Point {
        let left = self.left(tip);
        Point {
            x: left.x + self.sizes[tip.item].width,
            ..left
        }
    }

    /// The corners of a line from its `from` to its `to`.
    fn corners(&self, wire: usize) -> Vec<Point> {
        let wire = self.columns.wires[wire];
        let (from, to) = (self.columns.column(wire.from), self.columns.column(wire.to));
        let (first, last) = match from <= to {
            true => (self.right(wire.from), self.right(wire.to)),
            false => (self.left(wire.from), self.right(wire.to)),
        };
        let last = match from < to {
            true => self.left(wire.to),
            false => last,
        };
        let mut corners = vec![first];
        if from > to {
            for channel in (to..from).rev() {
                let next = match channel == to {
                    true => wire.to,
                    false => self.columns.lane(wire.net, channel),
                };
                self.turn(&mut corners, (wire.net, channel), self.y(next));
            }
        } else {
            for channel in from..to.max(from + 1) {
                let next = match channel + 1 >= to {
                    true => wire.to,
                    false => self.columns.lane(wire.net, channel + 1),
                };
                self.turn(&mut corners, (wire.net, channel), self.y(next));
            }
        }
        corners.push(last);
        corners
    }

    /// Goes to the height `y` on the track of a net in a channel.
    fn turn(&self, corners: &mut Vec<Point>, (net, channel): (usize, usize), y: f64) {
        let Some(last) = corners.last().copied() else {
            return;
        };
        let tracks = &self.tracks[channel];
        if let Ok(at) = tracks.binary_search_by_key(&net, |(net, _)| *net)
            && (last.y - y).abs() >= 0.5
        {
            let x = tracks[at].1;
            corners.push(Point { x, ..last });
            corners.push(Point { x, y });
        }
    }
}
