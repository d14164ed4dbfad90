use super::{BLOCKS_POSTGRES, Context, Draft, Fix, ORDERS, Rule, Safe, waiting};
use crate::lint::Example;

const NAME: &str = "validate-in-same-transaction";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L108",
    summary: "a constraint is validated under the lock that added it",
    docs: "VALIDATE CONSTRAINT itself lets reads and writes go on. In the transaction that added the \
        constraint, or changed the table otherwise, it reads all rows under the lock of that \
        statement, in all versions: NOT VALID has won nothing.",
    safe: "Put VALIDATE CONSTRAINT into a revision of its own, or use the header `transaction = off`.",
    silent: "No earlier statement of the transaction holds a lock on the table.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n\
            ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
    },
    good: Example {
        before: "CREATE TABLE orders (total integer);\n\
            ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;",
        sql: "ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, NAME, || {
        Some(Safe::fix(Fix {
            following: vec![context.statement().sql.clone()],
            ..Fix::default()
        }))
    })
}
