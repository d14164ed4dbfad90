use super::{BOTH, Context, Draft, Facts, Kind, NOTE, Name, Rule, Schema, added, full_name, sql};
use crate::lint::{Act, ConstraintKind, Example, Reference, TableChange};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "foreign-key-without-index",
    code: "L502",
    dialects: BOTH,
    summary: "the columns of a foreign key have no index",
    docs: "A DELETE of a referenced row, or an UPDATE of its key, looks for the rows that refer to it. \
        Without an index that begins with the columns of the foreign key, it reads the whole table, \
        for each row.",
    safe: "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY orders_customer ON orders (customer);",
    silent: "An index or a key begins with the columns, before or after the script; the table of the foreign key was created in the same run, or is known to be small.",
    bad: Example {
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint);",
        sql: "ALTER TABLE orders ADD COLUMN customer bigint REFERENCES customers (id);",
    },
    good: Example {
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint);",
        sql: "ALTER TABLE orders ADD COLUMN customer bigint REFERENCES customers (id);\n\
            CREATE INDEX orders_customer ON orders (customer);",
    },
    check,
    ..NOTE
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let mut keys: Vec<(&Name, Reference)> = Vec::new();
    for (table, constraint) in added(context) {
        if let ConstraintKind::ForeignKey(key) = constraint.kind {
            keys.push((table, key));
        }
    }
    for act in context.acts() {
        if let Act::AlterTable {
            table,
            change: TableChange::AddColumn { column, .. },
        } = act
            && !context.is_young_relation(table)
        {
            for constraint in &column.constraints {
                if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                    keys.push((table, key.clone()));
                }
            }
        }
    }
    let drafts = keys
        .into_iter()
        .filter(|(table, key)| {
            !context.settings.is_small(table) && !has_index(context, table, &key.columns)
        })
        .map(|(table, key)| {
            let columns = sql::words(&key.columns);
            let message = format!(
                "deletes from {} read all of {table}, which has no index on {columns}",
                key.table
            );
            let safe = context
                .script
                .dialect
                .capabilities()
                .replicas
                .then_some(" CONCURRENTLY");
            let name = sql::named(table, &key.columns, "idx");
            let safe = format!(
                "CREATE INDEX{} {} ON {} ({columns});",
                safe.unwrap_or_default(),
                sql::word(&name),
                sql::path(table)
            );
            Draft::new(message).about(table).safe(safe)
        });
    drafts.collect()
}

fn has_index(context: &Context<'_>, table: &Name, columns: &[String]) -> bool {
    if let Some(schema) = context.after().or(context.before())
        && begins_in(context, schema, table, columns)
    {
        return true;
    }
    let mut acts = context.script.statements.iter().flat_map(|it| &it.acts);
    acts.any(|act| match act {
        Act::CreateIndex(index) if context.is_same(&index.table, table) => {
            let keys: Vec<&str> = index.keys.iter().map(|it| it.text.as_str()).collect();
            begins(context, &keys, columns)
        }
        Act::AlterTable {
            table: of,
            change: TableChange::AddConstraint(constraint),
        } if context.is_same(of, table) => match &constraint.kind {
            ConstraintKind::PrimaryKey(keys) | ConstraintKind::Unique(keys) => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                begins(context, &keys, columns)
            }
            _ => false,
        },
        _ => false,
    })
}

/// Whether the first keys are the columns, in any order.
fn begins(context: &Context<'_>, keys: &[&str], columns: &[String]) -> bool {
    let Some(first) = keys.get(..columns.len()) else {
        return false;
    };
    columns
        .iter()
        .all(|column| first.iter().any(|key| context.is_name(key, column)))
}

fn begins_in(context: &Context<'_>, schema: &Schema, table: &Name, columns: &[String]) -> bool {
    let table = full_name(context, schema, table);
    schema.parts(&table).iter().any(|part| {
        let keys: Vec<String> = match &part.facts {
            Facts::Key(key) => key.columns.clone(),
            Facts::Index(index) if index.condition.is_none() => {
                let keys = index.keys.iter().map(|it| it.column.clone());
                keys.map(Option::unwrap_or_default).collect()
            }
            Facts::SqlitePrimaryKey(key) => {
                key.columns.iter().map(|it| it.column.to_string()).collect()
            }
            Facts::SqliteUnique(key) => {
                key.columns.iter().map(|it| it.column.to_string()).collect()
            }
            Facts::SqliteIndex(index) if index.condition.is_none() => {
                let keys = index.keys.iter().map(|it| it.column.as_ref());
                keys.map(|it| it.map(ToString::to_string).unwrap_or_default())
                    .collect()
            }
            _ => return false,
        };
        let is_key = part.id.kind != Kind::Column;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        is_key && begins(context, &keys, columns)
    })
}
