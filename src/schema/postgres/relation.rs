use super::{Deferrable, Enabled, Options, SequenceRange};
use crate::schema::{Name, facts::facts};

facts! {
    /// A sequence that is not part of an identity column.
    Sequence {
        /// The type of the values.
        data_type: String,
        /// The values.
        range: SequenceRange,
        /// The table and the column with which the sequence is dropped.
        owned_by: Option<(Name, String)>,
        /// Whether the sequence is UNLOGGED (PostgreSQL 15).
        unlogged: bool,
    }

    /// A view.
    View {
        /// The query, without the last `;`.
        query: String,
        /// The options, apart from the check option.
        options: Options,
        /// `LOCAL` or `CASCADED`.
        check_option: Option<String>,
    }

    /// A materialized view.
    MaterializedView {
        /// The query, without the last `;`.
        query: String,
        /// The access method, if it is not `heap`.
        access_method: Option<String>,
        /// The tablespace, if it is not the database's default.
        tablespace: Option<String>,
        /// The storage parameters.
        options: Options,
        @uncompared {
            /// Whether the view was filled.
            is_populated: bool,
        }
    }

    /// A trigger that no constraint made.
    Trigger {
        /// `BEFORE`, `AFTER` or `INSTEAD OF`.
        timing: String,
        /// The events: `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`.
        events: Vec<String>,
        /// The columns of UPDATE OF.
        columns: Vec<String>,
        /// Whether it fires for each row.
        for_each_row: bool,
        /// The condition, without the outer parentheses of WHEN.
        condition: Option<String>,
        /// The function.
        function: Name,
        /// The arguments.
        arguments: Vec<String>,
        /// The name of the transition table of old rows.
        old_table: Option<String>,
        /// The name of the transition table of new rows.
        new_table: Option<String>,
        /// Whether this is a constraint trigger.
        constraint: bool,
        /// The table named by FROM in a constraint trigger.
        from_table: Option<Name>,
        /// When a constraint trigger fires.
        deferrable: Deferrable,
        /// In which sessions it fires.
        enabled: Enabled,
        /// Whether the trigger comes from a partitioned table. Such a trigger is an object only if
        /// it fires in other sessions than that of the partitioned table, or has a comment.
        is_inherited: bool,
    }

    /// A rewrite rule, apart from those that are views.
    Rule {
        /// `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
        event: String,
        /// Whether the action replaces the command.
        instead: bool,
        /// The definition after the name of the table: condition and action.
        definition: String,
        /// In which sessions it applies.
        enabled: Enabled,
    }

    /// A row security policy.
    Policy {
        /// `SELECT`, `INSERT`, `UPDATE`, `DELETE`; `None` for all commands.
        command: Option<String>,
        /// Whether all restrictive policies must allow an access, not one permissive policy.
        restrictive: bool,
        /// The roles, sorted; empty for all.
        roles: Vec<String>,
        /// The expression for existing rows.
        using: Option<String>,
        /// The expression for new rows.
        check: Option<String>,
    }

    /// An extended statistics object.
    Statistics {
        /// The table.
        table: Name,
        /// The kinds: `ndistinct`, `dependencies`, `mcv`; empty for expressions alone.
        kinds: Vec<String>,
        /// The columns and expressions.
        columns: Vec<String>,
        /// The statistics target, if it is not the server's default.
        target: Option<i32>,
    }
}
