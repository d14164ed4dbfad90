//! The objects of a schema, found by what others call them.

use std::collections::HashMap;

use crate::{
    arrange::Arrange as _,
    schema::{
        Facts, Kind, Name, Object, ObjectId, Schema,
        postgres::{Column, Table},
    },
};

/// The objects of a schema, each known by its place in the list.
pub(super) struct Objects<'a> {
    pub schema: &'a Schema,
    ids: HashMap<&'a ObjectId, usize>,
    /// Tables, views and materialized views.
    relations: HashMap<(&'a str, &'a str), usize>,
    /// Indexes, and constraints with an index.
    indexes: HashMap<(&'a str, &'a str), usize>,
    /// The sequences of each column.
    sequences: HashMap<(&'a Name, &'a str), usize>,
    /// The partitions and the tables that inherit from each table.
    children: HashMap<usize, Vec<usize>>,
    /// The indexes that are attached to each index.
    attached: HashMap<usize, Vec<usize>>,
}

impl<'a> Objects<'a> {
    pub fn of(schema: &'a Schema) -> Self {
        let mut objects = Self {
            schema,
            ids: HashMap::with_capacity(schema.objects.len()),
            relations: HashMap::new(),
            indexes: HashMap::new(),
            sequences: HashMap::new(),
            children: HashMap::new(),
            attached: HashMap::new(),
        };
        for (at, object) in schema.objects.iter().enumerate() {
            let id = &object.id;
            let name = (id.schema.as_str(), id.name.as_str());
            objects.ids.insert(id, at);
            match &object.facts {
                Facts::Table(_) | Facts::View(_) | Facts::MaterializedView(_) => {
                    objects.relations.insert(name, at);
                }
                Facts::Key(_) | Facts::Exclusion(_) | Facts::Index(_) => {
                    objects.indexes.insert(name, at);
                }
                Facts::Sequence(sequence) => {
                    if let Some((table, column)) = &sequence.owned_by {
                        objects.sequences.insert((table, column), at);
                    }
                }
                _ => {}
            }
        }
        for at in 0..schema.objects.len() {
            for parent in objects.parents(at) {
                objects.children.entry(parent).or_default().push(at);
            }
            let parent = parent_index(&schema.objects[at]);
            if let Some(parent) = parent.and_then(|name| objects.index(name)) {
                objects.attached.entry(parent).or_default().push(at);
            }
        }
        objects
    }

    pub fn len(&self) -> usize {
        self.schema.objects.len()
    }

    pub fn get(&self, at: usize) -> &'a Object {
        &self.schema.objects[at]
    }

    pub fn find(&self, id: &ObjectId) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// The table or view with this name.
    pub fn relation(&self, name: &Name) -> Option<usize> {
        let name = (name.schema.as_str(), name.name.as_str());
        self.relations.get(&name).copied()
    }

    /// The index, or the constraint with an index, with this name.
    pub fn index(&self, name: &Name) -> Option<usize> {
        let name = (name.schema.as_str(), name.name.as_str());
        self.indexes.get(&name).copied()
    }

    /// The sequence that belongs to a column.
    pub fn sequence(&self, table: &Name, column: &str) -> Option<usize> {
        self.sequences.get(&(table, column)).copied()
    }

    /// The facts of a table; `None` for other objects.
    pub fn table(&self, at: usize) -> Option<&'a Table> {
        match &self.get(at).facts {
            Facts::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The object that this one is a part of.
    pub fn whole(&self, at: usize) -> Option<usize> {
        let id = &self.get(at).id;
        let name = id.parent_name()?;
        match id.kind {
            Kind::UserMapping => self.find(&ObjectId::new(Kind::Server, "", name.name)),
            _ => self.relation(&name).or_else(|| {
                let domain = ObjectId::new(Kind::Domain, name.schema, name.name);
                self.find(&domain)
            }),
        }
    }

    /// The parts of an object.
    pub fn parts(&self, at: usize) -> impl Iterator<Item = (usize, &'a Object)> + use<'a> {
        let name = self.get(at).id.qualified();
        let parts = self.schema.parts(&name);
        let first = parts.first().and_then(|part| self.find(&part.id));
        let first = first.unwrap_or_default();
        parts
            .iter()
            .enumerate()
            .map(move |(offset, part)| (first + offset, part))
    }

    /// The columns of a table in order.
    pub fn columns(&self, at: usize) -> Vec<(usize, &'a Object, &'a Column)> {
        let mut columns: Vec<_> = self
            .parts(at)
            .filter_map(|(at, part)| match &part.facts {
                Facts::Column(column) => Some((at, part, &**column)),
                _ => None,
            })
            .collect();
        columns.arrange_by_key(|(_, _, column)| column.position);
        columns
    }

    /// The facts of a column of a table.
    pub fn column(&self, table: usize, name: &str) -> Option<&'a Column> {
        let id = ObjectId::part(Kind::Column, &self.get(table).id.qualified(), name);
        match &self.get(self.find(&id)?).facts {
            Facts::Column(column) => Some(column),
            _ => None,
        }
    }

    /// The partitioned table of a partition, or the tables that a table inherits from.
    pub fn parents(&self, at: usize) -> Vec<usize> {
        let Some(table) = self.table(at) else {
            return Vec::new();
        };
        let names = table.partition_of.iter().map(|it| &it.parent);
        let names = names.chain(&table.inherits);
        names.filter_map(|name| self.relation(name)).collect()
    }

    /// The partitions of a table, or the tables that inherit from it.
    pub fn children(&self, at: usize) -> &[usize] {
        self.children.get(&at).map_or(&[], Vec::as_slice)
    }

    /// The indexes of partitions that are attached to an index.
    pub fn attached(&self, at: usize) -> &[usize] {
        self.attached.get(&at).map_or(&[], Vec::as_slice)
    }
}

/// The index to which an index is attached.
pub(super) fn parent_index(object: &Object) -> Option<&Name> {
    match &object.facts {
        Facts::Key(key) => key.parent.as_ref(),
        Facts::Exclusion(exclusion) => exclusion.parent.as_ref(),
        Facts::Index(index) => index.parent.as_ref(),
        _ => None,
    }
}
