use std::{fmt, str::FromStr};

/// The file names and markers that a directory of scripts follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Layout {
    /// `ID_NAME.up.sql`, with headers.
    #[default]
    Native,
    /// `ID_NAME.sql`, or `.up.sql` and `.down.sql`.
    Sqlx,
    /// `ID_NAME.up.sql` and `.down.sql`.
    GolangMigrate,
    /// `ID_NAME/up.sql` and `down.sql`.
    Diesel,
    /// `ID_NAME.sql` with `-- migrate:up` and `-- migrate:down`.
    Dbmate,
    /// `ID_NAME.sql` with `-- +goose Up` and `-- +goose Down`.
    Goose,
    /// `V1.2__NAME.sql`, `U1.2__NAME.sql`, `R__NAME.sql`.
    Flyway,
    /// `V1__NAME.sql`, `U1__NAME.sql`.
    Refinery,
    /// `NAME.sql` with `-- +migrate Up` and `-- +migrate Down`.
    SqlMigrate,
    /// `ID_NAME.up.sql`, or `ID_NAME.postgres.up.sql` for one database.
    Pop,
    /// `V0001.NAME.up.sql` and `.down.sql`.
    Authelia,
}

/// The error for text that is not the name of a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a layout")]
pub struct UnknownLayout(pub String);

impl Layout {
    /// All layouts, migrator's own first.
    pub const ALL: [Self; 11] = [
        Self::Native,
        Self::Sqlx,
        Self::GolangMigrate,
        Self::Diesel,
        Self::Dbmate,
        Self::Goose,
        Self::Flyway,
        Self::Refinery,
        Self::SqlMigrate,
        Self::Pop,
        Self::Authelia,
    ];

    /// Returns the name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Sqlx => "sqlx",
            Self::GolangMigrate => "golang-migrate",
            Self::Diesel => "diesel",
            Self::Dbmate => "dbmate",
            Self::Goose => "goose",
            Self::Flyway => "flyway",
            Self::Refinery => "refinery",
            Self::SqlMigrate => "sql-migrate",
            Self::Pop => "pop",
            Self::Authelia => "authelia",
        }
    }
}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.as_str() == text)
            .ok_or_else(|| UnknownLayout(text.to_owned()))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        let wrong = "Sqlx".parse::<Layout>();
        assert_eq!(wrong, Err(UnknownLayout("Sqlx".to_owned())));
    }
}
