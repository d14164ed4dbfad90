//! Predicts effects from what statements say.
//!
//! [`Known`] follows scripts: what they create, and which locks their transactions hold. Scripts that
//! have run before the run are followed as well, so that the types of columns and the constraints of
//! tables are known. What is not known is predicted as what is most frequent.

mod alter;
mod data_type;
mod default;
mod load;
mod postgres;
mod relation;
mod sqlite;
mod state;

use relation::{DomainFacts, Index, Relation};

use super::{Act, Effects, Level, Lock, LockMode, Work, WorkKind};
use crate::{
    schema::{Kind, Name, ObjectId, Schema},
    sql::Dialect,
};
use std::collections::{BTreeMap, HashMap};

/// What is known of a database from the scripts that run on it.
#[derive(Clone, Debug)]
pub struct Known {
    dialect: Dialect,
    /// Tables and materialized views, by their names without schemas.
    relations: BTreeMap<String, Vec<Relation>>,
    /// The domains.
    domains: HashMap<String, DomainFacts>,
    /// The locks of the transaction on relations that are older than the run.
    held: Vec<(Name, LockMode)>,
    /// The objects that the run made.
    young: Vec<ObjectId>,
    /// Whether the session's time zone is UTC, so that a time stamp is the same with and without
    /// one.
    is_utc: bool,
}

impl Known {
    /// An empty database.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            relations: BTreeMap::new(),
            domains: HashMap::new(),
            held: Vec::new(),
            young: Vec::new(),
            is_utc: true,
        }
    }

    /// The dialect of the scripts.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Makes the relations of `schema` known, in the place of those known so far.
    pub fn schema(&mut self, schema: &Schema) {
        self.relations.clear();
        self.domains.clear();
        load::load(self, schema);
    }

    /// Begins a run: what is known now is older than it.
    pub fn begin_run(&mut self) {
        self.young.clear();
        self.begin_transaction();
        self.is_utc = true;
        for relation in self.relations.values_mut().flatten() {
            relation.is_young = false;
        }
    }

    /// Forgets the session's time zone, which is taken for UTC otherwise.
    pub fn forget_time_zone(&mut self) {
        self.is_utc = false;
    }

    /// Begins a transaction: no locks are held.
    pub fn begin_transaction(&mut self) {
        self.held.clear();
    }

    /// The objects that the run made so far.
    pub fn young(&self) -> &[ObjectId] {
        &self.young
    }

    /// Follows a statement of the run, and predicts its effects.
    pub fn effects(&mut self, acts: &[Act]) -> Effects {
        let mut step = Step::default();
        for act in acts {
            match self.dialect {
                Dialect::Postgres => postgres::predict(self, act, &mut step),
                Dialect::Sqlite => sqlite::predict(self, act, &mut step),
            }
            state::follow(self, act, &mut step);
        }
        self.young.extend(step.created.iter().cloned());
        self.young.retain(|id| !step.dropped.contains(id));
        let is_held = |(relation, mode): &(Name, LockMode)| Lock {
            relation: relation.clone(),
            mode: *mode,
            is_held: true,
        };
        let mut locks: Vec<Lock> = self.held.iter().map(is_held).collect();
        for (relation, mode) in step.locks {
            let is_there = |it: &Lock| it.relation == relation && it.mode >= mode;
            if mode < LockMode::ShareUpdateExclusive || locks.iter().any(is_there) {
                continue;
            }
            self.held.push((relation.clone(), mode));
            locks.push(Lock {
                relation,
                mode,
                is_held: false,
            });
        }
        Effects {
            level: Level::Text,
            locks,
            works: step.works,
            created: step.created,
            dropped: step.dropped,
        }
    }

    /// The name as a key: in lower case where case does not count.
    fn key(&self, name: &str) -> String {
        match self.dialect.folds_names() {
            true => name.to_ascii_lowercase(),
            false => name.to_owned(),
        }
    }

    /// The relation of this name. A name without a schema stands for that of any.
    fn find(&self, name: &Name) -> Option<&Relation> {
        let found = self.relations.get(&self.key(&name.name))?;
        found.iter().rev().find(|it| it.is_named(name))
    }

    fn find_mut(&mut self, name: &Name) -> Option<&mut Relation> {
        let found = self.relations.get_mut(&self.key(&name.name))?;
        found.iter_mut().rev().find(|it| it.is_named(name))
    }

    /// All relations.
    fn all(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values().flatten()
    }

    /// The table of an index.
    fn table_of(&self, index: &Name) -> Option<(&Relation, &Index)> {
        let mut all = self.all().filter(|it| it.may_be_in(&index.schema));
        all.find_map(|relation| {
            let found = relation.indexes.iter().find(|it| it.name == index.name)?;
            Some((relation, found))
        })
    }

    /// Whether the run made the relation.
    fn is_young(&self, name: &Name) -> bool {
        self.find(name).is_some_and(|it| it.is_young)
    }

    /// The partitions of a table, at any depth.
    fn partitions(&self, parent: &Name) -> Vec<&Relation> {
        let mut found: Vec<&Relation> = Vec::new();
        let mut parents = vec![parent.clone()];
        while let Some(parent) = parents.pop() {
            for relation in self.all() {
                let is_child = relation
                    .partition_of
                    .as_ref()
                    .is_some_and(|it| it.name == parent.name);
                if is_child && !found.iter().any(|it| it.name == relation.name) {
                    parents.push(relation.name.clone());
                    found.push(relation);
                }
            }
        }
        found
    }
}

/// The effects of a statement while its acts are followed.
#[derive(Debug, Default)]
struct Step {
    locks: Vec<(Name, LockMode)>,
    works: Vec<Work>,
    created: Vec<ObjectId>,
    dropped: Vec<ObjectId>,
}

impl Step {
    /// A lock on a relation, unless the run made it.
    fn lock(&mut self, known: &Known, relation: &Name, mode: LockMode) {
        if !known.is_young(relation) {
            self.locks.push((relation.clone(), mode));
        }
    }

    /// Work on a relation, unless the run made it.
    fn work(&mut self, known: &Known, relation: &Name, kind: WorkKind) {
        let work = Work {
            relation: relation.clone(),
            kind,
        };
        if !known.is_young(relation) && !self.works.contains(&work) {
            self.works.push(work);
        }
    }

    /// A scan of a table, unless the run made it. A view is no table.
    fn scan(&mut self, known: &Known, relation: &Name) {
        let is_view = known
            .find(relation)
            .is_some_and(|it| it.kind == Kind::View || it.is_partitioned);
        if !is_view {
            self.work(known, relation, WorkKind::Scan);
        }
    }
}

#[cfg(test)]
mod tests;
