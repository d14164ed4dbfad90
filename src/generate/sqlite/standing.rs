//! The views and triggers that stay while tables change.

use std::collections::{HashMap, HashSet};

use super::{
    plan::key,
    text::{folded, quotes_names_only, sources},
};
use crate::schema::{Facts, Kind, Object, ObjectId, Schema};

/// The views and triggers that are there while tables change.
pub(super) struct Standing<'a> {
    pub objects: Vec<&'a Object>,
    /// For each table or view, what uses it: places among the objects.
    users: HashMap<String, Vec<usize>>,
    /// Whether DROP COLUMN, which reads all of them, understands them and leaves them as they are.
    pub allows_drop: bool,
}

impl<'a> Standing<'a> {
    /// What stays of `from` when `dropped` and the virtual tables `replaced` are gone.
    pub fn new(from: &'a Schema, to: &Schema, dropped: &[&Object], replaced: &[&Object]) -> Self {
        let gone: HashSet<_> = dropped.iter().map(|object| key(&object.id)).collect();
        let is_gone = |object: &Object| {
            let with = |kind| gone.contains(&(kind, String::new(), folded(&object.id.parent)));
            gone.contains(&key(&object.id))
                || object.id.is_part() && (with(Kind::View) || with(Kind::Table))
        };
        let objects: Vec<&Object> = from
            .objects
            .iter()
            .filter(|it| matches!(it.id.kind, Kind::View | Kind::Trigger))
            .filter(|object| !is_gone(object))
            .collect();
        let mut users: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, object) in objects.iter().enumerate() {
            let parent = object.id.is_part().then_some(&object.id.parent);
            let needed = object.depends_on.iter().map(|id| &id.name);
            for name in needed.chain(parent) {
                users.entry(folded(name)).or_default().push(at);
            }
        }
        let away = dropped.iter().chain(replaced);
        let away = away.filter(|object| !object.id.is_part());
        let away: HashSet<String> = away.map(|object| folded(&object.id.name)).collect();
        let allows_drop = objects
            .iter()
            .all(|object| resolves(object, from, to, &away))
            && has_plain_quotes(from);
        Self {
            objects,
            users,
            allows_drop,
        }
    }

    /// The texts of what uses the table `name`, also through views.
    pub fn users_of(&self, name: &str) -> Vec<&'a str> {
        let mut names = vec![folded(name)];
        let mut found: Vec<usize> = Vec::new();
        let mut seen = HashSet::new();
        while let Some(name) = names.pop() {
            for at in self.users.get(&name).into_iter().flatten() {
                if seen.insert(*at) {
                    let object = self.objects[*at];
                    names.extend((object.id.kind == Kind::View).then(|| folded(&object.id.name)));
                    found.push(*at);
                }
            }
        }
        found.sort_unstable();
        found.into_iter().map(|at| kept(self.objects[at])).collect()
    }
}

/// The text of an object; empty for parts of a table.
fn kept(object: &Object) -> &str {
    super::text(&object.facts).map_or("", |(_, sql)| sql)
}

/// Whether all that a view or trigger uses is there while tables change.
fn resolves(object: &Object, from: &Schema, to: &Schema, away: &HashSet<String>) -> bool {
    let is_there = |id: &ObjectId| !away.contains(&folded(&id.name)) && from.get(id).is_some();
    let later = to.get(&object.id);
    let later = later.into_iter().flat_map(|later| &later.depends_on);
    // What else a text names as a table is no table of the schema.
    let known: HashSet<String> = object
        .depends_on
        .iter()
        .map(|id| folded(&id.name))
        .collect();
    let parent = folded(&object.id.parent);
    object.depends_on.iter().chain(later).all(is_there)
        && sources(kept(object))
            .iter()
            .all(|name| known.contains(name) || *name == parent)
        && !is_in_cycle(object, from)
}

/// Whether a view reads itself.
fn is_in_cycle(view: &Object, schema: &Schema) -> bool {
    let mut next: Vec<&ObjectId> = view.depends_on.iter().collect();
    let mut seen = HashSet::new();
    while let Some(id) = next.pop() {
        if key(id) == key(&view.id) {
            return true;
        }
        if seen.insert(id) && id.kind == Kind::View {
            next.extend(
                schema
                    .get(id)
                    .into_iter()
                    .flat_map(|object| &object.depends_on),
            );
        }
    }
    false
}

/// Whether no name in double quotes is a string, which DROP COLUMN would write in other quotes.
fn has_plain_quotes(schema: &Schema) -> bool {
    let objects = || schema.objects.iter();
    let mut known: HashSet<String> = objects().map(|object| folded(&object.id.name)).collect();
    let virtual_columns = objects().filter_map(|object| match &object.facts {
        Facts::SqliteVirtualTable(table) => Some(&table.columns),
        _ => None,
    });
    known.extend(virtual_columns.flatten().map(|column| folded(&column.name)));
    objects().all(|object| match &object.facts {
        Facts::SqliteVirtualTable(_) => true,
        _ => quotes_names_only(kept(object), &known),
    })
}
