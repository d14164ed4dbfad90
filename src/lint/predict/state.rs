//! What is known after a statement.

use super::{
    Known, Step,
    relation::{self, ColumnFacts, DomainFacts, Index, Relation},
};
use crate::{
    lint::{Act, Column, ColumnChange, ConstraintKind, CreateTable, DropObject, TableChange},
    schema::{Kind, Name, ObjectId},
};

pub(super) fn insert(known: &mut Known, relation: Relation) {
    let key = known.key(&relation.name.name);
    known.relations.entry(key).or_default().push(relation);
}

fn remove(known: &mut Known, name: &Name) -> Option<Relation> {
    let all = known.relations.get_mut(&known.key(&name.name))?;
    let at = all.iter().rposition(|it| it.is_named(name))?;
    Some(all.remove(at))
}

/// Follows an act.
pub(super) fn follow(known: &mut Known, act: &Act, step: &mut Step) {
    match act {
        Act::CreateTable(table) => create_table(known, table, step),
        Act::AlterTable { table, change } => alter_table(known, table, change, step),
        Act::CreateIndex(index) => {
            let name = index.name.clone().unwrap_or_default();
            let id = ObjectId::part(Kind::Index, &index.table, name.clone());
            let keys = index.keys.iter().map(|it| it.text.clone()).collect();
            let expressions = index.keys.iter().filter(|it| !it.is_column);
            let expressions = expressions.map(|it| it.text.clone());
            let expressions = expressions.chain(index.condition.clone()).collect();
            if let Some(relation) = known.find_mut(&index.table)
                && relation.indexes.iter().all(|it| it.name != name)
            {
                relation.indexes.push(Index {
                    name,
                    keys,
                    expressions,
                });
            }
            step.created.push(id);
        }
        Act::CreateView { kind, name, .. } if known.find(name).is_none() => {
            insert(known, Relation::new(name.clone(), *kind, true));
            let id = ObjectId::new(*kind, name.schema.clone(), name.name.clone());
            step.created.push(id);
        }
        Act::Create { kind, name, .. } => {
            step.created
                .push(ObjectId::new(*kind, name.schema.clone(), name.name.clone()))
        }
        Act::CreateDomain {
            name,
            data_type,
            is_constrained,
        } => {
            let facts = DomainFacts {
                data_type: data_type.clone(),
                is_constrained: *is_constrained,
            };
            known.domains.insert(name.name.clone(), facts);
            let id = ObjectId::new(Kind::Domain, name.schema.clone(), name.name.clone());
            step.created.push(id);
        }
        Act::CreatePart {
            kind, table, name, ..
        } => step
            .created
            .push(ObjectId::part(*kind, table, name.clone())),
        Act::Drop(object) => drop_object(known, object, step),
        Act::Rename { kind, name, to } => rename(known, *kind, name, to, step),
        Act::SetSchema { kind, name, schema } => {
            let is_relation = matches!(kind, Kind::Table | Kind::View | Kind::MaterializedView);
            if is_relation && let Some(relation) = known.find_mut(name) {
                relation.name.schema.clone_from(schema);
            }
        }
        _ => {}
    }
}

fn create_table(known: &mut Known, table: &CreateTable, step: &mut Step) {
    if table.if_not_exists && known.find(&table.name).is_some() {
        return;
    }
    let mut relation = Relation::new(table.name.clone(), Kind::Table, true);
    relation.is_partitioned = table.is_partitioned;
    relation.partition_of.clone_from(&table.partition_of);
    relation.is_default = table.is_default;
    let like = table.like.iter().chain(&table.partition_of);
    for source in like.chain(&table.inherits) {
        if let Some(source) = known.find(source) {
            relation.columns.extend(source.columns.clone());
        }
    }
    let name = &table.name;
    let id = ObjectId::new(Kind::Table, name.schema.clone(), name.name.clone());
    step.created.push(id);
    for column in &table.columns {
        add_column(known, &mut relation, column, step);
    }
    for constraint in &table.constraints {
        created_constraint(&mut relation, constraint, step);
    }
    insert(known, relation);
}

fn created_constraint(
    relation: &mut Relation,
    constraint: &crate::lint::Constraint,
    step: &mut Step,
) {
    let name = relation.add_constraint(constraint);
    let Some(kind) = constraint.kind.object_kind() else {
        return;
    };
    step.created
        .push(ObjectId::part(kind, &relation.name, name));
}

fn add_column(known: &Known, relation: &mut Relation, column: &Column, step: &mut Step) {
    let facts = ColumnFacts {
        data_type: column.data_type.clone(),
        not_null: column.not_null || column.identity || column.data_type.contains("serial"),
        is_virtual: column.generated.as_ref().is_some_and(|it| !it.stored),
    };
    relation.columns.insert(known.key(&column.name), facts);
    let id = ObjectId::part(Kind::Column, &relation.name, column.name.clone());
    step.created.push(id);
    for constraint in &column.constraints {
        created_constraint(relation, constraint, step);
    }
}

fn alter_table(known: &mut Known, table: &Name, change: &TableChange, step: &mut Step) {
    if let TableChange::Attach {
        partition,
        is_default,
    } = change
    {
        if let Some(found) = known.find_mut(partition) {
            found.partition_of = Some(table.clone());
            found.is_default = *is_default;
        }
        return;
    }
    if let TableChange::Detach { partition, .. } = change {
        if let Some(found) = known.find_mut(partition) {
            found.partition_of = None;
        }
        return;
    }
    let mut relation = match remove(known, table) {
        Some(found) => found,
        // What is learned of a table that no script made is worth keeping: it is old.
        None => Relation::new(table.clone(), Kind::Table, false),
    };
    alter_relation(known, &mut relation, change, step);
    insert(known, relation);
}

fn alter_relation(known: &Known, relation: &mut Relation, change: &TableChange, step: &mut Step) {
    match change {
        TableChange::AddColumn { column, .. } => {
            if !relation.columns.contains_key(&known.key(&column.name)) {
                add_column(known, relation, column, step);
            }
        }
        TableChange::DropColumn { column, .. } => {
            relation.columns.remove(&known.key(column));
            let table = &relation.name;
            relation.indexes.retain(|it| {
                let uses = |text: &String| relation::mentions(text, column);
                !it.keys.iter().any(|key| key == column) && !it.expressions.iter().any(uses)
            });
            relation.constraints.retain(|it| match &it.kind {
                ConstraintKind::ForeignKey(key) => !key.columns.contains(column),
                ConstraintKind::Check(text) => !relation::mentions(text, column),
                _ => true,
            });
            let id = ObjectId::part(Kind::Column, table, column.clone());
            step.dropped.push(id);
        }
        TableChange::AlterColumn { column, change } => {
            alter_column(known, relation, column, change);
        }
        TableChange::RenameColumn { from, to } => {
            if let Some(facts) = relation.columns.remove(&known.key(from)) {
                relation.columns.insert(known.key(to), facts);
            }
            for key in relation.indexes.iter_mut().flat_map(|it| &mut it.keys) {
                if key == from {
                    key.clone_from(to);
                }
            }
            let part = |name: &String| ObjectId::part(Kind::Column, &relation.name, name.clone());
            step.dropped.push(part(from));
            step.created.push(part(to));
        }
        TableChange::AddConstraint(constraint) => {
            created_constraint(relation, constraint, step);
        }
        TableChange::DropConstraint { name, .. } => drop_constraint(relation, name, step),
        TableChange::ValidateConstraint(name) => {
            let found = relation.constraints.iter_mut().find(|it| it.name == *name);
            if let Some(found) = found {
                found.is_valid = true;
            }
        }
        TableChange::RenameConstraint { from, to } => {
            let constraints = relation.constraints.iter_mut().map(|it| &mut it.name);
            let indexes = relation.indexes.iter_mut().map(|it| &mut it.name);
            for name in constraints.chain(indexes).filter(|it| *it == from) {
                name.clone_from(to);
            }
        }
        TableChange::EnableRowSecurity
        | TableChange::SetLogged
        | TableChange::SetTablespace
        | TableChange::SetAccessMethod
        | TableChange::Attach { .. }
        | TableChange::Detach { .. }
        | TableChange::EnforceConstraint
        | TableChange::Other(_) => {}
    }
}

fn alter_column(known: &Known, relation: &mut Relation, column: &str, change: &ColumnChange) {
    let key = known.key(column);
    match change {
        ColumnChange::Type { data_type, .. } => {
            let facts = relation.columns.entry(key).or_default();
            facts.data_type.clone_from(data_type);
        }
        ColumnChange::SetNotNull => relation.columns.entry(key).or_default().not_null = true,
        ColumnChange::DropNotNull => relation.columns.entry(key).or_default().not_null = false,
        _ => {}
    }
}

fn drop_constraint(relation: &mut Relation, name: &str, step: &mut Step) {
    let Some(at) = relation.constraints.iter().position(|it| it.name == name) else {
        return;
    };
    let constraint = relation.constraints.remove(at);
    relation.indexes.retain(|it| it.name != name);
    let Some(kind) = constraint.kind.object_kind() else {
        return;
    };
    step.dropped
        .push(ObjectId::part(kind, &relation.name, name));
}

fn drop_object(known: &mut Known, object: &DropObject, step: &mut Step) {
    let name = &object.name;
    match object.kind {
        Kind::Index => {
            let found = known.table_of(name).map(|(it, _)| it.name.clone());
            let table = found.unwrap_or_default();
            if let Some(relation) = known.find_mut(&table) {
                relation.indexes.retain(|it| it.name != name.name);
            }
            let id = ObjectId::part(Kind::Index, &table, name.name.clone());
            step.dropped.push(id);
        }
        Kind::Trigger | Kind::Rule | Kind::Policy => {
            let table = object.table.clone().unwrap_or_default();
            let id = ObjectId::part(object.kind, &table, name.name.clone());
            step.dropped.push(id);
        }
        Kind::Schema => {
            for all in known.relations.values_mut() {
                all.retain(|it| it.name.schema != name.name);
            }
            step.dropped
                .push(ObjectId::new(Kind::Schema, "", name.name.clone()));
        }
        kind => {
            if matches!(kind, Kind::Table | Kind::View | Kind::MaterializedView) {
                remove(known, name);
            }
            let id = ObjectId::new(kind, name.schema.clone(), name.name.clone());
            step.dropped.push(id);
        }
    }
}

fn rename(known: &mut Known, kind: Kind, name: &Name, to: &str, step: &mut Step) {
    match kind {
        Kind::Table | Kind::View | Kind::MaterializedView => {
            if let Some(mut relation) = remove(known, name) {
                let id =
                    |name: &Name, kind| ObjectId::new(kind, name.schema.clone(), name.name.clone());
                step.dropped.push(id(&relation.name, relation.kind));
                let old = relation.name.clone();
                to.clone_into(&mut relation.name.name);
                let locks = step.locks.iter_mut().chain(&mut known.held);
                for (locked, _) in locks.filter(|(it, _)| it.name == old.name) {
                    to.clone_into(&mut locked.name);
                }
                step.created.push(id(&relation.name, relation.kind));
                insert(known, relation);
            }
        }
        Kind::Index => {
            let table = known.table_of(name).map(|(it, _)| it.name.clone());
            let relation = table.and_then(|table| known.find_mut(&table));
            let indexes = relation.into_iter().flat_map(|it| &mut it.indexes);
            for index in indexes.filter(|it| it.name == name.name) {
                to.clone_into(&mut index.name);
            }
        }
        Kind::Schema => {
            for relation in known.relations.values_mut().flatten() {
                if relation.name.schema == name.name {
                    to.clone_into(&mut relation.name.schema);
                }
            }
        }
        Kind::Domain => {
            if let Some(facts) = known.domains.remove(&name.name) {
                known.domains.insert(to.to_owned(), facts);
            }
        }
        _ => {}
    }
}
