//! Locks and work of ALTER TABLE on PostgreSQL.

use super::{
    Known, Step,
    data_type::{self, TypeChange},
    default,
    postgres::default_partition,
};
use crate::{
    lint::{
        Column, ColumnChange, Constraint, ConstraintKind,
        LockMode::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive},
        TableChange, WorkKind,
    },
    schema::Name,
};

pub(super) fn alter_table(known: &Known, table: &Name, change: &TableChange, step: &mut Step) {
    match change {
        TableChange::AddColumn {
            column,
            if_not_exists,
        } => {
            step.lock(known, table, AccessExclusive);
            let is_there = known
                .find(table)
                .is_some_and(|it| it.columns.contains_key(&column.name));
            if !(*if_not_exists && is_there) {
                add_column(known, table, column, step);
            }
        }
        TableChange::DropColumn { column, .. } => {
            step.lock(known, table, AccessExclusive);
            referenced(known, table, |columns| columns.contains(column))
                .iter()
                .for_each(|it| step.lock(known, it, AccessExclusive));
        }
        TableChange::AlterColumn { column, change } => {
            alter_column(known, table, column, change, step);
        }
        TableChange::AddConstraint(constraint) => add_constraint(known, table, constraint, step),
        TableChange::DropConstraint { name, .. } => {
            step.lock(known, table, AccessExclusive);
            let found = known.find(table).into_iter().flat_map(|it| &it.constraints);
            for constraint in found.filter(|it| it.name == *name) {
                if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                    step.lock(known, &key.table, AccessExclusive);
                }
            }
        }
        TableChange::ValidateConstraint(_) => {
            step.lock(known, table, ShareUpdateExclusive);
            scan_rows(known, table, step);
        }
        TableChange::EnforceConstraint => {
            step.lock(known, table, AccessExclusive);
            scan_rows(known, table, step);
        }
        TableChange::Attach {
            partition,
            is_default,
        } => attach(known, table, partition, *is_default, step),
        TableChange::Detach {
            partition,
            concurrently,
        } => {
            let mode = match concurrently {
                true => ShareUpdateExclusive,
                false => AccessExclusive,
            };
            step.lock(known, table, mode);
            step.lock(known, partition, mode);
        }
        TableChange::SetLogged | TableChange::SetTablespace | TableChange::SetAccessMethod => {
            step.lock(known, table, AccessExclusive);
            rewrite(known, table, step);
        }
        TableChange::RenameColumn { .. }
        | TableChange::RenameConstraint { .. }
        | TableChange::EnableRowSecurity => step.lock(known, table, AccessExclusive),
        TableChange::Other(mode) => step.lock(known, table, *mode),
    }
}

/// The tables that foreign keys over such columns refer to.
pub(super) fn referenced(
    known: &Known,
    table: &Name,
    is_it: impl Fn(&[String]) -> bool,
) -> Vec<Name> {
    let constraints = known.find(table).into_iter().flat_map(|it| &it.constraints);
    let keys = constraints.filter_map(|it| match &it.kind {
        ConstraintKind::ForeignKey(key) if is_it(&key.columns) => Some(key.table.clone()),
        _ => None,
    });
    keys.collect()
}

/// Work on a table with rows: of a partitioned table, on its partitions.
pub(super) fn each_part(
    known: &Known,
    table: &Name,
    step: &mut Step,
    mut work: impl FnMut(&mut Step, &Name),
) {
    work(step, table);
    for partition in known.partitions(table) {
        work(step, &partition.name);
    }
}

fn scan_rows(known: &Known, table: &Name, step: &mut Step) {
    each_part(known, table, step, |step, it| step.scan(known, it));
}

fn rewrite(known: &Known, table: &Name, step: &mut Step) {
    each_part(known, table, step, |step, it| {
        step.work(known, it, WorkKind::Rewrite);
    });
}

fn build(known: &Known, table: &Name, index: &str, step: &mut Step) {
    let index = Name::new(table.schema.clone(), index);
    each_part(known, table, step, |step, it| {
        let index = index.clone();
        step.work(known, it, WorkKind::Build { index });
    });
}

fn add_column(known: &Known, table: &Name, column: &Column, step: &mut Step) {
    let is_serial = matches!(
        column.data_type.as_str(),
        "serial" | "bigserial" | "smallserial" | "serial2" | "serial4" | "serial8"
    );
    let is_stored = column.generated.as_ref().is_some_and(|it| it.stored);
    let is_volatile = column.default.as_deref().is_some_and(default::is_volatile);
    let is_checked_domain = is_checked_domain(known, &column.data_type);
    let is_rewritten =
        is_serial || column.identity || is_stored || is_volatile || is_checked_domain;
    if is_rewritten {
        rewrite(known, table, step);
    }
    let has_default = column.default.is_some() || is_rewritten;
    if column.not_null && !has_default {
        scan_rows(known, table, step);
    }
    for constraint in &column.constraints {
        match &constraint.kind {
            ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) => {
                let name = constraint.name.clone().unwrap_or_default();
                build(known, table, &name, step);
            }
            ConstraintKind::Check(_) => scan_rows(known, table, step),
            ConstraintKind::ForeignKey(key) => {
                step.lock(known, &key.table, ShareRowExclusive);
                if column.default.is_some() {
                    scan_rows(known, table, step);
                }
            }
            ConstraintKind::Exclusion | ConstraintKind::NotNull(_) => {}
        }
    }
}

fn alter_column(known: &Known, table: &Name, column: &str, change: &ColumnChange, step: &mut Step) {
    match change {
        ColumnChange::Type {
            data_type,
            using,
            collate,
        } => {
            step.lock(known, table, AccessExclusive);
            let using = using.as_deref();
            change_type(known, table, column, (data_type, using, *collate), step);
        }
        ColumnChange::SetNotNull => {
            step.lock(known, table, AccessExclusive);
            let is_proven = known.find(table).is_some_and(|it| {
                it.is_not_null(column) == Some(true) || it.proves_not_null(column)
            });
            if !is_proven {
                scan_rows(known, table, step);
            }
        }
        ColumnChange::SetExpression => {
            step.lock(known, table, AccessExclusive);
            match is_virtual(known, table, column) {
                true => scan_checks(known, table, column, step),
                false => rewrite(known, table, step),
            }
        }
        ColumnChange::DropNotNull
        | ColumnChange::SetDefault(_)
        | ColumnChange::DropDefault
        | ColumnChange::AddIdentity => step.lock(known, table, AccessExclusive),
        ColumnChange::Other(mode) => step.lock(known, table, *mode),
    }
}

fn change_type(
    known: &Known,
    table: &Name,
    column: &str,
    (new, using, collate): (&str, Option<&str>, bool),
    step: &mut Step,
) {
    let facts = known.find(table);
    let old = facts.and_then(|it| it.columns.get(column));
    let old = old.map(|it| it.data_type.as_str());
    let is_plain = using.is_none_or(|using| data_type::is_plain_using(using, column, new));
    let change = if !is_plain || is_checked_domain(known, new) {
        TypeChange::Rewrite
    } else {
        // A domain without checks is its type.
        let (old, new) = (old.map(|it| base(known, it)), base(known, new));
        data_type::change(old, new, known.is_utc)
    };
    match change {
        _ if is_virtual(known, table, column) => {}
        TypeChange::Rewrite => rewrite(known, table, step),
        TypeChange::Reindex => reindex_column(known, table, column, step),
        TypeChange::Nothing if collate => reindex_column(known, table, column, step),
        TypeChange::Nothing if old != Some(new) => {
            let indexes = facts.into_iter().flat_map(|it| it.indexes_over(column));
            let indexes: Vec<String> = indexes.map(|it| it.name.clone()).collect();
            for index in indexes {
                build(known, table, &index, step);
            }
        }
        TypeChange::Nothing => {}
    }
    scan_checks(known, table, column, step);
}

/// Whether the values of a column are not stored.
fn is_virtual(known: &Known, table: &Name, column: &str) -> bool {
    let facts = known.find(table).and_then(|it| it.columns.get(column));
    facts.is_some_and(|it| it.is_virtual)
}

/// The scan by which the constraints on a column that changes are checked.
fn scan_checks(known: &Known, table: &Name, column: &str, step: &mut Step) {
    let facts = known.find(table);
    if facts.is_some_and(|it| it.has_check_on(column)) {
        scan_rows(known, table, step);
    }
}

fn is_checked_domain(known: &Known, data_type: &str) -> bool {
    let domain = known.domains.get(data_type);
    domain.is_some_and(|it| it.is_constrained)
}

/// The type under a domain, or the type itself.
fn base<'a>(known: &'a Known, data_type: &'a str) -> &'a str {
    let domain = known.domains.get(data_type);
    domain.map_or(data_type, |it| it.data_type.as_str())
}

fn reindex_column(known: &Known, table: &Name, column: &str, step: &mut Step) {
    let facts = known.find(table).into_iter();
    let indexes: Vec<String> = facts
        .flat_map(|it| it.indexes_on(column))
        .map(|it| it.name.clone())
        .collect();
    for index in indexes {
        build(known, table, &index, step);
    }
}

fn add_constraint(known: &Known, table: &Name, constraint: &Constraint, step: &mut Step) {
    let name = constraint.name.clone().unwrap_or_default();
    match &constraint.kind {
        ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) => {
            step.lock(known, table, AccessExclusive);
            match &constraint.using_index {
                Some(index) => {
                    let is_key = matches!(constraint.kind, ConstraintKind::PrimaryKey(_));
                    if is_key && has_nullable_key(known, table, index) {
                        scan_rows(known, table, step);
                    }
                }
                None => build(known, table, &name, step),
            }
        }
        ConstraintKind::Exclusion => {
            step.lock(known, table, AccessExclusive);
            build(known, table, &name, step);
        }
        ConstraintKind::ForeignKey(key) => {
            step.lock(known, table, ShareRowExclusive);
            step.lock(known, &key.table, ShareRowExclusive);
            if !constraint.not_valid {
                scan_rows(known, table, step);
            }
        }
        ConstraintKind::NotNull(column) => {
            step.lock(known, table, AccessExclusive);
            let is_proven = known.find(table).is_some_and(|it| {
                it.is_not_null(column) == Some(true) || it.proves_not_null(column)
            });
            if !constraint.not_valid && !is_proven {
                scan_rows(known, table, step);
            }
        }
        ConstraintKind::Check(_) => {
            step.lock(known, table, AccessExclusive);
            if !constraint.not_valid {
                scan_rows(known, table, step);
            }
        }
    }
}

/// Whether a column of the index is known to be nullable.
fn has_nullable_key(known: &Known, table: &Name, index: &str) -> bool {
    let Some(relation) = known.find(table) else {
        return false;
    };
    let index = relation.indexes.iter().find(|it| it.name == index);
    let keys = index.into_iter().flat_map(|it| &it.keys);
    keys.filter(|key| !relation.proves_not_null(key))
        .any(|key| relation.is_not_null(key) == Some(false))
}

fn attach(known: &Known, parent: &Name, partition: &Name, is_default: bool, step: &mut Step) {
    step.lock(known, parent, ShareUpdateExclusive);
    step.lock(known, partition, AccessExclusive);
    // A CHECK of the partition is there to spare the scan.
    let has_check = known.find(partition).is_some_and(|it| {
        let mut valid = it.constraints.iter().filter(|it| it.is_valid);
        valid.any(|it| matches!(it.kind, ConstraintKind::Check(_)))
    });
    if !has_check {
        scan_rows(known, partition, step);
    }
    if !is_default {
        default_partition(known, parent, step);
    }
}
