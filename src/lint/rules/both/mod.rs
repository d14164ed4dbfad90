//! Rules about both dialects.

pub(super) mod constraint;
pub(super) mod data;
pub(super) mod drop;
pub(super) mod guarantee;
pub(super) mod key_index;
pub(super) mod rename;
pub(super) mod required_column;
pub(super) mod rows;

use super::{BLOCKS, BREAKS, FAILS, NOTE, ORDERS, sql};
use crate::{
    lint::{Act, ColumnChange, Constraint, ConstraintKind, Context, Draft, Rule, TableChange},
    schema::{Facts, Kind, Name, ObjectId, Schema},
    sql::Dialect,
};

/// The dialects of these rules.
const BOTH: &[Dialect] = &[Dialect::Postgres, Dialect::Sqlite];

/// The constraints that the statement adds to tables that are older than the run, with their tables.
/// A unique index is one.
fn added<'a>(context: &Context<'a>) -> Vec<(&'a Name, Constraint)> {
    let mut found = Vec::new();
    for act in context.acts() {
        let (table, constraint) = match act {
            Act::AlterTable { table, change } => match change {
                TableChange::AddConstraint(constraint) => (table, (**constraint).clone()),
                TableChange::AlterColumn {
                    column,
                    change: ColumnChange::SetNotNull,
                } => {
                    let kind = ConstraintKind::NotNull(column.clone());
                    let constraint = Constraint {
                        kind,
                        ..Constraint::default()
                    };
                    (table, constraint)
                }
                _ => continue,
            },
            Act::CreateIndex(index) if index.unique => {
                let keys = index.keys.iter();
                let keys = keys.map(|it| match it.is_column {
                    true => it.text.clone(),
                    false => format!("({})", it.text),
                });
                let constraint = Constraint {
                    name: index.name.clone(),
                    kind: ConstraintKind::Unique(keys.collect()),
                    ..Constraint::default()
                };
                (&index.table, constraint)
            }
            _ => continue,
        };
        // An index that exists enforces what it does already.
        let is_new = constraint.using_index.is_none() && !context.is_young_relation(table);
        if is_new && !is_implied(context, table, &constraint.kind) {
            found.push((table, constraint));
        }
    }
    found
}

/// Whether a key of before the script implies the constraint.
fn is_implied(context: &Context<'_>, table: &Name, kind: &ConstraintKind) -> bool {
    let ConstraintKind::Unique(columns) = kind else {
        return false;
    };
    let Some(before) = context.before() else {
        return false;
    };
    let table = full_name(context, before, table);
    before.parts(&table).iter().any(|part| {
        let keys: Vec<String> = match &part.facts {
            Facts::Key(key) => key.columns.clone(),
            Facts::SqlitePrimaryKey(key) => {
                key.columns.iter().map(|it| it.column.to_string()).collect()
            }
            Facts::SqliteUnique(key) => {
                key.columns.iter().map(|it| it.column.to_string()).collect()
            }
            _ => return false,
        };
        let is_among = |key: &String| columns.iter().any(|it| context.is_name(it, key));
        !keys.is_empty() && keys.iter().all(is_among)
    })
}

/// The columns of a constraint.
fn columns(kind: &ConstraintKind) -> &[String] {
    match kind {
        ConstraintKind::PrimaryKey(columns) | ConstraintKind::Unique(columns) => columns,
        ConstraintKind::NotNull(column) => std::slice::from_ref(column),
        ConstraintKind::ForeignKey(key) => &key.columns,
        ConstraintKind::Check(_) | ConstraintKind::Exclusion => &[],
    }
}

/// Whether the run added one of the columns, so that no old program fills it.
fn has_young_column(context: &Context<'_>, table: &Name, columns: &[String]) -> bool {
    columns
        .iter()
        .any(|column| context.is_young_part(Kind::Column, table, column))
}

/// Whether a constraint over the columns or the expression can concern what the run added alone.
fn is_about_young(context: &Context<'_>, table: &Name, kind: &ConstraintKind) -> bool {
    let ConstraintKind::Check(expression) = kind else {
        return has_young_column(context, table, columns(kind));
    };
    let earlier = context.earlier().iter().flat_map(|it| &it.effects.created);
    let mut created = earlier.chain(&context.script.young);
    created.any(|id| {
        let is_of_table = |parent: Name| context.is_same(&parent, table);
        id.kind == Kind::Column
            && id.parent_name().is_some_and(is_of_table)
            && expression.contains(&id.name)
    })
}

/// The facts of an object in a schema, by a name that may lack its schema.
fn object_in<'a>(
    context: &Context<'_>,
    schema: &'a Schema,
    kind: Kind,
    name: &Name,
) -> Option<&'a ObjectId> {
    let mut objects = schema.objects.iter().map(|it| &it.id);
    objects.find(|id| id.kind == kind && !id.is_part() && context.is_same(&id.qualified(), name))
}

/// The name of a table as the schema has it.
fn full_name(context: &Context<'_>, schema: &Schema, table: &Name) -> Name {
    let found = object_in(context, schema, Kind::Table, table);
    found.map_or_else(|| table.clone(), ObjectId::qualified)
}

/// The columns of the primary key of a table.
fn primary_key(context: &Context<'_>, schema: &Schema, table: &Name) -> Vec<String> {
    let table = full_name(context, schema, table);
    let mut parts = schema.parts(&table).iter();
    let key = parts.find_map(|part| match (&part.facts, part.id.kind) {
        (Facts::Key(key), Kind::PrimaryKey) => Some(key.columns.clone()),
        (Facts::SqlitePrimaryKey(key), _) => {
            Some(key.columns.iter().map(|it| it.column.to_string()).collect())
        }
        _ => None,
    });
    key.unwrap_or_default()
}
