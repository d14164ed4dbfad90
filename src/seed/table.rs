//! Tables as far as rows depend on them. Names and values are SQL.

use std::{fmt, sync::Arc};

use super::{
    blame::{Blame, Failure},
    hint::names,
};
use crate::{schema::Name, sql::Dialect};

/// A table and what its rows must satisfy.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub name: Name,
    /// The name in INSERT.
    pub target: String,
    pub way: Way,
    pub language: Language,
    /// The columns that INSERT can name.
    pub columns: Vec<Column>,
    /// Sets of columns whose values must differ between rows.
    pub keys: Vec<Named>,
    /// Conditions over columns.
    pub checks: Vec<Named>,
    pub references: Vec<Reference>,
}

impl Table {
    /// Adds conditions, each with its name, over the columns that they name.
    pub fn add_checks(&mut self, dialect: Dialect, conditions: &[(String, String)]) {
        for (name, condition) in conditions {
            let columns = self.columns.iter().enumerate();
            let named = columns.filter(|(_, column)| names(dialect, condition, &column.name));
            let columns = named.map(|(at, _)| at).collect();
            let name = name.clone();
            self.checks.push(Named { name, columns });
        }
    }
}

/// What differs between the dialects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Language {
    /// The condition that two columns are equal.
    pub equal: fn(&str, &str) -> String,
    /// One statement that runs several INSERTs, if there are such statements.
    pub together: Option<fn(&[String]) -> String>,
    /// The columns that an error is about.
    pub blame: fn(&Table, &Failure) -> Blame,
    /// The query for the number of rows of tables, up to a limit.
    pub count: fn(&[(usize, &str)], usize) -> String,
}

/// A table that rows may refer to.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub name: Name,
    /// The name in FROM: without the rows of child tables, unless they are partitions.
    pub sql: String,
    pub way: Way,
}

/// How a table gets rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By INSERT.
    Insert,
    /// It has the rows of these tables.
    Through(Vec<Name>),
    /// Not at all, for this reason.
    Never(&'static str),
}

/// A constraint and its columns, by their places in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The name, or what the database calls the constraint in errors.
    pub name: String,
    pub columns: Vec<usize>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub name: String,
    pub columns: Vec<usize>,
    pub table: Name,
    /// The referenced columns as SQL.
    pub targets: Vec<String>,
    /// The places of the referenced columns, if this is the table itself.
    pub own: Option<Vec<Option<usize>>>,
    /// Whether one NULL among the columns is not enough: MATCH FULL.
    pub is_full: bool,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    /// The name as SQL.
    pub sql: String,
    pub data_type: String,
    pub nullable: bool,
    /// Whether a row without the column gets a value, always the same one.
    pub can_omit: bool,
    pub values: Values,
}

/// The values of a column, as SQL.
#[derive(Clone)]
pub(super) struct Values {
    /// The values that conditions ask for; empty if there are none.
    pub wanted: Vec<String>,
    /// Values at the limits of the type, and others that conditions mention.
    pub edges: Vec<String>,
    /// Texts in forms that triggers and functions often ask for, by the place of the form among
    /// [`FORMS`](super::wanted::FORMS) and a number; `None` for other types.
    pub guess: Option<Guess>,
    /// The usual values: those of different numbers differ, as far as the type allows.
    pub plain: Plain,
}

/// Makes a text in one of the [`FORMS`](super::wanted::FORMS) with a number.
pub(super) type Guess = Arc<dyn Fn(usize, u64) -> String + Send + Sync>;

/// Makes the usual value with a number.
pub(super) type Plain = Arc<dyn Fn(u64) -> String + Send + Sync>;

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values")
            .field("wanted", &self.wanted)
            .field("edges", &self.edges)
            .field("plain", &(self.plain)(0))
            .finish()
    }
}

impl Values {
    /// The preferred value: that with the ordinal of those which conditions ask for, or the usual
    /// one with the number.
    pub fn best(&self, ordinal: usize, number: u64) -> String {
        match self.wanted.len() {
            0 => (self.plain)(number),
            length => self.wanted[ordinal % length].clone(),
        }
    }
}

impl Table {
    /// The place of a column.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// Whether the values of a column must differ between rows, alone or with others.
    pub fn is_key(&self, column: usize) -> bool {
        self.keys.iter().any(|key| key.columns.contains(&column))
    }

    /// Whether a condition names the column.
    pub fn is_checked(&self, column: usize) -> bool {
        self.checks
            .iter()
            .any(|check| check.columns.contains(&column))
    }

    /// Whether all rows refer to a row of the table, NULLs apart.
    pub fn is_needed(&self, reference: &Reference) -> bool {
        let mut columns = reference.columns.iter();
        match reference.is_full {
            true => columns.any(|column| !self.columns[*column].nullable),
            false => columns.all(|column| !self.columns[*column].nullable),
        }
    }
}
