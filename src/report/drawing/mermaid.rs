//! The picture as an entity relationship diagram of Mermaid.

use std::fmt::Write;

use super::{
    card::{ABSENT, CHANGED, Mark},
    scene::{Link, Scene, Table, plain},
    text::{clean, short_type},
};
use crate::schema::DiagramColumn;

/// Words that Mermaid does not take as the name of a column.
const RESERVED: [&str; 3] = ["PK", "FK", "UK"];

/// The entity relationship diagram.
pub(super) fn draw(scene: &Scene<'_>) -> String {
    let mut out = "erDiagram\n".to_owned();
    for table in &scene.tables {
        entity(&mut out, table);
    }
    for link in &scene.links {
        let _ = writeln!(out, "    {}", edge(scene, link));
    }
    if scene.changed() > 0 {
        out.push_str("    classDef changed stroke:#d97706,stroke-width:3px\n");
    }
    out
}

fn entity(out: &mut String, table: &Table<'_>) {
    let name = plain(table.name);
    let label = match (table.is_changed(), table.table) {
        (true, _) => CHANGED.0,
        (false, None) => ABSENT,
        (false, Some(_)) => "",
    };
    let mut head = quoted(&name);
    if !label.is_empty() {
        let _ = write!(head, "[{}]", quoted(&format!("{name} ({label})")));
    }
    if table.is_changed() {
        head.push_str(":::changed");
    }
    let _ = writeln!(out, "    {head} {{");
    for column in &table.rows {
        let _ = writeln!(out, "        {}", line(column));
    }
    if let Some(more) = table.more() {
        let _ = writeln!(out, "        _ _ {}", quoted(&more));
    }
    out.push_str("    }\n");
}

/// A text in quotes. Mermaid's strings have no escapes, but it shows `#34;` as the character with
/// this number. Replaced are those that end a string or mean something within one, such as
/// underscores that make text bold; also the space of `direction TB`, which is a statement even in
/// quotes.
fn quoted(text: &str) -> String {
    const SPECIAL: &str = "\"%\\#<>&`*;~{}";
    const DIRECTION: &str = "direction";
    let mut safe = String::with_capacity(text.len() + 2);
    let mut is_direction = false;
    for c in clean(text).chars() {
        let is_bold = c == '_' && (safe.is_empty() || safe.ends_with(['_', '.', ' ']));
        if SPECIAL.contains(c) || is_bold || is_direction && c.is_whitespace() {
            let _ = write!(safe, "#{};", u32::from(c));
        } else {
            safe.push(c);
        }
        let end = safe.len().checked_sub(DIRECTION.len());
        let end = end.and_then(|start| safe.get(start..));
        is_direction = end.is_some_and(|end| end.eq_ignore_ascii_case(DIRECTION));
    }
    format!("\"{safe}\"")
}

/// A word of letters, digits and underscores, as names and types of columns must be.
fn word(text: &str) -> String {
    let is_fit =
        |c: char| c.is_ascii_alphanumeric() || c == '_' || c >= '\u{c0}' && c.is_alphanumeric();
    let word = text.chars().map(|c| if is_fit(c) { c } else { '_' });
    let word: String = word.collect();
    let is_reserved = RESERVED.iter().any(|it| word.eq_ignore_ascii_case(it));
    match word.chars().next() {
        None => "_".to_owned(),
        Some(first) if first.is_ascii_digit() || is_reserved => format!("_{word}"),
        Some(_) => word,
    }
}

/// A column. What its words cannot tell is in the comment.
fn line(column: &DiagramColumn) -> String {
    let data_type = short_type(&column.data_type);
    let (type_word, name_word) = (word_of_type(&data_type), word(&column.name));
    let mut line = format!("{type_word} {name_word}");
    let keys = Mark::of(column).into_iter().map(|mark| match mark {
        Mark::Unique => "UK",
        mark => mark.label(),
    });
    let keys: Vec<&str> = keys.collect();
    if !keys.is_empty() {
        let _ = write!(line, " {}", keys.join(", "));
    }
    let mut notes = Vec::new();
    let may_be_bold = name_word.starts_with('_') || name_word.contains("__");
    if name_word != column.name || may_be_bold {
        notes.push(column.name.as_str());
    }
    if type_word != data_type && !data_type.is_empty() {
        notes.push(&data_type);
    }
    if column.not_null && !column.in_primary_key {
        notes.push("not null");
    }
    notes.extend(column.comment.as_deref());
    if !notes.is_empty() {
        let _ = write!(line, " {}", quoted(&notes.join("; ")));
    }
    line
}

/// A type, with the brackets that Mermaid takes: `varchar(20)`, `integer[]`.
fn word_of_type(data_type: &str) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "_()[],".contains(c);
    match data_type.starts_with(|c: char| c.is_ascii_alphabetic()) && data_type.chars().all(is_fit)
    {
        true if !RESERVED.iter().any(|it| data_type.eq_ignore_ascii_case(it)) => {
            data_type.to_owned()
        }
        _ => word(data_type),
    }
}

/// A foreign key: many rows, or at most one, refer to one row, or to none.
fn edge(scene: &Scene<'_>, link: &Link<'_>) -> String {
    let reference = link.reference;
    let to = if reference.is_optional { "|o" } else { "||" };
    let from = if reference.is_unique { "o|" } else { "o{" };
    format!(
        "{} {to}--{from} {} : {}",
        quoted(&plain(scene.tables[link.to].name)),
        quoted(&plain(scene.tables[link.from].name)),
        quoted(&reference.columns.join(", "))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drawing::scene::testing::{column, shop};

    #[test]
    fn tables_are_entities() {
        insta::assert_snapshot!(draw(&Scene::new(&shop())));
    }

    #[test]
    fn names_that_are_no_words_are_in_the_comment() {
        let shown = |name, data_type, marks| line(&column(name, data_type, marks));
        assert_eq!(shown("id", "bigint", "pk"), "bigint id PK");
        assert_eq!(shown("a b", "integer[]", "fk"), "integer[] a_b FK \"a b\"");
        assert_eq!(shown("pk", "", ""), "_ _pk \"pk\"");
        assert_eq!(shown("__v", "int", ""), "int __v \"#95;_v\"");
        assert_eq!(shown("größe", "text", "!"), "text größe \"not null\"");
        assert_eq!(
            shown("100%", "shop.\"Kind\"", "uk"),
            "shop__Kind_ _100_ UK \"100#37;#59; shop.#34;Kind#34;\""
        );
    }

    #[test]
    fn quoted_text_is_no_syntax() {
        assert_eq!(quoted("a\"b\nc"), "\"a#34;b#92;nc\"");
        assert_eq!(quoted("%%{init}%%"), "\"#37;#37;#123;init#125;#37;#37;\"");
        assert_eq!(quoted("Direction TB"), "\"Direction#32;TB\"");
        assert_eq!(quoted(""), "\"#34;#34;\"");
        assert_eq!(quoted("__a_b__"), "\"#95;_a_b_#95;\"");
    }
}
