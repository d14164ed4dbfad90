//! What a statement says, in the words of no dialect.
//!
//! A statement is a list of acts: an ALTER TABLE with three actions is three. An act never guesses:
//! what a reader does not understand is [`Act::Unknown`].

mod table;

pub use table::{
    Column, ColumnChange, Constraint, ConstraintKind, CreateTable, Generated, Reference,
    TableChange,
};

use crate::{
    lint::LockMode,
    schema::{Kind, Name},
    sql::RowVerb,
};

/// One thing that a statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// CREATE TABLE, also with AS.
    CreateTable(Box<CreateTable>),
    /// One action of ALTER TABLE.
    AlterTable {
        /// The table.
        table: Name,
        /// The action.
        change: TableChange,
    },
    /// CREATE INDEX.
    CreateIndex(Box<CreateIndex>),
    /// DROP of one object.
    Drop(DropObject),
    /// RENAME of an object other than a column.
    Rename {
        /// The kind.
        kind: Kind,
        /// The name before.
        name: Name,
        /// The name after.
        to: String,
    },
    /// SET SCHEMA.
    SetSchema {
        /// The kind.
        kind: Kind,
        /// The name before.
        name: Name,
        /// The schema after.
        schema: String,
    },
    /// ALTER TYPE ADD VALUE.
    AddValue {
        /// The type.
        name: Name,
        /// The value.
        value: String,
    },
    /// ALTER TYPE RENAME VALUE.
    RenameValue {
        /// The type.
        name: Name,
        /// The value before.
        from: String,
        /// The value after.
        to: String,
    },
    /// CREATE DOMAIN.
    CreateDomain {
        /// The domain.
        name: Name,
        /// The type under the domain.
        data_type: String,
        /// Whether values are checked: NOT NULL or CHECK.
        is_constrained: bool,
    },
    /// One action of ALTER DOMAIN.
    AlterDomain {
        /// The domain.
        name: Name,
        /// The action.
        change: DomainChange,
    },
    /// CREATE of an object without facts that rules need: types, sequences, schemas, functions.
    Create {
        /// The kind.
        kind: Kind,
        /// The name.
        name: Name,
        /// Whether an object of this name may be replaced.
        or_replace: bool,
    },
    /// CREATE VIEW and CREATE MATERIALIZED VIEW.
    CreateView {
        /// The kind.
        kind: Kind,
        /// The view.
        name: Name,
        /// Whether a view of this name may be replaced.
        or_replace: bool,
        /// The relations that the query reads.
        sources: Vec<Name>,
    },
    /// REFRESH MATERIALIZED VIEW.
    Refresh {
        /// The view.
        name: Name,
        /// Whether readers go on.
        concurrently: bool,
        /// Whether the view is only emptied.
        without_data: bool,
    },
    /// CREATE TRIGGER, CREATE RULE, CREATE POLICY.
    CreatePart {
        /// The kind.
        kind: Kind,
        /// The table.
        table: Name,
        /// The name.
        name: String,
        /// Whether a policy is restrictive.
        restrictive: bool,
    },
    /// REINDEX.
    Reindex {
        /// What is reindexed: [`Kind::Table`], [`Kind::Index`] or, for a schema or a database,
        /// [`Kind::Schema`].
        kind: Kind,
        /// The name.
        name: Name,
        /// Whether writers go on.
        concurrently: bool,
    },
    /// CLUSTER; without a table, of all that were clustered before.
    Cluster {
        /// The table.
        table: Option<Name>,
    },
    /// VACUUM; without tables, of all.
    Vacuum {
        /// Whether tables are rewritten.
        full: bool,
        /// The tables.
        tables: Vec<Name>,
    },
    /// TRUNCATE.
    Truncate {
        /// The tables.
        tables: Vec<Name>,
        /// Whether tables that refer to these are emptied as well.
        cascade: bool,
    },
    /// LOCK TABLE.
    LockTable {
        /// The tables.
        tables: Vec<Name>,
        /// The mode.
        mode: LockMode,
    },
    /// INSERT, UPDATE, DELETE, MERGE and COPY FROM.
    ChangeRows(Box<ChangeRows>),
    /// SELECT and other queries.
    Query {
        /// The relations that are read.
        sources: Vec<Name>,
        /// Whether functions of unknown effect are called.
        calls: bool,
    },
    /// SET of a session parameter, or PRAGMA.
    Set {
        /// The parameter in lower case.
        name: String,
        /// The value, without quotes.
        value: String,
    },
    /// A statement whose effects its text does not say: DO, CALL, EXECUTE.
    Opaque {
        /// The keyword.
        what: &'static str,
    },
    /// A statement without an effect on tables: COMMENT, GRANT, BEGIN.
    Harmless,
    /// A statement that the reader does not understand.
    Unknown,
}

/// An action of ALTER DOMAIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainChange {
    /// ADD CONSTRAINT.
    AddConstraint(Box<Constraint>),
    /// SET NOT NULL.
    SetNotNull,
    /// VALIDATE CONSTRAINT.
    Validate(String),
    /// DROP CONSTRAINT.
    DropConstraint(String),
    /// Any other action.
    Other,
}

/// CREATE INDEX.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateIndex {
    /// The name; `None` if the database chooses it.
    pub name: Option<String>,
    /// The table.
    pub table: Name,
    /// Whether partitions are left out.
    pub only: bool,
    /// Whether values must be unique.
    pub unique: bool,
    /// Whether writers go on.
    pub concurrently: bool,
    /// Whether an existing index is kept.
    pub if_not_exists: bool,
    /// The keys: a column or an expression each.
    pub keys: Vec<IndexKey>,
    /// The condition of a partial index.
    pub condition: Option<String>,
    /// The offset in the statement at which CONCURRENTLY belongs: after `INDEX`.
    pub insert_at: usize,
}

/// A key of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// The column, or the text of the expression.
    pub text: String,
    /// Whether it is a column.
    pub is_column: bool,
    /// Whether it is written in double quotes, which SQLite reads as a string if there is no such
    /// column.
    pub is_quoted: bool,
}

/// DROP of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropObject {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: Name,
    /// The table of a trigger, a rule or a policy.
    pub table: Option<Name>,
    /// Whether a missing object is no error.
    pub if_exists: bool,
    /// Whether what depends on the object goes as well.
    pub cascade: bool,
    /// Whether an index is dropped while others use its table.
    pub concurrently: bool,
}

/// A statement that changes rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRows {
    /// The verb.
    pub verb: RowVerb,
    /// The table.
    pub table: Name,
    /// The other relations that the statement reads.
    pub sources: Vec<Name>,
    /// The columns that INSERT names.
    pub columns: Vec<String>,
    /// What INSERT … SELECT selects, if its query is one SELECT from one table: the columns, and
    /// `*` for all.
    pub selected: Option<Vec<String>>,
    /// The condition of UPDATE and DELETE.
    pub condition: Option<String>,
    /// Whether INSERT has a list of values rather than a query.
    pub is_values: bool,
}
