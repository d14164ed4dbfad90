use super::{
    BLOCKS_POSTGRES, Context, Draft, Fix, ORDERS, Rule, Safe, drop_constraint, sql, validate,
    waiting,
};
use crate::lint::{ColumnChange, Example, TableChange};

const NAME: &str = "set-not-null";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L107",
    summary: "all rows are read for NOT NULL while reads and writes wait",
    docs: "SET NOT NULL reads all rows under an ACCESS EXCLUSIVE lock. Since PostgreSQL 12 it reads \
        none where a valid CHECK (column IS NOT NULL) exists, which is added NOT VALID and validated \
        while reads and writes go on. Since PostgreSQL 18 there is also ADD CONSTRAINT … NOT NULL … \
        NOT VALID.",
    safe: "ALTER TABLE orders ADD CONSTRAINT orders_total_not_null_check CHECK (total IS NOT NULL) NOT VALID;\n\
        -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_not_null_check;\n\
        ALTER TABLE orders ALTER COLUMN total SET NOT NULL;\n\
        ALTER TABLE orders DROP CONSTRAINT orders_total_not_null_check;",
    silent: "A valid CHECK says that the column is not NULL, or the column is NOT NULL already, or the table was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ALTER COLUMN total SET NOT NULL;",
    },
    good: Example {
        before: "CREATE TABLE orders (total integer, CONSTRAINT orders_total_not_null_check CHECK (total IS NOT NULL));",
        sql: "ALTER TABLE orders ALTER COLUMN total SET NOT NULL;",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, NAME, || {
        let (table, change) = sql::only_change(context)?;
        let TableChange::AlterColumn {
            column,
            change: ColumnChange::SetNotNull,
        } = change
        else {
            return None;
        };
        // PostgreSQL 18 gives the constraint of SET NOT NULL the shorter name.
        let name = sql::named(table, std::slice::from_ref(column), "not_null_check");
        let (path, quoted, constraint) = (sql::path(table), sql::word(column), sql::word(&name));
        let statement = format!(
            "ALTER TABLE {path} ADD CONSTRAINT {constraint} CHECK ({quoted} IS NOT NULL) NOT VALID"
        );
        Some(Safe::fix(Fix {
            replace: vec![statement.clone()],
            down: vec![drop_constraint(table, &name)],
            following_down: vec![
                format!("ALTER TABLE {path} ALTER COLUMN {quoted} DROP NOT NULL"),
                statement,
            ],
            following: vec![
                validate(table, &name),
                format!("ALTER TABLE {path} ALTER COLUMN {quoted} SET NOT NULL"),
                drop_constraint(table, &name),
            ],
            ..Fix::default()
        }))
    })
}
