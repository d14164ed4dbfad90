use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Origin;
use crate::{
    database::{
        Location,
        backup::{Contents, Dumped},
        stream::Digest,
    },
    files::Compression,
    revision,
    sql::Dialect,
};

/// The newest supported manifest format. It is raised when older versions cannot read a manifest
/// any more.
pub const FORMAT: u32 = 1;

/// The description of a backup, stored in a separate file beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format version of the manifest; currently 1.
    pub format: u32,
    /// The program that created the backup, such as `migrator 0.1.0`.
    pub tool: String,
    /// The time of the backup, in UTC.
    pub made_at: DateTime<Utc>,
    /// The number of the backup in order of creation within its directory, from 1. Older manifests
    /// without a number have 0.
    #[serde(default)]
    pub number: u64,
    /// The name of the database; never with a password.
    pub database: String,
    /// The kind of database: `sqlite` or `postgresql`.
    pub dialect: String,
    /// The version of the database's software.
    pub server: String,
    /// The applied revisions that no applied revision revises.
    pub revisions: Vec<String>,
    /// The highest sequence of the version table; 0 if nothing is applied.
    pub sequence: i64,
    /// The number of rows of every table.
    pub tables: BTreeMap<String, u64>,
    /// A fingerprint of tables, columns, indexes, views and other objects.
    pub schema: String,
    /// The compression that migrator applied to the file: `none` or `zstd`.
    pub compression: Compression,
    /// The size of the file in bytes.
    pub size: u64,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The size before compression in bytes.
    pub plain_size: u64,
    /// The SHA-256 before compression.
    pub plain_sha256: String,
    /// A mark that shows whether the database has changed since. Its meaning depends on the kind of
    /// database.
    #[serde(default)]
    pub mark: Option<String>,
    /// The properties with which a missing database is created again.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// The identity of the database. Older manifests lack it, and match no database for certain.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// The draft name that the file has while the backup is being listed or removed.
    #[serde(default)]
    pub draft: Option<String>,
}

impl Manifest {
    /// Creates the manifest of a copy made at `made_at`.
    pub fn new(
        made_at: DateTime<Utc>,
        (database, location): (String, &Location),
        server: String,
        compression: Compression,
        dumped: Dumped,
    ) -> Self {
        let Dumped {
            contents,
            observed,
            stored,
            plain,
            mark,
            properties,
            cluster,
        } = dumped;
        let heads = revision::applied_heads(&observed.applied);
        Self {
            format: FORMAT,
            tool: concat!("migrator ", env!("CARGO_PKG_VERSION")).to_owned(),
            made_at,
            number: 0,
            database,
            dialect: name(location.dialect()),
            server,
            revisions: heads.iter().map(|row| row.revision.to_string()).collect(),
            sequence: observed.last_sequence(),
            tables: contents.tables,
            schema: contents.schema,
            compression,
            size: stored.size,
            sha256: stored.sha256,
            plain_size: plain.size,
            plain_sha256: plain.sha256,
            mark,
            properties,
            origin: Some(Origin::of(location, cluster)),
            draft: None,
        }
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// The reason why the manifest cannot be read, for display.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            format: u32,
        }
        let form: Form = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if form.format > FORMAT {
            return Err(format!(
                "it has format {}, and this migrator knows up to {FORMAT}",
                form.format
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if manifest.dialect().is_none() {
            return Err(format!("`{}` is not a database we know", manifest.dialect));
        }
        Ok(manifest)
    }

    /// The manifest as JSON text.
    pub fn text(&self) -> String {
        // Serializing strings, numbers and maps with string keys cannot fail.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        text + "\n"
    }

    /// The kind of database in the backup.
    pub fn dialect(&self) -> Option<Dialect> {
        Dialect::ALL
            .into_iter()
            .find(|it| name(*it) == self.dialect)
    }

    /// The expected digest of the file.
    pub fn stored(&self) -> Digest {
        Digest {
            size: self.size,
            sha256: self.sha256.clone(),
        }
    }

    /// Whether both backups are proven to be of the same database.
    pub fn is_of_same_database(&self, other: &Self) -> bool {
        self.dialect == other.dialect
            && match (&self.origin, &other.origin) {
                (Some(one), Some(other)) => one.is_same_database(other),
                _ => false,
            }
    }

    /// The total number of rows.
    pub fn rows(&self) -> u64 {
        self.tables.values().sum()
    }

    /// The differences between the copied contents and `found`.
    pub fn differences(&self, found: &Contents) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (table, rows) in &self.tables {
            match found.tables.get(table) {
                Some(found) if found == rows => {}
                found => differences.push(Difference::Rows {
                    table: table.clone(),
                    copied: Some(*rows),
                    found: found.copied(),
                }),
            }
        }
        for (table, rows) in &found.tables {
            if !self.tables.contains_key(table) {
                differences.push(Difference::Rows {
                    table: table.clone(),
                    copied: None,
                    found: Some(*rows),
                });
            }
        }
        if found.schema != self.schema {
            differences.push(Difference::Schema);
        }
        differences
    }
}

/// The name of a dialect in manifests.
pub(super) fn name(dialect: Dialect) -> String {
    dialect.to_string().to_ascii_lowercase()
}

/// A difference between the copied and the restored contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The number of rows of a table differs; `None` means that there is no such table.
    Rows {
        /// The table.
        table: String,
        /// The number of rows in the manifest.
        copied: Option<u64>,
        /// The number of rows found.
        found: Option<u64>,
    },
    /// Tables, columns, indexes or other objects differ.
    Schema,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows {
                table,
                copied: Some(copied),
                found: Some(found),
            } => write!(f, "{table} has {found} rows, and {copied} were copied"),
            Self::Rows {
                table, found: None, ..
            } => write!(f, "{table} is missing"),
            Self::Rows { table, .. } => write!(f, "{table} was not copied"),
            Self::Schema => f.write_str("the schema is another one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let dumped = Dumped {
            contents: contents(&[("a", 1), ("b", 2)], "x"),
            observed: revision::Observed::default(),
            stored: Digest::default(),
            plain: Digest::default(),
            mark: None,
            properties: BTreeMap::new(),
            cluster: None,
        };
        let location = Location::Sqlite("/app.db".into());
        let database = ("sqlite:app.db".to_owned(), &location);
        let server = "SQLite 3".to_owned();
        Manifest::new(
            DateTime::UNIX_EPOCH,
            database,
            server,
            Compression::Zstd,
            dumped,
        )
    }

    fn contents(tables: &[(&str, u64)], schema: &str) -> Contents {
        let tables = tables
            .iter()
            .map(|(name, rows)| ((*name).to_owned(), *rows));
        Contents {
            unchecked: None,
            tables: tables.collect(),
            schema: schema.to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let manifest = manifest();
        assert_eq!(Manifest::parse(&manifest.text()), Ok(manifest));
    }

    #[test]
    fn older_manifests_are_read() {
        let text = manifest().text();
        let mut fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&text).unwrap();
        for new in ["number", "origin", "draft"] {
            assert!(fields.remove(new).is_some(), "{new}");
        }
        let old = Manifest::parse(&serde_json::to_string(&fields).unwrap()).unwrap();
        assert_eq!((old.number, &old.origin, &old.draft), (0, &None, &None));
        assert!(!old.is_of_same_database(&old));
        assert!(manifest().is_of_same_database(&manifest()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let text = manifest().text();
        let check = |from: &str, to: &str, part: &str| {
            let error = Manifest::parse(&text.replace(from, to)).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        check("\"format\": 1", "\"format\": 2", "up to 1");
        check("\"sqlite\"", "\"oracle\"", "`oracle`");
        check("\"zstd\"", "\"rar\"", "`rar`");
        check("\"sha256\"", "\"sha512\"", "sha256");
        assert!(Manifest::parse(&text[..text.len() / 2]).is_err());
        assert!(Manifest::parse("").is_err());
    }

    #[test]
    fn differences_are_told_apart() {
        let check = |tables: &[(&str, u64)], schema, expected: &[&str]| {
            let found = manifest().differences(&contents(tables, schema));
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected);
        };
        check(&[("a", 1), ("b", 2)], "x", &[]);
        check(
            &[("a", 3), ("c", 0)],
            "y",
            &[
                "a has 3 rows, and 1 were copied",
                "b is missing",
                "c was not copied",
                "the schema is another one",
            ],
        );
    }
}
