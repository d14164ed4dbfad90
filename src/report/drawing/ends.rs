//! The marks at the ends of lines: crow's feet.

use std::fmt::Write;

use super::{layout::Point, text::number};

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
pub(super) fn bracket(out: &mut String, x: f64, side: f64, rows: &[f64]) {
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
