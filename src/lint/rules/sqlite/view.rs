use super::{Context, Draft, FAILS, Name, Rule, SQLITE, is_legacy, one};
use crate::{
    lint::{Act, Example, TableChange},
    schema::{Facts, Kind},
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "view-blocks-rename",
    code: "L303",
    dialects: SQLITE,
    summary: "a rename fails, since a view names what is gone",
    docs: "ALTER TABLE … RENAME reads all views and triggers, since SQLite 3.25. It fails if one of them \
        names a table that does not exist: as in a rebuild, between DROP TABLE and the rename.",
    safe: "DROP VIEW totals;\n-- make the table again, then\nCREATE VIEW totals AS …;",
    silent: "No view names the table, or it is dropped before; PRAGMA legacy_alter_table is on.",
    bad: Example {
        before: "CREATE TABLE orders (id integer);\nCREATE VIEW totals AS SELECT id FROM orders;",
        sql: "CREATE TABLE orders_new (id integer, note text);\nDROP TABLE orders;\n\
            ALTER TABLE orders_new RENAME TO orders;",
    },
    good: Example {
        before: "CREATE TABLE orders (id integer);\nCREATE VIEW totals AS SELECT id FROM orders;",
        sql: "DROP VIEW totals;\nCREATE TABLE orders_new (id integer, note text);\nDROP TABLE orders;\n\
            ALTER TABLE orders_new RENAME TO orders;\nCREATE VIEW totals AS SELECT id FROM orders;",
    },
    check,
    ..FAILS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let is_rename = context.acts().iter().any(|act| match act {
        Act::Rename { .. } => true,
        Act::AlterTable { change, .. } => matches!(
            change,
            TableChange::RenameColumn { .. } | TableChange::DropColumn { .. }
        ),
        _ => false,
    });
    let earlier = || context.earlier().iter().flat_map(|it| &it.acts);
    if !is_rename || is_legacy(context) {
        return Vec::new();
    }
    let dropped: Vec<&Name> = earlier()
        .filter_map(|act| match act {
            Act::Drop(object) if object.kind == Kind::Table => Some(&object.name),
            _ => None,
        })
        .filter(|table| !earlier().any(|act| is_made(context, act, table)))
        .collect();
    let objects = context.before().into_iter().flat_map(|it| &it.objects);
    let views = objects.filter_map(|object| match &object.facts {
        Facts::SqliteView(view) => Some((&object.id, view)),
        _ => None,
    });
    let kept = views.filter(|(id, _)| {
        !earlier().any(|act| match act {
            Act::Drop(object) => {
                object.kind == Kind::View && context.is_name(&object.name.name, &id.name)
            }
            _ => false,
        })
    });
    let mut blocked = kept.filter_map(|(id, view)| {
        let names: Vec<_> = view.query.names().collect();
        let table = dropped
            .iter()
            .find(|table| names.iter().any(|it| it.eq_ignore_ascii_case(&table.name)))?;
        Some(format!(
            "the statement fails, since the view {} names {table}, which is gone at this moment",
            id.name
        ))
    });
    one(blocked.next().map(Draft::new))
}

/// Whether an act makes the table again.
fn is_made(context: &Context<'_>, act: &Act, table: &Name) -> bool {
    match act {
        Act::CreateTable(created) => context.is_same(&created.name, table),
        Act::Rename { to, .. } => context.is_name(to, &table.name),
        _ => false,
    }
}
