//! Texts and marks of pictures.

use std::fmt::Write;

use super::{
    card::{CHANGED, LABEL, Mark},
    text::{is_uncertain, number, width},
};
use crate::report::html::xml;

/// The number of colours for schemas.
const COLOURS: usize = 8;

/// `text` as an element at a place; where its real width is not known it is fitted into the one
/// that was planned for it.
pub(super) fn text_element(
    out: &mut String,
    class: &str,
    (x, y): (f64, f64),
    text: &str,
    font: f64,
) {
    let _ = write!(out, "<text class=\"{class}\" x=\"");
    number(out, x);
    out.push_str("\" y=\"");
    number(out, y);
    out.push('"');
    fit(out, text, font);
    let _ = write!(out, ">{}</text>", xml(text));
}

/// The attributes that fit `text` into its planned width.
fn fit(out: &mut String, text: &str, font: f64) {
    let planned = width(text, font);
    if is_uncertain(text) && planned > 0.0 {
        out.push_str(" textLength=\"");
        number(out, planned);
        out.push_str("\" lengthAdjust=\"spacingAndGlyphs\"");
    }
}

/// Appends the mark of a key.
pub(super) fn key_mark(out: &mut String, mark: Mark, x: f64, middle: f64) {
    let class = mark.label().to_lowercase();
    let _ = write!(out, "<g class=\"mark {class}\"><rect x=\"");
    number(out, x);
    out.push_str("\" y=\"");
    number(out, middle - 6.5);
    out.push_str("\" width=\"20\" height=\"13\" rx=\"3\"/><text x=\"");
    number(out, x + 10.0);
    out.push_str("\" y=\"");
    number(out, middle + 3.3);
    let _ = write!(out, "\">{}</text></g>", mark.label());
}

/// Appends the mark of a column that refuses NULL, or takes it.
pub(super) fn null_mark(out: &mut String, not_null: bool, x: f64, middle: f64) {
    let class = if not_null { "dot" } else { "dot null" };
    let _ = write!(out, "<circle class=\"{class}\" r=\"2.5\" cx=\"");
    number(out, x);
    out.push_str("\" cy=\"");
    number(out, middle);
    out.push_str("\"/>");
}

/// Appends the label of a changed table, which ends at `right`.
pub(super) fn changed_label(out: &mut String, right: f64, middle: f64) {
    let width = CHANGED.1 - 8.0;
    out.push_str("<g class=\"label\"><rect x=\"");
    number(out, right - width);
    out.push_str("\" y=\"");
    number(out, middle - 8.0);
    let _ = write!(out, "\" width=\"{width}\" height=\"16\" rx=\"8\"/>");
    let at = (right - width / 2.0, middle + 3.5);
    text_element(out, "changed-text", at, CHANGED.0, LABEL);
    out.push_str("</g>");
}

/// The class of the colour of a schema.
pub(super) fn colour(schema: usize) -> String {
    format!("s{}", schema % COLOURS)
}
