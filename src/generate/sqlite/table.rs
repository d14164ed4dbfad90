//! A table as the planner sees it.

use crate::{
    arrange::Arrange as _,
    schema::{
        Facts, Kind, Object, ObjectId, Schema,
        sqlite::{self, PrimaryKey, scan::TableScan, scan::scan_table},
    },
};

/// A column with its identity.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    pub id: &'a ObjectId,
    pub facts: &'a sqlite::Column,
}

impl Column<'_> {
    pub fn name(&self) -> &str {
        &self.id.name
    }

    pub fn is(&self, name: &str) -> bool {
        self.id.name.eq_ignore_ascii_case(name)
    }

    pub fn is_generated(&self) -> bool {
        self.facts.generated.is_some()
    }
}

/// A table with its parts.
pub(super) struct Table<'a> {
    pub id: &'a ObjectId,
    pub facts: &'a sqlite::Table,
    /// The columns in order.
    pub columns: Vec<Column<'a>>,
    pub key: Option<&'a PrimaryKey>,
    /// The columns, constraints, indexes and triggers.
    pub parts: &'a [Object],
    pub scan: TableScan,
}

impl<'a> Table<'a> {
    /// The table `object` of `schema`; `None` if its text is not understood.
    pub fn new(schema: &'a Schema, object: &'a Object) -> Option<Self> {
        let Facts::SqliteTable(facts) = &object.facts else {
            return None;
        };
        let is_unreadable = |it: &crate::schema::Unreadable| it.id == object.id;
        if schema.unreadable.iter().any(is_unreadable) {
            return None;
        }
        let scan = scan_table(&facts.sql).ok()?;
        let parts = schema.parts(&object.id.qualified());
        let mut columns: Vec<Column> = parts
            .iter()
            .filter_map(|part| match &part.facts {
                Facts::SqliteColumn(facts) => Some(Column {
                    id: &part.id,
                    facts,
                }),
                _ => None,
            })
            .collect();
        columns.arrange_by_key(|column| column.facts.position);
        let key = parts.iter().find_map(|part| match &part.facts {
            Facts::SqlitePrimaryKey(key) => Some(key),
            _ => None,
        });
        Some(Self {
            id: &object.id,
            facts,
            columns,
            key: key.map(|key| &**key),
            parts,
            scan,
        })
    }

    pub fn name(&self) -> &str {
        &self.id.name
    }

    pub fn column(&self, name: &str) -> Option<Column<'a>> {
        self.columns.iter().find(|column| column.is(name)).copied()
    }

    /// The parts of one kind.
    pub fn parts_of(&self, kind: Kind) -> impl Iterator<Item = &'a Object> {
        self.parts.iter().filter(move |part| part.id.kind == kind)
    }

    /// The column that is the rowid.
    pub fn alias(&self) -> Option<Column<'a>> {
        let key = self.key.filter(|key| !key.not_rowid)?;
        let [only] = key.columns.as_slice() else {
            return None;
        };
        let column = self.column(&only.column)?;
        let is_integer = column.facts.declared_type.eq_ignore_ascii_case("integer");
        (is_integer && !self.facts.without_rowid).then_some(column)
    }

    /// The name by which the rowid is read and written, if it is no column.
    pub fn rowid(&self) -> Option<&'static str> {
        if self.facts.without_rowid || self.alias().is_some() {
            return None;
        }
        let mut names = ["rowid", "_rowid_", "oid"].into_iter();
        names.find(|name| self.column(name).is_none())
    }

    /// Whether `column` refuses NULL.
    pub fn refuses_null(&self, column: Column<'_>) -> bool {
        let is_key = || {
            self.key
                .is_some_and(|key| key.columns.iter().any(|it| column.is(&it.column)))
        };
        let is_strict = self.facts.without_rowid || self.facts.strict;
        let is_alias = || self.alias().is_some_and(|alias| alias.is(column.name()));
        column.facts.not_null || is_strict && is_key() && !is_alias()
    }

    /// Whether a constraint says what else than failing is done with a row that violates it.
    pub fn has_conflict_clause(&self) -> bool {
        self.parts.iter().any(|part| match &part.facts {
            Facts::SqliteColumn(column) => column.not_null_conflict.is_some(),
            Facts::SqlitePrimaryKey(key) => key.conflict.is_some(),
            Facts::SqliteUnique(key) => key.conflict.is_some(),
            _ => false,
        })
    }
}

/// The affinity of a column, which decides what is stored for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// The affinity of a declared type.
pub(super) fn affinity(declared: &str, strict: bool) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if strict && declared == "ANY" {
        Affinity::Blob
    } else if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || declared.is_empty() {
        Affinity::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}
