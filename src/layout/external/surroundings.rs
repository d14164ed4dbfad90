use super::{ExternalRecords, ExternalShape, ExternalTool, FoundTable, SHAPES, fits};

/// The content of a database other than the version table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Records of every known tool that could be read.
    pub records: Vec<ExternalRecords>,
    /// Tables of known tools that could not be read.
    pub unreadable: Vec<UnreadableTable>,
    /// Names of the first few tables in the schema of the version table that neither an extension
    /// nor migrator owns, sorted.
    pub tables: Vec<String>,
    /// Total number of these tables.
    pub table_count: usize,
    /// Publications that replicate every table, the version table included.
    pub publications: Vec<String>,
}

/// Another tool's table that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableTable {
    /// The tool that owns the table.
    pub tool: ExternalTool,
    /// The name of the table, as displayed by the database.
    pub table: String,
    /// The reason why it cannot be read.
    pub reason: String,
}

/// The maximum length of [`Surroundings::tables`].
pub const TABLES_NAMED: usize = 3;

/// Returns the tables of one schema that belong to a known tool.
pub fn recognise(found: &[FoundTable]) -> Vec<(&'static ExternalShape, &FoundTable)> {
    let of = |table: &FoundTable| {
        let mut shapes = SHAPES.iter().filter(|shape| shape.table == table.name);
        shapes.find(|shape| fits(shape, table, found, None))
    };
    let tables = found.iter();
    tables
        .filter_map(|table| Some((of(table)?, table)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_of_a_schema_is_recognised() {
        let table = |name: &str, columns: &[&str]| FoundTable {
            name: name.to_owned(),
            shown: name.to_owned(),
            quoted: name.to_owned(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        };
        let check = |tables: &[FoundTable], expected: &[ExternalTool]| {
            let tools = recognise(tables).into_iter().map(|(shape, _)| shape.tool);
            assert_eq!(tools.collect::<Vec<_>>(), expected, "{tables:?}");
        };
        let dbmate = table("schema_migrations", &["version"]);
        let beside = table("ar_internal_metadata", &["key"]);
        let goose = table(
            "goose_db_version",
            &["id", "version_id", "is_applied", "tstamp"],
        );
        check(&[], &[]);
        check(&[table("schema_migrations", &["name"])], &[]);
        check(
            &[dbmate.clone(), goose.clone()],
            &[ExternalTool::Dbmate, ExternalTool::Goose],
        );
        check(&[beside, dbmate], &[ExternalTool::Rails]);
        check(&[goose], &[ExternalTool::Goose]);
    }
}
