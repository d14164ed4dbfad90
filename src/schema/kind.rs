use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($( $(#[$meta:meta])* $kind:ident = $name:literal, )*) => {
        /// The kind of an object. The order is that of display: containers first, then what is
        /// inside tables, then what refers to them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $( $(#[$meta])* #[serde(rename = $name)] $kind, )*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[ $( Self::$kind, )* ];

            /// Returns the name in JSON, patterns and display, such as `materialized view`.
            pub fn name(self) -> &'static str {
                match self {
                    $( Self::$kind => $name, )*
                }
            }
        }
    };
}

kinds! {
    /// A schema.
    Schema = "schema",
    /// An extension.
    Extension = "extension",
    /// A foreign-data wrapper.
    ForeignDataWrapper = "foreign-data wrapper",
    /// A foreign server.
    Server = "server",
    /// The mapping of a role to a foreign server.
    UserMapping = "user mapping",
    /// A collation.
    Collation = "collation",
    /// An enum type.
    Enum = "enum",
    /// A domain.
    Domain = "domain",
    /// A composite type.
    Composite = "composite type",
    /// A range type.
    Range = "range type",
    /// A function.
    Function = "function",
    /// A procedure.
    Procedure = "procedure",
    /// An aggregate function.
    Aggregate = "aggregate",
    /// An operator.
    Operator = "operator",
    /// A cast.
    Cast = "cast",
    /// A text search dictionary.
    TextSearchDictionary = "text search dictionary",
    /// A text search configuration.
    TextSearchConfiguration = "text search configuration",
    /// A sequence that is not part of an identity column.
    Sequence = "sequence",
    /// A table: ordinary, partitioned or foreign.
    Table = "table",
    /// A virtual table of SQLite.
    VirtualTable = "virtual table",
    /// A column of a table, or of a view if it has facts of its own.
    Column = "column",
    /// A primary key.
    PrimaryKey = "primary key",
    /// A unique constraint.
    Unique = "unique constraint",
    /// A foreign key.
    ForeignKey = "foreign key",
    /// A check constraint of a table or a domain.
    Check = "check constraint",
    /// An exclusion constraint.
    Exclusion = "exclusion constraint",
    /// An index that belongs to no constraint.
    Index = "index",
    /// An extended statistics object.
    Statistics = "statistics",
    /// A view.
    View = "view",
    /// A materialized view.
    MaterializedView = "materialized view",
    /// A trigger.
    Trigger = "trigger",
    /// A rewrite rule.
    Rule = "rule",
    /// A row security policy.
    Policy = "policy",
    /// An event trigger.
    EventTrigger = "event trigger",
    /// A publication.
    Publication = "publication",
    /// Default privileges.
    DefaultPrivileges = "default privileges",
}

impl Kind {
    /// Whether objects of this kind can have parts.
    pub fn has_parts(self) -> bool {
        matches!(
            self,
            Self::Table
                | Self::VirtualTable
                | Self::View
                | Self::MaterializedView
                | Self::Domain
                | Self::Server
        )
    }

    /// Whether objects of this kind are parts of a parent object.
    pub fn is_part(self) -> bool {
        matches!(
            self,
            Self::Column
                | Self::PrimaryKey
                | Self::Unique
                | Self::ForeignKey
                | Self::Check
                | Self::Exclusion
                | Self::Index
                | Self::Trigger
                | Self::Rule
                | Self::Policy
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of a name that is no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of object")]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Parses the name; `_` and `-` stand for spaces.
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], " ");
        let wanted = plain(text);
        let mut all = Self::ALL.iter().copied();
        all.find(|kind| plain(kind.name()) == wanted)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_parse_as_they_are_shown() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
        assert_eq!("materialized_view".parse(), Ok(Kind::MaterializedView));
        assert!("tables".parse::<Kind>().is_err());
    }
}
