//! SQL that creates what a schema holds.

mod postgres;
mod sqlite;

use crate::{
    schema::{Cycle, ObjectId, Schema},
    sql::Dialect,
};

/// The statements that create one object, with its owner, privileges and comment. Parts of a table
/// that CREATE TABLE can hold are in its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The object.
    pub object: ObjectId,
    /// The statements, without the last `;`.
    pub statements: Vec<String>,
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

/// Returns the statements of all blocks as a script, with an empty line between blocks.
pub fn script(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        if !text.is_empty() {
            text.push('\n');
        }
        for statement in &block.statements {
            text.push_str(statement);
            text.push_str(";\n");
        }
    }
    text
}
