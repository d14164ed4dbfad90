use super::{BLOCKS_POSTGRES, ORDERS, Rule, not_valid, waiting};
use crate::lint::Example;

const NAME: &str = "add-check";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L106",
    summary: "a CHECK is checked for all rows while reads and writes wait",
    docs: "ADD CHECK, also as a part of ADD COLUMN, reads all rows under an ACCESS EXCLUSIVE lock, \
        in all versions. NOT VALID checks new rows alone; VALIDATE CONSTRAINT in another transaction \
        checks the others while reads and writes go on.",
    safe: "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n\
        -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0);",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;",
    },
    check: |context| waiting(context, NAME, || not_valid(context)),
    ..BLOCKS_POSTGRES
};
