//! Draws the lines of foreign keys, with crow's feet at their ends.

use std::fmt::Write;

use super::{
    card::Card,
    layout::Point,
    scene::{Link, Scene},
    text::number,
};
use crate::report::html::xml;

/// The radius of the corners of lines.
const RADIUS: f64 = 7.0;

/// Appends the line of a foreign key along `route`, between boxes at `places`.
pub(super) fn draw(
    out: &mut String,
    (scene, link): (&Scene<'_>, &Link<'_>),
    cards: &[Card],
    places: &[Point],
    route: &[Point],
) {
    let list = |rows: &[usize]| {
        let rows: Vec<String> = rows.iter().map(usize::to_string).collect();
        rows.join(" ")
    };
    let [first, .., last] = route else { return };
    let _ = write!(
        out,
        "<g class=\"link\" data-from=\"{}\" data-columns=\"{}\" data-to=\"{}\" data-keys=\"{}\">\
         <title>{}\n{}</title><path class=\"line\" d=\"",
        link.from,
        list(&link.columns),
        link.to,
        list(&link.keys),
        xml(&scene.ends(link)),
        link.cardinality()
    );
    path(out, route);
    out.push_str("\"/>");
    let side = |table: usize, point: &Point| {
        let middle = places[table].x + cards[table].size.width / 2.0;
        if point.x < middle { -1.0 } else { 1.0 }
    };
    let (from, to) = (side(link.from, first), side(link.to, last));
    many(out, *first, from, link.reference.is_unique);
    one(out, *last, to, link.reference.is_optional);
    for (table, rows, side, point) in [
        (link.from, &link.columns, from, first),
        (link.to, &link.keys, to, last),
    ] {
        let top = places[table].y;
        let middles = rows.iter().map(|row| top + Card::middle(Some(*row)));
        bracket(out, point.x, side, &middles.collect::<Vec<_>>());
    }
    out.push_str("</g>\n");
}

/// A path with rounded corners.
fn path(out: &mut String, corners: &[Point]) {
    let point = |out: &mut String, command: char, at: Point| {
        out.push(command);
        number(out, at.x);
        out.push(' ');
        number(out, at.y);
    };
    point(out, 'M', corners[0]);
    for three in corners.windows(3) {
        let [before, corner, after] = three else {
            continue;
        };
        let length = |a: &Point, b: &Point| (a.x - b.x).abs().max((a.y - b.y).abs());
        let radius = (length(before, corner) / 2.0)
            .min(length(corner, after) / 2.0)
            .min(RADIUS);
        let towards = |other: &Point| Point {
            x: corner.x + (other.x - corner.x).clamp(-radius, radius),
            y: corner.y + (other.y - corner.y).clamp(-radius, radius),
        };
        point(out, 'L', towards(before));
        point(out, 'Q', *corner);
        point(out, ' ', towards(after));
    }
    point(out, 'L', corners[corners.len() - 1]);
}

/// The end at the table with the foreign key: none or many rows, or none or one.
pub(super) fn many(out: &mut String, at: Point, side: f64, is_unique: bool) {
    if is_unique {
        bar(out, at, side, 7.0);
        circle(out, at, side, 13.5);
        return;
    }
    let tip = at.x + side * 11.0;
    out.push_str("<path class=\"end\" d=\"M");
    pair(out, at.x, at.y - 4.0);
    out.push('L');
    pair(out, tip, at.y);
    out.push('L');
    pair(out, at.x, at.y + 4.0);
    out.push_str("\"/>");
    circle(out, at, side, 14.5);
}

/// The end at the referenced table: exactly one row, or none or one.
pub(super) fn one(out: &mut String, at: Point, side: f64, is_optional: bool) {
    bar(out, at, side, 7.0);
    match is_optional {
        true => circle(out, at, side, 13.5),
        false => bar(out, at, side, 11.0),
    }
}

/// The rows of a key of several columns, inside the box at whose side the line ends.
fn bracket(out: &mut String, x: f64, side: f64, rows: &[f64]) {
    let (Some(first), Some(last)) = (
        rows.iter().copied().reduce(f64::min),
        rows.iter().copied().reduce(f64::max),
    ) else {
        return;
    };
    if rows.len() < 2 {
        return;
    }
    let inner = x - side * 4.0;
    out.push_str("<path class=\"end bracket\" d=\"M");
    pair(out, inner, first);
    out.push('V');
    number(out, last);
    for row in rows {
        out.push('M');
        pair(out, x, *row);
        out.push('H');
        number(out, inner);
    }
    out.push_str("\"/>");
}

fn bar(out: &mut String, at: Point, side: f64, distance: f64) {
    out.push_str("<path class=\"end\" d=\"M");
    pair(out, at.x + side * distance, at.y - 4.0);
    out.push_str("v8\"/>");
}

fn circle(out: &mut String, at: Point, side: f64, distance: f64) {
    out.push_str("<circle class=\"end open\" cx=\"");
    number(out, at.x + side * distance);
    out.push_str("\" cy=\"");
    number(out, at.y);
    let _ = write!(out, "\" r=\"3\"/>");
}

fn pair(out: &mut String, x: f64, y: f64) {
    number(out, x);
    out.push(' ');
    number(out, y);
}
