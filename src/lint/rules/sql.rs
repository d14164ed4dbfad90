//! SQL of safe forms.

use std::borrow::Cow;

use crate::{
    lint::{Context, TableChange},
    schema::{Name, postgres, sqlite},
    sql::in_quotes,
};

/// A name as an identifier that both dialects read.
pub(super) fn word(name: &str) -> Cow<'_, str> {
    match sqlite::is_reserved(name) {
        true => in_quotes(name).into(),
        false => postgres::ident(name),
    }
}

/// A name with its schema.
pub(super) fn path(name: &Name) -> String {
    match name.schema.as_str() {
        "" => word(&name.name).into_owned(),
        schema => format!("{}.{}", word(schema), word(&name.name)),
    }
}

/// Identifiers separated by commas.
pub(super) fn words(names: &[String]) -> String {
    let words: Vec<Cow<'_, str>> = names.iter().map(|name| word(name)).collect();
    words.join(", ")
}

/// Statements, each with `;` on a line of its own.
pub(super) fn script(statements: &[String]) -> String {
    let lines: Vec<String> = statements.iter().map(|it| format!("{it};")).collect();
    lines.join("\n")
}

/// The name that the server gives what belongs to columns of a table.
pub(super) fn named(table: &Name, columns: &[String], label: &str) -> String {
    postgres::default_name(&table.name, Some(&columns.join("_")), label)
}

/// The name and the change, if the statement is an ALTER TABLE with one action.
pub(super) fn only_change<'a>(context: &Context<'a>) -> Option<(&'a Name, &'a TableChange)> {
    match context.acts() {
        [crate::lint::Act::AlterTable { table, change }] => Some((table, change)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(word("order"), "\"order\"");
        // Keywords of PostgreSQL and of SQLite alone.
        assert_eq!(word("user"), "\"user\"");
        assert_eq!(word("transaction"), "\"transaction\"");
        assert_eq!(word("Total"), "\"Total\"");
        assert_eq!(path(&Name::new("shop", "user")), "shop.\"user\"");
    }
}
