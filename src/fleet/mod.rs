//! Fleets: one project and many databases. Names of targets, their order, and the account of a run, as
//! data.
//!
//! This module is pure. Names come from other databases and programs, so nothing is believed of them:
//! [`name_fault`] says which are refused, and [`Template`] puts a name into a URL as one component.

mod name;
mod order;
mod select;
mod share;
mod tally;
mod template;
mod window;

pub use name::{NameFault, SCHEMA_BYTES, file_name_fault, name_fault};
pub use order::{Canary, Order, OrderProblem, Stage, StageKind, stages};
pub use select::{SelectProblem, Selection, select};
pub use share::Share;
pub use tally::{Cause, Outcome, Reason, Tally, TargetLine};
pub use template::{TARGET, Template};
pub use window::{Minute, Window};

use std::{fmt, sync::Arc};

/// One database of a fleet, or one schema of a database.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The name, unique in the fleet.
    pub name: Box<str>,
    /// The group, if the source tells one.
    pub group: Option<Arc<str>>,
    /// The URL that the source gives, instead of the configured one.
    pub url: Option<Box<str>>,
    /// The schema that the source gives, instead of the configured one.
    pub schema: Option<Box<str>>,
}

impl Target {
    /// A target of which only the name is known.
    pub fn named(name: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            group: None,
            url: None,
            schema: None,
        }
    }
}

/// Formats the target without its URL, which may have a password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("name", &self.name)
            .field("group", &self.group)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}
