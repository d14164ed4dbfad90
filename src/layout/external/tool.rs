use std::{fmt, str::FromStr};

use crate::layout::Layout;

/// A tool that records applied migrations in its own table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExternalTool {
    /// `_sqlx_migrations`
    Sqlx,
    /// `schema_migrations` with one row
    GolangMigrate,
    /// `schema_migrations` with one row per migration
    Dbmate,
    /// `schema_migrations` of Rails or a tool modelled on it
    Rails,
    /// `__diesel_schema_migrations`
    Diesel,
    /// `goose_db_version`
    Goose,
    /// `flyway_schema_history`
    Flyway,
    /// `refinery_schema_history`
    Refinery,
    /// `gorp_migrations`
    SqlMigrate,
    /// `alembic_version`
    Alembic,
    /// `_prisma_migrations`
    Prisma,
    /// `__drizzle_migrations`
    Drizzle,
    /// `knex_migrations`
    Knex,
    /// `pgmigrations`
    NodePgMigrate,
}

/// The error for text that is not the name of a tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tool whose records can be read")]
pub struct UnknownTool(pub String);

impl ExternalTool {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Sqlx,
        Self::GolangMigrate,
        Self::Dbmate,
        Self::Rails,
        Self::Diesel,
        Self::Goose,
        Self::Flyway,
        Self::Refinery,
        Self::SqlMigrate,
        Self::Alembic,
        Self::Prisma,
        Self::Drizzle,
        Self::Knex,
        Self::NodePgMigrate,
    ];

    /// Returns the name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlx => "sqlx",
            Self::GolangMigrate => "golang-migrate",
            Self::Dbmate => "dbmate",
            Self::Rails => "rails",
            Self::Diesel => "diesel",
            Self::Goose => "goose",
            Self::Flyway => "flyway",
            Self::Refinery => "refinery",
            Self::SqlMigrate => "sql-migrate",
            Self::Alembic => "alembic",
            Self::Prisma => "prisma",
            Self::Drizzle => "drizzle",
            Self::Knex => "knex",
            Self::NodePgMigrate => "node-pg-migrate",
        }
    }

    /// The layout of its directories; `None` when they are not read as they are.
    pub fn layout(self) -> Option<Layout> {
        match self {
            Self::Sqlx => Some(Layout::Sqlx),
            Self::GolangMigrate => Some(Layout::GolangMigrate),
            Self::Dbmate => Some(Layout::Dbmate),
            Self::Diesel => Some(Layout::Diesel),
            Self::Goose => Some(Layout::Goose),
            Self::Flyway => Some(Layout::Flyway),
            Self::Refinery => Some(Layout::Refinery),
            Self::SqlMigrate => Some(Layout::SqlMigrate),
            Self::Rails
            | Self::Alembic
            | Self::Prisma
            | Self::Drizzle
            | Self::Knex
            | Self::NodePgMigrate => None,
        }
    }
}

impl FromStr for ExternalTool {
    type Err = UnknownTool;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|tool| tool.as_str() == text)
            .ok_or_else(|| UnknownTool(text.to_owned()))
    }
}

impl fmt::Display for ExternalTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for tool in ExternalTool::ALL {
            assert_eq!(tool.to_string().parse(), Ok(tool));
            // A tool and its layout have the same name.
            if let Some(layout) = tool.layout() {
                assert_eq!(layout.as_str(), tool.as_str());
            }
        }
        let wrong = "Rails".parse::<ExternalTool>();
        assert_eq!(wrong, Err(UnknownTool("Rails".to_owned())));
    }
}
