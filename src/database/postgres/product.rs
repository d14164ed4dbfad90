//! Servers that speak PostgreSQL's protocol and are not PostgreSQL.

use sqlx::{PgConnection, Row};

use super::{super::DatabaseError, message::unpinned_rows};

/// What a server is, by its version text and its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Product {
    /// PostgreSQL, or a server that behaves like it as far as is known.
    #[default]
    PostgreSql,
    /// PostgreSQL as WebAssembly in a process of JavaScript. All its clients share one session.
    PgLite,
    /// A server on which the lock or the transactions of migrations do not hold.
    Unsupported(Unsupported),
}

/// A server that is not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    name: &'static str,
    /// A part of the text of `version()`.
    mark: &'static str,
    reason: &'static str,
}

const NO_LOCK: &str =
    "its advisory locks succeed for everyone, so two runs would not exclude each other";
const NO_DDL: &str = "it does not roll back changes of the schema when a script fails";
const NO_UPDATES: &str = "it has no transactions over several statements that write";

/// Servers that are refused. Sources: their manuals on advisory locks and on transactions.
const UNSUPPORTED: [Unsupported; 8] = [
    unsupported("CockroachDB", "CockroachDB", NO_LOCK),
    unsupported("YugabyteDB", "-YB-", NO_DDL),
    unsupported("RisingWave", "RisingWave", NO_UPDATES),
    unsupported("Materialize", "Materialize", NO_UPDATES),
    unsupported("CrateDB", "CrateDB", NO_UPDATES),
    unsupported("QuestDB", "QuestDB", NO_UPDATES),
    unsupported("Amazon Redshift", "Redshift", "it has no advisory locks"),
    unsupported(
        "Google Spanner",
        "Spanner",
        "it runs no statement that changes the schema in a transaction",
    ),
];

/// Aurora DSQL, whose version text is that of PostgreSQL; its endpoints are known by their names.
const DSQL: Unsupported = unsupported(
    "Amazon Aurora DSQL",
    ".dsql.",
    "it has no advisory locks, and allows one statement that changes the schema in a transaction",
);

const fn unsupported(name: &'static str, mark: &'static str, reason: &'static str) -> Unsupported {
    Unsupported { name, mark, reason }
}

impl Product {
    /// The product with this text of `version()` at `host`.
    pub fn of(version: &str, host: &str) -> Self {
        if version.contains("PGlite") {
            return Self::PgLite;
        }
        if host.contains(DSQL.mark) && host.ends_with(".on.aws") {
            return Self::Unsupported(DSQL);
        }
        let mut all = UNSUPPORTED.into_iter();
        match all.find(|it| version.contains(it.mark)) {
            Some(found) => Self::Unsupported(found),
            None => Self::PostgreSql,
        }
    }

    /// Asks a server that did not understand other questions.
    pub async fn ask(connection: &mut PgConnection, host: &str) -> Result<Self, sqlx::Error> {
        let found = unpinned_rows(connection, "SELECT version()").await?;
        let row = found.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Self::of(row.try_get(0)?, host))
    }

    /// Fails if migrations cannot be run safely on this server.
    pub fn check(self, place: &str) -> Result<(), DatabaseError> {
        match self {
            Self::Unsupported(it) => Err(DatabaseError::UnsupportedServer {
                place: place.to_owned(),
                name: it.name.to_owned(),
                reason: it.reason.to_owned(),
            }),
            Self::PostgreSql | Self::PgLite => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_their_version() {
        let check = |version: &str, host: &str, expected: Option<&str>| {
            let found = match Product::of(version, host) {
                Product::Unsupported(it) => Some(it.name),
                Product::PgLite => Some("PGlite"),
                Product::PostgreSql => None,
            };
            assert_eq!(found, expected, "{version} at {host}");
        };
        let debian = "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu";
        check(debian, "localhost", None);
        check("PostgreSQL 16.3 (AlloyDB)", "10.0.0.1", None);
        check(
            "PostgreSQL 18.6 (PGlite 0.5.14) on wasm32-unknown-emscripten",
            "127.0.0.1",
            Some("PGlite"),
        );
        check(
            "CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2026/05/28)",
            "localhost",
            Some("CockroachDB"),
        );
        check(
            "PostgreSQL 15.12-YB-2.25.2.0-b0 on x86_64-pc-linux-gnu",
            "localhost",
            Some("YugabyteDB"),
        );
        check(
            "PostgreSQL 16",
            "abc.dsql.us-east-1.on.aws",
            Some("Amazon Aurora DSQL"),
        );
        check("PostgreSQL 16", "abc.us-east-1.on.aws", None);
        check("PostgreSQL 9.5-RisingWave-2.4.0", "h", Some("RisingWave"));
    }
}
