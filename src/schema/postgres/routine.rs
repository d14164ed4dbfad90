use super::{Enabled, Options};
use crate::schema::{Name, facts::facts};

facts! {
    /// A function or a procedure.
    Routine {
        /// The arguments with modes, names and defaults: `a integer, b text DEFAULT 'x'::text`.
        arguments: String,
        /// The result type: `SETOF shop.orders`; `None` for procedures.
        returns: Option<String>,
        /// The language.
        language: String,
        /// The text of the body; for C the name of the symbol.
        body: String,
        /// The SQL-standard body: `RETURN a + b`, `BEGIN ATOMIC … END` (PostgreSQL 14).
        sql_body: Option<String>,
        /// The library of a C function.
        library: Option<String>,
        /// Whether this is a window function.
        window: bool,
        /// `IMMUTABLE` or `STABLE`; `None` for VOLATILE.
        volatility: Option<String>,
        /// Whether the result is NULL if an argument is NULL.
        strict: bool,
        /// Whether it runs with the privileges of its owner.
        security_definer: bool,
        /// Whether it has no side effects that reveal its arguments.
        leakproof: bool,
        /// `RESTRICTED` or `SAFE`; `None` for UNSAFE.
        parallel: Option<String>,
        /// The cost, if it is not the language's default.
        cost: Option<String>,
        /// The number of rows, if it is not the default.
        rows: Option<String>,
        /// The planner support function.
        support: Option<Name>,
        /// The types whose transforms apply.
        transforms: Vec<String>,
        /// The settings during a call: values as in SET.
        settings: Options,
    }

    /// An aggregate function.
    Aggregate {
        /// The arguments with modes and names.
        arguments: String,
        /// `HYPOTHETICAL` or `ORDERED_SET`; `None` for ordinary aggregates.
        form: Option<String>,
        /// The options of CREATE AGGREGATE by their names in lower case: `sfunc`, `stype` …
        options: Options,
    }

    /// An operator. Its signature has the argument types; `NONE` for a missing one.
    Operator {
        /// The function.
        function: Name,
        /// The commutator.
        commutator: Option<Name>,
        /// The negator.
        negator: Option<Name>,
        /// The restriction selectivity estimator.
        restrict: Option<Name>,
        /// The join selectivity estimator.
        join: Option<Name>,
        /// Whether hash joins can use it.
        hashes: bool,
        /// Whether merge joins can use it.
        merges: bool,
    }

    /// A cast. Its signature has both types: `(shop.a AS text)`.
    Cast {
        /// The type that is cast.
        source: String,
        /// The type of the result.
        target: String,
        /// The function with its argument types; `None` if the cast needs none.
        function: Option<String>,
        /// Whether the cast goes by the text forms of the values.
        in_out: bool,
        /// `ASSIGNMENT` or `IMPLICIT`; `None` if the cast must be explicit.
        context: Option<String>,
    }

    /// An event trigger.
    EventTrigger {
        /// The event: `ddl_command_end`.
        event: String,
        /// The command tags to which it is limited.
        tags: Vec<String>,
        /// The function.
        function: Name,
        /// When it fires.
        enabled: Enabled,
        @uncompared {
            /// The command tags in their order, if that is not the one of the alphabet.
            tags_order: Vec<String>,
        }
    }
}
