//! SQL of safe forms.

use std::borrow::Cow;

use crate::{
    lint::{Context, TableChange},
    schema::{Name, postgres::default_name, quoted},
};

/// The words that need quotes as names, of both dialects, sorted.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "set",
    "similar",
    "some",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// A name as an identifier of SQL.
pub(super) fn word(name: &str) -> Cow<'_, str> {
    match RESERVED.binary_search(&name) {
        Ok(_) => format!("\"{name}\"").into(),
        Err(_) => quoted(name),
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
    default_name(&table.name, Some(&columns.join("_")), label)
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
        assert!(RESERVED.is_sorted());
        assert_eq!(word("order"), "\"order\"");
        assert_eq!(word("Total"), "\"Total\"");
        assert_eq!(path(&Name::new("shop", "user")), "shop.\"user\"");
    }
}
