//! The picture as a graph of Graphviz.

use std::fmt::Write;

use super::{
    card::{ABSENT, CHANGED, Mark},
    scene::{Link, Scene, Table, plain},
    svg::Caption,
    text::{clean, short_type},
};
use crate::{report::html::xml, schema::DiagramColumn};

/// A graph in the language DOT.
pub(super) fn draw(scene: &Scene<'_>, caption: Caption<'_>) -> String {
    let mut out = String::from("digraph schema {\n");
    let _ = writeln!(
        out,
        "    graph [rankdir=RL, nodesep=0.4, ranksep=1.2, fontname=\"Helvetica\"];"
    );
    let _ = writeln!(out, "    label={};", id(&super::legend::caption(caption)));
    out.push_str("    labelloc=t;\n");
    out.push_str("    node [shape=plain, fontname=\"Helvetica\", fontsize=11];\n");
    out.push_str("    edge [dir=both, color=\"#64748b\", fontname=\"Helvetica\"];\n");
    for table in &scene.tables {
        node(&mut out, table);
    }
    for link in &scene.links {
        edge(&mut out, scene, link);
    }
    out.push_str("}\n");
    out
}

/// A quoted name. A backslash and a quote have no escape that stands for them in every attribute,
/// but labels know the entities of HTML.
fn id(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    for c in clean(text).chars() {
        match c {
            '"' => safe.push_str("&quot;"),
            '\\' => safe.push_str("&#92;"),
            '&' => safe.push_str("&amp;"),
            c => safe.push(c),
        }
    }
    format!("\"{safe}\"")
}

/// Text in a label of markup.
fn markup(text: &str) -> String {
    xml(&clean(text)).replace('\\', "&#92;")
}

fn node(out: &mut String, table: &Table<'_>) {
    let name = plain(table.name);
    let (border, width) = match table.is_changed() {
        true => ("#d97706", 2),
        false => ("#94a3b8", 1),
    };
    let style = if table.table.is_none() {
        " STYLE=\"dashed\""
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "    {} [tooltip={}, label=<\n        <TABLE BORDER=\"{width}\"{style} CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\" COLOR=\"{border}\">",
        id(&name),
        id(&tooltip(table)),
    );
    let label = match (table.is_changed(), table.table) {
        (true, _) => format!(" <FONT COLOR=\"#b45309\">({})</FONT>", CHANGED.0),
        (false, None) => format!(" <I>({ABSENT})</I>"),
        (false, Some(_)) => String::new(),
    };
    let _ = writeln!(
        out,
        "        <TR><TD COLSPAN=\"3\" PORT=\"t\" BGCOLOR=\"#e2e8f0\"><B>{}</B>{label}</TD></TR>",
        markup(&name)
    );
    for (at, column) in table.rows.iter().enumerate() {
        row(out, at, column);
    }
    if let Some(more) = table.more() {
        let _ = writeln!(
            out,
            "        <TR><TD COLSPAN=\"3\" ALIGN=\"LEFT\"><I>{more}</I></TD></TR>"
        );
    }
    out.push_str("        </TABLE>>];\n");
}

/// The comment of a table; without one its name, since the label is markup.
fn tooltip(table: &Table<'_>) -> String {
    let comment = table.table.and_then(|table| table.comment.clone());
    comment.unwrap_or_else(|| plain(table.name))
}

fn row(out: &mut String, at: usize, column: &DiagramColumn) {
    let marks: Vec<&str> = Mark::of(column).into_iter().map(Mark::label).collect();
    let mut name = markup(&column.name);
    if column.in_primary_key {
        name = format!("<B>{name}</B>");
    }
    let null = if column.not_null { "not null" } else { "" };
    let data_type = match column.data_type.as_str() {
        "" => null.to_owned(),
        data_type => format!("{} {null}", markup(&short_type(data_type))),
    };
    let _ = writeln!(
        out,
        "        <TR><TD PORT=\"l{at}\" ALIGN=\"LEFT\">{}</TD><TD ALIGN=\"LEFT\">{name}</TD>\
         <TD PORT=\"r{at}\" ALIGN=\"LEFT\">{}</TD></TR>",
        marks.join(" "),
        data_type.trim_end(),
    );
}

fn edge(out: &mut String, scene: &Scene<'_>, link: &Link<'_>) {
    // A line from a table to itself stays at its right side.
    let is_loop = link.from == link.to;
    let port = |side: char, rows: &[usize]| {
        let row = rows.first();
        let port = row.map_or("t".to_owned(), |row| format!("{side}{row}"));
        if is_loop { format!("{port}:e") } else { port }
    };
    let reference = link.reference;
    let tail = if reference.is_unique {
        "teeodot"
    } else {
        "crowodot"
    };
    let head = if reference.is_optional {
        "teeodot"
    } else {
        "teetee"
    };
    let _ = writeln!(
        out,
        "    {}:{} -> {}:{} [arrowtail={tail}, arrowhead={head}, tooltip={}];",
        id(&plain(scene.tables[link.from].name)),
        port(if is_loop { 'r' } else { 'l' }, &link.columns),
        id(&plain(scene.tables[link.to].name)),
        port('r', &link.keys),
        id(&scene.ends(link)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::drawing::scene::testing::{column, shop, table},
        schema::{Diagram, Name},
    };

    const CAPTION: Caption<'_> = Caption {
        source: "live",
        last: None,
    };

    #[test]
    fn tables_are_nodes_with_ports() {
        insta::assert_snapshot!(draw(&Scene::new(&shop()), CAPTION));
    }

    #[test]
    fn names_are_escaped() {
        let name = Name::new("a\"b", "c\\");
        let diagram = Diagram {
            tables: vec![table(name, &[column("<b>&\n", "", "")])],
            references: Vec::new(),
        };
        let text = draw(&Scene::new(&diagram), CAPTION);
        assert!(text.contains("\"a&quot;b.c&#92;\" [tooltip"), "{text}");
        assert!(text.contains(">&lt;b&gt;&amp;&#92;n<"), "{text}");
    }
}
