//! What statements do to tables in use, and rules about it.
//!
//! A statement has [`Act`]s, which say what its text says, and [`Effects`], which say what it does to
//! relations that are older than the run: locks and work. Effects are predicted from the text
//! ([`Known`]), or measured by others. [`lint`] has the same rules ([`rules::ALL`]) for both; it
//! merges what they find into one [`Finding`] a statement. This room is pure.

mod act;
mod fact;
mod finding;
mod judge;
mod predict;
mod rule;
pub mod rules;
mod script;
mod suppress;
pub mod text;
mod wait;

pub use act::{
    Act, ChangeRows, Column, ColumnChange, Constraint, ConstraintKind, CreateIndex, CreateTable,
    DomainChange, DropObject, Generated, IndexKey, Reference, TableChange,
};
pub use fact::{Effects, Level, Lock, LockMode, Work, WorkKind};
pub use finding::{Cause, Finding, Fix, Probe, Severity};
pub use judge::lint;
pub use predict::Known;
pub use rule::{Class, Context, Draft, Example, Phase, Rule};
pub use script::{Headers, Script, Settings, Size, Statement};
pub use suppress::{Suppressed, SuppressionProblem, SuppressionProblemKind, suppress};

#[cfg(test)]
mod tests;
