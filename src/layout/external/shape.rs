//! The columns of each tool's table, and their meaning.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};

use super::{ExternalEntry, ExternalTool};

/// The columns of a tool's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalShape {
    /// The tool that owns the table.
    pub tool: ExternalTool,
    /// The schema that the tool creates for it on PostgreSQL, whatever the search path is.
    pub schema: Option<&'static str>,
    /// Its usual name.
    pub table: &'static str,
    /// The column that identifies a migration.
    pub id: &'static str,
    /// The column that describes a migration.
    pub name: Option<&'static str>,
    /// The column for the kind of entry, if there are several.
    pub kind: Option<&'static str>,
    /// The flag column, and its value in an entry for a completely applied migration.
    pub flag: Option<(&'static str, bool)>,
    /// The column for the time of application.
    pub at: Option<&'static str>,
    /// The column for the duration, and the number of its units per millisecond.
    pub duration: Option<(&'static str, i64)>,
    /// The column for the checksum of the script, and whether it holds bytes.
    pub checksum: Option<(&'static str, bool)>,
    /// The sort order in which entries were created.
    pub order: &'static str,
    /// Another table that distinguishes this tool from others with a similar table.
    pub beside: Option<&'static str>,
    /// A column that only another tool's table with this name has.
    pub without: Option<&'static str>,
}

const PLAIN: ExternalShape = ExternalShape {
    tool: ExternalTool::Dbmate,
    schema: None,
    table: "schema_migrations",
    id: "version",
    name: None,
    kind: None,
    flag: None,
    at: None,
    duration: None,
    checksum: None,
    order: "version",
    beside: None,
    without: None,
};

const FLYWAY: ExternalShape = ExternalShape {
    tool: ExternalTool::Flyway,
    table: "flyway_schema_history",
    name: Some("script"),
    kind: Some("type"),
    flag: Some(("success", true)),
    at: Some("installed_on"),
    duration: Some(("execution_time", 1)),
    checksum: Some(("checksum", false)),
    order: "installed_rank",
    ..PLAIN
};

/// All that can be read. Of two that fit one table, the first is it.
pub const SHAPES: [ExternalShape; 15] = [
    ExternalShape {
        tool: ExternalTool::Sqlx,
        table: "_sqlx_migrations",
        name: Some("description"),
        flag: Some(("success", true)),
        at: Some("installed_on"),
        duration: Some(("execution_time", 1_000_000)),
        checksum: Some(("checksum", true)),
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::GolangMigrate,
        flag: Some(("dirty", false)),
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::Rails,
        beside: Some("ar_internal_metadata"),
        without: Some("dirty"),
        ..PLAIN
    },
    ExternalShape {
        without: Some("dirty"),
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::Diesel,
        table: "__diesel_schema_migrations",
        at: Some("run_on"),
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::Goose,
        table: "goose_db_version",
        id: "version_id",
        flag: Some(("is_applied", true)),
        at: Some("tstamp"),
        order: "id",
        ..PLAIN
    },
    FLYWAY,
    // Its name before Flyway 5.
    ExternalShape {
        table: "schema_version",
        ..FLYWAY
    },
    ExternalShape {
        tool: ExternalTool::Refinery,
        table: "refinery_schema_history",
        name: Some("name"),
        at: Some("applied_on"),
        checksum: Some(("checksum", false)),
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::SqlMigrate,
        table: "gorp_migrations",
        id: "id",
        at: Some("applied_at"),
        order: "id",
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::Alembic,
        table: "alembic_version",
        id: "version_num",
        order: "version_num",
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::Prisma,
        table: "_prisma_migrations",
        id: "migration_name",
        kind: Some("rolled_back_at"),
        at: Some("finished_at"),
        order: "started_at",
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::Drizzle,
        schema: Some("drizzle"),
        table: "__drizzle_migrations",
        id: "hash",
        at: Some("created_at"),
        order: "created_at",
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::Knex,
        table: "knex_migrations",
        id: "name",
        at: Some("migration_time"),
        order: "id",
        ..PLAIN
    },
    ExternalShape {
        tool: ExternalTool::NodePgMigrate,
        table: "pgmigrations",
        id: "name",
        at: Some("run_on"),
        order: "id",
        ..PLAIN
    },
];

impl ExternalShape {
    /// Returns the columns to select from a table, in the order of [`super::ExternalRow`]: `text`
    /// formats a column as text, or NULL for a missing one, and `hex` formats bytes as hexadecimal
    /// digits.
    pub fn selected(
        &self,
        text: impl Fn(Option<&str>) -> String,
        hex: impl Fn(&str) -> String,
    ) -> String {
        let checksum = match self.checksum {
            Some((column, true)) => hex(column),
            other => text(other.map(|(column, _)| column)),
        };
        let columns = [
            text(Some(self.id)),
            text(self.name),
            text(self.kind),
            text(self.flag.map(|(column, _)| column)),
            text(self.at),
            text(self.duration.map(|(column, _)| column)),
            checksum,
        ];
        columns.join(", ")
    }

    /// Returns all columns that are read.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        let flag = self.flag.map(|(column, _)| column);
        let duration = self.duration.map(|(column, _)| column);
        let checksum = self.checksum.map(|(column, _)| column);
        let optional = [self.name, self.kind, flag, self.at, duration, checksum];
        [self.id, self.order]
            .into_iter()
            .chain(optional.into_iter().flatten())
    }
}

/// Tables that a tool has in a schema of its own: schema and name.
pub fn own_schemas() -> impl Iterator<Item = (&'static str, &'static str)> {
    let shapes = SHAPES.iter();
    shapes.filter_map(|shape| Some((shape.schema?, shape.table)))
}

/// Tables that must be looked for.
pub fn table_names() -> Vec<&'static str> {
    let beside = SHAPES.iter().filter_map(|shape| shape.beside);
    let mut names: Vec<_> = SHAPES
        .iter()
        .map(|shape| shape.table)
        .chain(beside)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The columns of a row as text, in the order of the fields of [`ExternalShape`].
#[derive(Clone, Debug, Default)]
pub struct ExternalRow {
    /// See [`ExternalShape::id`].
    pub id: Option<String>,
    /// See [`ExternalShape::name`].
    pub name: Option<String>,
    /// See [`ExternalShape::kind`].
    pub kind: Option<String>,
    /// See [`ExternalShape::flag`].
    pub flag: Option<String>,
    /// See [`ExternalShape::at`].
    pub at: Option<String>,
    /// See [`ExternalShape::duration`].
    pub duration: Option<String>,
    /// See [`ExternalShape::checksum`].
    pub checksum: Option<String>,
}

impl ExternalShape {
    /// Converts a row to an entry. An invalid time or duration becomes `None`.
    pub fn entry(&self, row: ExternalRow) -> ExternalEntry {
        let whole = match (self.flag, row.flag.as_deref()) {
            (None, _) => true,
            (Some((_, wanted)), Some(text)) => is_true(text) == wanted,
            (Some(_), None) => false,
        };
        let duration = self.duration.zip(row.duration);
        ExternalEntry {
            id: row.id,
            name: row.name,
            kind: row.kind,
            whole,
            at: row.at.as_deref().and_then(time),
            duration_ms: duration.and_then(|((_, unit), text)| {
                let units: i64 = text.parse().ok()?;
                (units >= 0).then_some(units / unit)
            }),
            checksum: row.checksum,
        }
    }
}

fn is_true(text: &str) -> bool {
    ["1", "t", "true"]
        .iter()
        .any(|yes| yes.eq_ignore_ascii_case(text))
}

/// Time formats of databases and tools, in addition to those of RFC 3339.
const WITH_ZONE: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %z"];
const WITHOUT_ZONE: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];

/// Parses a time as written by a database or a tool; without a zone, it is UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    moment(text).filter(|time| (1..=9999).contains(&time.year()))
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).ok().or_else(|| {
        let mut formats = WITH_ZONE.iter();
        formats.find_map(|format| DateTime::parse_from_str(text, format).ok())
    });
    if let Some(time) = zoned {
        return Some(time.with_timezone(&Utc));
    }
    // JavaScript's, in milliseconds since 1970.
    if (12..=14).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return DateTime::from_timestamp_millis(text.parse().ok()?);
    }
    let mut formats = WITHOUT_ZONE.iter();
    let naive = formats.find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(naive.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_are_written() {
        let of = |tool| *SHAPES.iter().find(|shape| shape.tool == tool).unwrap();
        let row = |flag: &str, duration: &str| ExternalRow {
            id: Some("1".to_owned()),
            flag: Some(flag.to_owned()),
            duration: Some(duration.to_owned()),
            ..ExternalRow::default()
        };
        let sqlx = of(ExternalTool::Sqlx).entry(row("true", "2500000"));
        assert!(sqlx.whole);
        assert_eq!(sqlx.duration_ms, Some(2));
        assert_eq!(
            of(ExternalTool::Sqlx).entry(row("1", "-1")).duration_ms,
            None,
            "not known"
        );
        assert!(!of(ExternalTool::Sqlx).entry(row("0", "1")).whole);
        assert!(!of(ExternalTool::GolangMigrate).entry(row("t", "")).whole);
        assert!(of(ExternalTool::GolangMigrate).entry(row("0", "")).whole);
        assert!(
            of(ExternalTool::Alembic)
                .entry(ExternalRow::default())
                .whole
        );
        assert!(!of(ExternalTool::Flyway).entry(ExternalRow::default()).whole);
    }

    #[test]
    fn times_are_read_as_databases_and_tools_write_them() {
        let check = |text: &str, expected: Option<&str>| {
            let read = time(text).map(|time| time.to_rfc3339());
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        let plain = Some("2026-01-02T03:04:05+00:00");
        check("2026-01-02 03:04:05", plain);
        check("2026-01-02T03:04:05Z", plain);
        check("2026-01-02T03:04:05", plain);
        check("2026-01-02 03:04:05+00", plain);
        check("2026-01-02 05:34:05+02:30", plain);
        check("2026-01-02 03:04:05 +0000", plain);
        let exact = Some("2026-01-02T03:04:05.678901234+00:00");
        check("2026-01-02T04:04:05.678901234+01:00", exact);
        check("2026-01-02 03:04:05.678901234+00:00", exact);
        check("1767323045000", plain);
        check("17673230450", None);
        check("", None);
        check("yesterday", None);
        check("+12026-01-02T03:04:05Z", None);
    }
}
