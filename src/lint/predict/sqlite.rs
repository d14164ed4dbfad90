//! Work of SQLite, by statement. A writer locks the whole file, so there are no locks of tables.

use super::{Known, Step};
use crate::{
    lint::{Act, Column, ConstraintKind, TableChange, WorkKind},
    schema::{Kind, Name},
    sql::RowVerb,
};

/// Adds what an act does, before it is followed.
pub(super) fn predict(known: &mut Known, act: &Act, step: &mut Step) {
    match act {
        Act::CreateTable(table) => {
            let sources = table.sources.iter().flatten();
            sources.for_each(|source| step.scan(known, source));
        }
        Act::CreateIndex(index) => {
            let name = Name::new("", index.name.clone().unwrap_or_default());
            let is_there = known.table_of(&name).is_some();
            if !(index.if_not_exists && is_there) {
                step.work(known, &index.table, WorkKind::Build { index: name });
            }
        }
        Act::AlterTable { table, change } => match change {
            TableChange::AddColumn { column, .. } if is_checked(column) => {
                step.scan(known, table);
            }
            TableChange::DropColumn { .. } => step.work(known, table, WorkKind::Rewrite),
            _ => {}
        },
        Act::ChangeRows(change) => {
            for source in &change.sources {
                step.scan(known, source);
            }
            let is_update = change.verb != RowVerb::Insert;
            if is_update || !change.is_values {
                step.work(known, &change.table, WorkKind::Change { rows: None });
            }
        }
        Act::Vacuum { .. } => {
            let tables = known.all().filter(|it| it.kind == Kind::Table);
            for table in tables.map(|it| it.name.clone()).collect::<Vec<_>>() {
                step.work(known, &table, WorkKind::Rewrite);
            }
        }
        Act::Query { sources, .. } => sources.iter().for_each(|it| step.scan(known, it)),
        _ => {}
    }
}

/// Whether ADD COLUMN reads all rows: for a CHECK, or for NOT NULL with a generated value.
fn is_checked(column: &Column) -> bool {
    let mut constraints = column.constraints.iter();
    let has_check = constraints.any(|it| matches!(it.kind, ConstraintKind::Check(_)));
    has_check || column.not_null && column.generated.is_some()
}
