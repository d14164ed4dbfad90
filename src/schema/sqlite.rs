//! The facts of SQLite.

use crate::schema::{Name, facts::facts};

facts! {
    /// A table.
    Table {
        /// Whether values must have the declared types.
        strict: bool,
        /// Whether the table has no rowid.
        without_rowid: bool,
        /// Whether rowids are never reused.
        autoincrement: bool,
        @uncompared {
            /// The text of CREATE TABLE as the database keeps it. A rebuild edits it, so that
            /// nothing that is not a fact gets lost.
            sql: String,
        }
    }

    /// A virtual table, such as one of FTS5 or rtree.
    VirtualTable {
        /// The module.
        module: String,
        /// The arguments of the module, without comments and surplus white space.
        arguments: Vec<String>,
        @uncompared {
            /// The tables in which the module keeps its rows.
            shadow_tables: Vec<String>,
            /// The text of CREATE VIRTUAL TABLE as the database keeps it.
            sql: String,
        }
    }

    /// A column.
    Column {
        /// The declared type; empty if there is none.
        declared_type: String,
        /// The collating sequence, if it is not BINARY.
        collation: Option<String>,
        /// The text of the default, without outer parentheses.
        default: Option<String>,
        /// The expression of a generated column, without outer parentheses.
        generated: Option<String>,
        /// Whether the generated value is stored.
        stored: bool,
        /// Whether NULL is refused.
        not_null: bool,
        /// The name of the NOT NULL constraint.
        not_null_name: Option<String>,
        /// What a NULL does, unless it is ABORT: `REPLACE`.
        not_null_conflict: Option<String>,
        /// Whether the column is hidden, in a virtual table.
        hidden: bool,
        @uncompared {
            /// The position among the columns, from 0.
            position: u32,
        }
    }

    /// A primary key or a unique constraint. The name is that of the constraint; without one, the
    /// columns in parentheses.
    Key {
        /// The columns in order.
        columns: Vec<KeyColumn>,
        /// What a duplicate does, unless it is ABORT: `REPLACE`.
        conflict: Option<String>,
        /// The name of the constraint.
        name: Option<String>,
    }

    /// A column of a key.
    KeyColumn {
        /// The column.
        column: String,
        /// The collating sequence, if it is not the column's.
        collation: Option<String>,
        /// Whether the order is descending.
        descending: bool,
    }

    /// A foreign key. The name is that of the constraint; without one, the columns and the
    /// referenced table: `(customer) REFERENCES customers`.
    ForeignKey {
        /// The columns.
        columns: Vec<String>,
        /// The referenced table.
        references: String,
        /// The referenced columns; empty for the primary key.
        referenced_columns: Vec<String>,
        /// The action on update, unless it is NO ACTION.
        on_update: Option<String>,
        /// The action on delete, unless it is NO ACTION.
        on_delete: Option<String>,
        /// The MATCH clause, which SQLite ignores.
        match_clause: Option<String>,
        /// Whether the check is deferred to the end of the transaction.
        deferred: bool,
        /// The name of the constraint.
        name: Option<String>,
    }

    /// A check constraint. The name is that of the constraint; without one, the expression in
    /// parentheses.
    Check {
        /// The expression, without outer parentheses.
        expression: String,
        /// The name of the constraint.
        name: Option<String>,
    }

    /// An index that belongs to no constraint.
    Index {
        /// Whether the index is UNIQUE.
        unique: bool,
        /// The keys.
        keys: Vec<IndexKey>,
        /// The condition of a partial index.
        condition: Option<String>,
        @uncompared {
            /// The text of CREATE INDEX as the database keeps it.
            sql: String,
        }
    }

    /// A key of an index.
    IndexKey {
        /// The column.
        column: Option<String>,
        /// The expression.
        expression: Option<String>,
        /// The collating sequence, if it is not the column's.
        collation: Option<String>,
        /// Whether the order is descending.
        descending: bool,
    }

    /// A view.
    View {
        /// The names of the columns, if the view gives them.
        columns: Vec<String>,
        /// The query.
        query: String,
        @uncompared {
            /// The text of CREATE VIEW as the database keeps it.
            sql: String,
        }
    }

    /// A trigger.
    Trigger {
        /// `BEFORE`, `AFTER` or `INSTEAD OF`.
        timing: String,
        /// `INSERT`, `UPDATE` or `DELETE`.
        event: String,
        /// The columns of UPDATE OF.
        columns: Vec<String>,
        /// The condition of WHEN.
        condition: Option<String>,
        /// The statements between BEGIN and END.
        body: String,
        @uncompared {
            /// The text of CREATE TRIGGER as the database keeps it.
            sql: String,
        }
    }
}

/// The name of an object of SQLite, which has no schemas.
pub fn name(name: impl Into<String>) -> Name {
    Name::new("", name)
}
