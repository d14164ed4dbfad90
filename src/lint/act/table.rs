//! What statements say of tables.

use crate::{
    lint::LockMode,
    schema::{Kind, Name},
};

/// CREATE TABLE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateTable {
    /// The table.
    pub name: Name,
    /// Whether an existing table is kept.
    pub if_not_exists: bool,
    /// Whether the table belongs to the session.
    pub temporary: bool,
    /// The columns.
    pub columns: Vec<Column>,
    /// The constraints of the table.
    pub constraints: Vec<Constraint>,
    /// The partitioned table that this one becomes a partition of.
    pub partition_of: Option<Name>,
    /// Whether it becomes the default partition.
    pub is_default: bool,
    /// The tables that this one inherits from.
    pub inherits: Vec<Name>,
    /// The tables of LIKE.
    pub like: Vec<Name>,
    /// Whether the table is partitioned.
    pub is_partitioned: bool,
    /// The relations that the query of CREATE TABLE AS reads.
    pub sources: Option<Vec<Name>>,
    /// Whether a SQLite table has AUTOINCREMENT.
    pub autoincrement: bool,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type: in lower case and with single spaces; empty if there is none.
    pub data_type: String,
    /// Whether NOT NULL is declared, or the column is in a primary key of its own.
    pub not_null: bool,
    /// The default.
    pub default: Option<String>,
    /// The expression of a generated column.
    pub generated: Option<Generated>,
    /// Whether the column is an identity column.
    pub identity: bool,
    /// The constraints, apart from NOT NULL.
    pub constraints: Vec<Constraint>,
}

/// The expression of a generated column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generated {
    /// The expression.
    pub expression: String,
    /// Whether the value is stored.
    pub stored: bool,
}

/// A constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraint {
    /// The name, if the text gives one.
    pub name: Option<String>,
    /// What the constraint requires.
    pub kind: ConstraintKind,
    /// Whether existing rows are not checked.
    pub not_valid: bool,
    /// The index that becomes that of the constraint.
    pub using_index: Option<String>,
    /// Whether there are clauses about the index or about when it is checked: INCLUDE, DEFERRABLE and the like.
    pub has_options: bool,
}

/// What a constraint requires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConstraintKind {
    /// PRIMARY KEY over the columns.
    PrimaryKey(Vec<String>),
    /// UNIQUE over the columns.
    Unique(Vec<String>),
    /// CHECK with the expression.
    Check(String),
    /// NOT NULL of the column.
    NotNull(String),
    /// FOREIGN KEY.
    ForeignKey(Reference),
    /// EXCLUDE.
    #[default]
    Exclusion,
}

impl ConstraintKind {
    /// The kind of the object that the constraint is; `None` for NOT NULL, which is a property of its
    /// column.
    pub fn object_kind(&self) -> Option<Kind> {
        Some(match self {
            Self::PrimaryKey(_) => Kind::PrimaryKey,
            Self::Unique(_) => Kind::Unique,
            Self::Check(_) => Kind::Check,
            Self::ForeignKey(_) => Kind::ForeignKey,
            Self::Exclusion => Kind::Exclusion,
            Self::NotNull(_) => return None,
        })
    }
}

/// A foreign key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// The columns.
    pub columns: Vec<String>,
    /// The referenced table.
    pub table: Name,
    /// The referenced columns; empty for the primary key.
    pub referenced: Vec<String>,
    /// Whether rows are deleted with those that they refer to.
    pub cascades: bool,
}

/// An action of ALTER TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableChange {
    /// ADD COLUMN.
    AddColumn {
        /// The column.
        column: Box<Column>,
        /// Whether an existing column is kept.
        if_not_exists: bool,
    },
    /// DROP COLUMN.
    DropColumn {
        /// The column.
        column: String,
        /// Whether a missing column is no error.
        if_exists: bool,
        /// Whether what depends on the column goes as well.
        cascade: bool,
    },
    /// ALTER COLUMN.
    AlterColumn {
        /// The column.
        column: String,
        /// The change.
        change: ColumnChange,
    },
    /// RENAME COLUMN.
    RenameColumn {
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// ADD CONSTRAINT, or a constraint without a name.
    AddConstraint(Box<Constraint>),
    /// DROP CONSTRAINT.
    DropConstraint {
        /// The constraint.
        name: String,
        /// Whether a missing constraint is no error.
        if_exists: bool,
        /// Whether what depends on the constraint goes as well.
        cascade: bool,
    },
    /// ALTER CONSTRAINT … ENFORCED (PostgreSQL 18).
    EnforceConstraint,
    /// VALIDATE CONSTRAINT.
    ValidateConstraint(String),
    /// RENAME CONSTRAINT.
    RenameConstraint {
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// ATTACH PARTITION.
    Attach {
        /// The partition.
        partition: Name,
        /// Whether it becomes the default partition.
        is_default: bool,
    },
    /// DETACH PARTITION.
    Detach {
        /// The partition.
        partition: Name,
        /// Whether it is done without a lock that blocks: CONCURRENTLY or FINALIZE.
        concurrently: bool,
    },
    /// ENABLE ROW LEVEL SECURITY.
    EnableRowSecurity,
    /// SET LOGGED and SET UNLOGGED.
    SetLogged,
    /// SET TABLESPACE.
    SetTablespace,
    /// SET ACCESS METHOD.
    SetAccessMethod,
    /// Any other action, with the lock that it takes.
    Other(LockMode),
}

/// A change of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnChange {
    /// TYPE.
    Type {
        /// The new type: in lower case and with single spaces.
        data_type: String,
        /// The expression of USING.
        using: Option<String>,
        /// Whether COLLATE is given.
        collate: bool,
    },
    /// SET NOT NULL.
    SetNotNull,
    /// DROP NOT NULL.
    DropNotNull,
    /// SET DEFAULT.
    SetDefault(String),
    /// DROP DEFAULT.
    DropDefault,
    /// SET EXPRESSION of a generated column.
    SetExpression,
    /// ADD GENERATED AS IDENTITY.
    AddIdentity,
    /// Any other change, with the lock that it takes.
    Other(LockMode),
}
