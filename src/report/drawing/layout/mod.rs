//! Places boxes and the lines between them: pure, and the same for the same input.
//!
//! Each connected part becomes columns of boxes, a referenced box to the left of those that refer
//! to it. Lines run horizontally through the gaps of columns and vertically between columns. Parts
//! are packed into a rectangle, and boxes without lines fill rows below or beside them.

mod columns;
mod order;
mod pack;
mod part;
mod place;
mod rank;
mod route;

use std::collections::BTreeMap;

/// The wanted ratio of width to height: between screens and sheets of paper.
const RATIO: f64 = 1.5;

/// The space between parts.
const PART_GAP: f64 = 56.0;

/// The space between boxes without lines.
const LOOSE_GAP: f64 = 28.0;

/// The space above boxes without lines, for their heading, in a picture of normal size.
const LOOSE_HEAD: f64 = 68.0;

/// The width of that heading, in a picture of normal size.
const HEADING: f64 = 280.0;

/// The width of a picture of normal size: texts for the whole grow with the picture.
const NORMAL: f64 = 1500.0;

/// How much larger than normal texts for the whole of a picture of this width are.
pub(super) fn scale(width: f64) -> f64 {
    (width / NORMAL).max(1.0)
}

/// The size of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub width: f64,
    pub height: f64,
}

/// A point; of a box, its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

/// An end of a line at a side of a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct End {
    /// The box.
    pub node: usize,
    /// The distance from the top of the box.
    pub y: f64,
}

/// A line to be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub from: End,
    pub to: End,
    /// Lines of the same trunk have the same end `to` and may share their way to it.
    pub trunk: usize,
}

/// Places of boxes and lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub size: Size,
    /// The places of the boxes.
    pub places: Vec<Point>,
    /// The corners of each line, from its `from` to its `to`.
    pub routes: Vec<Vec<Point>>,
    /// The corner of the boxes without lines, if there are other boxes. Above it is space for a
    /// heading, which is scaled by the number.
    pub loose: Option<(Point, f64)>,
}

/// Lays out boxes and lines.
pub(super) fn lay_out(sizes: &[Size], links: &[Link]) -> Layout {
    let mut layout = Layout {
        size: Size::default(),
        places: vec![Point::default(); sizes.len()],
        routes: vec![Vec::new(); links.len()],
        loose: None,
    };
    let (groups, loose) = groups(sizes.len(), links);
    let parts: Vec<part::Part> = (groups.iter())
        .map(|group| part::arrange(sizes, links, group))
        .collect();
    let loose_sizes: Vec<Size> = loose.iter().map(|&node| sizes[node]).collect();
    let part_sizes: Vec<Size> = parts.iter().map(|part| part.size).collect();
    let packed = pack::pack(&part_sizes, &loose_sizes);
    layout.size = packed.size;
    for ((group, part), corner) in groups.iter().zip(parts).zip(&packed.parts) {
        let shift = |point: Point| Point {
            x: (point.x + corner.x).round(),
            y: (point.y + corner.y).round(),
        };
        for (&node, place) in group.nodes.iter().zip(part.places) {
            layout.places[node] = shift(place);
        }
        for (&link, route) in group.links.iter().zip(part.routes) {
            layout.routes[link] = route.into_iter().map(shift).collect();
        }
    }
    pack::add_loose(&mut layout, &packed, &loose, &loose_sizes);
    layout
}

/// Boxes that lines connect, and their lines.
struct Group {
    nodes: Vec<usize>,
    links: Vec<usize>,
}

/// The connected groups, and the boxes without lines.
fn groups(count: usize, links: &[Link]) -> (Vec<Group>, Vec<usize>) {
    let mut leaders: Vec<usize> = (0..count).collect();
    for link in links {
        let (a, b) = (
            leader(&mut leaders, link.from.node),
            leader(&mut leaders, link.to.node),
        );
        leaders[a.max(b)] = a.min(b);
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (index, link) in links.iter().enumerate() {
        let group = groups
            .entry(leader(&mut leaders, link.to.node))
            .or_insert_with(|| Group {
                nodes: Vec::new(),
                links: Vec::new(),
            });
        group.links.push(index);
    }
    let mut loose = Vec::new();
    for node in 0..count {
        match groups.get_mut(&leader(&mut leaders, node)) {
            Some(group) => group.nodes.push(node),
            None => loose.push(node),
        }
    }
    (groups.into_values().collect(), loose)
}

/// The leader of the group of `node`.
fn leader(leaders: &mut [usize], mut node: usize) -> usize {
    while leaders[node] != node {
        leaders[node] = leaders[leaders[node]];
        node = leaders[node];
    }
    node
}

#[cfg(test)]
mod tests;
