//! The order of statements: what uses tables is dropped, tables change, and what uses them is
//! created.

use std::collections::{BTreeSet, HashSet};

use super::{
    alter::{Surroundings, alter},
    in_order,
    rebuild::rebuild,
    standing::Standing,
    statement,
    table::Table,
    text::folded,
    virtual_table::{self, Replaced},
};
use crate::{
    arrange::Arrange as _,
    generate::{Loss, LossKind, Migration, MigrationOptions, Refusal, Statement},
    schema::{Change, Kind, Object, ObjectId, Schema, compare, sqlite::quoted},
};

/// See [`crate::generate::migrate`].
pub(in crate::generate) fn migrate(
    from: &Schema,
    to: &Schema,
    options: &MigrationOptions,
) -> Result<Migration, Vec<Refusal>> {
    let changes = compare(from, to).changes;
    let mut plan = Plan::new(from, to, &changes);
    plan.change_tables(options)?;
    Ok(Migration {
        statements: plan.statements(),
    })
}

/// What becomes of the objects.
struct Plan<'a> {
    from: &'a Schema,
    to: &'a Schema,
    /// What is dropped: objects of the first schema, in its order.
    dropped: Vec<&'a Object>,
    /// What is created: objects of the second schema, in its order.
    created: Vec<&'a Object>,
    is_created: HashSet<Key>,
    /// The tables that change.
    altered: Vec<(&'a Object, &'a Object)>,
    /// The virtual tables that change, and the statements for them.
    replaced_tables: Vec<&'a Object>,
    replaced: Vec<Replaced>,
    /// The statements for the tables that change.
    tables: Vec<Statement>,
    /// The names of tables and indexes.
    taken: HashSet<String>,
}

/// What identifies an object of either schema.
type Key = (Kind, String, String);

pub(super) fn key(id: &ObjectId) -> Key {
    (id.kind, folded(&id.parent), folded(&id.name))
}

impl<'a> Plan<'a> {
    fn new(from: &'a Schema, to: &'a Schema, changes: &[Change]) -> Self {
        let mut plan = Self {
            from,
            to,
            dropped: Vec::new(),
            created: Vec::new(),
            is_created: HashSet::new(),
            altered: Vec::new(),
            replaced_tables: Vec::new(),
            replaced: Vec::new(),
            tables: Vec::new(),
            taken: [from, to].into_iter().flat_map(names).collect(),
        };
        let mut seen = BTreeSet::new();
        for change in changes {
            let id = change.object();
            // A part of a table is changed with the table.
            let is_alone = matches!(id.kind, Kind::Index | Kind::Trigger) || !id.is_part();
            let (old, new) = match is_alone {
                true => (from.get(id), to.get(id)),
                false => (from.parent_of(id), to.parent_of(id)),
            };
            let Some(any) = old.or(new).filter(|any| seen.insert(key(&any.id))) else {
                continue;
            };
            match (any.id.kind, old, new) {
                (Kind::Table, Some(old), Some(new)) => {
                    plan.altered.push((old, new));
                }
                (Kind::VirtualTable, Some(old), Some(new)) => {
                    let replaced = virtual_table::replace(old, new, &mut plan.taken);
                    plan.replaced.push(replaced);
                    plan.replaced_tables.push(old);
                }
                (_, old, new) => {
                    plan.dropped.extend(old);
                    new.into_iter().for_each(|new| plan.create(new));
                }
            }
        }
        plan.add_parts();
        plan
    }

    /// The indexes and triggers of what is created are created as well, and those of what is dropped
    /// go with it.
    fn add_parts(&mut self) {
        let whole: Vec<&Object> = self
            .created
            .iter()
            .copied()
            .filter(|it| !it.id.is_part())
            .collect();
        for object in whole {
            self.create_parts(object);
        }
        let gone: HashSet<String> = self
            .dropped
            .iter()
            .filter(|object| !object.id.is_part())
            .map(|object| folded(&object.id.name))
            .collect();
        self.dropped
            .retain(|object| !object.id.is_part() || !gone.contains(&folded(&object.id.parent)));
    }

    /// Creates all indexes and triggers of `whole`.
    fn create_parts(&mut self, whole: &Object) {
        let parts = self.to.parts(&whole.id.qualified()).iter();
        let alone = parts.filter(|part| matches!(part.id.kind, Kind::Index | Kind::Trigger));
        alone.for_each(|part| self.create(part));
    }

    fn create(&mut self, object: &'a Object) {
        if self.is_created.insert(key(&object.id)) {
            self.created.push(object);
        }
    }

    /// Plans the tables that change.
    fn change_tables(&mut self, options: &MigrationOptions) -> Result<(), Vec<Refusal>> {
        let standing = Standing::new(self.from, self.to, &self.dropped, &self.replaced_tables);
        let dropped: HashSet<Key> = self.dropped.iter().map(|object| key(&object.id)).collect();
        let mut refusals = Vec::new();
        let mut rebuilt = HashSet::new();
        for (old_object, new_object) in std::mem::take(&mut self.altered) {
            let tables = Table::new(self.from, old_object).zip(Table::new(self.to, new_object));
            let Some((old, new)) = tables else {
                refusals.push(Refusal {
                    object: old_object.id.clone(),
                    reason: "the text of CREATE TABLE is not understood".to_owned(),
                });
                continue;
            };
            let indexes = old.parts_of(Kind::Index);
            let around = Surroundings {
                indexes: indexes
                    .filter(|index| !dropped.contains(&key(&index.id)))
                    .collect(),
                users: standing.users_of(old.name()),
                allows_drop: standing.allows_drop,
            };
            if let Some(statements) = alter(&old, &new, &around, &options.fills) {
                self.tables.extend(statements);
                continue;
            }
            let statements = rebuild(&old, &new, &options.fills, &mut self.taken);
            self.tables.extend(statements);
            self.create_parts(new_object);
            rebuilt.insert(folded(old.name()));
        }
        // Indexes are dropped with the old table. Triggers that change are dropped before, since they
        // would be read while another table is renamed.
        let goes = |it: &Object| it.id.is_part() && rebuilt.contains(&folded(&it.id.parent));
        self.dropped
            .retain(|object| object.id.kind != Kind::Index || !goes(object));
        let is_other = |user: &&Object| !goes(user) || rebuilt.len() > 1;
        if !rebuilt.is_empty() && standing.objects.iter().any(is_other) {
            self.set_legacy();
        }
        match refusals.is_empty() {
            true => Ok(()),
            false => Err(refusals),
        }
    }

    /// Otherwise, a renaming would read the views and triggers, some of which use a table that is not
    /// there at that moment.
    fn set_legacy(&mut self) {
        let set =
            |value: &str| Statement::new(None, format!("PRAGMA legacy_alter_table = {value}"));
        let mut on = set("ON");
        let note = "Views and triggers keep the names of tables that are rebuilt.";
        on.notes.push(note.to_owned());
        self.tables.insert(0, on);
        self.tables.push(set("OFF"));
    }

    /// All statements in order.
    fn statements(mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        for kind in [Kind::Trigger, Kind::View, Kind::Index] {
            statements.extend(self.drops_of(kind).into_iter().map(dropping));
        }
        let virtual_tables = self.drops_of(Kind::VirtualTable);
        statements.extend(virtual_tables.into_iter().map(virtual_table::dropping));
        for replaced in &mut self.replaced {
            statements.append(&mut replaced.before);
        }
        statements.extend(self.drops_of(Kind::Table).into_iter().map(dropping));
        statements.append(&mut self.tables);
        for kind in [Kind::Table, Kind::Index] {
            statements.extend(self.creates_of(kind));
        }
        statements.extend(self.creates_of(Kind::VirtualTable));
        for replaced in &mut self.replaced {
            statements.append(&mut replaced.after);
        }
        for kind in [Kind::View, Kind::Trigger] {
            statements.extend(self.creates_of(kind));
        }
        statements
    }

    /// What is dropped of one kind: each before what it needs.
    fn drops_of(&self, kind: Kind) -> Vec<&'a Object> {
        let mut objects = ordered(self.from, self.dropped.iter().copied(), kind);
        objects.reverse();
        objects
    }

    /// What is created of one kind: each after what it needs.
    fn creates_of(&self, kind: Kind) -> Vec<Statement> {
        let objects = ordered(self.to, self.created.iter().copied(), kind);
        let create = |object: &Object| {
            let (_, sql) = super::text(&object.facts)?;
            Some(Statement::new(Some(object.id.clone()), statement(sql)))
        };
        objects.into_iter().filter_map(create).collect()
    }
}

/// The objects of one kind, sorted by identity, and then each after what it depends on.
fn ordered<'a>(
    schema: &'a Schema,
    objects: impl Iterator<Item = &'a Object>,
    kind: Kind,
) -> Vec<&'a Object> {
    let mut objects: Vec<&Object> = objects.filter(|object| object.id.kind == kind).collect();
    objects.arrange_by(|a, b| a.id.cmp(&b.id));
    let texts: Vec<_> = objects
        .into_iter()
        .filter_map(|object| {
            let (rank, sql) = super::text(&object.facts)?;
            Some((rank, object, sql))
        })
        .collect();
    let needs = |object: &'a Object| -> Vec<&'a ObjectId> {
        // Foreign keys are parts.
        let parts = match object.id.kind {
            Kind::Table => schema.parts(&object.id.qualified()),
            _ => &[],
        };
        let keys = parts.iter().filter(|part| part.id.kind == Kind::ForeignKey);
        let keys = keys.flat_map(|key| &key.depends_on);
        object.depends_on.iter().chain(keys).collect()
    };
    let ordered = in_order(&texts, needs);
    ordered.into_iter().map(|(object, _)| object).collect()
}

/// The names of the tables and indexes of a schema.
fn names(schema: &Schema) -> impl Iterator<Item = String> {
    let is_named = |object: &&Object| {
        let id = &object.id;
        !id.is_part() || id.kind == Kind::Index
    };
    let objects = schema.objects.iter().filter(is_named);
    objects.map(|object| folded(&object.id.name))
}

fn dropping(object: &Object) -> Statement {
    let word = match object.id.kind {
        Kind::Trigger => "TRIGGER",
        Kind::View => "VIEW",
        Kind::Index => "INDEX",
        _ => "TABLE",
    };
    let sql = format!("DROP {word} {}", quoted(&object.id.name));
    let mut statement = Statement::new(Some(object.id.clone()), sql);
    if object.id.kind == Kind::Table {
        statement.losses.push(Loss {
            object: object.id.clone(),
            kind: LossKind::Rows,
        });
    }
    statement
}
