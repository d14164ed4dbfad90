//! The order of statements: what uses tables is dropped, tables change, and what uses them is
//! created.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    alter::{Surroundings, alter},
    in_order,
    rebuild::rebuild,
    statement,
    table::Table,
    text::{folded, quotes_names_only, sources},
    virtual_table::{self, Replaced},
};
use crate::{
    generate::{Loss, LossKind, Migration, MigrationOptions, Refusal, Statement},
    schema::{Change, Facts, Kind, Object, ObjectId, Schema, compare, sqlite::quoted},
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
    /// The tables that change, by name.
    altered: BTreeMap<String, (&'a Object, &'a Object)>,
    /// The statements for virtual tables that change.
    replaced: Vec<Replaced>,
    /// The statements for the tables that change.
    tables: Vec<Statement>,
    /// The names of tables and indexes.
    taken: HashSet<String>,
}

/// What identifies an object of either schema.
fn key(id: &ObjectId) -> (Kind, String, String) {
    (id.kind, folded(&id.parent), folded(&id.name))
}

impl<'a> Plan<'a> {
    fn new(from: &'a Schema, to: &'a Schema, changes: &[Change]) -> Self {
        let mut plan = Self {
            from,
            to,
            dropped: Vec::new(),
            created: Vec::new(),
            altered: BTreeMap::new(),
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
                    plan.altered.insert(folded(&old.id.name), (old, new));
                }
                (Kind::VirtualTable, Some(old), Some(new)) => {
                    let replaced = virtual_table::replace(old, new, &mut plan.taken);
                    plan.replaced.push(replaced);
                }
                (_, old, new) => {
                    plan.dropped.extend(old);
                    plan.created.extend(new);
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
        let parts = self.to.parts(&whole.id.qualified());
        for part in parts {
            let is_alone = matches!(part.id.kind, Kind::Index | Kind::Trigger);
            let is_new = || {
                self.created
                    .iter()
                    .all(|other| key(&other.id) != key(&part.id))
            };
            if is_alone && is_new() {
                self.created.push(part);
            }
        }
    }

    /// The views and triggers that are there while tables change.
    fn standing(&self) -> Vec<&'a Object> {
        let gone: HashSet<_> = self.dropped.iter().map(|object| key(&object.id)).collect();
        let is_gone = |object: &Object| {
            let with = |kind| gone.contains(&(kind, String::new(), folded(&object.id.parent)));
            gone.contains(&key(&object.id))
                || object.id.is_part() && (with(Kind::View) || with(Kind::Table))
        };
        let objects = self.from.objects.iter();
        let users = objects.filter(|it| matches!(it.id.kind, Kind::View | Kind::Trigger));
        users.filter(|object| !is_gone(object)).collect()
    }

    /// Plans the tables that change.
    fn change_tables(&mut self, options: &MigrationOptions) -> Result<(), Vec<Refusal>> {
        let standing = self.standing();
        let allows_drop = self.resolves(&standing);
        let mut refusals = Vec::new();
        let mut needs_legacy = false;
        for (old_object, new_object) in std::mem::take(&mut self.altered).into_values() {
            let tables = Table::new(self.from, old_object).zip(Table::new(self.to, new_object));
            let Some((old, new)) = tables else {
                refusals.push(Refusal {
                    object: old_object.id.clone(),
                    reason: "the text of CREATE TABLE is not understood".to_owned(),
                });
                continue;
            };
            let around = self.surroundings(&old, &standing, allows_drop);
            if let Some(statements) = alter(&old, &new, &around, &options.fills) {
                self.tables.extend(statements);
                continue;
            }
            needs_legacy |= standing.iter().any(|it| !is_part_of(it, old_object));
            let statements = rebuild(&old, &new, &options.fills, &mut self.taken);
            self.tables.extend(statements);
            // Indexes and triggers are dropped with the old table.
            self.dropped.retain(|it| !is_part_of(it, old_object));
            self.create_parts(new_object);
        }
        if needs_legacy {
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

    /// Whether all that `standing` uses is there while tables change, and no name in double quotes is
    /// a string, which DROP COLUMN would write in other quotes.
    fn resolves(&self, standing: &[&Object]) -> bool {
        let missing: HashSet<String> = self
            .dropped
            .iter()
            .filter(|object| !object.id.is_part())
            .map(|object| folded(&object.id.name))
            .collect();
        let is_there = |id: &ObjectId| {
            let is_replaced = id.kind == Kind::VirtualTable && !self.replaced.is_empty();
            !missing.contains(&folded(&id.name)) && self.from.get(id).is_some() && !is_replaced
        };
        let relations = self
            .from
            .objects
            .iter()
            .filter(|object| !object.id.is_part());
        let relations: HashSet<String> = relations.map(|it| folded(&it.id.name)).collect();
        let resolves = |object: &&Object| {
            let later = self.to.get(&object.id);
            let later = later.into_iter().flat_map(|later| &later.depends_on);
            let text = super::text(&object.facts).map_or("", |(_, sql)| sql);
            object.depends_on.iter().chain(later).all(is_there)
                && sources(text).iter().all(|name| relations.contains(name))
                && !self.is_in_cycle(object)
        };
        let objects = || self.from.objects.iter();
        let mut known: HashSet<String> = objects().map(|object| folded(&object.id.name)).collect();
        let virtual_columns = objects().filter_map(|object| match &object.facts {
            Facts::SqliteVirtualTable(table) => Some(&table.columns),
            _ => None,
        });
        known.extend(virtual_columns.flatten().map(|column| folded(&column.name)));
        standing.iter().all(resolves)
            && objects().all(|object| match &object.facts {
                Facts::SqliteTable(table) => quotes_names_only(&table.sql, &known),
                Facts::SqliteIndex(index) => quotes_names_only(&index.sql, &known),
                Facts::SqliteView(view) => quotes_names_only(&view.sql, &known),
                Facts::SqliteTrigger(trigger) => quotes_names_only(&trigger.sql, &known),
                _ => true,
            })
    }

    /// Whether a view reads itself.
    fn is_in_cycle(&self, view: &Object) -> bool {
        let mut seen: Vec<&ObjectId> = view.depends_on.iter().collect();
        let mut at = 0;
        while let Some(id) = seen.get(at) {
            if key(id) == key(&view.id) {
                return true;
            }
            let next = self
                .from
                .get(id)
                .into_iter()
                .flat_map(|object| &object.depends_on);
            let next: Vec<_> = next.filter(|id| !seen.contains(id)).collect();
            seen.extend(next);
            at += 1;
        }
        false
    }

    /// What else than `table` there is while it changes.
    fn surroundings(
        &self,
        table: &Table<'a>,
        standing: &[&'a Object],
        allows_drop: bool,
    ) -> Surroundings<'a> {
        let dropped: HashSet<_> = self.dropped.iter().map(|object| key(&object.id)).collect();
        let indexes = table.parts_of(Kind::Index);
        let indexes = indexes.filter(|index| !dropped.contains(&key(&index.id)));
        // The views over the table, and those over them.
        let mut sources: Vec<String> = vec![folded(table.name())];
        let mut users: Vec<&Object> = Vec::new();
        loop {
            let uses = |object: &&&Object| {
                let on = object.id.is_part() && sources.contains(&folded(&object.id.parent));
                let is_known = users.iter().any(|user| user.id == object.id);
                !is_known
                    && (on
                        || object
                            .depends_on
                            .iter()
                            .any(|id| sources.contains(&folded(&id.name))))
            };
            let found: Vec<&Object> = standing.iter().filter(uses).copied().collect();
            if found.is_empty() {
                break;
            }
            let views = found.iter().filter(|object| object.id.kind == Kind::View);
            sources.extend(views.map(|view| folded(&view.id.name)));
            users.extend(found);
        }
        Surroundings {
            indexes: indexes.collect(),
            users: users
                .into_iter()
                .filter_map(|user| super::text(&user.facts))
                .map(|(_, sql)| sql)
                .collect(),
            allows_drop,
        }
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
    objects.sort_by(|a, b| a.id.cmp(&b.id));
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

fn is_part_of(part: &Object, whole: &Object) -> bool {
    part.id.is_part() && part.id.parent.eq_ignore_ascii_case(&whole.id.name)
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
