use super::{BLOCKS_POSTGRES, Context, Draft, Fix, Rule, Safe, sql, waiting};
use crate::lint::{Act, Example, Severity, TableChange};

const NAME: &str = "attach-partition-scan";

pub(in crate::lint::rules) static ATTACH: Rule = Rule {
    name: NAME,
    code: "L118",
    summary: "all rows of a partition are read while reads and writes of it wait",
    docs: "ATTACH PARTITION reads all rows of the new partition under an ACCESS EXCLUSIVE lock on it, \
        to check that they belong there; a new partition beside a default one has the default one \
        read in the same way. A valid CHECK constraint that says what the bounds say spares the \
        scan, in all versions.",
    safe: "ALTER TABLE orders_2024 ADD CONSTRAINT orders_2024_bounds CHECK (year IS NOT NULL AND year = 2024) NOT VALID;\n\
        -- in a later revision\nALTER TABLE orders_2024 VALIDATE CONSTRAINT orders_2024_bounds;\n\
        -- in one more\nALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES IN (2024);\n\
        ALTER TABLE orders_2024 DROP CONSTRAINT orders_2024_bounds;",
    silent: "The partition was created in the same run, or a CHECK of it is known.",
    bad: Example {
        before: "CREATE TABLE orders (year int) PARTITION BY LIST (year);\nCREATE TABLE orders_2024 (year int);",
        sql: "ALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES IN (2024);",
    },
    good: Example {
        before: "CREATE TABLE orders (year int) PARTITION BY LIST (year);",
        sql: "CREATE TABLE orders_2024 (year int);\nALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES IN (2024);",
    },
    check: |context| waiting(context, NAME, || None),
    ..BLOCKS_POSTGRES
};

pub(in crate::lint::rules) static DETACH: Rule = Rule {
    name: "detach-partition",
    code: "L119",
    severity: Severity::Warning,
    summary: "a partition is detached while reads and writes of the whole table wait",
    docs: "DETACH PARTITION takes ACCESS EXCLUSIVE locks on the partitioned table and the partition. \
        Since PostgreSQL 14, CONCURRENTLY lets reads and writes go on, if there is no default \
        partition.",
    safe: "-- migrator: transaction = off\nALTER TABLE orders DETACH PARTITION orders_2024 CONCURRENTLY;",
    silent: "CONCURRENTLY or FINALIZE is given, or the partitioned table was created in the same run.",
    bad: Example {
        before: "CREATE TABLE orders (year int) PARTITION BY LIST (year);\nCREATE TABLE orders_2024 PARTITION OF orders FOR VALUES IN (2024);",
        sql: "ALTER TABLE orders DETACH PARTITION orders_2024;",
    },
    good: Example {
        before: "CREATE TABLE orders (year int) PARTITION BY LIST (year);\nCREATE TABLE orders_2024 PARTITION OF orders FOR VALUES IN (2024);",
        sql: "ALTER TABLE orders DETACH PARTITION orders_2024 CONCURRENTLY;",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let detached = context.acts().iter().filter_map(|act| match act {
        Act::AlterTable {
            table,
            change:
                TableChange::Detach {
                    partition,
                    concurrently: false,
                },
        } if !context.is_young_relation(table) => Some((table, partition)),
        _ => None,
    });
    let drafts = detached.map(|(table, partition)| {
        let message = format!("reads and writes of {table} wait while {partition} is detached");
        let draft = Draft::new(message).about(table);
        if !context.is_since(14) {
            return draft;
        }
        let (parent, part) = (sql::path(table), sql::path(partition));
        let safe = Safe::fix(Fix {
            replace: vec![format!(
                "ALTER TABLE {parent} DETACH PARTITION {part} CONCURRENTLY"
            )],
            transaction_off: true,
            ..Fix::default()
        });
        let draft = draft.safe(safe.text);
        match safe.fix.filter(|_| context.acts().len() == 1) {
            Some(fix) => draft.fix(fix),
            None => draft,
        }
    });
    drafts.collect()
}
