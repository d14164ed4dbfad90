use super::{
    BLOCKS_POSTGRES, Constraint, Context, Draft, Fix, ORDERS, Rule, Safe, drop_constraint, sql,
    waiting,
};
use crate::lint::{Act, Example, Statement, TableChange};

const NAME: &str = "validate-in-same-transaction";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L108",
    summary: "a constraint is validated under the lock that added it",
    docs: "VALIDATE CONSTRAINT itself lets reads and writes go on. In the transaction that added the \
        constraint, or changed the table otherwise, it reads all rows under the lock of that \
        statement, in all versions: NOT VALID has won nothing. The header `transaction = off` helps as \
        well.",
    safe: "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n\
        -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
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
        let statement = context.statement().sql.clone();
        match reversal(context) {
            Some(following_down) => Some(Safe::fix(Fix {
                following: vec![statement],
                following_down,
                ..Fix::default()
            })),
            None => Some(Safe::text(format!("-- in a later revision\n{statement};"))),
        }
    })
}

/// The statements after which the constraint is not validated: it is made again as the script makes
/// it.
fn reversal(context: &Context<'_>) -> Option<Vec<String>> {
    let (table, change) = sql::only_change(context)?;
    let TableChange::ValidateConstraint(name) = change else {
        return None;
    };
    let adds = |statement: &&Statement| match statement.acts.as_slice() {
        [Act::AlterTable { table: of, change }] => {
            let is_it = |it: &Constraint| it.name.as_ref() == Some(name) && it.not_valid;
            context.is_same(of, table)
                && matches!(change, TableChange::AddConstraint(added) if is_it(added))
        }
        _ => false,
    };
    let adding = context.earlier().iter().find(adds)?;
    Some(vec![drop_constraint(table, name), adding.sql.clone()])
}
