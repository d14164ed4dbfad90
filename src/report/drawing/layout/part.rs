//! The layout of boxes that lines connect.

use super::{
    Group, Link, Point, RATIO, Size,
    columns::Columns,
    order, place,
    rank::{self, Ranks},
    route,
};

/// The space that a column takes beside its boxes, as a first guess.
const CHANNEL: f64 = 110.0;

/// How often a layout is repeated with another height.
const TRIES: usize = 4;

/// Layouts whose ratio differs by this factor from the wanted one are good enough.
const TOLERANCE: f64 = 1.25;

/// The most boxes of a part that is laid out more than once.
const MOST_REPEATED: usize = 2000;

/// The layout of a group: places and routes in its order.
pub(super) struct Part {
    pub size: Size,
    pub places: Vec<Point>,
    pub routes: Vec<Vec<Point>>,
}

/// Lays out the boxes and lines of a group.
pub(super) fn arrange(sizes: &[Size], links: &[Link], group: &Group) -> Part {
    let local = |node: usize| group.nodes.partition_point(|it| *it < node);
    let sizes: Vec<Size> = group.nodes.iter().map(|&node| sizes[node]).collect();
    let links = group.links.iter().map(|&index| {
        let mut link = links[index];
        link.from.node = local(link.from.node);
        link.to.node = local(link.to.node);
        link
    });
    let links: Vec<Link> = links.collect();
    let ranks = ranks(&sizes, &links);
    let mut limit = first_limit(&ranks, &sizes);
    let mut best: Option<(f64, Part)> = None;
    let mut tried: Vec<Vec<usize>> = Vec::new();
    for _ in 0..TRIES {
        let column_of = ranks.columns(limit);
        if tried.contains(&column_of) {
            break;
        }
        let part = laid_out(&sizes, &links, &column_of);
        tried.push(column_of);
        let excess = part.size.width / part.size.height / RATIO;
        let distance = excess.ln().abs();
        if best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, part));
        }
        if distance <= TOLERANCE.ln() || sizes.len() > MOST_REPEATED {
            break;
        }
        limit *= excess.sqrt();
    }
    best.map_or_else(
        || laid_out(&sizes, &links, &ranks.columns(limit)),
        |it| it.1,
    )
}

fn ranks<'a>(sizes: &'a [Size], links: &[Link]) -> Ranks<'a> {
    let arcs = links.iter().map(|link| (link.to.node, link.from.node));
    let mut arcs: Vec<rank::Arc> = arcs.filter(|(to, from)| to != from).collect();
    arcs.sort_unstable();
    arcs.dedup();
    let reversed = rank::reversed(sizes.len(), &arcs);
    for (arc, is_reversed) in arcs.iter_mut().zip(reversed) {
        if is_reversed {
            *arc = (arc.1, arc.0);
        }
    }
    arcs.sort_unstable();
    arcs.dedup();
    Ranks::new(sizes, &arcs)
}

/// The height of columns for which the picture should have the wanted ratio.
fn first_limit(ranks: &Ranks<'_>, sizes: &[Size]) -> f64 {
    let height = |size: &Size| size.height + place::BOX_GAP;
    let highest = sizes.iter().map(height).fold(0.0, f64::max);
    let total: f64 = sizes.iter().map(height).sum();
    let mut best = (f64::INFINITY, total);
    let mut limit = total;
    loop {
        let columns = ranks.columns(limit);
        let count = columns.iter().max().map_or(0, |last| last + 1);
        let (mut widths, mut heights) = (vec![0.0_f64; count], vec![0.0_f64; count]);
        for (size, column) in sizes.iter().zip(columns) {
            widths[column] = widths[column].max(size.width);
            heights[column] += height(size);
        }
        let width = widths.iter().map(|it| it + CHANNEL).sum::<f64>() - CHANNEL;
        let ratio = width / heights.into_iter().fold(1.0, f64::max);
        let distance = (ratio / RATIO).ln().abs();
        if distance < best.0 {
            best = (distance, limit);
        }
        if limit < highest {
            return best.1;
        }
        limit *= 0.8;
    }
}

fn laid_out(sizes: &[Size], links: &[Link], column_of: &[usize]) -> Part {
    let mut columns = Columns::new(sizes, links, column_of);
    order::order(&mut columns);
    columns.spread(&place::stacked(&columns));
    let (tops, height) = place::place(&columns);
    let routes = route::route(&columns, sizes, &tops);
    let places = column_of.iter().enumerate().map(|(node, &column)| Point {
        x: routes.lefts[column],
        y: tops[node],
    });
    Part {
        size: Size {
            width: routes.width,
            height,
        },
        places: places.collect(),
        routes: routes.routes,
    }
}
