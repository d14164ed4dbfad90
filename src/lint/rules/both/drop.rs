use super::{BOTH, BREAKS, Context, Draft, Kind, Name, ORDERS, Rule, object_in};
use crate::{
    lint::{Act, Example, Level, TableChange},
    schema::ObjectId,
};

/// What is said of what old programs use.
const BREAKS_BOTH: Rule = Rule {
    dialects: BOTH,
    ..BREAKS
};

pub(in crate::lint::rules) static TABLE: Rule = Rule {
    name: "drop-table",
    code: "L201",
    summary: "a table is dropped that programs may use",
    docs: "Programs of before the change that use the table fail from this moment on, and its rows \
        are gone. On SQLite, a table that is made again under its name in the same script is no \
        dropped one.",
    safe: "Drop the table in a revision with `-- migrator: phase = contract`, after the last program that uses it is gone.",
    silent: "In contract revisions; the table was created in the same run, or is made again, or never existed.",
    bad: Example {
        before: ORDERS,
        sql: "DROP TABLE orders;",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (id bigint);\nDROP TABLE orders;",
    },
    check: |context| objects(context, &[Kind::Table, Kind::VirtualTable]),
    ..BREAKS_BOTH
};

pub(in crate::lint::rules) static COLUMN: Rule = Rule {
    name: "drop-column",
    code: "L202",
    summary: "a column is dropped that programs may use",
    docs: "Programs of before the change that name the column fail from this moment on, and so do \
        prepared statements with `SELECT *`; its values are gone. On SQLite, a table that is made \
        again without the column drops it as well.",
    safe: "Drop the column in a revision with `-- migrator: phase = contract`, after the last program that uses it is gone.",
    silent: "In contract revisions; the column or its table was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders DROP COLUMN note;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state text;\nALTER TABLE orders DROP COLUMN state;",
    },
    check: columns,
    ..BREAKS_BOTH
};

pub(in crate::lint::rules) static VIEW: Rule = Rule {
    name: "drop-view",
    code: "L203",
    summary: "a view is dropped that programs may use",
    docs: "Programs of before the change that read the view fail from this moment on.",
    safe: "Drop the view in a revision with `-- migrator: phase = contract`.",
    silent: "In contract revisions; the view was created in the same run, or is made again.",
    bad: Example {
        before: "CREATE TABLE orders (id bigint);\nCREATE VIEW totals AS SELECT id FROM orders;",
        sql: "DROP VIEW totals;",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint);\nCREATE VIEW totals AS SELECT id FROM orders;",
        sql: "DROP VIEW totals;\nCREATE VIEW totals AS SELECT id, 1 AS one FROM orders;",
    },
    check: |context| objects(context, &[Kind::View, Kind::MaterializedView]),
    ..BREAKS_BOTH
};

pub(in crate::lint::rules) static FUNCTION: Rule = Rule {
    name: "drop-function",
    code: "L204",
    dialects: super::super::postgres::POSTGRES,
    summary: "a function is dropped that programs may call",
    docs: "Programs, views and triggers of before the change that call the function fail from this \
        moment on.",
    safe: "Drop the function in a revision with `-- migrator: phase = contract`.",
    silent: "In contract revisions; the function was created in the same run, or one of its name is made again.",
    bad: Example {
        before: "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        sql: "DROP FUNCTION one();",
    },
    good: Example {
        before: "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        sql: "DROP FUNCTION one();\nCREATE FUNCTION one() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';",
    },
    check: |context| objects(context, &[Kind::Function, Kind::Procedure, Kind::Aggregate]),
    ..BREAKS_BOTH
};

pub(in crate::lint::rules) static TYPE: Rule = Rule {
    name: "drop-type",
    code: "L205",
    dialects: super::super::postgres::POSTGRES,
    summary: "a type is dropped that programs may use",
    docs: "Programs of before the change that name the type, as in a cast, fail from this moment on.",
    safe: "Drop the type in a revision with `-- migrator: phase = contract`.",
    silent: "In contract revisions; the type was created in the same run, or one of its name is made again.",
    bad: Example {
        before: "CREATE TYPE state AS ENUM ('new', 'done');",
        sql: "DROP TYPE state;",
    },
    good: Example {
        before: "",
        sql: "CREATE TYPE state AS ENUM ('new', 'done');\nDROP TYPE state;",
    },
    check: |context| objects(context, TYPES),
    ..BREAKS_BOTH
};

const TYPES: &[Kind] = &[Kind::Composite, Kind::Enum, Kind::Domain, Kind::Range];

/// One draft for the objects of these kinds that are gone.
fn objects(context: &Context<'_>, kinds: &[Kind]) -> Vec<Draft> {
    let mut gone: Vec<(Kind, Name)> = Vec::new();
    for act in context.acts() {
        let (kind, name) = match act {
            Act::Drop(object) => (object.kind, &object.name),
            // A function has no other name to go by.
            Act::Rename { kind, name, .. } if *kind == Kind::Function => (*kind, name),
            _ => continue,
        };
        if kinds.contains(&kind) && existed(context, kinds, name) {
            gone.push((kind, name.clone()));
        }
    }
    let effects = context.effects();
    let is_opaque = context
        .acts()
        .iter()
        .any(|act| matches!(act, Act::Opaque { .. } | Act::Unknown));
    if is_opaque && effects.level == Level::Measured {
        let measured = effects.dropped.iter();
        let measured = measured.filter(|id| kinds.contains(&id.kind) && !id.is_part());
        gone.extend(measured.map(|id| (id.kind, id.qualified())));
    }
    gone.retain(|(kind, name)| {
        let is_young = kinds.iter().any(|kind| context.is_young(*kind, name));
        !is_young && !is_made_again(context, *kind, kinds, name)
    });
    let Some((kind, _)) = gone.first() else {
        return Vec::new();
    };
    let kind = if TYPES.contains(kind) {
        "type"
    } else {
        kind.name()
    };
    let names: Vec<&Name> = gone.iter().map(|(_, name)| name).collect();
    let names = crate::lint::wait::list(&names);
    let message = match gone.len() {
        1 => format!("programs that use the {kind} {names} fail"),
        _ => format!("programs that use {names} fail"),
    };
    vec![Draft {
        tables: gone.into_iter().map(|(_, name)| name).collect(),
        ..Draft::new(message)
    }]
}

/// Whether an object of one of the kinds existed, as far as is known.
fn existed(context: &Context<'_>, kinds: &[Kind], name: &Name) -> bool {
    let mut kinds = kinds.iter();
    if let Some(before) = context.before() {
        return kinds.any(|kind| object_in(context, before, *kind, name).is_some())
            || !is_text(context) && was_dropped(context, name);
    }
    is_text(context) || was_dropped(context, name)
}

fn is_text(context: &Context<'_>) -> bool {
    context.effects().level == Level::Text
}

fn was_dropped(context: &Context<'_>, name: &Name) -> bool {
    let mut dropped = context.effects().dropped.iter();
    dropped.any(|id: &ObjectId| context.is_same(&id.qualified(), name))
}

/// Whether there is an object of this name after the script, or a later statement makes one.
pub(super) fn is_made_again(
    context: &Context<'_>,
    kind: Kind,
    kinds: &[Kind],
    name: &Name,
) -> bool {
    let is_later =
        |id: &ObjectId| kinds.contains(&id.kind) && context.is_same(&id.qualified(), name);
    if context.script.later.iter().any(is_later) {
        return true;
    }
    if let Some(after) = context.after() {
        let mut kinds = kinds.iter().chain([&kind]);
        return kinds.any(|kind| object_in(context, after, *kind, name).is_some());
    }
    let mut acts = context.later().iter().flat_map(|it| &it.acts);
    acts.any(|act| match act {
        Act::CreateTable(table) => context.is_same(&table.name, name),
        Act::CreateView { name: made, .. } | Act::CreateDomain { name: made, .. } => {
            context.is_same(made, name)
        }
        Act::Create {
            kind: made_kind,
            name: made,
            ..
        } => kinds.contains(made_kind) && context.is_same(made, name),
        Act::Rename { to, .. } => context.is_name(to, &name.name),
        _ => false,
    })
}

fn columns(context: &Context<'_>) -> Vec<Draft> {
    let mut gone: Vec<(Name, String)> = Vec::new();
    for act in context.acts() {
        match act {
            Act::AlterTable {
                table,
                change: TableChange::DropColumn { column, .. },
            } if !context.is_young_part(Kind::Column, table, column) => {
                gone.push((table.clone(), column.clone()));
            }
            Act::Drop(object) if object.kind == Kind::Table => {
                let lost = left_out(context, &object.name);
                gone.extend(lost.into_iter().map(|it| (object.name.clone(), it)));
            }
            _ => {}
        }
    }
    let Some((table, _)) = gone.first() else {
        return Vec::new();
    };
    let table = table.clone();
    let columns: Vec<String> = gone
        .iter()
        .map(|(table, column)| format!("{table}.{}", super::sql::word(column)))
        .collect();
    let message = format!("programs that use {} fail", columns.join(", "));
    vec![Draft::new(message).about(&table)]
}

/// The columns that a table has before the script and not after it, although it is made again.
fn left_out(context: &Context<'_>, table: &Name) -> Vec<String> {
    let (Some(before), Some(after)) = (context.before(), context.after()) else {
        return Vec::new();
    };
    let in_both = |schema| object_in(context, schema, Kind::Table, table);
    let (Some(old), Some(new)) = (in_both(before), in_both(after)) else {
        return Vec::new();
    };
    let columns = before.parts(&old.qualified()).iter();
    let columns = columns.filter(|it| it.id.kind == Kind::Column);
    let new = after.parts(&new.qualified());
    let is_gone = |name: &String| {
        let mut new = new.iter().filter(|it| it.id.kind == Kind::Column);
        !new.any(|it| context.is_name(&it.id.name, name))
    };
    let names = columns.map(|it| it.id.name.clone());
    let is_renamed = |name: &String| {
        let earlier = context.earlier().iter().flat_map(|it| &it.acts);
        earlier.clone().any(|act| match act {
            Act::AlterTable {
                change: TableChange::RenameColumn { from, .. },
                ..
            } => context.is_name(from, name),
            Act::AlterTable {
                change: TableChange::DropColumn { column, .. },
                ..
            } => context.is_name(column, name),
            _ => false,
        })
    };
    names.filter(is_gone).filter(|it| !is_renamed(it)).collect()
}
