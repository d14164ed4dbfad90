use super::{
    BREAKS, Context, Draft, Kind, LOSES, Name, Rule, SQLITE, has_table, is_legacy, is_made_again,
    one,
};
use crate::{
    lint::{Act, ConstraintKind, Example, TableChange},
    revision::ForeignKeys,
    schema::{Facts, Schema},
};

const BREAKS_SQLITE: Rule = Rule {
    dialects: SQLITE,
    allowed_in: None,
    ..BREAKS
};

pub(in crate::lint::rules) static RENAME_OLD_FIRST: Rule = Rule {
    name: "rename-old-first",
    code: "L214",
    summary: "foreign keys follow the old table to its new name",
    docs: "Since SQLite 3.26, ALTER TABLE … RENAME changes the foreign keys and triggers of other tables \
        to the new name, unless legacy_alter_table is on. A script that renames the old table first, \
        creates the new one and drops the old one leaves them pointing to a table that does not exist.",
    safe: "CREATE TABLE orders_new (…);\nINSERT INTO orders_new (…) SELECT … FROM orders;\n\
        DROP TABLE orders;\nALTER TABLE orders_new RENAME TO orders;",
    silent: "The table does not come back under its name, or the renamed one is not dropped; no foreign key refers to it, where the schema is known.",
    bad: Example {
        before: "CREATE TABLE customers (id integer PRIMARY KEY);\nCREATE TABLE orders (customer integer REFERENCES customers);",
        sql: "ALTER TABLE customers RENAME TO customers_old;\n\
            CREATE TABLE customers (id integer PRIMARY KEY, name text);\n\
            INSERT INTO customers (id) SELECT id FROM customers_old;\nDROP TABLE customers_old;",
    },
    good: Example {
        before: "CREATE TABLE customers (id integer PRIMARY KEY);\nCREATE TABLE orders (customer integer REFERENCES customers);",
        sql: "CREATE TABLE customers_new (id integer PRIMARY KEY, name text);\n\
            INSERT INTO customers_new (id) SELECT id FROM customers;\n\
            DROP TABLE customers;\nALTER TABLE customers_new RENAME TO customers;",
    },
    check: renamed_first,
    ..BREAKS_SQLITE
};

fn renamed_first(context: &Context<'_>) -> Vec<Draft> {
    let renamed = context.acts().iter().find_map(|act| match act {
        Act::Rename {
            kind: Kind::Table,
            name,
            to,
        } if is_made_again(context, name) => Some((name, to)),
        _ => None,
    });
    let Some((name, to)) = renamed else {
        return Vec::new();
    };
    let mut later = context.later().iter().flat_map(|it| &it.acts);
    let is_dropped = later.any(|act| match act {
        Act::Drop(object) => object.kind == Kind::Table && context.is_name(&object.name.name, to),
        _ => false,
    });
    if !is_dropped || is_legacy(context) {
        return Vec::new();
    }
    // Where the schema after the script is known, it says what dangles.
    if let Some(after) = context.after() {
        let dangles = dangling(context, after);
        let of_old: Vec<&Name> = dangles
            .iter()
            .filter(|(_, parent)| context.is_name(&parent.name, to))
            .map(|(child, _)| child)
            .collect();
        if of_old.is_empty() {
            return Vec::new();
        }
        let children = crate::lint::wait::list(&of_old);
        let message =
            format!("the foreign keys of {children} follow {name} to {to}, which is dropped");
        return vec![Draft::new(message).about(name)];
    }
    let message = format!(
        "foreign keys and triggers that refer to {name} follow it to {to}, which is dropped"
    );
    vec![Draft::new(message).about(name)]
}

/// The foreign keys whose table does not exist: the tables that they are of, and that they name.
fn dangling(context: &Context<'_>, schema: &Schema) -> Vec<(Name, Name)> {
    let mut found = Vec::new();
    for object in &schema.objects {
        if let (Facts::SqliteForeignKey(key), Some(child)) =
            (&object.facts, object.id.parent_name())
        {
            let parent = Name::new("", key.references.to_string());
            let pair = (child, parent);
            let is_there = has_table(context, schema, &pair.1) || context.is_made_later(&pair.1);
            if !is_there && !found.contains(&pair) {
                found.push(pair);
            }
        }
    }
    found
}

pub(in crate::lint::rules) static DANGLING: Rule = Rule {
    name: "dangling-foreign-key",
    code: "L215",
    summary: "a foreign key refers to a table that does not exist",
    docs: "SQLite accepts a foreign key to a table that does not exist, in all versions. As soon as \
        foreign keys are enforced, every INSERT that gives its column fails with \"no such table\". \
        foreign_key_check says nothing while the table is empty.",
    safe: "Create the referenced table, or correct its name.",
    silent: "The table exists after the script, or a later script of the run makes it.",
    bad: Example {
        before: "",
        sql: "CREATE TABLE orders (customer integer REFERENCES custmers (id));",
    },
    good: Example {
        before: "CREATE TABLE customers (id integer PRIMARY KEY);",
        sql: "CREATE TABLE orders (customer integer REFERENCES customers (id));",
    },
    check: check_dangling,
    ..BREAKS_SQLITE
};

fn check_dangling(context: &Context<'_>) -> Vec<Draft> {
    let Some(after) = context.after() else {
        return Vec::new();
    };
    let before = context
        .before()
        .map(|it| dangling(context, it))
        .unwrap_or_default();
    let new = dangling(context, after);
    let new = new.into_iter().filter(|pair| !before.contains(pair));
    let drafts = new
        .filter(|(child, parent)| makes(context, child, parent))
        .map(|(child, parent)| {
            let message = format!(
                "writes of {child} fail, which refers to {parent}, and there is no such table"
            );
            Draft::new(message).about(&child)
        });
    drafts.collect()
}

/// Whether this statement is the last that is about the foreign key or its table.
fn makes(context: &Context<'_>, child: &Name, parent: &Name) -> bool {
    let is_about = |act: &Act| match act {
        Act::CreateTable(table) => {
            let of_columns = table.columns.iter().flat_map(|it| &it.constraints);
            let mut all = of_columns.chain(&table.constraints);
            all.any(|it| match &it.kind {
                ConstraintKind::ForeignKey(key) => context.is_same(&key.table, parent),
                _ => false,
            })
        }
        Act::AlterTable {
            table,
            change: TableChange::AddColumn { .. },
        } => context.is_same(table, child),
        Act::Drop(object) => context.is_same(&object.name, parent),
        Act::Rename { name, to, .. } => {
            context.is_same(name, parent) || context.is_name(to, &child.name)
        }
        _ => false,
    };
    let is_later = context
        .later()
        .iter()
        .any(|it| it.acts.iter().any(is_about));
    context.acts().iter().any(is_about) && !is_later
}

pub(in crate::lint::rules) static CASCADES: Rule = Rule {
    name: "drop-table-cascades",
    code: "L403",
    dialects: SQLITE,
    summary: "DROP TABLE deletes the rows that refer to it",
    docs: "While foreign keys are enforced, DROP TABLE first deletes all rows of the table, and ON DELETE \
        CASCADE deletes those that refer to them, in all versions. migrator runs scripts with foreign \
        keys off, unless the header says `foreign-keys = on`.",
    safe: "Leave the header `foreign-keys` out: the violations are checked before the commit.",
    silent: "The header is not `foreign-keys = on`; no foreign key with ON DELETE CASCADE refers to the table.",
    bad: Example {
        before: "CREATE TABLE customers (id integer PRIMARY KEY);\n\
            CREATE TABLE orders (customer integer REFERENCES customers ON DELETE CASCADE);",
        sql: "-- migrator: foreign-keys = on\nDROP TABLE customers;",
    },
    good: Example {
        before: "CREATE TABLE customers (id integer PRIMARY KEY);\n\
            CREATE TABLE orders (customer integer REFERENCES customers ON DELETE CASCADE);",
        sql: "DROP TABLE customers;",
    },
    check: check_cascades,
    ..LOSES
};

fn check_cascades(context: &Context<'_>) -> Vec<Draft> {
    if context.script.headers.foreign_keys != Some(ForeignKeys::On) {
        return Vec::new();
    }
    let dropped = context.acts().iter().find_map(|act| match act {
        Act::Drop(object) if object.kind == Kind::Table => Some(&object.name),
        _ => None,
    });
    let draft = dropped.and_then(|table| {
        let objects = context.before().into_iter().flat_map(|it| &it.objects);
        let children = objects.filter_map(|object| match &object.facts {
            Facts::SqliteForeignKey(key)
                if context.is_name(&key.references, &table.name)
                    && key.on_delete.as_deref() == Some("CASCADE") =>
            {
                object.id.parent_name()
            }
            _ => None,
        });
        let children: Vec<Name> = children.filter(|it| !context.is_same(it, table)).collect();
        let children: Vec<&Name> = children.iter().collect();
        (!children.is_empty()).then(|| {
            let message = format!(
                "the rows of {} that refer to {table} are deleted",
                crate::lint::wait::list(&children)
            );
            Draft::new(message).about(table)
        })
    });
    one(draft)
}
