use super::{BOTH, BREAKS, Context, Draft, Kind, Name, ORDERS, Rule, drop::is_made_again, sql};
use crate::lint::{Act, Example, TableChange};

const BREAKS_BOTH: Rule = Rule {
    dialects: BOTH,
    ..BREAKS
};

pub(in crate::lint::rules) static TABLE: Rule = Rule {
    name: "rename-table",
    code: "L206",
    summary: "a table or view gets another name",
    docs: "Programs of before the change that use the old name fail from this moment on; those of \
        after it fail until this moment. There is no time at which both work. SET SCHEMA does the \
        same.",
    safe: "ALTER TABLE orders RENAME TO purchases;\nCREATE VIEW orders AS SELECT * FROM purchases;\n\
        -- in a contract revision\nDROP VIEW orders;",
    silent: "In contract revisions; the table was created in the same run, or something has the old name afterwards.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders RENAME TO purchases;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders RENAME TO purchases;\nCREATE VIEW orders AS SELECT * FROM purchases;",
    },
    check: tables,
    ..BREAKS_BOTH
};

const RELATIONS: &[Kind] = &[
    Kind::Table,
    Kind::VirtualTable,
    Kind::View,
    Kind::MaterializedView,
];

fn tables(context: &Context<'_>) -> Vec<Draft> {
    let renamed = context.acts().iter().filter_map(|act| match act {
        Act::Rename { kind, name, to } if RELATIONS.contains(kind) => {
            Some((*kind, name, Name::new(name.schema.clone(), to.clone())))
        }
        Act::SetSchema { kind, name, schema } if RELATIONS.contains(kind) => {
            Some((*kind, name, Name::new(schema.clone(), name.name.clone())))
        }
        _ => None,
    });
    let drafts = renamed
        .filter(|(kind, name, _)| {
            !context.is_young_relation(name) && !is_made_again(context, *kind, RELATIONS, name)
        })
        .map(|(_, name, to)| {
            let message = format!("programs that use {name} fail, which is now {to}");
            let (old, new) = (sql::path(name), sql::path(&to));
            let safe = format!(
                "{};\nCREATE VIEW {old} AS SELECT * FROM {new};\n-- in a contract revision\nDROP VIEW {old};",
                context.statement().sql
            );
            Draft::new(message).about(name).safe(safe)
        });
    drafts.collect()
}

pub(in crate::lint::rules) static COLUMN: Rule = Rule {
    name: "rename-column",
    code: "L207",
    summary: "a column gets another name",
    docs: "Programs of before the change that name the column fail from this moment on; those of after \
        it fail until this moment. There is no time at which both work.",
    safe: "Add a column with the new name, keep both the same by a trigger, fill it in batches, and \
        drop the old one in a contract revision.",
    silent: "In contract revisions; the column or its table was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders RENAME COLUMN note TO remark;",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (note text);\nALTER TABLE orders RENAME COLUMN note TO remark;",
    },
    check: columns,
    ..BREAKS_BOTH
};

fn columns(context: &Context<'_>) -> Vec<Draft> {
    let renamed = context.acts().iter().filter_map(|act| match act {
        Act::AlterTable {
            table,
            change: TableChange::RenameColumn { from, to },
        } if !context.is_young_part(Kind::Column, table, from) => Some((table, from, to)),
        _ => None,
    });
    let drafts = renamed.map(|(table, from, to)| {
        let (from, to) = (sql::word(from), sql::word(to));
        let message = format!("programs that use {table}.{from} fail, which is now {to}");
        Draft::new(message).about(table)
    });
    drafts.collect()
}

pub(in crate::lint::rules) static VALUE: Rule = Rule {
    name: "rename-enum-value",
    code: "L208",
    dialects: super::super::postgres::POSTGRES,
    summary: "a value of an enum gets another name",
    docs: "Programs of before the change that write or compare the old value fail from this moment on, \
        and read a value that they do not know.",
    safe: "Add the new value, write it from the new program on, and change the rows in batches.",
    silent: "In contract revisions; the type was created in the same run.",
    bad: Example {
        before: "CREATE TYPE state AS ENUM ('new', 'done');",
        sql: "ALTER TYPE state RENAME VALUE 'done' TO 'finished';",
    },
    good: Example {
        before: "CREATE TYPE state AS ENUM ('new', 'done');",
        sql: "ALTER TYPE state ADD VALUE 'finished';",
    },
    check: values,
    ..BREAKS_BOTH
};

fn values(context: &Context<'_>) -> Vec<Draft> {
    let renamed = context.acts().iter().filter_map(|act| match act {
        Act::RenameValue { name, from, to } if !context.is_young(Kind::Enum, name) => Some(
            format!("programs that use the value '{from}' of {name} fail, which is now '{to}'"),
        ),
        _ => None,
    });
    renamed.map(Draft::new).collect()
}

pub(in crate::lint::rules) static SCHEMA: Rule = Rule {
    name: "rename-schema",
    code: "L209",
    dialects: super::super::postgres::POSTGRES,
    summary: "a schema gets another name",
    docs: "Programs of before the change that name the schema, or have it in their search_path, fail \
        from this moment on.",
    safe: "Rename the schema in a revision with `-- migrator: phase = contract`.",
    silent: "In contract revisions; the schema was created in the same run.",
    bad: Example {
        before: "CREATE SCHEMA shop;",
        sql: "ALTER SCHEMA shop RENAME TO store;",
    },
    good: Example {
        before: "",
        sql: "CREATE SCHEMA shop;\nALTER SCHEMA shop RENAME TO store;",
    },
    check: schemas,
    ..BREAKS_BOTH
};

fn schemas(context: &Context<'_>) -> Vec<Draft> {
    let renamed = context.acts().iter().filter_map(|act| match act {
        Act::Rename {
            kind: Kind::Schema,
            name,
            to,
        } if !context.is_young(Kind::Schema, name) => Some(format!(
            "programs that use the schema {name} fail, which is now {to}"
        )),
        _ => None,
    });
    renamed.map(Draft::new).collect()
}
