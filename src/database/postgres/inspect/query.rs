//! Queries of the catalogs, and what their rows depend on.

use super::{
    catalog::Catalog,
    fields::{Fault, Fields},
};

/// What a query has in the place of a condition on the relations whose rows are read.
pub(super) const OF_RELATIONS: &str = ":of_relations";

/// A query and what is done with each of its rows, and after the last one.
pub(super) struct Query {
    sql: String,
    pub reach: Reach,
    /// The catalog that alone decides whether there are rows.
    pub source: Option<&'static str>,
    /// Whether the rows may occur in those of all other queries.
    pub is_for_all: bool,
    /// Whether there are rows of objects that initdb makes.
    pub is_of_system: bool,
    /// The catalog whose objects have their OID, name and schema in the first fields.
    pub names: Option<&'static str>,
    /// The query of the rows of some relations, if it is another one.
    of_relations: Option<String>,
    pub read: fn(&mut Catalog, &mut Fields<'_>) -> Result<(), Fault>,
    pub end: fn(&mut Catalog) -> Result<(), Fault>,
}

/// What the rows of a query depend on. While that is the same, they are not read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Anything in the catalogs of the database.
    Database,
    /// What other databases share or what cannot be watched.
    Server,
    /// These catalogs alone, and the names of objects.
    Catalogs(&'static [&'static str]),
    /// Each row on the relation whose OID is in the field at `at`, and the names of objects. `column`
    /// is the column with this OID.
    Relations { column: &'static str, at: usize },
    /// The same, where a row belongs to many relations and is the same for all of them. Its first two
    /// fields identify it.
    Shared { column: &'static str },
}

impl Query {
    pub fn new(
        sql: impl Into<String>,
        read: fn(&mut Catalog, &mut Fields<'_>) -> Result<(), Fault>,
    ) -> Self {
        Self {
            sql: sql.into(),
            reach: Reach::Database,
            source: None,
            is_for_all: false,
            is_of_system: false,
            names: None,
            of_relations: None,
            read,
            end: |_| Ok(()),
        }
    }

    pub fn then(self, end: fn(&mut Catalog) -> Result<(), Fault>) -> Self {
        Self { end, ..self }
    }

    /// Says what the rows depend on.
    pub fn on(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// When a row is another one, all that was read of other queries may be different.
    pub fn for_all(self) -> Self {
        Self {
            is_for_all: true,
            ..self
        }
    }

    /// Says that there are rows of objects that initdb makes.
    pub fn of_system(self) -> Self {
        Self {
            is_of_system: true,
            ..self
        }
    }

    /// Says that the first fields are the OID, the name and the schema of objects of `catalog`.
    pub fn with_names_of(self, catalog: &'static str) -> Self {
        Self {
            names: Some(catalog),
            ..self
        }
    }

    /// Says how the rows of the relations in the parameter `$1` are read, if not by a condition on a
    /// column. The field at `at` is the relation.
    pub fn on_relations_by(self, sql: String, at: usize) -> Self {
        Self {
            of_relations: Some(sql),
            ..self.on_relations("", at)
        }
    }

    /// As long as this catalog does not change, there are no rows if there were none.
    pub fn only_with(self, catalog: &'static str) -> Self {
        Self {
            source: Some(catalog),
            ..self
        }
    }

    /// The rows depend on these catalogs.
    pub fn on_catalogs(self, catalogs: &'static [&'static str]) -> Self {
        self.on(Reach::Catalogs(catalogs))
    }

    /// The rows are those of relations. The query has [`OF_RELATIONS`] among its conditions.
    pub fn on_relations(self, column: &'static str, at: usize) -> Self {
        self.on(Reach::Relations { column, at })
    }

    /// The query of all rows.
    pub fn sql(&self) -> String {
        self.sql.replace(OF_RELATIONS, "true")
    }

    /// The query of the rows of the relations in the parameter `$1`; `None` if rows do not belong to
    /// relations.
    pub fn sql_of_relations(&self) -> Option<String> {
        let (Reach::Relations { column, .. } | Reach::Shared { column }) = self.reach else {
            return None;
        };
        if let Some(sql) = &self.of_relations {
            return Some(sql.clone());
        }
        let condition = format!("{column} = ANY ($1)");
        Some(self.sql.replace(OF_RELATIONS, &condition))
    }
}
