use super::{BREAKS, Context, Draft, Rule, SQLITE, sql};
use crate::{
    lint::{Act, CreateIndex, Example, TableChange},
    schema::Kind,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "quoted-name-is-a-string",
    code: "L216",
    dialects: SQLITE,
    allowed_in: None,
    summary: "a misspelt name in quotes is a string",
    docs: "SQLite reads \"name\" as a string if there is no such column: CREATE INDEX i ON t (\"nme\") is an \
        index on a constant. It finds nothing, and a unique one allows a single row. Names in brackets \
        are never strings.",
    safe: "CREATE INDEX orders_note ON orders ([note]);",
    silent: "The table has a column of the name, or is not known.",
    bad: Example {
        before: "CREATE TABLE orders (note text);",
        sql: "CREATE INDEX orders_note ON orders (\"nte\");",
    },
    good: Example {
        before: "CREATE TABLE orders (note text);",
        sql: "CREATE INDEX orders_note ON orders (\"note\");",
    },
    check,
    ..BREAKS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let indexes = context.acts().iter().filter_map(|act| match act {
        Act::CreateIndex(index) => Some(&**index),
        _ => None,
    });
    let mut drafts = Vec::new();
    for index in indexes {
        let quoted = index.keys.iter().filter(|it| it.is_quoted);
        for key in quoted.filter(|it| is_missing(context, index, &it.text)) {
            let message = format!(
                "{} is an index on the string \"{}\": {} has no such column",
                sql::word(index.name.as_deref().unwrap_or_default()),
                key.text,
                index.table
            );
            drafts.push(Draft::new(message).about(&index.table));
        }
    }
    drafts
}

/// Whether the table is known and has no such column at this moment.
fn is_missing(context: &Context<'_>, index: &CreateIndex, column: &str) -> bool {
    let mut earlier = context.earlier().iter().rev().flat_map(|it| &it.acts);
    let found = earlier.find_map(|act| match act {
        Act::CreateTable(table) if context.is_same(&table.name, &index.table) => {
            let mut columns = table.columns.iter();
            Some(columns.any(|it| context.is_name(&it.name, column)))
        }
        Act::AlterTable {
            table,
            change: TableChange::AddColumn { column: added, .. },
        } if context.is_same(table, &index.table) && context.is_name(&added.name, column) => {
            Some(true)
        }
        Act::AlterTable {
            table,
            change: TableChange::RenameColumn { to, .. },
        } if context.is_same(table, &index.table) && context.is_name(to, column) => Some(true),
        // What the renamed table has is not looked up.
        Act::Rename { to, .. } if context.is_name(to, &index.table.name) => Some(true),
        _ => None,
    });
    if let Some(found) = found {
        return !found;
    }
    let Some(before) = context.before() else {
        return false;
    };
    let mut columns = before
        .parts(&index.table)
        .iter()
        .filter(|it| it.id.kind == Kind::Column)
        .peekable();
    columns.peek().is_some() && !columns.any(|it| context.is_name(&it.id.name, column))
}
