//! Boxes and lines by column: what is ordered, placed and routed.

use std::collections::BTreeMap;

use super::{Link, Size};
use crate::arrange::Arrange as _;

/// The most that two lines at the same row of a box are apart.
const SPREAD: f64 = 9.0;

/// The height over which the lines at a row of a box are spread at most.
const SPREAD_ROOM: f64 = 14.0;

/// A box, or the place where a net passes through a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// The box, unless a net passes.
    pub node: Option<usize>,
    /// The height.
    pub height: f64,
}

/// Where a net touches an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tip {
    pub item: usize,
    /// The distance from the top of the item.
    pub offset: f64,
    /// The same before nets that end at one row were spread.
    row: f64,
}

impl Tip {
    fn new(item: usize, row: f64) -> Self {
        Self {
            item,
            offset: row,
            row,
        }
    }
}

/// A net in the channel between two columns.
#[derive(Clone, Debug)]
pub(super) struct Joint {
    pub net: usize,
    /// The tips in the column to the left.
    pub left: Vec<Tip>,
    /// The tips in the column to the right.
    pub right: Vec<Tip>,
}

/// Lines that share their way.
#[derive(Debug, Default)]
struct Net {
    /// The tips in its first column.
    left: Vec<Tip>,
    /// The other tips, with their columns.
    right: Vec<(usize, Tip)>,
    /// The first column.
    first: usize,
    /// The items that let it pass, from the column after the first.
    lanes: Vec<usize>,
}

/// A line with its net.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub net: usize,
    pub from: Tip,
    pub to: Tip,
}

/// Columns of items, and the channels to the right of each.
#[derive(Debug)]
pub(super) struct Columns {
    pub items: Vec<Item>,
    /// The items of each column, from top to bottom.
    pub columns: Vec<Vec<usize>>,
    /// The column of each item.
    pub column_of: Vec<usize>,
    /// The nets in the channel to the right of each column.
    pub channels: Vec<Vec<Joint>>,
    /// The lines, as they were given.
    pub wires: Vec<Wire>,
    nets: Vec<Net>,
}

impl Columns {
    /// Divides boxes, whose columns are `column_of`, and lines.
    pub(super) fn new(sizes: &[Size], links: &[Link], column_of: &[usize]) -> Self {
        let count = column_of.iter().max().map_or(0, |last| last + 1);
        let items = sizes.iter().enumerate().map(|(node, size)| Item {
            node: Some(node),
            height: size.height,
        });
        let mut columns = Self {
            items: items.collect(),
            columns: vec![Vec::new(); count],
            column_of: column_of.to_vec(),
            channels: vec![Vec::new(); count],
            wires: wires(links, column_of),
            nets: Vec::new(),
        };
        for (item, &column) in column_of.iter().enumerate() {
            columns.columns[column].push(item);
        }
        columns.add_nets();
        columns.add_joints();
        columns
    }

    fn add_nets(&mut self) {
        let count = self.wires.iter().map(|wire| wire.net + 1).max();
        self.nets.resize_with(count.unwrap_or(0), Net::default);
        for wire in &self.wires {
            let net = &mut self.nets[wire.net];
            let (from, to) = (self.column_of[wire.from.item], self.column_of[wire.to.item]);
            net.first = from.min(to);
            for (column, tip) in [(to, wire.to), (from, wire.from)] {
                if column > net.first {
                    net.right.push((column, tip));
                } else if !net.left.contains(&tip) {
                    net.left.push(tip);
                }
            }
        }
        for index in 0..self.nets.len() {
            let net = &self.nets[index];
            let last = net.right.iter().map(|(column, _)| *column).max();
            for column in net.first + 1..last.unwrap_or(0) {
                let item = self.items.len();
                self.items.push(Item {
                    node: None,
                    height: 0.0,
                });
                self.column_of.push(column);
                self.columns[column].push(item);
                self.nets[index].lanes.push(item);
            }
        }
    }

    fn add_joints(&mut self) {
        for (index, net) in self.nets.iter().enumerate() {
            let lane = |column: usize| {
                let item = *net.lanes.get(column.checked_sub(net.first + 1)?)?;
                Some(Tip::new(item, 0.0))
            };
            for column in net.first..=net.first + net.lanes.len() {
                let left = match lane(column) {
                    Some(lane) => vec![lane],
                    None => net.left.clone(),
                };
                let there = net.right.iter().filter(|(it, _)| *it == column + 1);
                let right = there.map(|(_, tip)| *tip).chain(lane(column + 1));
                let joint = Joint {
                    net: index,
                    left,
                    right: right.collect(),
                };
                self.channels[column].push(joint);
            }
        }
    }

    /// The column of a tip.
    pub(super) fn column(&self, tip: Tip) -> usize {
        self.column_of[tip.item]
    }

    /// Where a net passes through a column between its first and its last.
    pub(super) fn lane(&self, net: usize, column: usize) -> Tip {
        let net = &self.nets[net];
        Tip::new(net.lanes[column - net.first - 1], 0.0)
    }

    /// Spreads nets that end at the same row and side of a box, in the order of the places that
    /// they come from, so that they do not cross.
    pub(super) fn spread(&mut self, tops: &[f64]) {
        let mut ports: BTreeMap<(usize, bool, u64), Vec<(f64, usize)>> = BTreeMap::new();
        let place = |tips: &[Tip]| {
            let places = tips.iter().map(|tip| tops[tip.item] + tip.row);
            places.sum::<f64>() / tips.len() as f64
        };
        for joint in self.channels.iter().flatten() {
            for (is_right, tips, others) in [
                (true, &joint.left, &joint.right),
                (false, &joint.right, &joint.left),
            ] {
                let others = if others.is_empty() { tips } else { others };
                for tip in tips
                    .iter()
                    .filter(|tip| self.items[tip.item].node.is_some())
                {
                    let port = ports.entry((tip.item, is_right, tip.row.to_bits()));
                    port.or_default().push((place(others), joint.net));
                }
            }
        }
        ports.retain(|_, nets| nets.len() > 1);
        for nets in ports.values_mut() {
            nets.arrange_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        let shift = |tip: &mut Tip, is_right: bool, net: usize| {
            let Some(nets) = ports.get(&(tip.item, is_right, tip.row.to_bits())) else {
                return;
            };
            let at = nets.iter().position(|it| it.1 == net).unwrap_or(0) as f64;
            let last = (nets.len() - 1) as f64;
            let step = SPREAD.min((SPREAD_ROOM / last).floor());
            tip.offset = tip.row + (at - last / 2.0) * step;
        };
        for joint in self.channels.iter_mut().flatten() {
            joint
                .left
                .iter_mut()
                .for_each(|tip| shift(tip, true, joint.net));
            joint
                .right
                .iter_mut()
                .for_each(|tip| shift(tip, false, joint.net));
        }
        for wire in &mut self.wires {
            let from = self.column_of[wire.from.item];
            let to = self.column_of[wire.to.item];
            shift(&mut wire.from, from <= to, wire.net);
            shift(&mut wire.to, from >= to, wire.net);
        }
    }
}

/// The lines with their nets: those of a trunk that come from the right share one.
fn wires(links: &[Link], column_of: &[usize]) -> Vec<Wire> {
    let mut nets: BTreeMap<(usize, Option<usize>), usize> = BTreeMap::new();
    let wires = links.iter().enumerate().map(|(index, link)| {
        let (from, to) = (column_of[link.from.node], column_of[link.to.node]);
        let key = (link.trunk, (from < to).then_some(index));
        let next = nets.len();
        Wire {
            net: *nets.entry(key).or_insert(next),
            from: Tip::new(link.from.node, link.from.y),
            to: Tip::new(link.to.node, link.to.y),
        }
    });
    wires.collect()
}
