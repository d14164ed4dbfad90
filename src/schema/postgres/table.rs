use serde::{Deserialize, Serialize};

use super::Options;
use crate::schema::{Grant, Name, facts::facts};

facts! {
    /// A table: ordinary, partitioned or foreign.
    Table {
        /// Whether the table is UNLOGGED.
        unlogged: bool,
        /// The access method, if it is not `heap`.
        access_method: Option<String>,
        /// The partition key: `RANGE (created_at)`.
        partition_by: Option<String>,
        /// The partitioned table of which this one is a partition.
        partition_of: Option<Partition>,
        /// The tables that this one inherits from, in order.
        inherits: Vec<Name>,
        /// The composite type of a typed table.
        of_type: Option<Name>,
        /// The server of a foreign table.
        foreign: Option<Foreign>,
        /// The tablespace, if it is not the database's default.
        tablespace: Option<String>,
        /// The storage parameters; those of the TOAST table as `toast.name`.
        options: Options,
        /// What identifies rows in logical replication.
        replica_identity: ReplicaIdentity,
        /// Whether row security is enabled.
        row_security: bool,
        /// Whether row security applies to the owner.
        force_row_security: bool,
    }

    /// The place of a partition.
    Partition {
        /// The partitioned table.
        parent: Name,
        /// The bound: `FOR VALUES IN (1)`, `DEFAULT`.
        bound: String,
    }

    /// The source of a foreign table.
    Foreign {
        /// The server.
        server: String,
        /// The options of the table, apart from passwords and other secrets.
        options: Options,
        /// The names of the options whose values are secret.
        secrets: Vec<String>,
    }

    /// A column. Columns of views are objects only where they have a default, a comment or
    /// privileges of their own; their other facts are those of the view.
    Column {
        /// The type with its modifier: `character varying(20)`, `shop.status`.
        data_type: String,
        /// The collation, if it is not the type's own.
        collation: Option<Name>,
        /// The default expression.
        default: Option<String>,
        /// The expression of a generated column.
        generated: Option<Generated>,
        /// The identity sequence.
        identity: Option<Identity>,
        /// The NOT NULL constraint.
        not_null: Option<NotNull>,
        /// The storage, if it is not the type's own: `PLAIN`, `EXTERNAL`, `EXTENDED`, `MAIN`.
        storage: Option<String>,
        /// The compression method, if it is not the server's default.
        compression: Option<String>,
        /// The statistics target, if it is not the server's default.
        statistics: Option<i32>,
        /// The options set by ALTER COLUMN … SET (…).
        options: Options,
        /// The options of a foreign table's column.
        foreign_options: Options,
        /// Whether the column comes from a parent table only.
        is_inherited: bool,
        @uncompared {
            /// The position among the columns, from 1. Gaps are possible.
            position: i16,
        }
    }

    /// A generated column.
    Generated {
        /// The expression.
        expression: String,
        /// Whether the value is computed when it is read (PostgreSQL 18).
        is_virtual: bool,
    }

    /// An identity column.
    Identity {
        /// Whether values given by INSERT are refused: GENERATED ALWAYS.
        always: bool,
        /// The sequence.
        sequence: Name,
        /// The range of the sequence.
        range: Range,
        /// Whether the sequence is UNLOGGED, unlike its table or like it.
        unlogged: bool,
        /// All privileges on the sequence, sorted; `None` if they are the default ones.
        grants: Option<Vec<Grant>>,
        /// The comment on the sequence.
        comment: Option<String>,
    }

    /// The values of a sequence. The present value is not a fact of the schema.
    Range {
        /// The first value.
        start: i64,
        /// The difference between two values.
        increment: i64,
        /// The lowest value.
        min: i64,
        /// The highest value.
        max: i64,
        /// The number of values that a session reserves at a time.
        cache: i64,
        /// Whether the values start again after the last one.
        cycle: bool,
    }

    /// A NOT NULL constraint.
    NotNull {
        /// The name, if it is not the default one (PostgreSQL 18).
        name: Option<String>,
        /// Whether children do not inherit it (PostgreSQL 18).
        no_inherit: bool,
        /// Whether existing rows are not known to satisfy it: NOT VALID (PostgreSQL 18).
        not_valid: bool,
        /// Whether the constraint comes from a parent table only (PostgreSQL 18).
        is_inherited: bool,
        /// The comment (PostgreSQL 18).
        comment: Option<String>,
    }

    /// A primary key or a unique constraint, with its index.
    Key {
        /// The columns.
        columns: Vec<String>,
        /// The further columns of the index.
        include: Vec<String>,
        /// Whether two NULLs are equal.
        nulls_not_distinct: bool,
        /// Whether the last column is a range and ranges must not overlap (PostgreSQL 18).
        without_overlaps: bool,
        /// When the constraint is checked.
        deferrable: Deferrable,
        /// The storage parameters of the index.
        options: Options,
        /// The tablespace of the index, if it is not the database's default.
        tablespace: Option<String>,
        /// Whether CLUSTER uses the index.
        is_clustered: bool,
        /// The partitioned table's constraint or index to which the index is attached.
        parent: Option<Name>,
        /// Whether the constraint comes from a parent table only.
        is_inherited: bool,
        /// Whether the index can't be used.
        is_invalid: bool,
        /// The comment on the index.
        index_comment: Option<String>,
    }

    /// A foreign key.
    ForeignKey {
        /// The columns.
        columns: Vec<String>,
        /// The referenced table.
        references: Name,
        /// The referenced columns.
        referenced_columns: Vec<String>,
        /// Whether all columns or none must be NULL: MATCH FULL.
        match_full: bool,
        /// The action on update, unless it is NO ACTION: `CASCADE`.
        on_update: Option<String>,
        /// The action on delete, unless it is NO ACTION: `SET NULL`.
        on_delete: Option<String>,
        /// The columns that the action on delete sets, if not all (PostgreSQL 15).
        on_delete_columns: Vec<String>,
        /// When the constraint is checked.
        deferrable: Deferrable,
        /// Whether existing rows are not known to satisfy it: NOT VALID.
        not_valid: bool,
        /// Whether the constraint is NOT ENFORCED (PostgreSQL 18).
        not_enforced: bool,
        /// Whether the last column is a period (PostgreSQL 18).
        period: bool,
        /// Whether the constraint comes from a partitioned table. Such a foreign key is an object
        /// only if it has a comment or a name of its own.
        is_inherited: bool,
    }

    /// A check constraint of a table or a domain.
    Check {
        /// The expression, without the outer parentheses of CHECK.
        expression: String,
        /// Whether children do not inherit it.
        no_inherit: bool,
        /// Whether existing rows are not known to satisfy it: NOT VALID.
        not_valid: bool,
        /// Whether the constraint is NOT ENFORCED (PostgreSQL 18).
        not_enforced: bool,
        /// Whether the constraint comes from a parent table only.
        is_inherited: bool,
    }

    /// An exclusion constraint, with its index.
    Exclusion {
        /// The method of the index.
        method: String,
        /// The keys of the index.
        keys: Vec<IndexKey>,
        /// The operator of each key, with its schema if that is not pg_catalog.
        operators: Vec<Name>,
        /// The further columns of the index.
        include: Vec<String>,
        /// The condition of a partial constraint.
        condition: Option<String>,
        /// When the constraint is checked.
        deferrable: Deferrable,
        /// The storage parameters of the index.
        options: Options,
        /// The tablespace of the index, if it is not the database's default.
        tablespace: Option<String>,
        /// Whether CLUSTER uses the index.
        is_clustered: bool,
        /// The partitioned table's constraint to which this one is attached.
        parent: Option<Name>,
        /// Whether the constraint comes from a partitioned table.
        is_inherited: bool,
        /// The comment on the index.
        index_comment: Option<String>,
    }

    /// An index that belongs to no constraint. Its parent is a table or a materialized view.
    Index {
        /// The method, such as `btree`.
        method: String,
        /// Whether the index is UNIQUE.
        unique: bool,
        /// Whether two NULLs are equal.
        nulls_not_distinct: bool,
        /// The keys.
        keys: Vec<IndexKey>,
        /// The further columns.
        include: Vec<String>,
        /// The condition of a partial index.
        condition: Option<String>,
        /// The storage parameters.
        options: Options,
        /// The tablespace, if it is not the database's default.
        tablespace: Option<String>,
        /// Whether CLUSTER uses the index.
        is_clustered: bool,
        /// The partitioned table's index to which this one is attached.
        parent: Option<Name>,
        /// Whether the index is not usable: a failed CONCURRENTLY, or a partition's is missing.
        is_invalid: bool,
    }

    /// A key of an index: a column or an expression.
    IndexKey {
        /// The column.
        column: Option<String>,
        /// The expression.
        expression: Option<String>,
        /// The collation, if it is not the column's own.
        collation: Option<Name>,
        /// The operator class, if it is not the default one.
        operator_class: Option<Name>,
        /// The options of the operator class.
        options: Options,
        /// Whether the order is descending.
        descending: bool,
        /// Whether NULLs come first.
        nulls_first: bool,
        /// The statistics target of an expression, if it is not the server's default.
        statistics: Option<i32>,
    }
}

/// When a constraint is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferrable {
    /// At the end of each statement.
    #[default]
    Never,
    /// At the end of each statement, unless the transaction defers it.
    InitiallyImmediate,
    /// At the end of the transaction.
    InitiallyDeferred,
}

/// What identifies rows in logical replication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaIdentity {
    /// The primary key.
    #[default]
    Default,
    /// All columns.
    Full,
    /// Nothing.
    Nothing,
    /// A unique index.
    Index(String),
}
