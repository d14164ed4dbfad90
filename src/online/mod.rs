//! Divides a migration into revisions that programs in use do not notice.
//!
//! Statements are judged by the rules of lint, each as if it ran without a transaction. What makes
//! others wait takes its safe form; what programs of before the change cannot live with goes to
//! revisions of the contract phase. A change of a column's type becomes a new column ([`retype`]).
//! [`schedule`] puts the statements into as few revisions as their order allows. This room is pure.

mod item;
mod retype;
mod schedule;

#[cfg(test)]
mod tests;

use crate::{
    generate::Statement,
    revision::Phase,
    schema::{ObjectId, Schema},
};

/// A revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What its statements have in common.
    pub job: Job,
    /// The phase.
    pub phase: Phase,
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// What its down script has to do beside the statements that lead to the schema of before.
    pub refills: Vec<Refill>,
}

/// What statements of one revision have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// They hold locks for a moment, and take effect together.
    Change,
    /// They run one by one, outside a transaction: indexes are built, columns are filled.
    Build,
    /// They read existing rows for new constraints, under locks that let others go on.
    Validate,
    /// A statement that makes others wait, and has no other form.
    Wait,
}

impl Job {
    /// Whether the statements run in a transaction.
    pub fn in_transaction(self) -> bool {
        self != Self::Build
    }

    /// The name in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Build => "build",
            Self::Validate => "validate",
            Self::Wait => "wait",
        }
    }
}

/// An UPDATE that gives a column its values once the column is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refill {
    /// The columns that the UPDATE writes and reads.
    pub columns: [ObjectId; 2],
    /// The UPDATE.
    pub sql: String,
}

impl Refill {
    /// Puts the UPDATE behind the statements that make the columns.
    pub fn add_to(&self, statements: &mut Vec<Statement>) {
        let makes = |it: &Statement| {
            let is_column = |id: &ObjectId| self.columns.contains(id);
            let words = [" ADD COLUMN ", " TYPE "];
            it.object.as_ref().is_some_and(is_column)
                && words.iter().any(|it_has| it.sql.contains(it_has))
        };
        let last = statements.iter().rposition(makes);
        let column = self.columns[0].clone();
        let update = Statement::new(Some(column), self.sql.clone());
        statements.insert(last.map_or(0, |last| last + 1), update);
    }
}

/// A statement that makes others wait, since it has no other form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The statement.
    pub sql: String,
    /// What others wait for: `reads and writes of shop.orders wait while it is written anew`.
    pub message: String,
    /// Why there is no other form, as a clause.
    pub reason: String,
}

/// A divided migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Division {
    /// The revisions, in order: those of the contract phase are last.
    pub parts: Vec<Part>,
    /// The statements that make others wait.
    pub waiting: Vec<Waiting>,
}

/// How statements are put into revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Into as few as what is known of their dependencies allows.
    Compact,
    /// As they come, which always runs, but leaves more to the contract phase.
    AsPlanned,
}

/// Divides the statements that make `to` of `from`, a schema of PostgreSQL. Every action of ALTER TABLE is
/// a statement of its own.
pub fn divide(statements: Vec<Statement>, order: Order, from: &Schema, to: &Schema) -> Division {
    let (items, waiting) = item::items(statements, from, to);
    let parts = match order {
        Order::Compact => schedule::parts(items),
        Order::AsPlanned => schedule::in_order(items),
    };
    Division { parts, waiting }
}
