use super::{BOTH, Context, Draft, Facts, Kind, NOTE, Name, Rule, full_name, sql};
use crate::{
    lint::{Act, Example, TableChange},
    schema::{Object, Schema},
    sql::Dialect,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "drop-guarantee",
    code: "L504",
    dialects: BOTH,
    summary: "a constraint is dropped and not replaced",
    docs: "What the constraint refused is written from now on. Programs that rely on it find rows that \
        they do not expect, and a later attempt to add it again fails on them.",
    safe: "Add the constraint that replaces it in the same script, or say why there is none.",
    silent: "The script adds a constraint of the same kind to the table, or a unique index in the place of a unique constraint; the constraint or its table was created in the same run, or the table or a column of the constraint is dropped.",
    example_dialect: Some(Dialect::Postgres),
    bad: Example {
        before: "CREATE TABLE orders (total integer, CONSTRAINT orders_total_check CHECK (total >= 0));",
        sql: "ALTER TABLE orders DROP CONSTRAINT orders_total_check;",
    },
    good: Example {
        before: "CREATE TABLE orders (total integer, CONSTRAINT orders_total_check CHECK (total >= 0));",
        sql: "ALTER TABLE orders DROP CONSTRAINT orders_total_check;\n\
            ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total > 0) NOT VALID;",
    },
    check,
    ..NOTE
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    if let (Some(before), Some(after)) = (context.before(), context.after()) {
        return by_schema(context, before, after);
    }
    let dropped = context.acts().iter().filter_map(|act| match act {
        Act::AlterTable {
            table,
            change: TableChange::DropConstraint { name, .. },
        } if !context.is_young_relation(table) => Some((table, name)),
        _ => None,
    });
    let drafts = dropped
        .filter(|(table, name)| !is_young(context, table, name) && !is_replaced(context, table))
        .map(|(table, name)| draft(table, &format!("constraint {}", sql::word(name))));
    drafts.collect()
}

fn draft(table: &Name, constraint: &str) -> Draft {
    let message = format!("{table} loses the guarantee of the {constraint}");
    Draft::new(message).about(table)
}

const GUARANTEES: &[Kind] = &[
    Kind::PrimaryKey,
    Kind::Unique,
    Kind::ForeignKey,
    Kind::Check,
    Kind::Exclusion,
];

fn is_young(context: &Context<'_>, table: &Name, name: &str) -> bool {
    let mut kinds = GUARANTEES.iter();
    kinds.any(|kind| context.is_young_part(*kind, table, name))
}

/// Whether the script adds a constraint or a unique index to the table, or drops it.
fn is_replaced(context: &Context<'_>, table: &Name) -> bool {
    let mut acts = context.script.statements.iter().flat_map(|it| &it.acts);
    acts.any(|act| match act {
        Act::AlterTable { table: of, change } => {
            let replaces = matches!(
                change,
                TableChange::AddConstraint(_) | TableChange::DropColumn { .. }
            );
            replaces && context.is_same(of, table)
        }
        Act::CreateIndex(index) => index.unique && context.is_same(&index.table, table),
        Act::Drop(object) => object.kind == Kind::Table && context.is_same(&object.name, table),
        _ => false,
    })
}

/// The constraints that the statement dropped, alone or with a table that is made again, and that
/// have no like after the script although their columns are still there.
fn by_schema(context: &Context<'_>, before: &Schema, after: &Schema) -> Vec<Draft> {
    let dropped = context.effects().dropped.iter();
    let dropped = dropped.filter(|id| GUARANTEES.contains(&id.kind));
    let mut lost: Vec<(Name, &Object)> = Vec::new();
    for id in dropped {
        let Some(table) = id.parent_name() else {
            continue;
        };
        let mut parts = before.parts(&full_name(context, before, &table)).iter();
        lost.extend(
            parts
                .find(|it| it.id.kind == id.kind && it.id.name == id.name)
                .map(|it| (table, it)),
        );
    }
    for act in context.acts() {
        if let Act::Drop(object) = act
            && object.kind == Kind::Table
        {
            let parts = before
                .parts(&full_name(context, before, &object.name))
                .iter();
            let constraints = parts.filter(|it| GUARANTEES.contains(&it.id.kind));
            lost.extend(constraints.map(|it| (object.name.clone(), it)));
        }
    }
    let lost = lost.into_iter().filter(|(table, constraint)| {
        let new = after.parts(&full_name(context, after, table));
        let old = before.parts(&full_name(context, before, table));
        let is_there = new.iter().any(|it| it.id.kind == Kind::Column);
        is_there && !has_like(context, constraint, old, new)
    });
    let drafts = lost.map(|(table, constraint)| draft(&table, &constraint.id.to_string()));
    drafts.collect()
}

/// Whether a constraint has an equal one afterwards, a new one of its kind, or lost a column.
fn has_like(context: &Context<'_>, lost: &Object, before: &[Object], after: &[Object]) -> bool {
    let is_new = |it: &&Object| {
        !before
            .iter()
            .any(|old| old.id.kind == it.id.kind && old.facts.is_same(&it.facts))
    };
    let is_unique = matches!(lost.id.kind, Kind::Unique | Kind::PrimaryKey);
    let replaced = after.iter().filter(is_new).any(|it| {
        let is_unique_index = match &it.facts {
            Facts::Index(index) => index.unique,
            Facts::SqliteIndex(index) => index.unique,
            _ => false,
        };
        it.id.kind == lost.id.kind
            || is_unique
                && (is_unique_index || matches!(it.id.kind, Kind::Unique | Kind::PrimaryKey))
    });
    let equal = after
        .iter()
        .any(|it| it.id.kind == lost.id.kind && it.facts.is_same(&lost.facts));
    let columns: Vec<String> = match &lost.facts {
        Facts::Key(key) => key.columns.clone(),
        Facts::ForeignKey(key) => key.columns.clone(),
        Facts::SqliteForeignKey(key) => key.columns.iter().map(ToString::to_string).collect(),
        Facts::SqliteUnique(key) => key.columns.iter().map(|it| it.column.to_string()).collect(),
        _ => Vec::new(),
    };
    let lost_column = columns.iter().any(|column| {
        let mut left = after.iter().filter(|it| it.id.kind == Kind::Column);
        !left.any(|it| context.is_name(&it.id.name, column))
    });
    equal || replaced || lost_column
}
