//! Both schemas, their common objects, and what depends on what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::renamed;
use crate::{
    generate::postgres::{
        layout::Layout,
        objects::{Objects, parent_index},
    },
    schema::{Change, Facts, Kind, Name, Object, ObjectId, Schema, compare, mentions},
};

/// The attributes of an object that differ, with both values.
pub(super) type Changes = BTreeMap<String, (Value, Value)>;

/// One of the schemas.
pub(super) struct Side<'a> {
    pub layout: Layout<'a>,
    /// What each object depends on, its parent and its schema included.
    pub links: Vec<Vec<usize>>,
    /// What depends on each object.
    pub users: Vec<Vec<usize>>,
}

impl<'a> Side<'a> {
    fn of(schema: &'a Schema) -> Self {
        let layout = Layout::of(Objects::of(schema));
        let links = links(&layout.objects);
        let mut users = vec![Vec::new(); links.len()];
        for (at, needed) in links.iter().enumerate() {
            for to in needed {
                users[*to].push(at);
            }
        }
        Self {
            layout,
            links,
            users,
        }
    }

    pub fn objects(&self) -> &Objects<'a> {
        &self.layout.objects
    }

    pub fn get(&self, at: usize) -> &'a Object {
        self.layout.objects.get(at)
    }

    /// The object that a part belongs to.
    pub fn whole(&self, at: usize) -> Option<&'a Object> {
        let whole = self.objects().whole(at);
        whole.map(|it| self.get(it))
    }

    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// The object of the parent table from which a part comes: a column, constraint or trigger of
    /// the same name, or the index to which an index is attached.
    pub fn inherited_from(&self, at: usize) -> Option<usize> {
        let object = self.get(at);
        let objects = self.objects();
        match &object.facts {
            Facts::Key(_) | Facts::Exclusion(_) | Facts::Index(_) => {
                objects.index(parent_index(object)?)
            }
            Facts::Column(_) | Facts::Check(_) | Facts::ForeignKey(_) | Facts::Trigger(_) => {
                let parents = objects.parents(objects.whole(at)?).into_iter();
                parents
                    .filter_map(|parent| {
                        let mut id = object.id.clone();
                        let parent = &self.get(parent).id;
                        id.schema.clone_from(&parent.schema);
                        id.parent.clone_from(&parent.name);
                        objects.find(&id)
                    })
                    .next()
            }
            _ => None,
        }
    }

    /// Whether other tables have a part since this table has it.
    pub fn has_heirs(&self, at: usize) -> bool {
        let objects = self.objects();
        let children = objects.whole(at).map(|whole| objects.children(whole));
        let is_heir = |part: usize| self.inherited_from(part) == Some(at);
        let of_children = children.unwrap_or_default().iter();
        of_children
            .flat_map(|child| objects.parts(*child))
            .any(|(part, _)| is_heir(part))
    }

    /// Whether a part of a table comes from a parent of the table only.
    pub fn is_inherited(&self, at: usize) -> bool {
        match &self.get(at).facts {
            Facts::Column(column) => column.is_inherited,
            Facts::Check(check) => check.is_inherited,
            Facts::ForeignKey(key) => key.is_inherited,
            Facts::Trigger(trigger) => trigger.is_inherited,
            Facts::Key(key) => key.parent.is_some(),
            Facts::Exclusion(exclusion) => exclusion.parent.is_some(),
            Facts::Index(index) => index.parent.is_some(),
            _ => false,
        }
    }
}

/// Both schemas.
pub(super) struct Sides<'a> {
    pub old: Side<'a>,
    pub new: Side<'a>,
    /// The new object of each old one.
    pub new_of: Vec<Option<usize>>,
    /// The old object of each new one.
    pub old_of: Vec<Option<usize>>,
    /// The attributes that differ, by old object.
    pub changed: Vec<Changes>,
}

impl<'a> Sides<'a> {
    pub fn of(from: &'a Schema, to: &'a Schema) -> Self {
        let (old, new) = (Side::of(from), Side::of(to));
        let mut old_of = vec![None; new.len()];
        let mut new_of: Vec<Option<usize>> = (0..old.len())
            .map(|at| {
                let found = new.objects().find(&old.get(at).id)?;
                let of_old = old.whole(at).map(|it| &it.id);
                let of_new = new.whole(found).map(|it| &it.id);
                if of_old != of_new {
                    return None;
                }
                old_of[found] = Some(at);
                Some(found)
            })
            .collect();
        let mut changed = vec![Changes::new(); old.len()];
        let difference = compare(from, to);
        let heirs = renamed::pair(
            (&old, &new),
            &difference,
            (&mut new_of, &mut old_of),
            &mut changed,
        );
        for change in difference.changes {
            if let Change::Alter {
                object,
                attribute,
                from,
                to,
            } = change
                && let Some(at) = old.objects().find(&object)
                && new_of[at].is_some()
                && !(attribute == "parent" && heirs.contains(&at))
            {
                changed[at].insert(attribute, (from, to));
            }
        }
        Self {
            old,
            new,
            new_of,
            old_of,
            changed,
        }
    }
}

/// What each object depends on.
fn links(objects: &Objects<'_>) -> Vec<Vec<usize>> {
    let mut columns: HashMap<usize, Vec<(usize, &str)>> = HashMap::new();
    for at in 0..objects.len() {
        let object = objects.get(at);
        if object.id.kind == Kind::Column
            && let Some(whole) = objects.whole(at)
        {
            let of_whole = columns.entry(whole).or_default();
            of_whole.push((at, object.id.name.as_str()));
        }
    }
    let finder = Links { objects, columns };
    (0..objects.len())
        .map(|at| {
            let mut found = finder.of(at);
            found.retain(|to| *to != at);
            found.sort_unstable();
            found.dedup();
            found
        })
        .collect()
}

struct Links<'a, 'b> {
    objects: &'b Objects<'a>,
    /// The columns of each table.
    columns: HashMap<usize, Vec<(usize, &'a str)>>,
}

impl Links<'_, '_> {
    fn of(&self, at: usize) -> Vec<usize> {
        let objects = self.objects;
        let object = objects.get(at);
        let mut found = Vec::new();
        let named = |kind, name: &str| objects.find(&ObjectId::new(kind, "", name));
        found.extend(named(Kind::Schema, &object.id.schema));
        let recorded = object.depends_on.iter();
        found.extend(recorded.filter_map(|id| objects.find(id)));
        let whole = objects.whole(at);
        found.extend(whole);
        self.by_facts(at, whole, &mut found);
        if let Some(host) = whole {
            self.siblings(object, host, &mut found);
        }
        match &object.facts {
            // A column needs its sequence, which is given to it later.
            Facts::Sequence(sequence) if sequence.owned_by.is_some() => {
                found.retain(|to| {
                    let id = &objects.get(*to).id;
                    !matches!(id.kind, Kind::Table | Kind::Column)
                });
            }
            Facts::Routine(_) => found.retain(|to| match &objects.get(*to).facts {
                Facts::Range(range) => range.canonical.as_ref() != Some(&object.id.qualified()),
                _ => true,
            }),
            _ => {}
        }
        found
    }

    /// What the facts name.
    fn by_facts(&self, at: usize, whole: Option<usize>, found: &mut Vec<usize>) {
        let objects = self.objects;
        let object = objects.get(at);
        let named = |kind, name: &str| objects.find(&ObjectId::new(kind, "", name));
        match &object.facts {
            Facts::Table(table) => {
                found.extend(objects.parents(at));
                let foreign = table.foreign.as_ref();
                found.extend(foreign.and_then(|it| named(Kind::Server, &it.server)));
            }
            Facts::ForeignKey(key) => {
                if let Some(table) = objects.relation(&key.references) {
                    found.push(table);
                    self.columns_named(table, &key.referenced_columns, found);
                    found.extend(unique_indexes(objects, table, &key.referenced_columns));
                }
            }
            Facts::Statistics(statistics) => {
                if let Some(table) = objects.relation(&statistics.table) {
                    found.push(table);
                    self.columns_named(table, &statistics.columns, found);
                    for text in &statistics.columns {
                        self.mentioned(table, text, found);
                    }
                }
            }
            Facts::Extension(extension) => found.extend(named(Kind::Schema, &extension.schema)),
            Facts::Server(server) => {
                found.extend(named(Kind::ForeignDataWrapper, &server.wrapper));
            }
            Facts::Publication(publication) => {
                for published in &publication.tables {
                    let Some(table) = objects.relation(&published.table) else {
                        continue;
                    };
                    found.push(table);
                    if let Some(columns) = &published.columns {
                        self.columns_named(table, columns, found);
                    }
                    if let Some(condition) = &published.condition {
                        self.mentioned(table, condition, found);
                    }
                }
                for schema in &publication.schemas {
                    found.extend(named(Kind::Schema, schema));
                }
            }
            Facts::Index(_) | Facts::Key(_) | Facts::Exclusion(_) => {
                found.extend(parent_index(object).and_then(|name| objects.index(name)));
            }
            Facts::Check(_) | Facts::Trigger(_) | Facts::Column(_) => {
                // What is inherited comes with the parent's.
                for parent in whole.map(|it| objects.parents(it)).unwrap_or_default() {
                    let mut id = object.id.clone();
                    let of_parent = objects.get(parent).id.qualified();
                    (id.schema, id.parent) = (of_parent.schema, of_parent.name);
                    found.extend(objects.find(&id));
                }
            }
            _ => {}
        }
    }

    /// The columns of the same table that a part of it uses.
    fn siblings(&self, object: &Object, host: usize, found: &mut Vec<usize>) {
        let mut text = |text: &str| self.mentioned(host, text, found);
        match &object.facts {
            Facts::Key(key) => {
                self.columns_named(host, &key.columns, found);
                self.columns_named(host, &key.include, found);
            }
            Facts::ForeignKey(key) => self.columns_named(host, &key.columns, found),
            Facts::Check(check) => text(&check.expression),
            Facts::Exclusion(exclusion) => {
                exclusion.condition.iter().for_each(|it| text(it));
                for key in &exclusion.keys {
                    key.expression.iter().for_each(|it| text(it));
                }
                let keys = exclusion.keys.iter().filter_map(|key| key.column.clone());
                let names: Vec<String> = keys.chain(exclusion.include.clone()).collect();
                self.columns_named(host, &names, found);
            }
            Facts::Index(index) => {
                index.condition.iter().for_each(|it| text(it));
                for key in &index.keys {
                    key.expression.iter().for_each(|it| text(it));
                }
                let keys = index.keys.iter().filter_map(|key| key.column.clone());
                let names: Vec<String> = keys.chain(index.include.clone()).collect();
                self.columns_named(host, &names, found);
            }
            Facts::Trigger(trigger) => {
                trigger.condition.iter().for_each(|it| text(it));
                self.columns_named(host, &trigger.columns, found);
            }
            Facts::Rule(rule) => text(&rule.definition),
            Facts::Policy(policy) => {
                policy.using.iter().for_each(|it| text(it));
                policy.check.iter().for_each(|it| text(it));
            }
            Facts::Column(column) => {
                if let Some(generated) = &column.generated {
                    text(&generated.expression);
                }
            }
            _ => {}
        }
    }

    fn columns_named(&self, table: usize, names: &[String], found: &mut Vec<usize>) {
        let columns = self.columns.get(&table).map_or(&[][..], Vec::as_slice);
        let wanted = columns
            .iter()
            .filter(|(_, name)| names.iter().any(|it| it == name));
        found.extend(wanted.map(|(at, _)| *at));
    }

    /// The columns of a table whose names are in an expression.
    fn mentioned(&self, table: usize, text: &str, found: &mut Vec<usize>) {
        let columns = self.columns.get(&table).map_or(&[][..], Vec::as_slice);
        let used = columns.iter().filter(|(_, name)| mentions(text, name));
        found.extend(used.map(|(at, _)| *at));
    }
}

/// The unique indexes over exactly these columns: constraints, or else plain indexes.
fn unique_indexes(objects: &Objects<'_>, table: usize, columns: &[String]) -> Vec<usize> {
    let wanted: BTreeSet<&String> = columns.iter().collect();
    let (mut keys, mut indexes) = (Vec::new(), Vec::new());
    for (at, part) in objects.parts(table) {
        match &part.facts {
            Facts::Key(key) if key.columns.iter().collect::<BTreeSet<_>>() == wanted => {
                keys.push(at);
            }
            Facts::Index(index) if index.unique => {
                let columns = index.keys.iter().filter_map(|it| it.column.as_ref());
                if columns.collect::<BTreeSet<_>>() == wanted {
                    indexes.push(at);
                }
            }
            _ => {}
        }
    }
    if keys.is_empty() { indexes } else { keys }
}

/// The table that has a part.
pub(super) fn table_of(object: &Object) -> Name {
    object.id.parent_name().unwrap_or_default()
}

/// Whether the tables of two parts stay child and parent.
pub(super) fn keeps_parent(
    (old, new): (&Objects<'_>, &Objects<'_>),
    new_of: &[Option<usize>],
    (child, parent): (usize, usize),
) -> bool {
    let table = |at: usize| old.whole(at).and_then(|it| new_of[it]);
    match (table(child), table(parent)) {
        (Some(child), Some(parent)) => new.parents(child).contains(&parent),
        _ => false,
    }
}
