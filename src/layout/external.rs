//! Tables in which other tools record applied migrations: their owners, rows and checksums.

mod checksum;
mod shape;
mod surroundings;
mod tool;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::Layout;
use crate::revision::RevisionId;
pub use checksum::checksum_matches;
pub use shape::{ExternalRow, ExternalShape, SHAPES, own_schemas, table_names};
pub use surroundings::{Surroundings, TABLES_NAMED, UnreadableTable, recognise};
pub use tool::ExternalTool;

/// Returns the ID that a migration's file has when it is read in the tool's layout.
pub fn revision_id(tool: ExternalTool, name: &str) -> Option<RevisionId> {
    let layout = match tool {
        ExternalTool::Alembic | ExternalTool::Drizzle => return None,
        ExternalTool::Prisma | ExternalTool::Knex | ExternalTool::NodePgMigrate => {
            let end = name.find(|c: char| !c.is_ascii_digit());
            return name[..end.unwrap_or(name.len())].parse().ok();
        }
        ExternalTool::Diesel => Layout::Diesel,
        ExternalTool::Flyway => Layout::Flyway,
        ExternalTool::SqlMigrate => Layout::SqlMigrate,
        _ => Layout::Native,
    };
    layout.recorded(name)
}

/// Returns the Alembic ID of a script, given in a comment at its top: `-- alembic: 3f2a9c51d0e7`.
pub fn alembic_id(text: &str) -> Option<&str> {
    let text = text.trim_start_matches('\u{feff}');
    let comments = text
        .lines()
        .map_while(|line| line.trim().strip_prefix("--"));
    let mut ids = comments.filter_map(|comment| comment.trim().strip_prefix("alembic:"));
    ids.next().map(str::trim)
}

/// What Drizzle calls a script: the SHA-256 of its file.
pub fn drizzle_id(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// Whose records are to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalChoice {
    /// The tool; `None` is the only one that is found.
    pub tool: Option<ExternalTool>,
    /// The table of the tool, where it does not have its usual name: `name`, or `schema.name` on
    /// PostgreSQL.
    pub table: Option<String>,
}

impl ExternalChoice {
    /// The schema and the name of the table, where one is named.
    pub fn table(&self) -> Option<(Option<&str>, &str)> {
        let table = self.table.as_deref()?;
        Some(match table.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, table),
        })
    }
}

/// A table as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTable {
    /// The name without its schema.
    pub name: String,
    /// The name for display: on PostgreSQL with its schema.
    pub shown: String,
    /// The name for use in statements: quoted, and with its schema.
    pub quoted: String,
    /// The names of its columns.
    pub columns: Vec<String>,
}

/// A reason why no table can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalError {
    /// None that is known is there.
    #[error("{}", none(.0))]
    None(
        /// What was asked for.
        ExternalChoice,
    ),
    /// Several tools have records in the database.
    #[error("the database has records of several tools: {}", several(.0))]
    Several(
        /// The tools and their tables.
        Vec<(ExternalTool, String)>,
    ),
    /// A table has the expected name, but not the columns.
    #[error("{table} is not a table of {tool}: it has no column {missing}")]
    Odd {
        /// The table.
        table: String,
        /// The tool that uses this name.
        tool: ExternalTool,
        /// The first missing column.
        missing: &'static str,
    },
    /// The database denies access to the table.
    #[error("{table} of {tool} cannot be read: {reason}")]
    Denied {
        /// The table.
        table: String,
        /// The tool that owns the table.
        tool: ExternalTool,
        /// The message of the database.
        reason: String,
    },
}

fn none(asked: &ExternalChoice) -> String {
    match (&asked.table, asked.tool) {
        (Some(table), _) => format!("there is no table {table} here"),
        (None, None) => "no table of a tool that is known is here".to_owned(),
        (None, Some(tool)) => format!("there is no table of {tool} here"),
    }
}

fn several(found: &[(ExternalTool, String)]) -> String {
    let found = found
        .iter()
        .map(|(tool, table)| format!("{tool} ({table})"));
    found.collect::<Vec<_>>().join(", ")
}

/// The table among `found` that is to be read: the one that `wanted` names, or the only one.
///
/// # Errors
/// When there is none, or no way to choose.
pub fn choose<'a>(
    found: &'a [FoundTable],
    wanted: &ExternalChoice,
) -> Result<(&'static ExternalShape, &'a FoundTable), ExternalError> {
    if let (Some(tool), Some(_)) = (wanted.tool, &wanted.table) {
        return named(found, tool, wanted);
    }
    let asked = wanted.tool;
    let mut fitting: Vec<(&ExternalShape, &FoundTable)> = Vec::new();
    for table in found {
        let shapes = SHAPES.iter().filter(|shape| shape.table == table.name);
        let mut shapes = shapes.filter(|shape| fits(shape, table, found, asked));
        fitting.extend(shapes.next().map(|shape| (shape, table)));
    }
    if let Some(tool) = asked {
        fitting.retain(|(shape, _)| shape.tool == tool);
    }
    match fitting.as_slice() {
        [] => Err(odd(found, asked).unwrap_or_else(|| ExternalError::None(wanted.clone()))),
        [one] => Ok(*one),
        several => Err(ExternalError::Several(
            several
                .iter()
                .map(|(shape, table)| (shape.tool, table.shown.clone()))
                .collect(),
        )),
    }
}

/// The table of `tool` that has a name of its own: the only one of `found`.
fn named<'a>(
    found: &'a [FoundTable],
    tool: ExternalTool,
    wanted: &ExternalChoice,
) -> Result<(&'static ExternalShape, &'a FoundTable), ExternalError> {
    let table = found.first();
    let table = table.ok_or_else(|| ExternalError::None(wanted.clone()))?;
    let mut missing = "";
    for shape in SHAPES.iter().filter(|shape| shape.tool == tool) {
        match shape.columns().find(|column| !has(table, column)) {
            None => return Ok((shape, table)),
            Some(column) => missing = column,
        }
    }
    Err(ExternalError::Odd {
        table: table.shown.clone(),
        tool,
        missing,
    })
}

/// Whether it is the table of that tool. What is asked for need not show its surroundings.
fn fits(
    shape: &ExternalShape,
    table: &FoundTable,
    found: &[FoundTable],
    asked: Option<ExternalTool>,
) -> bool {
    let surrounded = shape
        .beside
        .is_none_or(|beside| found.iter().any(|other| other.name == beside));
    let is_asked = asked.is_none_or(|tool| tool == shape.tool);
    is_asked
        && (asked.is_some() || surrounded)
        && shape.without.is_none_or(|column| !has(table, column))
        && shape.columns().all(|column| has(table, column))
}

fn has(table: &FoundTable, column: &str) -> bool {
    let mut names = table.columns.iter();
    names.any(|name| name.eq_ignore_ascii_case(column))
}

/// Returns the error for a table that only shares its name with a tool's table.
fn odd(found: &[FoundTable], asked: Option<ExternalTool>) -> Option<ExternalError> {
    found.iter().find_map(|table| {
        let shape = SHAPES.iter().find(|shape| {
            shape.table == table.name && asked.is_none_or(|tool| tool == shape.tool)
        })?;
        let missing = shape.columns().find(|column| !has(table, column))?;
        Some(ExternalError::Odd {
            table: table.shown.clone(),
            tool: shape.tool,
            missing,
        })
    })
}

/// All records of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRecords {
    /// The tool that owns the records.
    pub tool: ExternalTool,
    /// The tool's table, as named by the database.
    pub table: String,
    /// The entries, in order of creation.
    pub entries: Vec<ExternalEntry>,
}

/// One row of another tool's table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalEntry {
    /// The identifier of the migration: a version or a file. Repeatable migrations of Flyway have
    /// none.
    pub id: Option<String>,
    /// The description of the migration.
    pub name: Option<String>,
    /// The kind of the entry.
    pub kind: Option<String>,
    /// Whether its flag says that the whole migration is applied.
    pub whole: bool,
    /// The time it was applied.
    pub at: Option<DateTime<Utc>>,
    /// The duration, in milliseconds.
    pub duration_ms: Option<i64>,
    /// The checksum as written by the tool; bytes are in hexadecimal.
    pub checksum: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, columns: &str) -> FoundTable {
        FoundTable {
            name: name.to_owned(),
            shown: name.to_owned(),
            quoted: format!("\"{name}\""),
            columns: columns.split(' ').map(str::to_owned).collect(),
        }
    }

    fn of(tool: Option<ExternalTool>) -> ExternalChoice {
        ExternalChoice { tool, table: None }
    }

    fn chosen(
        tables: &[FoundTable],
        asked: Option<ExternalTool>,
    ) -> Result<ExternalTool, ExternalError> {
        choose(tables, &of(asked)).map(|(shape, _)| shape.tool)
    }

    #[test]
    fn a_tool_is_known_by_its_table() {
        let check = |tables: &[FoundTable], expected: ExternalTool| {
            assert_eq!(chosen(tables, None), Ok(expected), "{tables:?}");
            assert_eq!(chosen(tables, Some(expected)), Ok(expected), "{tables:?}");
        };
        for shape in SHAPES {
            let columns: Vec<_> = shape.columns().collect();
            let beside = shape.beside.map(|name| found(name, "key"));
            let table = found(shape.table, &columns.join(" "));
            let tables: Vec<_> = [table].into_iter().chain(beside).collect();
            check(&tables, shape.tool);
        }
        check(
            &[found("schema_migrations", "version dirty")],
            ExternalTool::GolangMigrate,
        );
        check(
            &[found("schema_migrations", "VERSION")],
            ExternalTool::Dbmate,
        );
    }

    #[test]
    fn a_table_is_read_as_the_tool_that_is_asked_for_has_it() {
        let plain = [found("schema_migrations", "version")];
        assert_eq!(
            chosen(&plain, Some(ExternalTool::Rails)),
            Ok(ExternalTool::Rails)
        );
        let refused = chosen(&plain, Some(ExternalTool::Sqlx));
        assert_eq!(
            refused,
            Err(ExternalError::None(of(Some(ExternalTool::Sqlx))))
        );
        let refused = chosen(&plain, Some(ExternalTool::GolangMigrate));
        assert_eq!(
            refused,
            Err(ExternalError::Odd {
                table: "schema_migrations".to_owned(),
                tool: ExternalTool::GolangMigrate,
                missing: "dirty"
            })
        );
    }

    #[test]
    fn a_table_of_another_name_is_read_by_its_columns() {
        let wanted = |tool| ExternalChoice {
            tool: Some(tool),
            table: Some("s.own".to_owned()),
        };
        assert_eq!(
            wanted(ExternalTool::Goose).table(),
            Some((Some("s"), "own"))
        );
        let own = [found("own", "id version_id is_applied tstamp")];
        let shape = |tool| choose(&own, &wanted(tool)).map(|(shape, _)| shape.table);
        assert_eq!(shape(ExternalTool::Goose), Ok("goose_db_version"));
        assert!(matches!(
            shape(ExternalTool::Flyway),
            Err(ExternalError::Odd {
                missing: "version",
                ..
            })
        ));
        assert_eq!(
            choose(&[], &wanted(ExternalTool::Goose)),
            Err(ExternalError::None(wanted(ExternalTool::Goose)))
        );
    }

    #[test]
    fn names_begin_with_the_id() {
        let check = |tool, name: &str, expected: Option<&str>| {
            let id = revision_id(tool, name).map(|id| id.to_string());
            assert_eq!(id.as_deref(), expected, "{tool} {name}");
        };
        check(
            ExternalTool::Prisma,
            "20240101120000_init",
            Some("20240101120000"),
        );
        check(
            ExternalTool::Knex,
            "20240101120000_init.js",
            Some("20240101120000"),
        );
        check(
            ExternalTool::NodePgMigrate,
            "1704110400000_init",
            Some("1704110400000"),
        );
        check(ExternalTool::Knex, "init.js", None);
        check(ExternalTool::Drizzle, "12ab", None);
    }

    #[test]
    fn scripts_say_what_they_were_called_in_alembic() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(alembic_id(text), expected, "{text:?}");
        };
        check("-- alembic: 3f2a\nSELECT 1;", Some("3f2a"));
        check(
            "-- Add users\r\n--alembic:3f2a\r\n-- migrator: revises = base\r\n",
            Some("3f2a"),
        );
        check("\u{feff}-- alembic: 3f2a", Some("3f2a"));
        check("SELECT 1;\n-- alembic: 3f2a", None);
        check("-- of alembic: 3f2a", None);
        check("", None);
    }

    #[test]
    fn of_several_one_has_to_be_named() {
        let tables = [
            found("goose_db_version", "id version_id is_applied tstamp"),
            found("alembic_version", "version_num"),
        ];
        let Err(ExternalError::Several(names)) = chosen(&tables, None) else {
            panic!("one was chosen");
        };
        assert_eq!(names.len(), 2);
        assert_eq!(
            chosen(&tables, Some(ExternalTool::Alembic)),
            Ok(ExternalTool::Alembic)
        );
        assert_eq!(chosen(&[], None), Err(ExternalError::None(of(None))));
        let odd = [found("gorp_migrations", "id name")];
        assert!(matches!(chosen(&odd, None), Err(ExternalError::Odd { .. })));
    }
}
