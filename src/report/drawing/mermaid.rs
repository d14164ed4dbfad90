use std::fmt::Write;

use crate::schema::{Diagram, DiagramColumn, DiagramTable, Reference};

/// The entity relationship diagram of Mermaid.
pub(super) fn draw(diagram: &Diagram) -> String {
    let mut text = "erDiagram\n".to_owned();
    for table in &diagram.tables {
        let _ = writeln!(text, "    {} {{", name(&table.name.to_string()));
        for column in &table.columns {
            let _ = writeln!(text, "        {}", line(column));
        }
        text.push_str("    }\n");
    }
    for reference in &diagram.references {
        let _ = writeln!(text, "    {}", edge(reference));
    }
    let changed: Vec<&DiagramTable> = diagram.tables.iter().filter(|it| it.is_changed).collect();
    if !changed.is_empty() {
        text.push_str("    classDef changed stroke:#d97706,stroke-width:3px\n");
        for table in changed {
            let _ = writeln!(text, "    class {} changed", name(&table.name.to_string()));
        }
    }
    text
}

/// A name in quotes. Mermaid has no escapes for them.
fn name(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| match c {
            '"' => '\'',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    format!("\"{plain}\"")
}

/// A word of letters, digits and underscores, as types and names of columns must be.
fn word(text: &str) -> String {
    let word: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "_()[]".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    match word.chars().next() {
        None => "_".to_owned(),
        Some(first) if first.is_alphabetic() || first == '_' => word,
        Some(_) => format!("_{word}"),
    }
}

fn line(column: &DiagramColumn) -> String {
    let mut keys = Vec::new();
    if column.in_primary_key {
        keys.push("PK");
    }
    if column.in_foreign_key {
        keys.push("FK");
    }
    if column.is_unique && !column.in_primary_key {
        keys.push("UK");
    }
    let mut line = format!("{} {}", word(&column.data_type), word(&column.name));
    if !keys.is_empty() {
        let _ = write!(line, " {}", keys.join(", "));
    }
    if let Some(comment) = &column.comment {
        let _ = write!(line, " {}", name(comment));
    }
    line
}

/// A foreign key: many rows, or at most one, refer to one row, or to none.
fn edge(reference: &Reference) -> String {
    let to = if reference.is_optional { "|o" } else { "||" };
    let from = if reference.is_unique { "o|" } else { "o{" };
    format!(
        "{} {to}--{from} {} : {}",
        name(&reference.to.to_string()),
        name(&reference.from.to_string()),
        name(&reference.columns.join(", "))
    )
}
