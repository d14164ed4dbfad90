//! Records that another tool has kept.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::DatabaseError,
    error,
    message::{literal, rows},
    version_table::Trouble,
};
use crate::{
    layout::{
        self, ForeignError, ForeignRecords, ForeignRow, ForeignShape, ForeignTool, FoundTable,
    },
    sql::Dialect,
};

/// SQLSTATE of a missing privilege.
const DENIED: &str = "42501";

/// Reads the records of `tool`, or of the only one that is found, in one query.
pub(super) async fn read(
    connection: &mut PgConnection,
    tool: Option<ForeignTool>,
) -> Result<ForeignRecords, Trouble> {
    let found = tables(connection).await?;
    let (shape, table) = layout::choose(&found, tool).map_err(DatabaseError::from)?;
    let rows = match rows(connection, &query(shape, table)).await {
        Err(error) if error::code(&error).is_some_and(|code| code == DENIED) => {
            let denied = ForeignError::Denied {
                table: table.shown.clone(),
                tool: shape.tool,
                reason: error::reason(&error),
            };
            return Err(DatabaseError::from(denied).into());
        }
        rows => rows?,
    };
    let entries = rows.iter().map(|row| Ok(shape.entry(read_row(row)?)));
    Ok(ForeignRecords {
        tool: shape.tool,
        table: table.shown.clone(),
        entries: entries.collect::<Result<_, sqlx::Error>>()?,
    })
}

/// Of each name, the table that the search path leads to, as it led the tool.
async fn tables(connection: &mut PgConnection) -> Result<Vec<FoundTable>, sqlx::Error> {
    let names: Vec<_> = layout::table_names().into_iter().map(literal).collect();
    let sql = format!(
        "SELECT DISTINCT ON (c.relname) c.relname::text, n.nspname::text, \
         (SELECT pg_catalog.string_agg(a.attname::text, E'\\n' ORDER BY a.attnum) \
          FROM pg_catalog.pg_attribute AS a \
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) \
         FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relname IN ({}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
         AND n.nspname = ANY (pg_catalog.current_schemas(false)) \
         ORDER BY c.relname, \
         pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname)",
        names.join(", ")
    );
    let quote = |name: &str| Dialect::Postgres.quote_name(name);
    let found = rows(connection, &sql).await?;
    let tables = found.iter().map(|row| {
        let (name, schema): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let columns = row.try_get::<Option<String>, _>(2)?.unwrap_or_default();
        Ok(FoundTable {
            shown: format!("{schema}.{name}"),
            quoted: format!("{}.{}", quote(&schema), quote(&name)),
            name,
            columns: columns.lines().map(str::to_owned).collect(),
        })
    });
    tables.collect()
}

fn query(shape: &ForeignShape, table: &FoundTable) -> String {
    let quote = |name: &str| format!("t.{}", Dialect::Postgres.quote_name(name));
    let text = |column: Option<&str>| match column {
        Some(column) => format!("{}::text", quote(column)),
        None => "NULL::text".to_owned(),
    };
    let hex = |column: &str| format!("pg_catalog.encode({}, 'hex')", quote(column));
    format!(
        "SELECT {} FROM {} AS t ORDER BY {}",
        shape.selected(text, hex),
        table.quoted,
        quote(shape.order)
    )
}

fn read_row(row: &PgRow) -> Result<ForeignRow, sqlx::Error> {
    Ok(ForeignRow {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        kind: row.try_get(2)?,
        flag: row.try_get(3)?,
        at: row.try_get(4)?,
        duration: row.try_get(5)?,
        checksum: row.try_get(6)?,
    })
}
