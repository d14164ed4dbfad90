//! The facts of SQLite, and how they are read from the texts that the database keeps.
//!
//! SQLite keeps the text of every CREATE statement, and pragmas tell only a part of what it says.
//! So [`scan`] reads these texts by token, and [`Catalog`] makes the objects of a schema from them.
//!
//! Names are the same if they differ only in the case of ASCII letters, as in SQLite: [`Identifier`],
//! [`Expression`] and the order of [`ObjectId`](super::ObjectId) compare them so. An object whose name is spelled
//! otherwise differs in the attribute `spelling`, and where other objects refer to it by either
//! spelling, they do not differ.
//!
//! What means nothing to SQLite is no fact: `NULL` behind a column, names of constraints without an
//! error message of their own (`CONSTRAINT x DEFAULT 1`), `ON CONFLICT` of a CHECK, `ON INSERT` of a
//! foreign key, and every form of DEFERRABLE but DEFERRABLE INITIALLY DEFERRED. The kept text has it,
//! and a rebuild that edits that text keeps it.

mod catalog;
mod expression;
mod facts;
mod identifier;
mod keywords;
pub mod scan;
mod tokens;

pub use catalog::{Catalog, ListedTable, PragmaColumn, RowKind, SchemaRow, TableType};
pub use expression::Expression;
pub use facts::{
    Check, Column, ForeignKey, Index, IndexKey, KeyColumn, PrimaryKey, Table, Trigger, Unique,
    View, VirtualColumn, VirtualTable,
};
pub use identifier::Identifier;
pub use keywords::{is_reserved, quoted};
pub use tokens::{significant, unquoted};

use super::Name;

/// The name of an object of SQLite, which has no schemas.
pub fn name(name: impl Into<String>) -> Name {
    Name::new("", name)
}
