use super::{BLOCKS, Context, Draft, ORDERS, Rule, SQLITE};
use crate::lint::{Act, Example, Severity, TableChange, WorkKind};

/// What is said of the only writer of a file.
const BLOCKS_SQLITE: Rule = Rule {
    dialects: SQLITE,
    severity: Severity::Warning,
    ..BLOCKS
};

pub(in crate::lint::rules) static DROP_COLUMN: Rule = Rule {
    name: "drop-column-rewrites",
    code: "L121",
    summary: "the whole table is written for a dropped column",
    docs: "ALTER TABLE DROP COLUMN, since SQLite 3.35, writes every row of the table anew while no \
        other connection can write to the file. It refuses columns that are indexed, unique, a key, \
        or used by a view or trigger.",
    safe: "Leave the column where it is until the table is made again for another reason.",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders DROP COLUMN note;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders RENAME COLUMN note TO remark;",
    },
    check: |context| {
        let is_it = |change: &TableChange| matches!(change, TableChange::DropColumn { .. });
        altered(context, is_it, "is written anew")
    },
    ..BLOCKS_SQLITE
};

pub(in crate::lint::rules) static ADD_COLUMN: Rule = Rule {
    name: "add-column-check-scans",
    code: "L122",
    severity: Severity::Note,
    summary: "all rows are read for the CHECK of a new column",
    docs: "ADD COLUMN with a CHECK, or with NOT NULL and a generated value, reads all rows while no \
        other connection can write to the file.",
    safe: "ALTER TABLE orders ADD COLUMN state text;",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state text CHECK (state <> '');",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state text;",
    },
    check: |context| {
        let is_it = |change: &TableChange| matches!(change, TableChange::AddColumn { .. });
        altered(context, is_it, "is read")
    },
    ..BLOCKS_SQLITE
};

/// The draft about an ALTER TABLE with work.
fn altered(context: &Context<'_>, is_it: fn(&TableChange) -> bool, what: &str) -> Vec<Draft> {
    let altered = context.acts().iter().filter_map(|act| match act {
        Act::AlterTable { table, change } if is_it(change) => Some(table),
        _ => None,
    });
    let works = &context.effects().works;
    let drafts = altered
        .filter(|table| works.iter().any(|it| context.is_same(&it.relation, table)))
        .map(|table| {
            Draft::new(format!("no other can write while all of {table} {what}")).about(table)
        });
    drafts.collect()
}

pub(in crate::lint::rules) static CREATE_INDEX: Rule = Rule {
    name: "create-index",
    code: "L123",
    severity: Severity::Note,
    summary: "no other can write while an index is built",
    docs: "SQLite has one writer a file: while CREATE INDEX reads and sorts all rows, other writers \
        wait, and give up after their busy timeout.",
    safe: "Run the revision when few others write.",
    silent: "The table was created in the same run, is made again by the script, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "CREATE INDEX orders_customer ON orders (customer);",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (customer integer);\nCREATE INDEX orders_customer ON orders (customer);",
    },
    check,
    ..BLOCKS_SQLITE
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let works = context.effects().works.iter();
    let built = works.filter(|it| matches!(it.kind, WorkKind::Build { .. }));
    let drafts = built
        .filter(|it| !context.is_young_relation(&it.relation))
        .map(|it| {
            let message = format!(
                "no other can write while an index on {} is built",
                it.relation
            );
            Draft::new(message).about(&it.relation)
        });
    drafts.take(1).collect()
}
