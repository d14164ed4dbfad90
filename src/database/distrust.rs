//! Why a table that bears a trusted name is not trusted.

use std::fmt;

/// What was found about a table that was to be read or written. Its owner, or whoever made what hangs
/// on it, could have code run as our role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Not a table: its definition runs when it is read.
    Kind(
        /// `a view`, `a foreign table` …
        &'static str,
    ),
    /// The table belongs to someone else.
    Owner {
        /// The owner.
        owner: String,
        /// The role that was to use it.
        role: String,
        /// Whether that role is a superuser, for whom memberships say nothing.
        superuser: bool,
    },
    /// Row level security would hide rows.
    RowSecurity {
        /// The role that was to use it.
        role: String,
    },
    /// A partition or a table that inherits from it is not an ordinary table of a trusted owner.
    Child {
        /// With its schema.
        table: String,
        /// `is a foreign table`, `belongs to eve`
        reason: String,
    },
    /// Something that runs when the table is used.
    Part {
        /// `rule`, `trigger`, `default of the column` …
        what: String,
        /// The name.
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
