//! PostgreSQL's SQL.
//!
//! Every name has its schema. Expressions are the server's own words; [`expression`] makes those
//! stable that are not. [`layout`] decides which statement creates which object, [`order`] their order,
//! and the other modules write them.

mod canonical;
mod column;
mod constraint;
mod expression;
mod graph;
mod index;
mod layout;
mod migrate;
mod objects;
mod order;
mod preamble;
mod privileges;
mod quote;
mod reference;
mod relation;
#[cfg(feature = "cli")]
mod rename;
mod routine;
mod server;
mod table;
mod types;

pub(super) use self::migrate::migrate;
#[cfg(feature = "cli")]
pub use self::quote::qualified;
#[cfg(feature = "cli")]
pub(super) use rename::rename;

use self::{layout::Layout, objects::Objects};
use super::Block;
use crate::schema::{Cycle, Facts, Kind, Object, Schema};

/// See [`super::dump`].
pub(super) fn dump(schema: &Schema) -> Result<Vec<Block>, Cycle> {
    let schema = canonical::sorted(schema);
    let mut layout = Layout::of(Objects::of(&schema));
    let order = order::order(&mut layout)?;
    let mut places = vec![usize::MAX; schema.objects.len()];
    for (place, at) in order.iter().enumerate() {
        places[*at] = place;
    }
    let dump = Dump { layout, places };
    let mut blocks = Vec::new();
    let (late, early): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|at| dump.layout.is_late(*at));
    let is_last = |at: &usize| {
        matches!(
            dump.object(*at).id.kind,
            Kind::DefaultPrivileges | Kind::EventTrigger
        )
    };
    let (last, early): (Vec<usize>, Vec<usize>) = early.into_iter().partition(is_last);
    for at in &early {
        blocks.extend(dump.blocks(*at));
    }
    let mut evaluated = Vec::new();
    for at in &late {
        evaluated.extend(dump.blocks(*at));
    }
    for at in &early {
        evaluated.extend(dump.refresh(*at));
    }
    preamble::add(&schema, &mut blocks, &mut evaluated);
    blocks.extend(evaluated);
    for at in &last {
        blocks.extend(dump.blocks(*at));
    }
    Ok(blocks)
}

/// Writes the statements.
struct Dump<'a> {
    layout: Layout<'a>,
    /// The places of the objects that have statements of their own.
    places: Vec<usize>,
}

/// The statements of one object while they are collected.
#[derive(Default)]
struct Statements {
    notes: Vec<String>,
    statements: Vec<String>,
}

impl Statements {
    fn push(&mut self, statement: impl Into<String>) {
        self.statements.push(statement.into());
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl<'a> Dump<'a> {
    fn object(&self, at: usize) -> &'a Object {
        self.layout.objects.get(at)
    }

    /// The blocks of an object that has statements of its own.
    fn blocks(&self, at: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        let object = self.object(at);
        if let Facts::Routine(routine) = &object.facts {
            blocks.extend(self.shell_types(object, routine));
        }
        let mut statements = Statements::default();
        self.create(at, &mut statements);
        if !self.layout.late_default[at] {
            let whole = self
                .layout
                .objects
                .whole(at)
                .map(|whole| self.object(whole));
            // A sequence of a `serial` column has the owner of the table.
            if !self.layout.made[at] {
                privileges::owner(object, &mut statements);
            }
            privileges::finish(object, whole, &mut statements);
        }
        if matches!(object.facts, Facts::Table(_) | Facts::Domain(_)) {
            for (part, part_object) in self.layout.objects.parts(at) {
                if self.layout.within[part] == at {
                    if let Facts::Column(column) = &part_object.facts {
                        self.identity_sequence(at, column, &mut statements);
                        self.not_null_comment(part_object, column, &mut statements);
                    }
                    privileges::finish(part_object, Some(object), &mut statements);
                }
            }
        }
        self.own_after_table(at, &mut statements);
        blocks.extend(block(object, statements));
        if matches!(object.facts, Facts::Table(_)) {
            blocks.extend(self.owned_sequences(at));
        }
        blocks
    }

    /// Gives a sequence that comes after its table to it.
    fn own_after_table(&self, at: usize, to: &mut Statements) {
        let object = self.object(at);
        if let Facts::Sequence(sequence) = &object.facts
            && let Some((table, column)) = &sequence.owned_by
            && !self.layout.made[at]
            && let Some(place) = self.layout.objects.relation(table)
            && self.places[place] < self.places[at]
        {
            relation::owned_by(object, table, column, to);
        }
    }

    /// The statements that create an object and what is within it.
    fn create(&self, at: usize, to: &mut Statements) {
        let object = self.object(at);
        let id = &object.id;
        match &object.facts {
            Facts::Schema(_) => server::schema(id, to),
            Facts::Extension(extension) => server::extension(object, extension, to),
            Facts::ForeignDataWrapper(wrapper) => server::wrapper(id, wrapper, to),
            Facts::Server(server) => server::server(id, server, to),
            Facts::UserMapping(mapping) => server::user_mapping(id, mapping, to),
            Facts::TextSearchDictionary(dictionary) => server::dictionary(id, dictionary, to),
            Facts::TextSearchConfiguration(configuration) => {
                server::configuration(id, configuration, to);
            }
            Facts::Publication(publication) => server::publication(id, publication, to),
            Facts::DefaultPrivileges(privileges) => privileges::default(id, privileges, to),
            Facts::Collation(collation) => types::collation(id, collation, to),
            Facts::Enum(facts) => types::enumeration(id, facts, to),
            Facts::Domain(domain) => self.domain(at, domain, to),
            Facts::Composite(composite) => types::composite(id, composite, to),
            Facts::Range(range) => types::range(id, range, to),
            Facts::Routine(facts) => routine::routine(id, facts, to),
            Facts::Aggregate(aggregate) => routine::aggregate(id, aggregate, to),
            Facts::Operator(operator) => routine::operator(id, operator, to),
            Facts::Cast(cast) => routine::cast(cast, to),
            Facts::EventTrigger(trigger) => routine::event_trigger(id, trigger, to),
            Facts::Sequence(sequence) if !self.layout.made[at] => {
                relation::sequence(id, sequence, to);
            }
            Facts::Table(table) => self.table(at, table, to),
            Facts::Column(column) => self.late_column(at, column, to),
            Facts::Key(_) | Facts::Exclusion(_) => self.own_key(at, to),
            Facts::ForeignKey(_) | Facts::Check(_) => self.own_constraint(at, to),
            Facts::Index(index) => self.index(at, index, to),
            Facts::Statistics(statistics) => relation::statistics(self, id, statistics, to),
            Facts::View(view) => relation::view(id, view, to),
            Facts::MaterializedView(view) => relation::materialized_view(id, view, to),
            Facts::Trigger(trigger) => self.trigger(at, trigger, to),
            Facts::Rule(rule) => self.rule(at, rule, to),
            Facts::Policy(policy) => relation::policy(object, policy, to),
            _ => {}
        }
    }

    /// What follows a table: it gets the sequences that it needed before.
    fn owned_sequences(&self, at: usize) -> Vec<Block> {
        let objects = &self.layout.objects;
        let table = self.object(at).id.qualified();
        let mut blocks = Vec::new();
        for (_, column, _) in objects.columns(at) {
            let Some(sequence) = objects.sequence(&table, &column.id.name) else {
                continue;
            };
            if !self.layout.made[sequence] && self.places[sequence] < self.places[at] {
                let mut statements = Statements::default();
                let object = self.object(sequence);
                relation::owned_by(object, &table, &column.id.name, &mut statements);
                blocks.extend(block(object, statements));
            }
        }
        blocks
    }

    /// Fills a materialized view that is filled.
    fn refresh(&self, at: usize) -> Option<Block> {
        let object = self.object(at);
        let mut statements = Statements::default();
        if let Facts::MaterializedView(view) = &object.facts
            && view.is_populated
        {
            statements.push(format!(
                "REFRESH MATERIALIZED VIEW {}",
                quote::qualified(&object.id.qualified())
            ));
        }
        block(object, statements)
    }
}

fn block(object: &Object, statements: Statements) -> Option<Block> {
    let Statements { notes, statements } = statements;
    let is_empty = notes.is_empty() && statements.is_empty();
    (!is_empty).then(|| Block {
        object: Some(object.id.clone()),
        notes,
        statements,
    })
}

#[cfg(test)]
mod tests;
