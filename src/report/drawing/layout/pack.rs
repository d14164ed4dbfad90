//! Packs parts into a rectangle, and boxes without lines below them.

use super::{LOOSE_GAP, LOOSE_HEAD, Layout, PART_GAP, Point, RATIO, Size, scale};

/// The size of the rectangle of all parts, and their corners. The boxes without lines, which follow
/// below, count for the ratio.
pub(super) fn pack(parts: &[Size], loose: &[Size]) -> (Size, Vec<Point>) {
    let area = |size: &Size, gap: f64| (size.width + gap) * (size.height + gap);
    let total: f64 = parts.iter().map(|size| area(size, PART_GAP)).sum::<f64>()
        + loose.iter().map(|size| area(size, LOOSE_GAP)).sum::<f64>();
    let widest = |sizes: &[Size]| sizes.iter().map(|size| size.width).fold(0.0, f64::max);
    let least = widest(parts).max(widest(loose));
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| area(&parts[b], 0.0).total_cmp(&area(&parts[a], 0.0)));
    let mut best: Option<(f64, Size, Vec<Point>)> = None;
    for step in 0..16 {
        let width = ((total * RATIO).sqrt() * (0.7 + 0.05 * f64::from(step))).max(least);
        let (size, corners) = skyline(parts, &order, width);
        let rows = if loose.is_empty() {
            0.0
        } else {
            grid(loose, width).1
        };
        let height = size.height + rows;
        let used = if loose.is_empty() { size.width } else { width };
        // Both a bad ratio and unused space make everything smaller on the page.
        let scale = (used / RATIO).max(height);
        if best.as_ref().is_none_or(|(least, ..)| scale < *least) {
            let size = Size {
                width: used,
                height: size.height,
            };
            best = Some((scale, size, corners));
        }
    }
    best.map(|(_, size, corners)| (size, corners))
        .unwrap_or_default()
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
    edge.sort_by(|a, b| a.x.total_cmp(&b.x));
}

/// The corners of boxes in columns of equal width, each box in the column that is lowest, and the
/// height of all.
fn grid(sizes: &[Size], width: f64) -> (Vec<Point>, f64) {
    let widest = sizes.iter().map(|size| size.width).fold(0.0, f64::max);
    let count = ((width + LOOSE_GAP) / (widest + LOOSE_GAP)).floor();
    let count = (count as usize).clamp(1, sizes.len().max(1));
    let mut heights = vec![0.0; count];
    let mut corners = Vec::with_capacity(sizes.len());
    for size in sizes {
        let mut column = 0;
        for other in 1..count {
            if heights[other] < heights[column] {
                column = other;
            }
        }
        corners.push(Point {
            x: column as f64 * (widest + LOOSE_GAP),
            y: heights[column],
        });
        heights[column] += size.height + LOOSE_GAP;
    }
    let height = heights.into_iter().fold(0.0, f64::max) - LOOSE_GAP;
    (corners, height.max(0.0))
}

/// Adds the boxes without lines below the parts.
pub(super) fn add_loose(layout: &mut Layout, loose: &[usize], sizes: &[Size]) {
    if loose.is_empty() {
        return;
    }
    let mut top = layout.size.height;
    if top > 0.0 {
        top += LOOSE_HEAD * scale(layout.size.width);
        layout.loose = Some(top);
    }
    let (corners, height) = grid(sizes, layout.size.width);
    let mut right: f64 = 0.0;
    for ((&node, corner), size) in loose.iter().zip(corners).zip(sizes) {
        layout.places[node] = Point {
            x: corner.x.round(),
            y: (corner.y + top).round(),
        };
        right = right.max(corner.x + size.width);
    }
    let parts = if layout.loose.is_some() {
        layout.size.width
    } else {
        0.0
    };
    layout.size = Size {
        width: parts.max(right),
        height: top + height,
    };
}
