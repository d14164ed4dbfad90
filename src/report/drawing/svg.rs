//! The picture as SVG.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    card::Card,
    layout::{self, Layout, Point, Size},
    legend, line,
    marks::text_element,
    scene::Scene,
    table,
    text::number,
};
use crate::report::html::xml;

/// The style of the picture.
pub(super) const STYLE: &str = include_str!("picture.css");

/// The space around everything.
const MARGIN: f64 = 28.0;

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
    let mut out = String::with_capacity(4096);
    open(&mut out, (scene, caption), used, size);
    let corner = |top: f64| Point {
        x: MARGIN,
        y: MARGIN + top,
    };
    open_group(&mut out, "class=\"legend-group\"", corner(0.0));
    out.push_str(&legend.text);
    out.push_str("</g>\n");
    open_group(&mut out, "class=\"tables\"", corner(legend.size.height));
    heading(&mut out, &layout);
    for (index, card) in cards.iter().enumerate() {
        table::draw(&mut out, (scene, index), card, layout.places[index], used);
    }
    for (link, route) in scene.links.iter().zip(&layout.routes) {
        line::draw(&mut out, (scene, link), &cards, &layout.places, route);
    }
    out.push_str("</g>\n</g>\n</svg>");
    Picture { text: out, size }
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

fn open(out: &mut String, (scene, caption): (&Scene<'_>, Caption<'_>), used: Use, size: Size) {
    let (width, height) = (size.width.ceil(), size.height.ceil());
    let role = match used {
        Use::File => format!("role=\"img\" width=\"{width}\" height=\"{height}\""),
        Use::Page => "role=\"group\"".to_owned(),
    };
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" {role} \
         viewBox=\"0 0 {width} {height}\" aria-labelledby=\"caption counts\">\n\
         <title id=\"caption\">{}</title>\n<desc id=\"counts\">{}</desc>\n",
        xml(&legend::caption(caption)),
        xml(&legend::counts(scene, caption))
    );
    if used == Use::File {
        let _ = writeln!(out, "<style>\n{STYLE}</style>");
        let _ = writeln!(
            out,
            "<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>"
        );
    }
    out.push_str("<g id=\"view\">\n");
}

/// Appends the start of a group at a place.
pub(super) fn open_group(out: &mut String, attributes: &str, place: Point) {
    let _ = write!(out, "<g {attributes} transform=\"translate(");
    number(out, place.x);
    out.push(' ');
    number(out, place.y);
    out.push_str(")\">");
}

/// The heading of the tables without foreign keys.
fn heading(out: &mut String, layout: &Layout) {
    if let Some((corner, scale)) = layout.loose {
        let font = 16.0 * scale;
        let _ = write!(out, "<g font-size=\"{font:.1}\">");
        let text = "Tables without foreign keys";
        text_element(out, "heading", (corner.x, corner.y - font), text, font);
        out.push_str("</g>");
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        report::drawing::scene::testing::{column, reference, shop, table},
        schema::{Diagram, Name},
    };

    const CAPTION: Caption<'_> = Caption {
        source: "live",
        last: Some(2),
    };

    /// The elements of `svg`, which must be closed in order, with attributes in quotes.
    fn elements(svg: &str) -> Vec<String> {
        let (mut open, mut found) = (Vec::new(), Vec::new());
        let mut rest = svg;
        while let Some((_, tag)) = rest.split_once('<') {
            let (tag, after) = tag.split_once('>').expect(tag);
            assert!(!tag.contains('<'), "{tag}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            let name = tag.split([' ', '/']).next().unwrap_or_default();
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed.to_owned())),
                None => {
                    found.push(name.to_owned());
                    if !tag.ends_with('/') {
                        open.push(name.to_owned());
                    }
                }
            }
            rest = after;
        }
        assert_eq!(open, [""; 0]);
        found
    }

    #[test]
    fn a_picture_has_tables_and_lines() {
        let diagram = shop();
        let svg = draw(&Scene::new(&diagram), CAPTION);
        let count = |text: &str| svg.matches(text).count();
        assert_eq!(count("class=\"table\""), 1);
        assert_eq!(count("class=\"table changed\""), 1);
        assert_eq!(count("class=\"link\""), 1);
        assert_eq!(count(">changed</text>"), 2, "one in the legend");
        assert_eq!(count("class=\"column"), 5);
        assert_eq!(count(">timestamptz</text>"), 1);
        assert!(
            svg.contains("<title>orders.customer → customers.id\nmany to one, optional</title>")
        );
        assert!(svg.contains("What customers &quot;want&quot;"));
        assert!(elements(&svg).contains(&"path".to_owned()));
    }

    #[test]
    fn several_schemas_have_colours() {
        let tables = ["a", "b"].map(|schema| table(Name::new(schema, "t"), &[]));
        let diagram = Diagram {
            tables: tables.to_vec(),
            references: Vec::new(),
        };
        let svg = draw(&Scene::new(&diagram), CAPTION);
        for class in ["class=\"table s0\"", "class=\"table s1\"", ">b.</text>"] {
            assert!(svg.contains(class), "{class}");
        }
    }

    proptest! {
        #[test]
        fn names_are_no_markup(names in prop::collection::vec(any::<String>(), 1..6)) {
            let name = |at: usize| Name::new(names[at / 2].clone(), format!("{}{at}", names[at]));
            let tables = (0..names.len()).map(|at| {
                let columns: Vec<_> = names.iter().map(|it| column(it, it, "fk")).collect();
                let mut table = table(name(at), &columns);
                table.comment = Some(names[at].clone());
                table.columns[0].comment = Some(names[at].clone());
                table
            });
            let references = (0..names.len())
                .map(|at| reference((&name(at), &[&names[at]]), (&name(0), &[&names[0]])));
            let diagram = Diagram {
                tables: tables.collect(),
                references: references.collect(),
            };
            let scene = Scene::new(&diagram);
            for used in [Use::File, Use::Page] {
                let svg = picture(&scene, CAPTION, used).text;
                let found = elements(&svg);
                let count = |name: &str| found.iter().filter(|it| *it == name).count();
                prop_assert_eq!(count("svg"), 1);
                prop_assert_eq!(count("style"), usize::from(used == Use::File));
                let is_control = |c: char| c.is_control() && c != '\n';
                prop_assert!(!svg.contains(is_control));
            }
        }
    }
}
