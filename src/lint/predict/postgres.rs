//! Locks and work of PostgreSQL, by statement.

use super::{
    Known, Step,
    alter::{alter_table, each_part, referenced},
};
use crate::{
    lint::{
        Act, ChangeRows, ConstraintKind, CreateIndex, CreateTable, DomainChange, DropObject,
        LockMode::{
            self, AccessExclusive, Exclusive, Share, ShareRowExclusive, ShareUpdateExclusive,
        },
        WorkKind,
    },
    schema::{Kind, Name},
    sql::RowVerb,
};

/// Adds what an act does, before it is followed.
pub(super) fn predict(known: &mut Known, act: &Act, step: &mut Step) {
    match act {
        Act::CreateTable(table) => create_table(known, table, step),
        Act::AlterTable { table, change } => alter_table(known, table, change, step),
        Act::CreateIndex(index) => create_index(known, index, step),
        Act::Drop(object) => drop_object(known, object, step),
        Act::Rename { kind, name, .. } | Act::SetSchema { kind, name, .. } => {
            if matches!(kind, Kind::Table | Kind::View | Kind::MaterializedView) {
                step.lock(known, name, AccessExclusive);
            }
        }
        Act::AlterDomain { name, change } => alter_domain(known, name, change, step),
        Act::CreateView {
            kind,
            name,
            or_replace,
            sources,
        } => {
            if *or_replace && known.find(name).is_some() {
                step.lock(known, name, AccessExclusive);
            }
            if *kind == Kind::MaterializedView {
                scan_all(known, sources, step);
            }
        }
        Act::Refresh {
            name,
            concurrently,
            without_data,
        } => refresh(known, name, *concurrently, *without_data, step),
        Act::CreatePart { kind, table, .. } => match kind {
            Kind::Trigger => step.lock(known, table, ShareRowExclusive),
            _ => step.lock(known, table, AccessExclusive),
        },
        Act::Reindex {
            kind,
            name,
            concurrently,
        } => reindex(known, *kind, name, *concurrently, step),
        Act::Cluster { table: Some(table) } => {
            step.lock(known, table, AccessExclusive);
            step.work(known, table, WorkKind::Rewrite);
        }
        Act::Vacuum { full, tables } => vacuum(known, tables, *full, step),
        Act::Truncate { tables, .. } => lock_all(known, tables, AccessExclusive, step),
        Act::LockTable { tables, mode } => lock_all(known, tables, *mode, step),
        Act::ChangeRows(change) => change_rows(known, change, step),
        Act::Query { sources, .. } => scan_all(known, sources, step),
        Act::Set { name, value } if name == "timezone" => known.is_utc = is_utc(value),
        Act::Set { .. }
        | Act::Cluster { table: None }
        | Act::AddValue { .. }
        | Act::RenameValue { .. }
        | Act::CreateDomain { .. }
        | Act::Create { .. }
        | Act::Opaque { .. }
        | Act::Harmless
        | Act::Unknown => {}
    }
}

fn refresh(known: &Known, view: &Name, concurrently: bool, without_data: bool, step: &mut Step) {
    let mode = match concurrently {
        true => Exclusive,
        false => AccessExclusive,
    };
    step.lock(known, view, mode);
    if !concurrently && !without_data {
        step.work(known, view, WorkKind::Rewrite);
    }
}

fn vacuum(known: &Known, tables: &[Name], full: bool, step: &mut Step) {
    let (mode, work) = match full {
        true => (AccessExclusive, WorkKind::Rewrite),
        false => (ShareUpdateExclusive, WorkKind::Scan),
    };
    for table in tables {
        step.lock(known, table, mode);
        step.work(known, table, work.clone());
    }
}

fn lock_all(known: &Known, tables: &[Name], mode: LockMode, step: &mut Step) {
    tables.iter().for_each(|it| step.lock(known, it, mode));
}

fn scan_all(known: &Known, tables: &[Name], step: &mut Step) {
    tables.iter().for_each(|it| step.scan(known, it));
}

fn is_utc(zone: &str) -> bool {
    matches!(
        zone.to_ascii_lowercase().as_str(),
        "utc" | "gmt" | "etc/utc" | "0"
    )
}

fn create_table(known: &Known, table: &CreateTable, step: &mut Step) {
    if table.if_not_exists && known.find(&table.name).is_some() {
        return;
    }
    let of_columns = table.columns.iter().flat_map(|it| &it.constraints);
    for constraint in of_columns.chain(&table.constraints) {
        if let ConstraintKind::ForeignKey(key) = &constraint.kind
            && key.table != table.name
        {
            step.lock(known, &key.table, ShareRowExclusive);
        }
    }
    if let Some(parent) = &table.partition_of {
        step.lock(known, parent, AccessExclusive);
        if !table.is_default {
            default_partition(known, parent, step);
        }
    }
    for parent in &table.inherits {
        step.lock(known, parent, ShareUpdateExclusive);
    }
    let sources = table.sources.iter().flatten();
    sources.for_each(|source| step.scan(known, source));
}

/// A new partition has the rows of the default one checked.
pub(super) fn default_partition(known: &Known, parent: &Name, step: &mut Step) {
    let default = known
        .partitions(parent)
        .into_iter()
        .find(|it| it.is_default);
    if let Some(default) = default {
        step.lock(known, &default.name, AccessExclusive);
        step.scan(known, &default.name);
    }
}

fn create_index(known: &Known, index: &CreateIndex, step: &mut Step) {
    let name = index.name.clone().unwrap_or_default();
    let qualified = Name::new(index.table.schema.clone(), name.clone());
    if index.if_not_exists && !name.is_empty() && known.table_of(&qualified).is_some() {
        return;
    }
    let mode = match index.concurrently {
        true => ShareUpdateExclusive,
        false => Share,
    };
    let is_partitioned = known.find(&index.table).is_some_and(|it| it.is_partitioned);
    if !is_partitioned {
        step.lock(known, &index.table, mode);
        let build = WorkKind::Build { index: qualified };
        return step.work(known, &index.table, build);
    }
    if index.only {
        return step.lock(known, &index.table, mode);
    }
    each_part(known, &index.table, step, |step, it| {
        step.lock(known, it, mode);
        if !known.find(it).is_some_and(|it| it.is_partitioned) {
            let index = qualified.clone();
            step.work(known, it, WorkKind::Build { index });
        }
    });
    if known.partitions(&index.table).is_empty() {
        let index_name = qualified.clone();
        step.work(known, &index.table, WorkKind::Build { index: index_name });
    }
}

fn drop_object(known: &Known, object: &DropObject, step: &mut Step) {
    match object.kind {
        Kind::Table | Kind::View | Kind::MaterializedView => {
            step.lock(known, &object.name, AccessExclusive);
            for table in referenced(known, &object.name, |_| true) {
                step.lock(known, &table, AccessExclusive);
            }
        }
        Kind::Index => {
            let table = known.table_of(&object.name).map(|(it, _)| it.name.clone());
            if let Some(table) = table {
                let mode = match object.concurrently {
                    true => ShareUpdateExclusive,
                    false => AccessExclusive,
                };
                step.lock(known, &table, mode);
            }
        }
        Kind::Trigger | Kind::Rule | Kind::Policy => {
            if let Some(table) = &object.table {
                step.lock(known, table, AccessExclusive);
            }
        }
        Kind::Schema if object.cascade => {
            let inside = known.all().filter(|it| it.name.schema == object.name.name);
            for name in inside.map(|it| it.name.clone()).collect::<Vec<_>>() {
                step.lock(known, &name, AccessExclusive);
            }
        }
        _ => {}
    }
}

fn alter_domain(known: &Known, domain: &Name, change: &DomainChange, step: &mut Step) {
    let mode = match change {
        DomainChange::AddConstraint(constraint) if !constraint.not_valid => Share,
        DomainChange::SetNotNull | DomainChange::Validate(_) => Share,
        _ => return,
    };
    let users = known.all().filter(|it| {
        let mut columns = it.columns.values();
        columns.any(|column| column.data_type.trim_matches('"') == domain.name)
    });
    for name in users.map(|it| it.name.clone()).collect::<Vec<_>>() {
        step.lock(known, &name, mode);
        step.scan(known, &name);
    }
}

fn reindex(known: &Known, kind: Kind, name: &Name, concurrently: bool, step: &mut Step) {
    let mode = match concurrently {
        true => ShareUpdateExclusive,
        false => Share,
    };
    let (table, indexes) = match kind {
        Kind::Table => {
            let found = known.find(name).into_iter();
            let indexes = found.flat_map(|it| &it.indexes);
            (name.clone(), indexes.map(|it| it.name.clone()).collect())
        }
        Kind::Index => {
            let found = known.table_of(name).map(|(it, _)| it.name.clone());
            // The index stands for its table where that is not known.
            (
                found.unwrap_or_else(|| name.clone()),
                vec![name.name.clone()],
            )
        }
        _ => return,
    };
    step.lock(known, &table, mode);
    let indexes: Vec<String> = match indexes.is_empty() {
        true => vec![String::new()],
        false => indexes,
    };
    for index in indexes {
        let index = Name::new(table.schema.clone(), index);
        step.work(known, &table, WorkKind::Build { index });
    }
}

fn change_rows(known: &Known, change: &ChangeRows, step: &mut Step) {
    for source in &change.sources {
        if *source != change.table {
            step.scan(known, source);
        }
    }
    let is_update = change.verb != RowVerb::Insert;
    if is_update || !change.is_values {
        step.work(known, &change.table, WorkKind::Change { rows: None });
    }
}
