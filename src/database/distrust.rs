//! Reasons not to trust a table that has a trusted name.

use std::fmt;

/// The reason not to trust a table that is to be read or written. The owner of the table, or of an
/// object attached to it, could run code as the current role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// The relation is not a table; its definition runs when it is read.
    Kind(
        /// The kind of relation, such as `a view` or `a foreign table`.
        &'static str,
    ),
    /// Another role owns the table.
    Owner {
        /// The owner.
        owner: String,
        /// The role that needs the table.
        role: String,
        /// Whether that role is a superuser. Memberships say nothing about superusers.
        superuser: bool,
    },
    /// Row level security would hide rows.
    RowSecurity {
        /// The role that needs the table.
        role: String,
    },
    /// A partition or inheriting table is not an ordinary table of a trusted owner.
    Child {
        /// The table, with its schema.
        table: String,
        /// The problem, such as `is a foreign table` or `belongs to eve`.
        reason: String,
    },
    /// An object that runs code when the table is used.
    Part {
        /// The kind of object, such as `rule`, `trigger` or `default of the column`.
        what: String,
        /// The name of the object.
        name: String,
    },
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "it is {kind}"),
            Self::Owner {
                owner,
                role,
                superuser: false,
            } => {
                write!(
                    f,
                    "it belongs to {owner}, and {role} is not a member of that role"
                )
            }
            Self::Owner { owner, role, .. } => write!(
                f,
                "it belongs to {owner}, which is neither a superuser nor the owner of the database, \
                 and {role} is a superuser"
            ),
            Self::RowSecurity { role } => {
                write!(f, "row level security can hide rows of it from {role}")
            }
            Self::Child { table, reason } => {
                write!(f, "its rows are also in {table}, which {reason}")
            }
            Self::Part { what, name } => {
                write!(
                    f,
                    "it has the {what} {name}, which can run code of other roles"
                )
            }
        }
    }
}
