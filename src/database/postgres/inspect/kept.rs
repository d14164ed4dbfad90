//! Rows of the catalogs that are kept from one reading to the next.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use sqlx::{Row as _, postgres::PgRow};

use super::{
    catalog::{Catalog, System},
    fields::{Fault, Fields},
    query::{Query, Reach},
    watch::{Changes, Marks},
};
use crate::schema::Name;

/// The rows of all queries, with what tells whether they are still the same.
pub(super) struct Kept {
    pub marks: Marks,
    rows: Vec<Rows>,
    system: Arc<System>,
    links: Links,
}

/// The rows of one query.
enum Rows {
    All(Vec<PgRow>),
    ByRelation(BTreeMap<u32, Vec<PgRow>>),
    /// By the first two fields.
    Shared(BTreeMap<(u32, i32), PgRow>),
}

/// What leads from changed relations to others whose rows have to be read again.
struct Links {
    names: HashMap<u32, Name>,
    columns: HashMap<u32, Vec<(i16, String)>>,
    /// The tables of indexes.
    tables: HashMap<u32, u32>,
    /// The relations whose rows depend on those of others: views, partitions and the like.
    dependent: Vec<u32>,
}

/// What has to be read of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Nothing,
    Everything,
    /// The rows of some relations.
    OfRelations,
}

impl Kept {
    /// Keeps the rows that were read of each query, and passes them to `catalog`.
    pub fn new(
        queries: &[Query],
        marks: Marks,
        read: Vec<Vec<PgRow>>,
        catalog: &mut Catalog,
    ) -> Result<Self, Fault> {
        let mut all = Vec::with_capacity(queries.len());
        for (query, read) in queries.iter().zip(read) {
            let mut rows = Rows::new(query.reach);
            rows.extend(query.reach, read)?;
            all.push(rows);
        }
        fill(catalog, queries, &all, |_| true)?;
        Ok(Self {
            marks,
            rows: all,
            system: Arc::clone(&catalog.system),
            links: Links::of(catalog),
        })
    }

    /// What has to be read of each query when nothing is kept. Queries without rows are left out.
    pub fn all_parts(queries: &[Query], marks: &Marks) -> Vec<Part> {
        let has_rows = |query: &Query| match query.reach {
            // These are read with the changes.
            Reach::Server => false,
            _ if query.is_of_system => true,
            Reach::Database => query.source.is_none_or(|it| marks.has(it)),
            Reach::Catalogs(catalogs) => catalogs.iter().any(|it| marks.has(it)),
            Reach::Relations { .. } | Reach::Shared { .. } => marks.has_relations(),
        };
        let part = |query| match has_rows(query) {
            true => Part::Everything,
            false => Part::Nothing,
        };
        queries.iter().map(part).collect()
    }

    /// The part of each query that has to be read after `changes`.
    pub fn parts(&self, queries: &[Query], changes: &Changes) -> Vec<Part> {
        let stays_empty = |query: &Query, rows: &Rows| {
            let source = query.source.as_ref();
            rows.is_empty() && source.is_some_and(|it| !changes.catalogs.contains(it))
        };
        let part = |(query, rows): (&Query, &Rows)| match query.reach {
            // These are read with the changes.
            Reach::Server => Part::Nothing,
            _ if changes.is_empty() || stays_empty(query, rows) => Part::Nothing,
            Reach::Database => Part::Everything,
            Reach::Catalogs(catalogs) => {
                let mut catalogs = catalogs.iter();
                match catalogs.any(|it| changes.catalogs.contains(*it)) {
                    true => Part::Everything,
                    false => Part::Nothing,
                }
            }
            Reach::Relations { .. } | Reach::Shared { .. } => Part::OfRelations,
        };
        queries.iter().zip(&self.rows).map(part).collect()
    }

    /// The relations whose rows have to be read again. 0 stands for what belongs to no relation.
    pub fn relations(&self, changes: &Changes) -> BTreeSet<u32> {
        let links = &self.links;
        let changed = changes.relations.iter().copied();
        let tables = changed
            .clone()
            .filter_map(|it| links.tables.get(&it).copied());
        let dependent = links.dependent.iter().copied();
        changed.chain(tables).chain(dependent).chain([0]).collect()
    }

    /// Puts what was `read` of the parts of the queries in the place of what was kept, and passes all rows
    /// to `catalog`. Returns nothing if that is not enough, since names have changed that occur in other
    /// rows.
    pub fn update(
        mut self,
        queries: &[Query],
        fresh: Fresh,
        catalog: &mut Catalog,
    ) -> Result<Option<Self>, Fault> {
        let Fresh {
            marks,
            parts,
            relations,
            updated,
            rows,
        } = fresh;
        let mut same = true;
        let mut renamed: HashMap<&str, HashSet<u32>> = HashMap::new();
        for (catalog, oids) in updated {
            renamed.entry(catalog).or_default().extend(oids);
        }
        for (at, (query, read)) in queries.iter().zip(rows).enumerate() {
            let kept = &mut self.rows[at];
            match parts[at] {
                Part::Nothing => continue,
                Part::OfRelations => kept.forget(&relations),
                Part::Everything => {}
            }
            let before = match parts[at] {
                Part::Everything => Some(std::mem::replace(kept, Rows::new(query.reach))),
                _ => None,
            };
            kept.extend(query.reach, read)?;
            if let (Some(catalog), Some(before)) = (query.names, &before)
                && let Some(oids) = renamed.get_mut(catalog)
            {
                let named = |rows: &Rows| rows.named(oids);
                let (before, now) = (named(before), named(kept));
                oids.retain(|oid| before.get(oid).is_none_or(|it| now.get(oid) != Some(it)));
            }
            // Names of roles and members of extensions occur anywhere.
            if query.is_for_all && before.is_some_and(|before| !before.has_same(kept)) {
                same = false;
            }
        }
        same &= renamed.values().all(HashSet::is_empty);
        if !same {
            return Ok(None);
        }
        // Names change seldom, and are changed one by one.
        let is_system = |at: usize| queries[at].is_of_system;
        let is_old = |at: usize| is_system(at) && parts[at] == Part::Nothing;
        let all_old = (0..queries.len()).all(|at| !is_system(at) || is_old(at));
        if all_old {
            catalog.system = Arc::clone(&self.system);
        }
        fill(catalog, queries, &self.rows, |at| !(all_old && is_old(at)))?;
        self.system = Arc::clone(&catalog.system);
        let links = Links::of(catalog);
        same &= !self.links.has_other_names(&links);
        (self.marks, self.links) = (marks, links);
        Ok(same.then_some(self))
    }
}

/// What was read after changes.
pub(super) struct Fresh {
    pub marks: Marks,
    /// What was read of each query.
    pub parts: Vec<Part>,
    /// The relations whose rows were read.
    pub relations: BTreeSet<u32>,
    /// The objects that may have other names, by catalog.
    pub updated: HashMap<&'static str, Vec<u32>>,
    /// The rows by query.
    pub rows: Vec<Vec<PgRow>>,
}

impl Rows {
    fn new(reach: Reach) -> Self {
        match reach {
            Reach::Relations { .. } => Self::ByRelation(BTreeMap::new()),
            Reach::Shared { .. } => Self::Shared(BTreeMap::new()),
            _ => Self::All(Vec::new()),
        }
    }

    fn extend(&mut self, reach: Reach, read: Vec<PgRow>) -> Result<(), Fault> {
        let place = match reach {
            Reach::Relations { at, .. } => at,
            _ => 0,
        };
        match self {
            Self::All(rows) => rows.extend(read),
            Self::ByRelation(rows) => {
                for row in read {
                    let relation = Fields::from(&row, place).oid()?;
                    rows.entry(relation).or_default().push(row);
                }
            }
            Self::Shared(rows) => {
                for row in read {
                    let mut fields = Fields::of(&row);
                    let key = (fields.oid()?, fields.number()?);
                    rows.insert(key, row);
                }
            }
        }
        Ok(())
    }

    fn forget(&mut self, relations: &BTreeSet<u32>) {
        if let Self::ByRelation(rows) = self {
            for relation in relations {
                rows.remove(relation);
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::All(rows) => rows.is_empty(),
            Self::ByRelation(rows) => rows.is_empty(),
            Self::Shared(rows) => rows.is_empty(),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = &PgRow> + '_> {
        match self {
            Self::All(rows) => Box::new(rows.iter()),
            Self::ByRelation(rows) => Box::new(rows.values().flatten()),
            Self::Shared(rows) => Box::new(rows.values()),
        }
    }

    /// The names and schemas of the objects with these OIDs.
    fn named(&self, oids: &HashSet<u32>) -> HashMap<u32, (String, u32)> {
        let named = self.iter().filter_map(|row| {
            let mut fields = Fields::of(row);
            let oid = fields.oid().ok().filter(|it| oids.contains(it))?;
            Some((oid, (fields.string().ok()?, fields.oid().ok()?)))
        });
        named.collect()
    }

    /// Whether both have the same texts, in any order.
    fn has_same(&self, other: &Self) -> bool {
        if self.iter().count() != other.iter().count() {
            return false;
        }
        if self.iter().zip(other.iter()).all(|(a, b)| is_same(a, b)) {
            return true;
        }
        let sorted = |rows: &Self| {
            let mut all: Vec<_> = rows.iter().map(texts).collect();
            all.sort_unstable();
            all
        };
        sorted(self) == sorted(other)
    }
}

fn is_same(one: &PgRow, other: &PgRow) -> bool {
    let (mut one_fields, mut other_fields) = (Fields::of(one), Fields::of(other));
    one.len() == other.len()
        && (0..one.len()).all(|_| {
            let (a, b) = (one_fields.optional().ok(), other_fields.optional().ok());
            a == b
        })
}

fn texts(row: &PgRow) -> Vec<Option<String>> {
    let mut fields = Fields::of(row);
    let texts = (0..row.len()).map(|_| fields.optional_string().ok().flatten());
    texts.collect()
}

/// Passes the rows of the queries in `is_wanted` to these queries.
fn fill(
    catalog: &mut Catalog,
    queries: &[Query],
    rows: &[Rows],
    is_wanted: impl Fn(usize) -> bool,
) -> Result<(), Fault> {
    let all = queries.iter().zip(rows).enumerate();
    for (_, (query, rows)) in all.filter(|(at, _)| is_wanted(*at)) {
        for row in rows.iter() {
            (query.read)(catalog, &mut Fields::of(row))?;
        }
        (query.end)(catalog)?;
    }
    Ok(())
}

impl Links {
    fn of(catalog: &Catalog) -> Self {
        let relations = catalog.relations.iter();
        let columns = catalog.columns.iter().map(|(relation, columns)| {
            let columns = columns.iter().map(|it| (it.number, it.name.clone()));
            (*relation, columns.collect())
        });
        let views = relations
            .clone()
            .filter(|(_, it)| matches!(it.kind, b'v' | b'm' | b'c'));
        let views = views.map(|(relation, _)| *relation);
        Self {
            names: relations
                .map(|(relation, it)| (*relation, it.name.clone()))
                .collect(),
            columns: columns.collect(),
            tables: catalog.index_tables.clone(),
            dependent: views.chain(catalog.parents.keys().copied()).collect(),
        }
    }

    /// Whether a relation or a column of both has another name.
    fn has_other_names(&self, later: &Self) -> bool {
        let relations = self.names.iter().any(|(relation, name)| {
            let later = later.names.get(relation);
            later.is_some_and(|later| later != name)
        });
        relations
            || self.columns.iter().any(|(relation, columns)| {
                let Some(later) = later.columns.get(relation) else {
                    return false;
                };
                columns != later
                    && columns.iter().any(|(number, name)| {
                        let mut later = later.iter();
                        later.any(|(other, other_name)| other == number && other_name != name)
                    })
            })
    }
}
