//! The order of the statements.

use std::collections::HashSet;

use super::{
    graph,
    layout::{Layout, table_name},
    objects::parent_index,
};
use crate::{
    arrange::Arrange as _,
    schema::{Cycle, Facts, Kind, Name, ObjectId},
};

/// What an object needs.
pub(super) struct Need {
    /// The object whose statement needs it.
    pub from: usize,
    /// The object that must exist before.
    pub to: usize,
    /// The part of `from` that can be created later, so that `from` does without.
    part: Option<usize>,
}

/// Returns the objects that have statements of their own, in an order in which they can be created.
/// Constraints and defaults that cannot be created with their tables are given statements of their
/// own.
pub(super) fn order(layout: &mut Layout<'_>) -> Result<Vec<usize>, Cycle> {
    let found = needs(layout);
    let component = graph::components(&edges(layout, &found));
    let (kept, cut): (Vec<Need>, Vec<Need>) = found
        .into_iter()
        .partition(|need| need.part.is_none() || component[need.from] != component[need.to]);
    if cut.is_empty() {
        return walk(layout, &kept);
    }
    let mut place = vec![0; layout.objects.len()];
    for (number, at) in walk(layout, &kept)?.into_iter().enumerate() {
        place[at] = number;
    }
    for need in cut {
        if let Some(part) = need.part
            && place[need.to] > place[need.from]
        {
            layout.detach(part);
        }
    }
    let all = needs(layout);
    walk(layout, &all)
}

impl Layout<'_> {
    /// Gives a part of a table a statement of its own.
    fn detach(&mut self, part: usize) {
        match self.objects.get(part).id.kind {
            Kind::Column => self.late_default[part] = true,
            _ => self.within[part] = part,
        }
    }

    /// The object whose statement creates this one.
    fn node(&self, at: usize) -> usize {
        self.within[at]
    }

    /// Whether the object has statements of its own, or may have.
    fn is_node(&self, at: usize) -> bool {
        self.within[at] == at || self.late_default[at]
    }
}

/// Orders the nodes by [`key`], after what they need.
fn walk(layout: &Layout<'_>, needs: &[Need]) -> Result<Vec<usize>, Cycle> {
    let objects = &layout.objects;
    let mut wanted: Vec<usize> = (0..objects.len())
        .filter(|at| layout.is_node(*at))
        .collect();
    wanted.sort_by_cached_key(|at| key(layout, *at));
    let mut place = vec![0; objects.len()];
    for (number, at) in wanted.iter().enumerate() {
        place[*at] = number;
    }
    let mut edges = edges(layout, needs);
    for list in &mut edges {
        list.arrange_by_key(|at| place[*at]);
    }
    graph::order(&wanted, &edges).map_err(|cycle| {
        let ids = cycle.into_iter().map(|at| objects.get(at).id.clone());
        Cycle(ids.collect())
    })
}

fn edges(layout: &Layout<'_>, needs: &[Need]) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); layout.objects.len()];
    for need in needs {
        edges[need.from].push(need.to);
    }
    for list in &mut edges {
        list.sort_unstable();
        list.dedup();
    }
    edges
}

/// The place of an object among those that do not need each other: kinds first, then names. What
/// belongs to a table follows it.
pub(super) fn key(layout: &Layout<'_>, at: usize) -> (u8, Name, u8, usize) {
    let object = layout.objects.get(at);
    let id = &object.id;
    let beside = |rank: u8| (rank, table_name(object), 1, at);
    let alone = |rank: u8| (rank, id.qualified(), 0, at);
    match id.kind {
        Kind::Schema => alone(0),
        Kind::Extension => alone(1),
        Kind::Collation => alone(2),
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range => alone(3),
        Kind::TextSearchDictionary => alone(4),
        Kind::TextSearchConfiguration => alone(5),
        Kind::ForeignDataWrapper => alone(6),
        Kind::Server => alone(7),
        Kind::UserMapping => (8, Name::new("", id.parent.clone()), 0, at),
        Kind::Sequence => match &object.facts {
            Facts::Sequence(sequence) => match &sequence.owned_by {
                Some((table, _)) => (10, table.clone(), 1, at),
                None => alone(9),
            },
            _ => alone(9),
        },
        Kind::Table | Kind::VirtualTable => alone(10),
        Kind::View | Kind::MaterializedView => alone(11),
        _ if layout.is_late(at) => (16, table_name(object), 1, at),
        Kind::Index
        | Kind::Column
        | Kind::PrimaryKey
        | Kind::Unique
        | Kind::ForeignKey
        | Kind::Check
        | Kind::Exclusion => match layout
            .objects
            .whole(at)
            .map(|whole| layout.objects.get(whole))
        {
            Some(whole) if matches!(whole.facts, Facts::Table(_)) => beside(10),
            Some(whole) if matches!(whole.facts, Facts::Domain(_)) => beside(3),
            _ => beside(11),
        },
        Kind::Statistics => match &object.facts {
            Facts::Statistics(statistics) => (10, statistics.table.clone(), 2, at),
            _ => alone(10),
        },
        Kind::Function | Kind::Procedure => alone(12),
        Kind::Aggregate | Kind::Operator | Kind::Cast => alone(13),
        Kind::Trigger | Kind::Rule | Kind::Policy => beside(14),
        Kind::Publication => alone(15),
        Kind::DefaultPrivileges => alone(17),
        Kind::EventTrigger => alone(18),
    }
}

impl Layout<'_> {
    /// Whether the server runs functions in SQL when it creates the object. They may use what comes
    /// later, and names that they do not qualify.
    pub fn is_late(&self, at: usize) -> bool {
        let object = self.objects.get(at);
        let has_expression = match &object.facts {
            Facts::Index(index) => {
                index.condition.is_some() || index.keys.iter().any(|key| key.expression.is_some())
            }
            _ => false,
        };
        has_expression
            && object.depends_on.iter().any(|id| {
                let needed = self.objects.find(id).map(|at| &self.objects.get(at).facts);
                match needed {
                    Some(Facts::Routine(routine)) => {
                        routine.language == "sql" && routine.sql_body.is_none()
                    }
                    _ => false,
                }
            })
    }
}

/// Everything that statements need.
pub(super) fn needs(layout: &Layout<'_>) -> Vec<Need> {
    let mut found = Found {
        layout,
        needs: Vec::new(),
    };
    for at in 0..layout.objects.len() {
        found.recorded(at);
        found.by_facts(at);
    }
    found.needs
}

struct Found<'a, 'b> {
    layout: &'a Layout<'b>,
    needs: Vec<Need>,
}

impl Found<'_, '_> {
    /// `at` needs `to` before.
    fn add(&mut self, at: usize, to: usize) {
        self.push(at, to, None);
    }

    fn push(&mut self, at: usize, to: usize, part: Option<usize>) {
        let (from, to) = (self.layout.node(at), self.layout.node(to));
        if from != to {
            self.needs.push(Need { from, to, part });
        }
    }

    fn add_named(&mut self, at: usize, kind: Kind, name: &Name) {
        let id = ObjectId::new(kind, name.schema.clone(), name.name.clone());
        if let Some(to) = self.layout.objects.find(&id) {
            self.add(at, to);
        }
    }

    /// What the catalogs say.
    fn recorded(&mut self, at: usize) {
        let object = self.layout.objects.get(at);
        for id in &object.depends_on {
            let Some(to) = self.layout.objects.find(id) else {
                continue;
            };
            if to == at || self.is_made_together(at, to) {
                continue;
            }
            if self.layout.late_default[at] && !is_type(id.kind) {
                let to = self.layout.node(to);
                self.needs.push(Need {
                    from: at,
                    to,
                    part: None,
                });
                continue;
            }
            let part = self.can_wait(at, id.kind).then_some(at);
            self.push(at, to, part);
        }
    }

    /// Whether one statement creates both objects, or the second one is completed later.
    fn is_made_together(&self, at: usize, to: usize) -> bool {
        let layout = self.layout;
        let (object, needed) = (layout.objects.get(at), layout.objects.get(to));
        match (&object.facts, &needed.facts) {
            (Facts::Sequence(sequence), Facts::Table(_) | Facts::Column(_)) => {
                sequence.owned_by.is_some()
            }
            (Facts::Column(_), Facts::Sequence(_)) => {
                layout.serial[at].is_some() && layout.made[to]
            }
            // Which index is there first, layout decides.
            (Facts::Key(_) | Facts::Exclusion(_) | Facts::Index(_), _) => {
                parent_index(object) == Some(&needed.id.qualified())
            }
            (Facts::Routine(_), Facts::Range(range)) => {
                range.canonical.as_ref() == Some(&object.id.qualified())
            }
            _ => false,
        }
    }

    /// Whether the part `at` of a table that needs an object of this kind can be created after the
    /// table.
    fn can_wait(&self, at: usize, kind: Kind) -> bool {
        if self.layout.within[at] == at {
            return false;
        }
        match &self.layout.objects.get(at).facts {
            Facts::Column(column) => {
                column.default.is_some() && column.generated.is_none() && !is_type(kind)
            }
            Facts::Check(_) | Facts::ForeignKey(_) | Facts::Exclusion(_) => true,
            _ => false,
        }
    }

    /// What the facts name.
    fn by_facts(&mut self, at: usize) {
        let layout = self.layout;
        let objects = &layout.objects;
        let object = objects.get(at);
        if !object.id.schema.is_empty() {
            self.add_named(at, Kind::Schema, &Name::new("", object.id.schema.clone()));
        }
        if let Some(whole) = objects.whole(at) {
            self.add(at, whole);
        }
        if layout.late_default[at] {
            let to = layout.node(at);
            self.needs.push(Need {
                from: at,
                to,
                part: None,
            });
        }
        match &object.facts {
            Facts::Table(table) => {
                for parent in objects.parents(at) {
                    self.add(at, parent);
                }
                if let Some(composite) = &table.of_type {
                    self.add_named(at, Kind::Composite, composite);
                }
                if let Some(foreign) = &table.foreign {
                    self.add_named(at, Kind::Server, &Name::new("", foreign.server.clone()));
                }
            }
            Facts::ForeignKey(_) | Facts::Check(_) | Facts::Trigger(_) => {
                self.by_constraint(at);
            }
            Facts::Key(_) | Facts::Exclusion(_) | Facts::Index(_) => self.by_index(at),
            Facts::Sequence(sequence) => {
                let table = sequence.owned_by.as_ref().map(|(table, _)| table);
                if let Some(table) = table.and_then(|table| objects.relation(table))
                    && layout.made[at]
                {
                    self.add(at, table);
                }
            }
            Facts::Statistics(statistics) => {
                if let Some(table) = objects.relation(&statistics.table) {
                    self.add(at, table);
                }
            }
            Facts::Extension(extension) => {
                self.add_named(at, Kind::Schema, &Name::new("", extension.schema.clone()));
            }
            Facts::Server(server) => {
                let wrapper = Name::new("", server.wrapper.clone());
                self.add_named(at, Kind::ForeignDataWrapper, &wrapper);
            }
            Facts::Publication(publication) => {
                for table in &publication.tables {
                    if let Some(table) = objects.relation(&table.table) {
                        self.add(at, table);
                    }
                }
                for schema in &publication.schemas {
                    self.add_named(at, Kind::Schema, &Name::new("", schema.clone()));
                }
            }
            _ => {}
        }
    }

    fn by_constraint(&mut self, at: usize) {
        let layout = self.layout;
        let objects = &layout.objects;
        let object = objects.get(at);
        let Some(host) = objects.whole(at) else {
            return;
        };
        if layout.made[at] {
            let parents: Vec<usize> = layout.parent_constraints(host, object).collect();
            for parent in parents {
                self.add(at, parent);
            }
        }
        let Facts::ForeignKey(key) = &object.facts else {
            // Rows of children are checked with those of their parents.
            let is_check = matches!(object.facts, Facts::Check(_));
            if is_check && layout.within[at] == at && !layout.made[at] {
                for child in objects.children(host) {
                    self.add(at, *child);
                }
            }
            return;
        };
        let Some(referenced) = objects.relation(&key.references) else {
            return;
        };
        let part = (layout.within[at] != at).then_some(at);
        self.push(at, referenced, part);
        // A column of a table that is kept may get its type by a statement of its own.
        for (column, it) in objects.parts(referenced) {
            if it.id.kind == Kind::Column && key.referenced_columns.contains(&it.id.name) {
                self.push(at, column, part);
            }
        }
        for index in self.referenced_indexes(referenced, &key.referenced_columns) {
            self.push(at, index, part);
        }
    }

    /// The unique indexes over exactly these columns: constraints, or else plain indexes.
    fn referenced_indexes(&self, table: usize, columns: &[String]) -> Vec<usize> {
        let wanted: HashSet<&String> = columns.iter().collect();
        let is_same = |columns: HashSet<&String>| columns == wanted;
        let (mut keys, mut indexes) = (Vec::new(), Vec::new());
        for (at, part) in self.layout.objects.parts(table) {
            match &part.facts {
                Facts::Key(key) if is_same(key.columns.iter().collect()) => keys.push(at),
                Facts::Index(index)
                    if index.unique
                        && is_same(
                            index
                                .keys
                                .iter()
                                .filter_map(|it| it.column.as_ref())
                                .collect(),
                        ) =>
                {
                    indexes.push(at);
                }
                _ => {}
            }
        }
        if keys.is_empty() { indexes } else { keys }
    }

    fn by_index(&mut self, at: usize) {
        let layout = self.layout;
        let objects = &layout.objects;
        let object = objects.get(at);
        if layout.made[at]
            && let Some(parent) = parent_index(object).and_then(|name| objects.index(name))
        {
            self.add(at, parent);
        }
        let Some(host) = objects.whole(at) else {
            return;
        };
        if layout.only[at] {
            for child in objects.attached(at) {
                self.add(at, *child);
            }
            for child in objects.children(host) {
                self.add(at, *child);
            }
        }
        // The server would attach an index that is there already in place of one of its own.
        let is_alone = matches!(object.facts, Facts::Index(_)) && parent_index(object).is_none();
        if is_alone && !objects.parents(host).is_empty() {
            for (other, _) in objects.parts(host).filter(|(other, _)| layout.made[*other]) {
                if parent_index(objects.get(other)).is_some() {
                    self.add(at, other);
                }
            }
        }
    }
}

/// Whether objects of this kind are types, or have a type.
fn is_type(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Schema
            | Kind::Extension
            | Kind::Collation
            | Kind::Enum
            | Kind::Domain
            | Kind::Composite
            | Kind::Range
            | Kind::Table
            | Kind::View
            | Kind::MaterializedView
    )
}
