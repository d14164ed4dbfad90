//! The facts of PostgreSQL. Expressions and types are texts in the server's words, read with an empty
//! search path, so that every name in them has its schema.

mod expression;
mod keywords;
mod names;
mod options;
mod relation;
mod routine;
mod server;
mod table;
mod types;

use serde::{Deserialize, Serialize};

pub(in crate::schema) use expression::is_same_expression;
pub use expression::nested_operands;
pub use keywords::{ident, is_keyword};
pub use names::{
    MAX_NAME, default_multirange, default_name, in_own_order, is_name_list, own_order, split_names,
    truncated,
};
pub use options::Options;
pub use relation::{MaterializedView, Policy, Rule, Sequence, Statistics, Trigger, View};
pub use routine::{Aggregate, Cast, EventTrigger, Operator, Routine};
pub use server::{
    DefaultPrivileges, Extension, ForeignDataWrapper, Publication, PublishedTable, Schema, Server,
    TextSearchConfiguration, TextSearchDictionary, UserMapping,
};
pub use table::{
    Check, Column, Deferrable, Exclusion, Foreign, ForeignKey, Generated, Identity, Index,
    IndexKey, Key, NotNull, Partition, Range as SequenceRange, ReplicaIdentity, Table,
};
pub use types::{Attribute, Collation, Composite, Domain, Enum, Range};

/// When a trigger, a rule or an event trigger fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enabled {
    /// In ordinary sessions.
    #[default]
    Origin,
    /// Never.
    Disabled,
    /// In sessions that apply replicated changes.
    Replica,
    /// In all sessions.
    Always,
}
