use super::{BOTH, BREAKS, Context, Draft, Name, ORDERS, Rule, sql};
use crate::lint::{Act, Column, ColumnChange, Example, TableChange};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "add-required-column",
    code: "L210",
    dialects: BOTH,
    summary: "a new column must be given, which old programs do not do",
    docs: "INSERTs of programs of before the change do not name the new column. Without a default they \
        fail, and the statement itself fails where the table has rows.",
    safe: "ALTER TABLE orders ADD COLUMN state text NOT NULL DEFAULT 'new';",
    silent: "In contract revisions; the column has a default, or gets one in the same script; the table was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state text NOT NULL;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state text NOT NULL DEFAULT 'new';",
    },
    check,
    ..BREAKS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let added = context.acts().iter().filter_map(|act| match act {
        Act::AlterTable {
            table,
            change: TableChange::AddColumn { column, .. },
        } if is_required(column) && !context.is_young_relation(table) => Some((table, column)),
        _ => None,
    });
    let drafts = added
        .filter(|(table, column)| !gets_default(context, table, &column.name))
        .map(|(table, column)| {
            let name = sql::word(&column.name);
            let message = format!("INSERTs of old programs fail, which do not give {table}.{name}");
            let safe = format!(
                "ALTER TABLE {} ADD COLUMN {name} {} NOT NULL DEFAULT …;",
                sql::path(table),
                column.data_type
            );
            Draft::new(message).about(table).safe(safe)
        });
    drafts.collect()
}

/// Whether INSERT must name the column.
pub(super) fn is_required(column: &Column) -> bool {
    let has_value = column.default.is_some()
        || column.identity
        || column.generated.is_some()
        || column.data_type.contains("serial");
    column.not_null && !has_value
}

/// Whether a later act of the script gives the column a default, drops it or makes it nullable.
pub(super) fn gets_default(context: &Context<'_>, table: &Name, of: &str) -> bool {
    let later = context.later().iter().flat_map(|it| &it.acts);
    let mut acts = context.acts().iter().chain(later);
    acts.any(|act| match act {
        Act::AlterTable {
            table: of_table,
            change,
        } if context.is_same(of_table, table) => match change {
            TableChange::AlterColumn { column, change } => {
                let helps = matches!(
                    change,
                    ColumnChange::SetDefault(_)
                        | ColumnChange::AddIdentity
                        | ColumnChange::DropNotNull
                );
                helps && context.is_name(column, of)
            }
            TableChange::DropColumn { column, .. } => context.is_name(column, of),
            _ => false,
        },
        _ => false,
    })
}
