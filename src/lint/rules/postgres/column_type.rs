use super::{BLOCKS_POSTGRES, Context, Draft, ORDERS, Rule, Safe, sql, waiting};
use crate::lint::{ColumnChange, Example, TableChange};

const NAME: &str = "column-type-rewrite";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L109",
    summary: "a change of a column's type rewrites the table while reads and writes wait",
    docs: "ALTER COLUMN … TYPE holds an ACCESS EXCLUSIVE lock. Many changes touch the catalog alone: \
        varchar to a longer one or to text, numeric to more digits with the same scale. Others write \
        the whole table and its indexes anew, or build the indexes on the column. timestamp to \
        timestamptz rewrites unless the session's TimeZone is UTC (PostgreSQL 12).",
    safe: "Add a new column, keep both the same by a trigger, fill it in batches, and swap the names in \
        a later revision. `migrator revision --autogenerate --online` writes that.",
    silent: "The change rewrites and builds nothing, or the table was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ALTER COLUMN note TYPE varchar(40);",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, NAME, || {
        let (table, change) = sql::only_change(context)?;
        let TableChange::AlterColumn {
            column,
            change: ColumnChange::Type {
                data_type, using, ..
            },
        } = change
        else {
            return None;
        };
        let path = sql::path(table);
        let new = format!("{column}_new");
        let (old, new) = (sql::word(column), sql::word(&new));
        let value = match using {
            Some(using) => using.clone(),
            None => format!("{old}::{data_type}"),
        };
        Some(Safe::text(format!(
            "ALTER TABLE {path} ADD COLUMN {new} {data_type};\n\
             -- a trigger that sets {new} from {old} on INSERT and UPDATE, then\n\
             -- migrator: batch\n\
             UPDATE {path} SET {new} = {value} WHERE {new} IS DISTINCT FROM ({value}) …;\n\
             -- in a contract revision\n\
             ALTER TABLE {path} DROP COLUMN {old};\n\
             ALTER TABLE {path} RENAME COLUMN {new} TO {old};"
        )))
    })
}
