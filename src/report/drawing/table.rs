//! Draws the box of a table.

use std::{collections::BTreeSet, fmt::Write};

use super::{
    card::{ABSENT, CHANGED, Card, DOT, FONT, HEAD, MARK, Mark, PAD, Poster, ROW, Row, TITLE},
    layout::{Point, Size},
    marks::{changed_label, colour, key_mark, null_mark, text_element},
    scene::{Scene, Table},
    svg::{Use, open_group},
    text::{clean, width},
};
use crate::report::{count, html::xml};

/// The most tables that the description of another one names.
const MOST_NAMED: usize = 6;

/// The baseline of a row's text, from the top of the row.
const BASELINE: f64 = 14.0;

/// Appends the box of the table `index` of a scene at a place.
pub(super) fn draw(
    out: &mut String,
    (scene, index): (&Scene<'_>, usize),
    card: &Card,
    place: Point,
    used: Use,
) {
    let table = &scene.tables[index];
    let mut attributes = format!("class=\"{}\" id=\"t{index}\"", classes(scene, table));
    if used == Use::Page {
        describe(&mut attributes, (scene, index), card);
    }
    open_group(out, &attributes, place);
    frame(out, scene, table, card);
    if table.table.is_none() {
        text_element(out, "more", (PAD, HEAD + BASELINE), ABSENT, FONT);
    }
    for (at, row) in card.rows.iter().enumerate() {
        let top = HEAD + at as f64 * ROW;
        draw_row(out, card, row, (top, table.rows[at].not_null));
    }
    if let Some(more) = &card.more {
        let top = HEAD + card.rows.len() as f64 * ROW;
        let _ = write!(out, "<g><title>{}</title>", xml(&hidden(table)));
        text_element(out, "more", (PAD, top + BASELINE), more, FONT);
        out.push_str("</g>");
    }
    if used == Use::Page {
        draw_poster(out, card, table.is_changed());
    }
    out.push_str("</g>\n");
}

fn classes(scene: &Scene<'_>, table: &Table<'_>) -> String {
    let mut classes = "table".to_owned();
    if let Some(schema) = scene.schema(table) {
        let _ = write!(classes, " {}", colour(schema));
    }
    for (class, is_set) in [
        (" changed", table.is_changed()),
        (" absent", table.table.is_none()),
    ] {
        if is_set {
            classes.push_str(class);
        }
    }
    classes
}

/// The attributes that the script of a page reads, and the text alternative.
fn describe(attributes: &mut String, (scene, index): (&Scene<'_>, usize), card: &Card) {
    let table = &scene.tables[index];
    let label = description(scene, index);
    let _ = write!(
        attributes,
        " data-name=\"{}\" tabindex=\"0\" role=\"button\" aria-pressed=\"false\" aria-label=\"{}\"",
        xml(&card.full_name),
        xml(&label)
    );
    if let Some(comment) = table.table.and_then(|table| table.comment.as_deref()) {
        let _ = write!(attributes, " data-comment=\"{}\"", xml(&lines(comment)));
    }
    if card.more.is_some() {
        let _ = write!(attributes, " data-more=\"{}\"", xml(&hidden(table)));
    }
}

/// The border and the head of a box.
fn frame(out: &mut String, scene: &Scene<'_>, table: &Table<'_>, card: &Card) {
    let Size { width, height } = card.size;
    let _ = write!(
        out,
        "<rect class=\"card\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>\
         <path class=\"head\" d=\"M1 {HEAD}V7A6 6 0 0 1 7 1H{}A6 6 0 0 1 {} 7V{HEAD}Z\"/>",
        width - 7.0,
        width - 1.0
    );
    if scene.schema(table).is_some() {
        let _ = write!(
            out,
            "<path class=\"accent\" d=\"M1 7A6 6 0 0 1 7 1H{}A6 6 0 0 1 {} 7A6 3 0 0 0 {} 4H7A6 3 0 0 0 1 7Z\"/>",
            width - 7.0,
            width - 1.0,
            width - 7.0
        );
    }
    draw_title(out, table, card);
    if table.is_changed() {
        changed_label(out, width - 8.0, HEAD / 2.0 + 1.0);
    }
}

/// The name in the head, with what is not visible as its hint.
fn draw_title(out: &mut String, table: &Table<'_>, card: &Card) {
    out.push_str("<g>");
    let comment = table.table.and_then(|table| table.comment.as_deref());
    let is_cut = format!("{}{}", card.schema, card.name) != card.full_name;
    if is_cut || comment.is_some() {
        let comment = comment
            .map(|it| format!("\n{}", lines(it)))
            .unwrap_or_default();
        let _ = write!(
            out,
            "<title>{}{}</title>",
            xml(&card.full_name),
            xml(&comment)
        );
    }
    let mut x = PAD;
    if !card.schema.is_empty() {
        text_element(out, "title schema", (x, 21.0), &card.schema, TITLE);
        x += width(&card.schema, TITLE);
    }
    text_element(out, "title", (x, 21.0), &card.name, TITLE);
    out.push_str("</g>");
}

/// A column in its box, whose top is `top`.
fn draw_row(out: &mut String, card: &Card, row: &Row, (top, not_null): (f64, bool)) {
    let middle = top + ROW / 2.0;
    let class = match row.marks.contains(&Mark::Primary) {
        true => "column primary",
        false => "column",
    };
    let _ = write!(out, "<g class=\"{class}\"");
    if row.name != row.full_name {
        let _ = write!(out, " data-name=\"{}\"", xml(&row.full_name));
    }
    out.push('>');
    if let Some(hint) = &row.hint {
        let _ = write!(out, "<title>{}</title>", xml(&lines(hint)));
    }
    for (at, mark) in row.marks.iter().enumerate() {
        key_mark(out, *mark, PAD + at as f64 * MARK, middle);
    }
    let x = PAD + card.marks;
    null_mark(out, not_null, x + 3.5, middle);
    text_element(out, "name", (x + DOT, top + BASELINE), &row.name, FONT);
    if !row.data_type.is_empty() {
        let at = (card.size.width - PAD, top + BASELINE);
        text_element(out, "type", at, &row.data_type, FONT);
    }
    out.push_str("</g>");
}

/// The name of a table over its whole box, for a small scale.
fn draw_poster(out: &mut String, card: &Card, is_changed: bool) {
    let Poster { lines, font } = &card.poster;
    let label = if is_changed {
        Poster::label(card.size)
    } else {
        0.0
    };
    let height = font * Poster::LINE;
    let top = (card.size.height - label - height * lines.len() as f64) / 2.0;
    let middle = card.size.width / 2.0;
    let _ = write!(
        out,
        "<g class=\"poster\" font-size=\"{font}\" aria-hidden=\"true\">"
    );
    for (at, line) in lines.iter().enumerate() {
        let y = top + (at as f64 + 0.5) * height + font * 0.35;
        text_element(out, "big", (middle, y), line, *font);
    }
    if is_changed {
        let bottom = (card.size.height + height * lines.len() as f64 + label) / 2.0;
        let scale = label / 20.0;
        let _ = write!(
            out,
            "<g transform=\"translate({middle} {bottom:.1}) scale({scale:.2})\">"
        );
        changed_label(out, (CHANGED.1 - 8.0) / 2.0, -10.0);
        out.push_str("</g>");
    }
    out.push_str("</g>");
}

/// The names of the columns left out, one a line.
fn hidden(table: &Table<'_>) -> String {
    let names = table.hidden.iter().map(|column| clean(&column.name));
    names.collect::<Vec<_>>().join("\n")
}

/// Text of several lines, each without control characters.
fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| match line {
        "" => "".into(),
        line => clean(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A table in words: `orders, 3 columns, changed, refers to customers`.
fn description(scene: &Scene<'_>, index: usize) -> String {
    let name = scene.name(index);
    let mut parts = vec![match scene.tables[index].table {
        Some(table) => format!("{name}, {}", count(table.columns.len(), "column")),
        None => format!("{name}, {ABSENT}"),
    }];
    if scene.tables[index].is_changed() {
        parts.push(CHANGED.0.to_owned());
    }
    let links = || scene.links.iter();
    let to = links().filter(|it| it.from == index).map(|it| it.to);
    let from = links().filter(|it| it.to == index).map(|it| it.from);
    for (text, others) in [
        ("refers to", to.collect::<BTreeSet<usize>>()),
        ("referred to by", from.collect()),
    ] {
        let names = others.iter().take(MOST_NAMED).map(|&it| scene.name(it));
        let mut names: Vec<String> = names.collect();
        if others.len() > MOST_NAMED {
            names.push(format!("{} more", others.len() - MOST_NAMED));
        }
        if !names.is_empty() {
            parts.push(format!("{text} {}", names.join(", ")));
        }
    }
    parts.join(", ")
}
