//! Rows of the catalogs that are kept from one reading to the next.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{Row as _, postgres::PgRow};

use super::{
    catalog::Catalog,
    fields::{Fault, Fields},
    query::{Query, Reach},
    watch::{Changes, Marks},
};
use crate::schema::Name;

/// The rows of all queries, with what tells whether they are still the same.
pub(super) struct Kept {
    pub marks: Marks,
    rows: Vec<Rows>,
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
    /// Keeps the rows that were read of each query, and have been passed to `catalog`.
    pub fn new(
        queries: &[Query],
        marks: Marks,
        read: Vec<Vec<PgRow>>,
        catalog: &Catalog,
    ) -> Result<Self, Fault> {
        let mut all = Vec::with_capacity(queries.len());
        for (query, read) in queries.iter().zip(read) {
            let mut rows = Rows::new(query.reach);
            rows.extend(query.reach, read)?;
            all.push(rows);
        }
        Ok(Self {
            marks,
            rows: all,
            links: Links::of(catalog),
        })
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
            rows,
        } = fresh;
        let mut same = true;
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
            // Names of roles and members of extensions occur anywhere.
            if query.is_for_all && before.is_some_and(|before| !before.has_same(kept)) {
                same = false;
            }
        }
        fill(catalog, queries, &self.rows)?;
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

    /// Whether both have the same texts, in any order.
    fn has_same(&self, other: &Self) -> bool {
        let sorted = |rows: &Self| {
            let mut all: Vec<_> = rows.iter().map(texts).collect();
            all.sort_unstable();
            all
        };
        sorted(self) == sorted(other)
    }
}

fn texts(row: &PgRow) -> Vec<Option<String>> {
    let mut fields = Fields::of(row);
    let texts = (0..row.len()).map(|_| fields.optional_string().ok().flatten());
    texts.collect()
}

/// Passes rows to the queries that they are of.
fn fill(catalog: &mut Catalog, queries: &[Query], rows: &[Rows]) -> Result<(), Fault> {
    for (query, rows) in queries.iter().zip(rows) {
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
