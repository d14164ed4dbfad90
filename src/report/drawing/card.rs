//! The box of a table: its texts, cut to fit, and their places.

use super::{
    layout::Size,
    scene::Scene,
    text::{cells, clean, cut, short_type, width},
};
use crate::schema::DiagramColumn;

/// The font size of columns.
pub(super) const FONT: f64 = 12.0;

/// The font size of names of tables.
pub(super) const TITLE: f64 = 13.0;

/// The font size of labels such as `changed`.
pub(super) const LABEL: f64 = 10.0;

/// The height of the head with the name.
pub(super) const HEAD: f64 = 32.0;

/// The height of a column.
pub(super) const ROW: f64 = 20.0;

/// The space between the border and texts.
pub(super) const PAD: f64 = 10.0;

/// The space that a key mark takes.
pub(super) const MARK: f64 = 24.0;

/// The space that the not-null mark takes.
pub(super) const DOT: f64 = 14.0;

/// The label of a changed table, and the space that it takes.
pub(super) const CHANGED: (&str, f64) = ("changed", 60.0);

/// The label of a table that only foreign keys name.
pub(super) const ABSENT: &str = "not in this picture";

/// The space between a column's name and its type.
const TYPE_GAP: f64 = 18.0;

const FOOT: f64 = 6.0;
const LEAST_WIDTH: f64 = 130.0;
const MOST_TITLE: usize = 38;
const MOST_SCHEMA: usize = 16;
const MOST_NAME: usize = 34;
const MOST_TYPE: usize = 24;

/// A key that a column is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Primary,
    Foreign,
    Unique,
}

impl Mark {
    pub(super) const ALL: [Self; 3] = [Self::Primary, Self::Foreign, Self::Unique];

    /// The letters of the mark.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Primary => "PK",
            Self::Foreign => "FK",
            Self::Unique => "UQ",
        }
    }

    /// What the mark means.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Primary => "primary key",
            Self::Foreign => "foreign key",
            Self::Unique => "unique",
        }
    }

    /// The marks of a column.
    pub(super) fn of(column: &DiagramColumn) -> Vec<Self> {
        let is_of = |mark: &Self| match mark {
            Self::Primary => column.in_primary_key,
            Self::Foreign => column.in_foreign_key,
            Self::Unique => column.is_unique && !column.in_primary_key,
        };
        Self::ALL.into_iter().filter(is_of).collect()
    }
}

/// The box of a table.
#[derive(Debug)]
pub(super) struct Card {
    pub size: Size,
    /// The whole name, in one line.
    pub full_name: String,
    /// The schema with its dot, cut.
    pub schema: String,
    /// The name, cut.
    pub name: String,
    pub rows: Vec<Row>,
    /// `… 3 more columns`
    pub more: Option<String>,
    /// The space for key marks.
    pub marks: f64,
    /// The name for a small scale.
    pub poster: Poster,
}

/// A column in a box.
#[derive(Debug)]
pub(super) struct Row {
    pub marks: Vec<Mark>,
    /// The whole name, in one line.
    pub full_name: String,
    /// The name, cut.
    pub name: String,
    /// The short type, cut.
    pub data_type: String,
    /// What is not visible: the rest of cut texts, and the comment.
    pub hint: Option<String>,
}

impl Card {
    /// The box of a table; with the schema if the scene has several.
    pub(super) fn new(scene: &Scene<'_>, index: usize) -> Self {
        let table = &scene.tables[index];
        // A type of the only schema needs no schema either.
        let only = match scene.schema(table) {
            Some(_) => "",
            None => table.name.schema.as_str(),
        };
        let rows = table.rows.iter().map(|column| Row::new(column, only));
        let rows: Vec<Row> = rows.collect();
        let schema = match scene.schema(table) {
            Some(_) => format!("{}.", cut(&clean(&table.name.schema), MOST_SCHEMA)),
            None => String::new(),
        };
        let name = cut(&clean(&table.name.name), MOST_TITLE).into_owned();
        let more = table.more();
        let marks = rows.iter().map(|row| row.marks.len()).max().unwrap_or(0) as f64 * MARK;
        let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let names = widest(&mut rows.iter().map(|row| width(&row.name, FONT)));
        let types = widest(&mut rows.iter().map(|row| match row.data_type.as_str() {
            "" => 0.0,
            data_type => TYPE_GAP + width(data_type, FONT),
        }));
        let label = if table.is_changed() { CHANGED.1 } else { 0.0 };
        let candidates = [
            LEAST_WIDTH,
            2.0 * PAD + width(&schema, TITLE) + width(&name, TITLE) + label,
            2.0 * PAD + marks + DOT + names + types,
            2.0 * PAD + more.as_deref().map_or(0.0, |it| width(it, FONT)),
            if table.table.is_none() {
                2.0 * PAD + width(ABSENT, FONT)
            } else {
                0.0
            },
        ];
        let lines = rows.len() + usize::from(more.is_some() || table.table.is_none());
        let size = Size {
            width: widest(&mut candidates.into_iter()).ceil(),
            height: HEAD + lines as f64 * ROW + FOOT,
        };
        Self {
            poster: Poster::new(&clean(&table.name.name), size, table.is_changed()),
            size,
            full_name: scene.name(index),
            schema,
            name,
            rows,
            more,
            marks,
        }
    }

    /// The middle of a row, from the top of the box; without a row, of the head.
    pub(super) fn middle(row: Option<usize>) -> f64 {
        match row {
            Some(row) => HEAD + (row as f64 + 0.5) * ROW,
            None => HEAD / 2.0,
        }
    }
}

impl Row {
    /// A row whose type is shown without `schema`.
    fn new(column: &DiagramColumn, schema: &str) -> Self {
        let (full_name, full_type) = (clean(&column.name), clean_type(&column.data_type));
        let mut short = short_type(&column.data_type);
        if let Some(rest) = short.strip_prefix(schema)
            && let Some(rest) = rest.strip_prefix('.')
        {
            short = rest.to_owned();
        }
        let short = clean_type(&short);
        let name = cut(&full_name, MOST_NAME).into_owned();
        let data_type = cut(&short, MOST_TYPE).into_owned();
        let is_cut = name != full_name || data_type != full_type;
        let hint = match (&column.comment, is_cut) {
            (None, false) => None,
            (Some(comment), false) => Some(comment.clone()),
            (comment, true) => {
                let comment = comment.iter().map(|it| format!("\n{it}"));
                Some(format!(
                    "{full_name} {full_type}{}",
                    comment.collect::<String>()
                ))
            }
        };
        Self {
            marks: Mark::of(column),
            full_name: full_name.into_owned(),
            name,
            data_type,
            hint,
        }
    }
}

fn clean_type(data_type: &str) -> String {
    match data_type {
        "" => String::new(),
        data_type => clean(data_type).into_owned(),
    }
}

/// The name of a table in letters that fill its box.
#[derive(Debug)]
pub(super) struct Poster {
    pub lines: Vec<String>,
    pub font: f64,
}

impl Poster {
    /// The height of a line, in parts of the font size.
    pub(super) const LINE: f64 = 1.32;

    const MOST_FONT: f64 = 56.0;
    const LEAST_FONT: f64 = 8.0;

    /// The height of the label of a changed table.
    pub(super) fn label(size: Size) -> f64 {
        (size.height * 0.3)
            .min((size.width - 24.0) / CHANGED.1 * 20.0)
            .min(48.0)
    }

    /// The largest lines that show `name` in a box.
    fn new(name: &str, size: Size, is_changed: bool) -> Self {
        let label = if is_changed { Self::label(size) } else { 0.0 };
        let room = Size {
            width: size.width - 24.0,
            height: size.height - 12.0 - label,
        };
        let words = words(name);
        let longest = cells(name).max(1);
        let mut best = (Vec::new(), 0.0);
        for count in 1..=6 {
            let lines = wrapped(&words, longest.div_ceil(count).max(4));
            let widest = lines
                .iter()
                .map(|line| width(line, 1.0))
                .fold(0.1, f64::max);
            let font = (room.width / widest)
                .min(room.height / (lines.len() as f64 * Self::LINE))
                .min(Self::MOST_FONT);
            if font > best.1 {
                best = (lines, font);
            }
        }
        if best.1 < Self::LEAST_FONT {
            let most = (room.width / Self::LEAST_FONT) as usize;
            best = (vec![cut(name, most).into_owned()], Self::LEAST_FONT);
        }
        Self {
            lines: best.0,
            font: (best.1 * 10.0).floor() / 10.0,
        }
    }
}

/// The parts of a name: an underscore or other sign ends one, as does the start of a capital after
/// a small letter.
fn words(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = ' ';
    for (at, c) in name.char_indices() {
        let is_new = !last.is_alphanumeric() && c.is_alphanumeric()
            || last.is_lowercase() && c.is_uppercase();
        let is_wide = at > start && cells(&name[start..at]) >= 16 && c.is_alphanumeric();
        if at > start && (is_new || is_wide) {
            words.push(&name[start..at]);
            start = at;
        }
        last = c;
    }
    words.push(&name[start..]);
    words
}

/// Lines of `words` that take at most `most` columns where the words allow it.
fn wrapped(words: &[&str], most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if cells(line) + cells(word) <= most => line.push_str(word),
            _ => lines.push((*word).to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posters_break_names_at_words() {
        let size = Size {
            width: 200.0,
            height: 200.0,
        };
        let lines = |name| Poster::new(name, size, false).lines;
        assert_eq!(lines("orders"), ["orders"]);
        assert_eq!(lines("customer_addresses"), ["customer_", "addresses"]);
        assert_eq!(lines("PurchaseOrderLine"), ["Purchase", "Order", "Line"]);
        let poster = Poster::new(&"x".repeat(500), size, true);
        for line in &poster.lines {
            assert!(width(line, poster.font) <= size.width, "{poster:?}");
        }
        let height = poster.lines.len() as f64 * poster.font * Poster::LINE;
        assert!(height + Poster::label(size) <= size.height, "{poster:?}");
    }
}
