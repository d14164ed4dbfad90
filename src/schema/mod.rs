//! What a database contains, as typed facts, and what differs between two databases.
//!
//! A [`Schema`] is a sorted list of [`Object`]s. Each has an [`ObjectId`], [`Facts`] of its kind, and
//! the objects it depends on. Facts are compared attribute by attribute, never as the SQL text of
//! whole objects. This module is pure: `database` reads facts, `generate` writes SQL from them.

mod compare;
mod cycle;
mod diagram;
mod facts;
mod kind;
mod name;
mod object;

pub mod postgres;
#[cfg(feature = "cli")]
mod rows;
mod scope;
pub mod sqlite;
#[cfg(feature = "cli")]
mod stored;

pub use compare::{Change, Difference, Note, compare};
pub use cycle::Cycle;
pub use diagram::{Diagram, DiagramColumn, DiagramTable, Reference};
pub use facts::Compare;
pub use kind::Kind;
pub use name::{Name, mentions, path, quoted};
pub use object::{Facts, Grant, Object, ObjectId, Schema, Unmodelled, Unreadable};
#[cfg(feature = "cli")]
pub use rows::{Digest, RowChanges, RowColumn, TableRows, TableSums};
pub use scope::{Pattern, PatternError, Scope, glob};
#[cfg(feature = "cli")]
pub use stored::{ROWID, StoredTable, table_name};
