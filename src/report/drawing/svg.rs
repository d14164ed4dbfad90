//! The picture as SVG.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use super::{
    card::{
        ABSENT, CHANGED, Card, DOT, FONT, HEAD, LABEL, MARK, Mark, PAD, Poster, ROW, Row, TITLE,
    },
    ends,
    layout::{self, Layout, Point, Size},
    legend,
    scene::{Link, Scene, Table},
    text::{clean, is_uncertain, number, width, xml},
};
use crate::report::count;

/// The style of the picture.
pub(super) const STYLE: &str = include_str!("picture.css");

/// The space around everything.
const MARGIN: f64 = 28.0;

/// The radius of the corners of lines.
const RADIUS: f64 = 7.0;

/// The number of colours for schemas.
const COLOURS: usize = 8;

/// The most tables that the description of another one names.
const MOST_NAMED: usize = 6;

/// What a picture is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caption<'a> {
    /// Where the schema comes from.
    pub source: &'a str,
    /// How many revisions changed the marked tables, if they are marked.
    pub last: Option<usize>,
}

/// A picture with its size.
#[derive(Debug)]
pub(super) struct Picture {
    pub text: String,
    pub size: Size,
}

/// The picture as a file of its own.
pub(super) fn draw(scene: &Scene<'_>, caption: Caption<'_>) -> String {
    let picture = picture(scene, caption, Use::File);
    format!("{}\n", picture.text)
}

/// Where a picture is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// As a file.
    File,
    /// In a page, whose script makes it interactive.
    Page,
}

/// Draws the picture.
pub(super) fn picture(scene: &Scene<'_>, caption: Caption<'_>, used: Use) -> Picture {
    let cards = (0..scene.tables.len()).map(|table| Card::new(scene, table));
    let cards: Vec<Card> = cards.collect();
    let layout = arranged(scene, &cards);
    let legend = legend::draw(scene, caption, layout.size.width);
    let size = Size {
        width: layout.size.width.max(legend.size.width) + 2.0 * MARGIN,
        height: layout.size.height + legend.size.height + 2.0 * MARGIN,
    };
    let mut svg = Svg {
        text: String::with_capacity(4096),
        cards,
        layout,
        scene,
    };
    svg.open(caption, used, size);
    svg.group("class=\"legend-group\"", MARGIN, MARGIN);
    svg.text.push_str(&legend.text);
    svg.text.push_str("</g>\n");
    svg.group("class=\"tables\"", MARGIN, MARGIN + legend.size.height);
    svg.heading();
    for table in 0..scene.tables.len() {
        svg.table(table, used);
    }
    svg.links();
    svg.text.push_str("</g>\n</g>\n</svg>");
    Picture {
        text: svg.text,
        size,
    }
}

/// Lays out the boxes of a scene.
fn arranged(scene: &Scene<'_>, cards: &[Card]) -> Layout {
    let sizes: Vec<Size> = cards.iter().map(|card| card.size).collect();
    let mut trunks = BTreeMap::new();
    let links = scene.links.iter().map(|link| {
        let end = |node: usize, rows: &[usize]| layout::End {
            node,
            y: Card::middle(rows.first().copied()),
        };
        let next = trunks.len();
        let key = (link.to, link.keys.first(), link.reference.is_optional);
        layout::Link {
            from: end(link.from, &link.columns),
            to: end(link.to, &link.keys),
            trunk: *trunks.entry(key).or_insert(next),
        }
    });
    let links: Vec<layout::Link> = links.collect();
    layout::lay_out(&sizes, &links)
}

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

struct Svg<'a> {
    text: String,
    cards: Vec<Card>,
    layout: Layout,
    scene: &'a Scene<'a>,
}

impl Svg<'_> {
    fn open(&mut self, caption: Caption<'_>, used: Use, size: Size) {
        let (width, height) = (size.width.ceil(), size.height.ceil());
        let role = match used {
            Use::File => format!("role=\"img\" width=\"{width}\" height=\"{height}\""),
            Use::Page => "role=\"group\"".to_owned(),
        };
        let _ = write!(
            self.text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" {role} viewBox=\"0 0 {width} {height}\" \
             aria-labelledby=\"caption counts\">\n<title id=\"caption\">{}</title>\n<desc id=\"counts\">{}</desc>\n",
            xml(&legend::caption(caption)),
            xml(&legend::counts(self.scene, caption))
        );
        if used == Use::File {
            let _ = writeln!(self.text, "<style>\n{STYLE}</style>");
            let _ = writeln!(
                self.text,
                "<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>"
            );
        }
        self.text.push_str("<g id=\"view\">\n");
    }

    fn group(&mut self, attributes: &str, x: f64, y: f64) {
        let _ = write!(self.text, "<g {attributes} transform=\"translate(");
        number(&mut self.text, x);
        self.text.push(' ');
        number(&mut self.text, y);
        self.text.push_str(")\">");
    }

    /// The heading of the tables without foreign keys.
    fn heading(&mut self) {
        if let Some(bottom) = self.layout.loose {
            let scale = layout::scale(self.layout.size.width);
            let _ = write!(self.text, "<g font-size=\"{:.1}\">", 16.0 * scale);
            let text = "Tables without foreign keys";
            let at = (0.0, bottom - 16.0 * scale);
            text_element(&mut self.text, "heading", at, text, 16.0 * scale);
            self.text.push_str("</g>");
        }
        self.text.push('\n');
    }

    fn table(&mut self, index: usize, used: Use) {
        let table = &self.scene.tables[index];
        let place = self.layout.places[index];
        let mut classes = "table".to_owned();
        if let Some(schema) = self.scene.schema(table) {
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
        let mut attributes = format!("class=\"{classes}\" id=\"t{index}\"");
        if used == Use::Page {
            self.describe(&mut attributes, index);
        }
        self.group(&attributes, place.x, place.y);
        self.frame(index);
        if table.table.is_none() {
            let at = (PAD, HEAD + 14.0);
            text_element(&mut self.text, "more", at, ABSENT, FONT);
        }
        let card = &self.cards[index];
        for (at, row) in card.rows.iter().enumerate() {
            let top = HEAD + at as f64 * ROW;
            draw_row(&mut self.text, card, row, (top, table.rows[at].not_null));
        }
        if let Some(more) = &card.more {
            let top = HEAD + card.rows.len() as f64 * ROW;
            let _ = write!(self.text, "<g><title>{}</title>", xml(&hidden(table)));
            text_element(&mut self.text, "more", (PAD, top + 14.0), more, FONT);
            self.text.push_str("</g>");
        }
        if used == Use::Page {
            draw_poster(&mut self.text, card, table.is_changed());
        }
        self.text.push_str("</g>\n");
    }

    /// The attributes that the script of a page reads, and the text alternative.
    fn describe(&self, attributes: &mut String, index: usize) {
        let (table, card) = (&self.scene.tables[index], &self.cards[index]);
        let label = description(self.scene, index);
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
    fn frame(&mut self, index: usize) {
        let (table, card) = (&self.scene.tables[index], &self.cards[index]);
        let Size { width, height } = card.size;
        let out = &mut self.text;
        let _ = write!(
            out,
            "<rect class=\"card\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>\
             <path class=\"head\" d=\"M1 {HEAD}V7A6 6 0 0 1 7 1H{}A6 6 0 0 1 {} 7V{HEAD}Z\"/>",
            width - 7.0,
            width - 1.0
        );
        if self.scene.schema(table).is_some() {
            let _ = write!(
                out,
                "<path class=\"accent\" d=\"M1 7A6 6 0 0 1 7 1H{}A6 6 0 0 1 {} 7A6 3 0 0 0 {} 4H7A6 3 0 0 0 1 7Z\"/>",
                width - 7.0,
                width - 1.0,
                width - 7.0
            );
        }
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
            x += super::text::width(&card.schema, TITLE);
        }
        text_element(out, "title", (x, 21.0), &card.name, TITLE);
        out.push_str("</g>");
        if table.is_changed() {
            changed_label(out, width - 8.0, HEAD / 2.0 + 1.0);
        }
    }

    fn links(&mut self) {
        let routes = std::mem::take(&mut self.layout.routes);
        for (link, route) in self.scene.links.iter().zip(&routes) {
            self.link(link, route);
        }
    }

    fn link(&mut self, link: &Link<'_>, route: &[Point]) {
        let list = |rows: &[usize]| {
            let rows: Vec<String> = rows.iter().map(usize::to_string).collect();
            rows.join(" ")
        };
        let [first, .., last] = route else { return };
        let out = &mut self.text;
        let _ = write!(
            out,
            "<g class=\"link\" data-from=\"{}\" data-columns=\"{}\" data-to=\"{}\" data-keys=\"{}\">\
             <title>{}\n{}</title><path class=\"line\" d=\"",
            link.from,
            list(&link.columns),
            link.to,
            list(&link.keys),
            xml(&self.scene.ends(link)),
            link.cardinality()
        );
        path(out, route);
        out.push_str("\"/>");
        let side = |table: usize, point: &Point| {
            let middle = self.layout.places[table].x + self.cards[table].size.width / 2.0;
            if point.x < middle { -1.0 } else { 1.0 }
        };
        let (from, to) = (side(link.from, first), side(link.to, last));
        ends::many(out, *first, from, link.reference.is_unique);
        ends::one(out, *last, to, link.reference.is_optional);
        for (table, rows, side, point) in [
            (link.from, &link.columns, from, first),
            (link.to, &link.keys, to, last),
        ] {
            let top = self.layout.places[table].y;
            let middles = rows.iter().map(|row| top + Card::middle(Some(*row)));
            ends::bracket(out, point.x, side, &middles.collect::<Vec<_>>());
        }
        out.push_str("</g>\n");
    }
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
    text_element(out, "name", (x + DOT, top + 14.0), &row.name, FONT);
    if !row.data_type.is_empty() {
        let at = (card.size.width - PAD, top + 14.0);
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
