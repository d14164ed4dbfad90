use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::schema::{self, Name, ObjectId};

/// The statements that lead from one schema to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    /// The statements in the order in which they run.
    pub statements: Vec<Statement>,
}

/// A statement of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The object that it changes; `None` for settings of the session.
    pub object: Option<ObjectId>,
    /// The text, without the last `;`.
    pub sql: String,
    /// What it destroys.
    pub losses: Vec<Loss>,
    /// What a reader should know beside that, as lines of a comment.
    pub notes: Vec<String>,
    /// The transaction that it needs.
    pub place: Place,
    /// Whether it is repeated until it changes no row.
    pub is_batched: bool,
}

impl Statement {
    /// A statement that loses nothing and runs in any transaction.
    pub fn new(object: Option<ObjectId>, sql: impl Into<String>) -> Self {
        Self {
            object,
            sql: sql.into(),
            losses: Vec::new(),
            notes: Vec::new(),
            place: Place::Anywhere,
            is_batched: false,
        }
    }
}

/// The transaction in which a statement can run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Together with the statements before it.
    #[default]
    Anywhere,
    /// Only once the statements before it are committed.
    AfterCommit,
    /// In no transaction.
    Outside,
}

/// Data that a statement destroys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The table, column or other object that has the data.
    pub object: ObjectId,
    /// What is lost.
    pub kind: LossKind,
}

/// What a statement destroys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// The rows of a table.
    Rows,
    /// The values of a column.
    Values,
    /// A part of the values of a column, which become shorter or less precise, or for which the
    /// statement fails.
    Precision,
    /// The next value of a sequence.
    Position,
}

/// Formats the loss as a clause: `the rows of table shop.orders`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            LossKind::Rows => "the rows of",
            LossKind::Values => "the values of",
            LossKind::Precision => "values that do not fit, of",
            LossKind::Position => "the next value of",
        };
        write!(f, "{what} {}", self.object)
    }
}

/// The value that rows get in a column that refuses NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The table.
    pub table: Name,
    /// The column.
    pub column: String,
    /// The expression in SQL.
    pub expression: String,
}

/// The error of a text that is no fill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form TABLE.COLUMN=EXPRESSION")]
pub struct FillError(String);

impl FromStr for Fill {
    type Err = FillError;

    /// Parses `table.column=expression`; names with other characters are in double quotes.
    fn from_str(text: &str) -> Result<Self, FillError> {
        let error = || FillError(text.to_owned());
        let (path, expression) = text.split_once('=').ok_or_else(error)?;
        let mut parts = schema::path(path).ok_or_else(error)?;
        let column = parts.pop().ok_or_else(error)?;
        let name = parts.pop().ok_or_else(error)?;
        let schema = parts.pop().unwrap_or_default();
        if !parts.is_empty() || expression.trim().is_empty() {
            return Err(error());
        }
        Ok(Self {
            table: Name::new(schema, name),
            column,
            expression: expression.trim().to_owned(),
        })
    }
}

/// What the facts do not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationOptions {
    /// Values for columns that refuse NULL.
    pub fills: Vec<Fill>,
    /// Whether each action of ALTER TABLE is a statement of its own.
    pub apart: bool,
}

/// A change that no statements are known for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The object.
    pub object: ObjectId,
    /// Why, as a clause: `PostgreSQL cannot remove a value that rows use`.
    pub reason: String,
}

/// Formats the statements as a script, with comments above them. If they cannot share a transaction, the
/// first line is the header of scripts that says so.
impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_apart = |it: &Statement| it.place != Place::Anywhere;
        if self.statements.iter().any(is_apart) {
            writeln!(f, "-- migrator: transaction = off\n")?;
        }
        for (at, statement) in self.statements.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            for loss in &statement.losses {
                writeln!(f, "-- Loses {loss}.")?;
            }
            if statement.place == Place::AfterCommit {
                writeln!(f, "-- Only once the statements above are committed.")?;
            }
            for line in statement.notes.iter().flat_map(|note| note.lines()) {
                writeln!(f, "-- {line}")?;
            }
            if statement.is_batched {
                writeln!(f, "-- migrator: batch")?;
            }
            writeln!(f, "{};", statement.sql)?;
        }
        Ok(())
    }
}
