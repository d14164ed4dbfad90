//! Packs parts into a rectangle, and boxes without lines below them.

use super::{HEADING, LOOSE_GAP, LOOSE_HEAD, Layout, PART_GAP, Point, RATIO, Size, scale};
use crate::arrange::Arrange as _;

/// Places of parts and of boxes without lines.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub size: Size,
    /// The corners of the parts.
    pub parts: Vec<Point>,
    /// The corner of the boxes without lines.
    corner: Point,
    /// The width that they may fill.
    width: f64,
    /// The scale of their heading.
    scale: f64,
}

/// Packs parts, and boxes without lines below them or beside them, so that everything is as large
/// as possible on a page.
pub(super) fn pack(parts: &[Size], loose: &[Size]) -> Packed {
    let area = |size: &Size, gap: f64| (size.width + gap) * (size.height + gap);
    let total: f64 = parts.iter().map(|size| area(size, PART_GAP)).sum::<f64>()
        + loose.iter().map(|size| area(size, LOOSE_GAP)).sum::<f64>();
    let widest = |sizes: &[Size]| sizes.iter().map(|size| size.width).fold(0.0, f64::max);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.arrange_by(|&a, &b| area(&parts[b], 0.0).total_cmp(&area(&parts[a], 0.0)));
    let mut best: Option<(f64, Packed)> = None;
    let mut offer = |packed: Packed| {
        // Both a bad ratio and unused space make everything smaller on the page.
        let scale = (packed.size.width / RATIO).max(packed.size.height);
        if best.as_ref().is_none_or(|(least, _)| scale < *least) {
            best = Some((scale, packed));
        }
    };
    for step in 0..20 {
        let width = (total * RATIO).sqrt() * (0.5 + 0.05 * f64::from(step));
        let (size, corners) = skyline(parts, &order, width.max(widest(parts)));
        let below = width.max(widest(loose)).max(size.width);
        offer(with_loose(size, &corners, loose, (Side::Below, below)));
        if !parts.is_empty() && !loose.is_empty() {
            for columns in 1..=6 {
                let width = f64::from(columns) * (widest(loose) + LOOSE_GAP) - LOOSE_GAP;
                offer(with_loose(size, &corners, loose, (Side::Right, width)));
            }
        }
    }
    best.map(|it| it.1).unwrap_or_default()
}

#[derive(Clone, Copy)]
enum Side {
    Below,
    Right,
}

/// Adds boxes without lines on a side of packed parts, in rows of at most `width`.
fn with_loose(size: Size, corners: &[Point], loose: &[Size], (side, width): (Side, f64)) -> Packed {
    let mut packed = Packed {
        size,
        parts: corners.to_vec(),
        corner: Point::default(),
        width,
        scale: 1.0,
    };
    if loose.is_empty() {
        return packed;
    }
    let used = grid(loose, width).1;
    if corners.is_empty() {
        packed.size = used;
        return packed;
    }
    match side {
        Side::Below => {
            packed.size.width = size.width.max(used.width);
            packed.scale = scale(packed.size.width);
            packed.corner.y = size.height + LOOSE_HEAD * packed.scale;
            packed.size.height = packed.corner.y + used.height;
        }
        Side::Right => {
            packed.corner.x = size.width + 2.0 * PART_GAP;
            packed.size.width = packed.corner.x + used.width.max(HEADING);
            packed.scale = (used.width / HEADING).clamp(1.0, scale(packed.size.width));
            packed.corner.y = (LOOSE_HEAD - PART_GAP / 2.0) * packed.scale;
            packed.size.height = size.height.max(packed.corner.y + used.height);
        }
    }
    packed
}

/// Puts each part, in `order`, as high as possible, then as far to the left.
fn skyline(parts: &[Size], order: &[usize], width: f64) -> (Size, Vec<Point>) {
    // The lower edge of what is placed: from `x`, to the next one's `x`, at `y`.
    let mut edge = vec![Point::default()];
    let mut corners = vec![Point::default(); parts.len()];
    let mut size = Size::default();
    for &part in order {
        let (part_width, part_height) = (parts[part].width, parts[part].height);
        let height_at = |start: usize| {
            let end = edge[start].x + part_width + PART_GAP;
            let covered = edge[start..].iter().take_while(|it| it.x < end);
            covered.map(|it| it.y).fold(0.0, f64::max)
        };
        let fits = |start: &usize| *start == 0 || edge[*start].x + part_width <= width;
        let best = (0..edge.len())
            .filter(fits)
            .map(|start| (height_at(start), start))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (y, start) = best.unwrap_or_default();
        let x = edge[start].x;
        corners[part] = Point { x, y };
        size.width = size.width.max(x + part_width);
        size.height = size.height.max(y + part_height);
        raise(
            &mut edge,
            x,
            x + part_width + PART_GAP,
            y + part_height + PART_GAP,
        );
    }
    (size, corners)
}

/// Sets the edge from `from` to `to` to `y`.
fn raise(edge: &mut Vec<Point>, from: f64, to: f64, y: f64) {
    let before = edge.iter().rfind(|it| it.x <= to).map_or(0.0, |it| it.y);
    let has_end = edge.iter().any(|it| it.x == to);
    edge.retain(|it| it.x < from || it.x >= to);
    edge.push(Point { x: from, y });
    if !has_end {
        edge.push(Point { x: to, y: before });
    }
    edge.arrange_by(|a, b| a.x.total_cmp(&b.x));
}

/// The corners of boxes in columns of equal width, each box in the column that is lowest, and the
/// size of all.
fn grid(sizes: &[Size], width: f64) -> (Vec<Point>, Size) {
    let widest = sizes.iter().map(|size| size.width).fold(0.0, f64::max);
    let count = ((width + LOOSE_GAP) / (widest + LOOSE_GAP)).floor();
    let count = (count as usize).clamp(1, sizes.len().max(1));
    let mut heights = vec![0.0; count];
    let mut corners = Vec::with_capacity(sizes.len());
    let mut all = Size::default();
    for size in sizes {
        let mut column = 0;
        for other in 1..count {
            if heights[other] < heights[column] {
                column = other;
            }
        }
        let corner = Point {
            x: column as f64 * (widest + LOOSE_GAP),
            y: heights[column],
        };
        corners.push(corner);
        heights[column] += size.height + LOOSE_GAP;
        all.width = all.width.max(corner.x + size.width);
        all.height = all.height.max(corner.y + size.height);
    }
    (corners, all)
}

/// Adds the boxes without lines.
pub(super) fn add_loose(layout: &mut Layout, packed: &Packed, loose: &[usize], sizes: &[Size]) {
    let corner = Point {
        x: packed.corner.x.round(),
        y: packed.corner.y.round(),
    };
    if !loose.is_empty() && !packed.parts.is_empty() {
        layout.loose = Some((corner, packed.scale));
    }
    for (&node, place) in loose.iter().zip(grid(sizes, packed.width).0) {
        layout.places[node] = Point {
            x: (corner.x + place.x).round(),
            y: (corner.y + place.y).round(),
        };
    }
}
