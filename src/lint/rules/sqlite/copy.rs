use super::{Context, Draft, Kind, LOSES, Name, Rule, SQLITE, sql};
use crate::{
    arrange::Arrange as _,
    lint::{Act, ChangeRows, Example},
    schema::Facts,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "insert-select-star",
    code: "L404",
    dialects: SQLITE,
    summary: "columns are copied by position, into others",
    docs: "INSERT INTO … SELECT * fills columns by their position, not by their names. Where the tables \
        have them in another order, values change columns without an error, since any column of \
        SQLite takes any value.",
    safe: "INSERT INTO orders_new (id, total, note) SELECT id, total, note FROM orders;",
    silent: "Both tables have the same columns in the same order, as far as both are known.",
    bad: Example {
        before: "CREATE TABLE orders (id integer PRIMARY KEY, note text, total integer);",
        sql: "CREATE TABLE orders_new (id integer PRIMARY KEY, total integer, note text);\n\
            INSERT INTO orders_new SELECT * FROM orders;",
    },
    good: Example {
        before: "CREATE TABLE orders (id integer PRIMARY KEY, note text, total integer);",
        sql: "CREATE TABLE orders_new (id integer PRIMARY KEY, note text, total integer);\n\
            INSERT INTO orders_new SELECT * FROM orders;",
    },
    check,
    ..LOSES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let copies = context.acts().iter().filter_map(|act| match act {
        Act::ChangeRows(change) => Some(&**change),
        _ => None,
    });
    copies.filter_map(|it| swapped(context, it)).collect()
}

fn swapped(context: &Context<'_>, copy: &ChangeRows) -> Option<Draft> {
    let selected = copy.selected.as_ref()?;
    let [source] = copy.sources.as_slice() else {
        return None;
    };
    let from: Vec<String> = match selected.as_slice() {
        [star] if star == "*" => columns(context, source)?,
        _ => selected.clone(),
    };
    let into = match copy.columns.is_empty() {
        true => columns(context, &copy.table)?,
        false => copy.columns.clone(),
    };
    // A column that goes elsewhere although the target has one of its name.
    let has = |name: &String| into.iter().any(|it| context.is_name(it, name));
    let pairs = from.iter().zip(&into);
    let (from_name, into_name) = pairs
        .filter(|(from, into)| !context.is_name(from, into))
        .find(|(from, into)| {
            has(from) && from_has(context, &from_names(selected, context, source), into)
        })?;
    let message = format!(
        "{}.{} gets the values of {}.{}",
        copy.table,
        sql::word(into_name),
        source,
        sql::word(from_name)
    );
    let shared: Vec<String> = into
        .iter()
        .filter(|it| from_has(context, &from, it))
        .cloned()
        .collect();
    let names = sql::words(&shared);
    let safe = format!(
        "INSERT INTO {} ({names}) SELECT {names} FROM {};",
        sql::path(&copy.table),
        sql::path(source)
    );
    Some(Draft::new(message).about(&copy.table).safe(safe))
}

fn from_names(selected: &[String], context: &Context<'_>, source: &Name) -> Vec<String> {
    match selected {
        [star] if star == "*" => columns(context, source).unwrap_or_default(),
        _ => selected.to_vec(),
    }
}

fn from_has(context: &Context<'_>, from: &[String], name: &str) -> bool {
    from.iter().any(|it| context.is_name(it, name))
}

/// The columns of a table in their order, as the script or the schema before it says.
fn columns(context: &Context<'_>, table: &Name) -> Option<Vec<String>> {
    let acts = context.earlier().iter().rev().flat_map(|it| &it.acts);
    for act in acts {
        match act {
            Act::CreateTable(created) if context.is_same(&created.name, table) => {
                let columns: Vec<String> =
                    created.columns.iter().map(|it| it.name.clone()).collect();
                return (!columns.is_empty()).then_some(columns);
            }
            Act::AlterTable { table: altered, .. } if context.is_same(altered, table) => {
                return None;
            }
            Act::Rename { to, .. } if context.is_name(to, &table.name) => return None,
            _ => {}
        }
    }
    let parts = context.before()?.parts(table).iter();
    let mut columns: Vec<(u32, String)> = parts
        .filter(|it| it.id.kind == Kind::Column)
        .filter_map(|it| match &it.facts {
            Facts::SqliteColumn(column) => Some((column.position, it.id.name.clone())),
            _ => None,
        })
        .collect();
    columns.arrange();
    (!columns.is_empty()).then(|| columns.into_iter().map(|it| it.1).collect())
}
