use super::{Expression, Identifier};
use crate::schema::facts::facts;

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
        module: Identifier,
        /// The arguments of the module, without comments and surplus white space.
        arguments: Vec<Expression>,
        @uncompared {
            /// The columns, which the module makes of its arguments; empty if the module is missing.
            columns: Vec<VirtualColumn>,
            /// The tables in which the module keeps its rows.
            shadow_tables: Vec<String>,
            /// The text of CREATE VIRTUAL TABLE as the database keeps it.
            sql: String,
        }
    }

    /// A column of a virtual table.
    VirtualColumn {
        /// The name.
        name: Identifier,
        /// The declared type; empty if there is none.
        declared_type: Expression,
        /// Whether `SELECT *` leaves the column out.
        hidden: bool,
    }

    /// A column of a table.
    Column {
        /// The declared type; empty if there is none.
        declared_type: Expression,
        /// The collating sequence, if it is not BINARY.
        collation: Option<Identifier>,
        /// The default, without outer parentheses. A string without quotes or in double quotes is
        /// in single quotes here.
        default: Option<Expression>,
        /// The expression of a generated column, without outer parentheses.
        generated: Option<Expression>,
        /// Whether the generated value is stored.
        stored: bool,
        /// Whether NOT NULL is declared. Columns of a primary key can refuse NULL without it.
        not_null: bool,
        /// The name of the NOT NULL constraint.
        not_null_name: Option<Identifier>,
        /// What a NULL does, unless it is ABORT: `REPLACE`.
        not_null_conflict: Option<String>,
        @uncompared {
            /// The position among the columns, from 0.
            position: u32,
        }
    }

    /// The primary key of a table. Its identity is the table's: the name of the object is empty.
    PrimaryKey {
        /// The columns in order.
        columns: Vec<KeyColumn>,
        /// What a duplicate does, unless it is ABORT: `REPLACE`.
        conflict: Option<String>,
        /// The name of the constraint.
        name: Option<Identifier>,
        /// Whether DESC is declared at an INTEGER column itself, by which that column is not the
        /// rowid.
        not_rowid: bool,
    }

    /// A unique constraint. The name of the object is that of the constraint; without one, the
    /// columns in parentheses.
    Unique {
        /// The columns in order.
        columns: Vec<KeyColumn>,
        /// What a duplicate does, unless it is ABORT: `REPLACE`.
        conflict: Option<String>,
        @uncompared {
            /// The name of the constraint.
            name: Option<Identifier>,
        }
    }

    /// A column of a key.
    KeyColumn {
        /// The column.
        column: Identifier,
        /// The collating sequence, if it is not the column's.
        collation: Option<Identifier>,
        /// Whether the order is descending.
        descending: bool,
    }

    /// A foreign key. The name of the object is that of the constraint; without one, the columns
    /// and the referenced table: `(customer) REFERENCES customers`.
    ForeignKey {
        /// The columns.
        columns: Vec<Identifier>,
        /// The referenced table.
        references: Identifier,
        /// The referenced columns; empty for the primary key.
        referenced_columns: Vec<Identifier>,
        /// The action on update, unless it is NO ACTION.
        on_update: Option<String>,
        /// The action on delete, unless it is NO ACTION.
        on_delete: Option<String>,
        /// The MATCH clause, which SQLite ignores.
        match_clause: Option<Identifier>,
        /// Whether the check is deferred to the end of the transaction.
        deferred: bool,
        @uncompared {
            /// The name of the constraint.
            name: Option<Identifier>,
        }
    }

    /// A check constraint. The name of the object is that of the constraint; without one, the
    /// expression in parentheses.
    Check {
        /// The expression, without outer parentheses.
        expression: Expression,
        @uncompared {
            /// The name of the constraint.
            name: Option<Identifier>,
        }
    }

    /// An index that belongs to no constraint.
    Index {
        /// Whether the index is UNIQUE.
        unique: bool,
        /// The keys.
        keys: Vec<IndexKey>,
        /// The condition of a partial index, without outer parentheses.
        condition: Option<Expression>,
        @uncompared {
            /// The text of CREATE INDEX as the database keeps it.
            sql: String,
        }
    }

    /// A key of an index: a column or an expression.
    IndexKey {
        /// The column.
        column: Option<Identifier>,
        /// The expression, without outer parentheses.
        expression: Option<Expression>,
        /// The collating sequence, if it is not the column's.
        collation: Option<Identifier>,
        /// Whether the order is descending.
        descending: bool,
    }

    /// A view.
    View {
        /// The names of the columns, if the view gives them.
        columns: Vec<Identifier>,
        /// The query.
        query: Expression,
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
        columns: Vec<Identifier>,
        /// The condition of WHEN, without outer parentheses.
        condition: Option<Expression>,
        /// The statements between BEGIN and END.
        body: Expression,
        @uncompared {
            /// The text of CREATE TRIGGER as the database keeps it.
            sql: String,
        }
    }
}
