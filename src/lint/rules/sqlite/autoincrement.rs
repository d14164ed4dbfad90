use super::{Context, Draft, LOSES, Name, Rule, SQLITE, rebuilt, sql};
use crate::{
    lint::{Act, Example, Severity},
    schema::{Facts, Schema},
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "autoincrement-restarts",
    code: "L405",
    dialects: SQLITE,
    severity: Severity::Warning,
    summary: "IDs of deleted rows are given again",
    docs: "AUTOINCREMENT promises that no ID is given twice; the last one is in sqlite_sequence. DROP \
        TABLE deletes it there. A table that is made again starts after its largest row: the IDs of \
        deleted rows behind it come back.",
    safe: "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'orders') WHERE name = 'orders_new';",
    silent: "The script writes to sqlite_sequence; the table has no AUTOINCREMENT before or after the script.",
    bad: Example {
        before: "CREATE TABLE orders (id integer PRIMARY KEY AUTOINCREMENT);",
        sql: "CREATE TABLE orders_new (id integer PRIMARY KEY AUTOINCREMENT, note text);\n\
            INSERT INTO orders_new (id) SELECT id FROM orders;\n\
            DROP TABLE orders;\nALTER TABLE orders_new RENAME TO orders;",
    },
    good: Example {
        before: "CREATE TABLE orders (id integer PRIMARY KEY AUTOINCREMENT);",
        sql: "CREATE TABLE orders_new (id integer PRIMARY KEY AUTOINCREMENT, note text);\n\
            INSERT INTO orders_new (id) SELECT id FROM orders;\n\
            UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'orders') WHERE name = 'orders_new';\n\
            DROP TABLE orders;\nALTER TABLE orders_new RENAME TO orders;",
    },
    check,
    ..LOSES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let (Some(before), Some(after)) = (context.before(), context.after()) else {
        return Vec::new();
    };
    let mut statements = context.script.statements.iter();
    let keeps = statements.any(|it| {
        let changes = it.acts.iter().any(|act| matches!(act, Act::ChangeRows(_)));
        changes && it.sql.to_ascii_lowercase().contains("sqlite_sequence")
    });
    if keeps {
        return Vec::new();
    }
    let tables = rebuilt(context).into_iter().filter(|table| {
        let is_it = |schema| has_autoincrement(context, schema, table);
        is_it(before) && is_it(after)
    });
    let drafts = tables.map(|table| {
        let name = table.name.replace('\'', "''");
        let message = format!("{table} gives IDs of deleted rows again");
        let safe = format!(
            "-- before {}\n\
             UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = '{name}') WHERE name = '{name}_new';",
            sql::word("DROP TABLE").trim_matches('"')
        );
        Draft::new(message).about(table).safe(safe)
    });
    drafts.collect()
}

fn has_autoincrement(context: &Context<'_>, schema: &Schema, table: &Name) -> bool {
    schema.objects.iter().any(|object| match &object.facts {
        Facts::SqliteTable(facts) => {
            facts.autoincrement && context.is_same(&object.id.qualified(), table)
        }
        _ => false,
    })
}
