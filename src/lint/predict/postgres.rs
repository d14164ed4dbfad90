//! Locks and work of PostgreSQL, by statement.

use super::{
    Known, Step,
    data_type::{self, TypeChange},
};
use crate::{
    lint::{
        Act, ChangeRows, Column, ColumnChange, Constraint, ConstraintKind, CreateIndex,
        CreateTable, DomainChange, DropObject, LockMode, TableChange, WorkKind,
    },
    schema::{Kind, Name},
    sql::RowVerb,
};
use LockMode::{AccessExclusive, Exclusive, Share, ShareRowExclusive, ShareUpdateExclusive};

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
                sources.iter().for_each(|source| step.scan(known, source));
            }
        }
        Act::Refresh {
            name,
            concurrently,
            without_data,
        } => {
            let mode = if *concurrently {
                Exclusive
            } else {
                AccessExclusive
            };
            step.lock(known, name, mode);
            if !concurrently && !without_data {
                step.work(known, name, WorkKind::Rewrite);
            }
        }
        Act::CreatePart { kind, table, .. } => {
            let mode = match kind {
                Kind::Trigger => ShareRowExclusive,
                _ => AccessExclusive,
            };
            step.lock(known, table, mode);
        }
        Act::Reindex {
            kind,
            name,
            concurrently,
        } => reindex(known, *kind, name, *concurrently, step),
        Act::Cluster { table: Some(table) } => {
            step.lock(known, table, AccessExclusive);
            step.work(known, table, WorkKind::Rewrite);
        }
        Act::Vacuum { full, tables } => {
            for table in tables {
                let mode = if *full {
                    AccessExclusive
                } else {
                    ShareUpdateExclusive
                };
                step.lock(known, table, mode);
                let work = if *full {
                    WorkKind::Rewrite
                } else {
                    WorkKind::Scan
                };
                step.work(known, table, work);
            }
        }
        Act::Truncate { tables, .. } => {
            for table in tables {
                step.lock(known, table, AccessExclusive);
            }
        }
        Act::LockTable { tables, mode } => {
            tables.iter().for_each(|it| step.lock(known, it, *mode));
        }
        Act::ChangeRows(change) => change_rows(known, change, step),
        Act::Query { sources, .. } => sources.iter().for_each(|it| step.scan(known, it)),
        Act::Set { name, value } if name == "timezone" => {
            let zone = value.to_ascii_lowercase();
            known.is_utc = matches!(zone.as_str(), "utc" | "gmt" | "etc/utc" | "0");
        }
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
fn default_partition(known: &Known, parent: &Name, step: &mut Step) {
    let default = known
        .partitions(parent)
        .into_iter()
        .find(|it| it.is_default);
    if let Some(default) = default {
        step.lock(known, &default.name, AccessExclusive);
        step.scan(known, &default.name);
    }
}

fn alter_table(known: &Known, table: &Name, change: &TableChange, step: &mut Step) {
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
fn referenced(known: &Known, table: &Name, is_it: impl Fn(&[String]) -> bool) -> Vec<Name> {
    let constraints = known.find(table).into_iter().flat_map(|it| &it.constraints);
    let keys = constraints.filter_map(|it| match &it.kind {
        ConstraintKind::ForeignKey(key) if is_it(&key.columns) => Some(key.table.clone()),
        _ => None,
    });
    keys.collect()
}

/// Work on a table with rows: of a partitioned table, on its partitions.
fn each_part(known: &Known, table: &Name, step: &mut Step, mut work: impl FnMut(&mut Step, &Name)) {
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
    let is_volatile = column.default.as_deref().is_some_and(is_volatile);
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

/// Functions whose value differs from row to row.
const VOLATILE: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_uuid",
    "nextval",
    "random",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "gen_random_bytes",
];

/// Functions whose value is the same in all rows of a statement.
const STABLE: &[&str] = &[
    "age",
    "array",
    "abs",
    "coalesce",
    "concat",
    "current_setting",
    "date",
    "date_part",
    "date_trunc",
    "decode",
    "encode",
    "extract",
    "greatest",
    "interval",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "least",
    "length",
    "lower",
    "make_interval",
    "md5",
    "now",
    "nullif",
    "numrange",
    "int4range",
    "int8range",
    "tsrange",
    "tstzrange",
    "daterange",
    "point",
    "replace",
    "round",
    "row",
    "statement_timestamp",
    "substring",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_timestamp",
    "transaction_timestamp",
    "trim",
    "upper",
    "varchar",
    "char",
    "character",
    "numeric",
    "decimal",
    "timestamp",
    "time",
    "bit",
    "cast",
    "array_fill",
    "to_tsvector",
    "in",
    "and",
    "or",
    "not",
];

/// Whether a default differs from row to row. A function that is not known counts as volatile, as
/// functions are unless they say otherwise.
fn is_volatile(default: &str) -> bool {
    called(default).any(|name| {
        let name = name.rsplit('.').next().unwrap_or(name);
        VOLATILE.contains(&name) || !STABLE.contains(&name)
    })
}

/// The words before parentheses, outside strings.
fn called(expression: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let is_inside = |at: usize| expression[..at].matches('\'').count() % 2 == 1;
    expression.match_indices('(').filter_map(move |(at, _)| {
        let before = expression[..at].trim_end();
        let start = before.rfind(|c| !is_word(c)).map_or(0, |found| {
            found + before[found..].chars().next().map_or(1, char::len_utf8)
        });
        let name = &before[start..];
        // The parenthesis after a cast is the modifier of a type.
        let is_type = before[..start].ends_with("::");
        (!name.is_empty() && !is_inside(at) && !is_type).then_some(name)
    })
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
            rewrite(known, table, step);
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
        DomainChange::SetNotNull => Share,
        DomainChange::Validate(_) => ShareUpdateExclusive,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_that_differ_from_row_to_row() {
        let check =
            |default: &str, expected| assert_eq!(is_volatile(default), expected, "{default}");
        check("now()", false);
        check("'now('", false);
        check("0", false);
        check("current_timestamp", false);
        check("'x'::varchar(20)", false);
        check("(now() + interval '1 day')", false);
        check("gen_random_uuid()", true);
        check("nextval('s'::regclass)", true);
        check("public.new_id()", true);
    }
}
