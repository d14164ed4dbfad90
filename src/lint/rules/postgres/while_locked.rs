use super::{BLOCKS_POSTGRES, ORDERS, Rule, Safe, waiting};
use crate::lint::{Example, wait::WORK_WHILE_LOCKED};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: WORK_WHILE_LOCKED,
    code: "L112",
    summary: "rows are read or changed while an earlier statement's lock is held",
    docs: "A lock is held to the end of its transaction, in all versions. A query, UPDATE or index \
        build on the same table after an ALTER TABLE runs while reads and writes of others wait, for \
        as long as it takes.",
    safe: "ALTER TABLE orders ADD COLUMN state text;\n\
        -- in a revision with transaction = off\n-- migrator: batch\n\
        UPDATE orders SET state = 'new' WHERE id IN (SELECT id FROM orders WHERE state IS NULL LIMIT 1000);",
    silent: "No earlier statement of the transaction holds a lock on the table, or the table was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state text;\nUPDATE orders SET state = 'new' WHERE state IS NULL;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state text;",
    },
    check: |context| {
        waiting(context, WORK_WHILE_LOCKED, || {
            let statement = &context.statement().sql;
            let text = match statement.len() {
                0..400 => format!("-- in a later revision\n{statement};"),
                _ => "-- this statement in a later revision".to_owned(),
            };
            Some(Safe::text(text))
        })
    },
    ..BLOCKS_POSTGRES
};
