use super::{
    BOTH, BREAKS, Constraint, ConstraintKind, Context, Draft, Name, ORDERS, Rule, added, columns,
    has_young_column, is_about_young, required_column, sql,
};
use crate::{
    lint::{Act, Column, Example, Severity, TableChange},
    schema::Kind,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "new-constraint-vs-old-code",
    code: "L211",
    dialects: BOTH,
    severity: Severity::Warning,
    summary: "a new constraint refuses what old programs may write",
    docs: "From the statement on, NOT VALID or not, the constraint is checked for every row that is \
        written. Programs of before the change do not know it: what they wrote before may fail now.",
    safe: "Add the constraint in a revision with `-- migrator: phase = contract`, after the last program that does not keep it is gone.",
    silent: "In contract revisions; the table, or a column of the constraint, was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "CREATE UNIQUE INDEX orders_note ON orders (note);",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN state integer;\nCREATE UNIQUE INDEX orders_state ON orders (state);",
    },
    check,
    ..BREAKS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let added = added(context);
    let refuses: Vec<(&Name, String)> = added
        .iter()
        .filter(|(table, constraint)| !is_of_new_column(context, table, constraint))
        .map(|(table, constraint)| (*table, what(constraint)))
        .collect();
    let drafts = refuses.into_iter().map(|(table, what)| {
        let message =
            format!("writes of old programs to {table} fail if they break the new {what}");
        Draft::new(message).about(table)
    });
    drafts.collect()
}

/// Whether old programs do not write what the constraint is about. A new column that may not be NULL
/// is something that they do write, unless it has a default.
fn is_of_new_column(context: &Context<'_>, table: &Name, constraint: &Constraint) -> bool {
    let ConstraintKind::NotNull(column) = &constraint.kind else {
        return is_about_young(context, table, &constraint.kind);
    };
    let of = columns(&constraint.kind);
    if !has_young_column(context, table, of) {
        return false;
    }
    let earlier = context.earlier().iter().flat_map(|it| &it.acts);
    let had_default = earlier.clone().any(|act| match act {
        Act::AlterTable {
            change: TableChange::AddColumn { column: added, .. },
            ..
        } => context.is_name(&added.name, column) && has_value(added),
        Act::AlterTable {
            change:
                TableChange::AlterColumn {
                    column: changed,
                    change: crate::lint::ColumnChange::SetDefault(_),
                },
            ..
        } => context.is_name(changed, column),
        _ => false,
    });
    let is_of_earlier_script = context
        .script
        .young
        .iter()
        .any(|id| id.kind == Kind::Column && context.is_name(&id.name, column));
    had_default || is_of_earlier_script || required_column::gets_default(context, table, column)
}

fn has_value(column: &Column) -> bool {
    column.default.is_some() || column.identity || column.generated.is_some()
}

fn what(constraint: &Constraint) -> String {
    match &constraint.kind {
        ConstraintKind::PrimaryKey(columns) => format!("primary key ({})", sql::words(columns)),
        ConstraintKind::Unique(columns) => format!("unique key ({})", columns.join(", ")),
        ConstraintKind::NotNull(column) => format!("NOT NULL of {}", sql::word(column)),
        ConstraintKind::ForeignKey(key) => format!("foreign key to {}", key.table),
        ConstraintKind::Check(_) => "CHECK".to_owned(),
        ConstraintKind::Exclusion => "exclusion constraint".to_owned(),
    }
}
