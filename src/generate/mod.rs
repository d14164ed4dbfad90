//! SQL that creates what a schema holds, and SQL that makes one schema of another.

mod migration;
mod postgres;
#[cfg(feature = "cli")]
mod rename;
mod sqlite;

use std::fmt;

pub use migration::{Fill, Loss, LossKind, Migration, MigrationOptions, Place, Refusal, Statement};
#[cfg(feature = "cli")]
pub use postgres::qualified;
#[cfg(feature = "cli")]
pub use rename::{Rename, RenameError, Renamed, is_named, rename, shown_path};

use crate::{
    schema::{Cycle, ObjectId, Schema},
    sql::Dialect,
};

/// The statements that create one object, with its owner, privileges and comment. Parts of a table
/// that CREATE TABLE can hold are in its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The object; `None` for settings of the session.
    pub object: Option<ObjectId>,
    /// What the statements cannot recreate, as lines of text.
    pub notes: Vec<String>,
    /// The statements, without the last `;`.
    pub statements: Vec<String>,
}

/// Formats the notes as comments, and the statements with `;`, a line feed after each.
impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            for line in note.lines() {
                writeln!(f, "-- {line}")?;
            }
        }
        for statement in &self.statements {
            writeln!(f, "{statement};")?;
        }
        Ok(())
    }
}

/// Returns the SQL that recreates `schema` in an empty database, in an order in which it runs. The
/// same schema always has the same SQL.
///
/// # Errors
/// Fails when objects depend on each other in a way that no order of statements can create.
pub fn dump(schema: &Schema) -> Result<Vec<Block>, Cycle> {
    match schema.dialect {
        Dialect::Postgres => postgres::dump(schema),
        Dialect::Sqlite => sqlite::dump(schema),
    }
}

/// Returns all blocks as a script, with an empty line between them.
pub fn script(blocks: &[Block]) -> String {
    let blocks: Vec<String> = blocks.iter().map(Block::to_string).collect();
    blocks.join("\n")
}

/// Returns the statements that make `to` of `from` and keep the rows wherever their columns live on.
/// Both schemas are of one dialect. The same schemas always have the same statements; equal ones
/// have none.
///
/// # Errors
/// Fails with all changes that no statements are known for.
pub fn migrate(
    from: &Schema,
    to: &Schema,
    options: &MigrationOptions,
) -> Result<Migration, Vec<Refusal>> {
    match to.dialect {
        Dialect::Postgres => postgres::migrate(from, to, options),
        Dialect::Sqlite => sqlite::migrate(from, to, options),
    }
}

/// The statements that give an object of `schema` another name; `None` if there are none for its kind.
#[cfg(feature = "cli")]
fn rename_statements(from: &ObjectId, to: &ObjectId, schema: &Schema) -> Option<Vec<String>> {
    match schema.dialect {
        Dialect::Postgres => postgres::rename(from, to, schema),
        Dialect::Sqlite => sqlite::rename(from, to),
    }
}
