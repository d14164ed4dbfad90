//! The caption of a picture and the meaning of its marks.

use std::fmt::Write;

use super::{
    card::Mark,
    ends,
    layout::{self, Point, Size},
    scene::Scene,
    svg::{Caption, changed_label, colour, key_mark, null_mark, text_element},
    text::{clean, cut, number, width},
};
use crate::report::count;

/// The width that the legend takes at least.
const LEAST_WIDTH: f64 = 420.0;

/// The most schemas that are named.
const MOST_SCHEMAS: usize = 24;

const FONT: f64 = 12.0;
const LINE: f64 = 24.0;
const ITEM_GAP: f64 = 22.0;

/// The caption and the legend, drawn.
pub(super) struct Legend {
    pub text: String,
    pub size: Size,
}

/// `Schema of live`
pub(super) fn caption(caption: Caption<'_>) -> String {
    format!("Schema of {}", clean(caption.source))
}

/// `50 tables, 62 foreign keys, 3 changed by the last 5 revisions`
pub(super) fn counts(scene: &Scene<'_>, caption: Caption<'_>) -> String {
    let mut counts = vec![
        count(scene.count(), "table"),
        count(scene.links.len(), "foreign key"),
    ];
    if scene.schemas.len() > 1 {
        counts.push(count(scene.schemas.len(), "schema"));
    }
    if let Some(last) = caption.last {
        let last = match last {
            1 => "the last revision".to_owned(),
            last => format!("the last {last} revisions"),
        };
        counts.push(format!("{} changed by {last}", scene.changed()));
    }
    counts.join(", ")
}

/// Draws the caption, the counts and the legend for a picture of this width.
pub(super) fn draw(scene: &Scene<'_>, named: Caption<'_>, room: f64) -> Legend {
    let scale = layout::scale(room);
    let room = (room / scale).max(LEAST_WIDTH);
    let mut out = String::new();
    let title = caption(named);
    let title = cut(&title, (room / width("x", 22.0)) as usize);
    text_element(&mut out, "caption", (0.0, 22.0), &title, 22.0);
    let counts = counts(scene, named);
    let counts = cut(&counts, (room / width("x", FONT)) as usize);
    text_element(&mut out, "count", (0.0, 46.0), &counts, FONT);
    let mut flow = Flow {
        room,
        x: 0.0,
        middle: 72.0,
    };
    out.push_str("<g class=\"legend\">");
    for (item, text) in items(scene) {
        let text = clean(&text);
        let text = cut(&text, 30);
        let x = flow.next(item.width() + width(&text, FONT));
        item.draw(&mut out, x, flow.middle);
        let at = (x + item.width(), flow.middle + 4.0);
        text_element(&mut out, "meaning", at, &text, FONT);
    }
    out.push_str("</g>");
    let height = (flow.middle + 44.0) * scale;
    let mut text = String::from("<g transform=\"scale(");
    let _ = write!(text, "{scale:.3}");
    text.push_str(")\">");
    text.push_str(&out);
    text.push_str("</g>");
    Legend {
        text,
        size: Size {
            width: room * scale,
            height,
        },
    }
}

/// Items one after the other, in lines.
struct Flow {
    room: f64,
    x: f64,
    middle: f64,
}

impl Flow {
    /// The left of the next item, of this width.
    fn next(&mut self, width: f64) -> f64 {
        if self.x > 0.0 && self.x + width > self.room {
            self.x = 0.0;
            self.middle += LINE;
        }
        let x = self.x;
        self.x += width + ITEM_GAP;
        x
    }
}

/// A mark that is explained.
enum Item {
    Key(Mark),
    Null(bool),
    Changed,
    Line { is_unique: bool, is_optional: bool },
    Schema(usize),
}

/// The marks of a scene with their meanings.
fn items(scene: &Scene<'_>) -> Vec<(Item, String)> {
    let mut items: Vec<(Item, String)> = (Mark::ALL.into_iter())
        .map(|mark| (Item::Key(mark), mark.meaning().to_owned()))
        .collect();
    items.push((Item::Null(true), "not null".to_owned()));
    items.push((Item::Null(false), "null".to_owned()));
    for (is_unique, is_optional) in [(false, false), (false, true), (true, false), (true, true)] {
        let link = scene.links.iter().find(|link| {
            (link.reference.is_unique, link.reference.is_optional) == (is_unique, is_optional)
        });
        if let Some(link) = link {
            let item = Item::Line {
                is_unique,
                is_optional,
            };
            items.push((item, link.cardinality()));
        }
    }
    if scene.changed() > 0 {
        items.push((Item::Changed, "changed table".to_owned()));
    }
    let schemas = scene.schemas.iter().enumerate().take(MOST_SCHEMAS);
    items.extend(schemas.map(|(at, name)| (Item::Schema(at), (*name).to_owned())));
    items
}

impl Item {
    fn width(&self) -> f64 {
        match self {
            Self::Key(_) => 26.0,
            Self::Null(_) => 12.0,
            Self::Changed => 60.0,
            Self::Line { .. } => 56.0,
            Self::Schema(_) => 22.0,
        }
    }

    fn draw(&self, out: &mut String, x: f64, middle: f64) {
        match *self {
            Self::Key(mark) => key_mark(out, mark, x, middle),
            Self::Null(not_null) => null_mark(out, not_null, x + 3.5, middle),
            Self::Changed => changed_label(out, x + 52.0, middle),
            Self::Line {
                is_unique,
                is_optional,
            } => {
                out.push_str("<path class=\"line\" d=\"M");
                number(out, x);
                out.push(' ');
                number(out, middle);
                out.push_str("h48\"/>");
                let (from, to) = (
                    Point { x, y: middle },
                    Point {
                        x: x + 48.0,
                        y: middle,
                    },
                );
                ends::many(out, from, 1.0, is_unique);
                ends::one(out, to, -1.0, is_optional);
            }
            Self::Schema(schema) => {
                let _ = write!(
                    out,
                    "<g class=\"{}\"><rect class=\"accent\" x=\"",
                    colour(schema)
                );
                number(out, x);
                out.push_str("\" y=\"");
                number(out, middle - 6.0);
                out.push_str("\" width=\"14\" height=\"12\" rx=\"3\"/></g>");
            }
        }
    }
}
