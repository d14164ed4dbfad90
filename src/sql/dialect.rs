use std::fmt;

/// The database family whose lexical rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL 12 and newer.
    Postgres,
    /// SQLite 3.
    Sqlite,
}

impl Dialect {
    /// The name in lower case, as configuration and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// `name` as a quoted identifier, valid in both dialects.
    pub fn quote_name(self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        })
    }
}
