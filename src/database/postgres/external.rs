//! Records of another migration tool.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::DatabaseError,
    error,
    lookup::{NOTE_PATH, PATH},
    message::{PINNED, literal, rows, unpinned_rows},
    trust::{self, Relation, Use},
    version_table::Trouble,
};
use crate::{
    layout::{
        self, ExternalChoice, ExternalError, ExternalRecords, ExternalRow, ExternalShape,
        FoundTable, Surroundings, UnreadableTable,
    },
    sql::in_quotes,
};

/// SQLSTATE of a missing privilege.
const DENIED: &str = "42501";

/// Reads the records that are wanted, or those of the only tool that is found, in one query.
pub(super) async fn read(
    connection: &mut PgConnection,
    wanted: &ExternalChoice,
) -> Result<ExternalRecords, Trouble> {
    let found = tables(connection, Scope::Path, wanted).await?;
    let tables: Vec<_> = found.iter().map(|one| one.table.clone()).collect();
    let relations: Vec<_> = found.into_iter().map(|one| one.relation).collect();
    let (shape, table) = layout::choose(&tables, wanted).map_err(DatabaseError::from)?;
    let relation = relations.iter().find(|one| one.name == table.name);
    records(connection, shape, table, relation).await
}

/// A query of whether [`survey`] may find anything. That takes a fraction of the time.
pub(super) fn are_possible() -> String {
    let names = layout::table_names();
    let names: Vec<_> = names.into_iter().map(literal).collect();
    format!(
        "SELECT EXISTS (SELECT FROM pg_class AS c WHERE c.relname = ANY (ARRAY[{}]::name[]))",
        names.join(", ")
    )
}

/// Reads the records of all tools in all schemas that the role may use, and notes those that cannot
/// be read.
pub(super) async fn survey(
    connection: &mut PgConnection,
    surroundings: &mut Surroundings,
) -> Result<(), Trouble> {
    let found = tables(connection, Scope::Everywhere, &ExternalChoice::default()).await?;
    for of_schema in found.chunk_by(|a, b| a.relation.schema == b.relation.schema) {
        let of_schema = of_schema.iter().cloned();
        let tables: Vec<_> = of_schema.clone().map(|one| one.table).collect();
        let is_on_path = of_schema.clone().any(|one| one.is_on_path);
        let relations: Vec<_> = of_schema.map(|one| one.relation).collect();
        for (shape, table) in layout::recognise(&tables) {
            let relation = relations.iter().find(|one| one.name == table.name);
            let reason = match records(connection, shape, table, relation).await {
                Ok(records) => {
                    surroundings.records.push(records);
                    continue;
                }
                Err(Trouble::Ours(DatabaseError::Records(ExternalError::Denied {
                    reason,
                    ..
                }))) => reason,
                Err(Trouble::Ours(DatabaseError::Untrusted { reason, .. })) => reason.to_string(),
                // The columns have other types.
                Err(Trouble::Theirs(error)) if error::from_server(&error).is_some() => {
                    error::reason(&error)
                }
                Err(error) => return Err(error),
            };
            // A table in another schema belongs to another application.
            if !is_on_path {
                continue;
            }
            surroundings.unreadable.push(UnreadableTable {
                tool: shape.tool,
                table: table.shown.clone(),
                reason,
            });
        }
    }
    Ok(())
}

async fn records(
    connection: &mut PgConnection,
    shape: &ExternalShape,
    table: &FoundTable,
    relation: Option<&Relation>,
) -> Result<ExternalRecords, Trouble> {
    if let Some(relation) = relation {
        relation.judge(connection, Use::Read).await?;
    }
    let rows = match rows(connection, &query(shape, table)).await {
        Err(error) if error::code(&error).is_some_and(|code| code == DENIED) => {
            let denied = ExternalError::Denied {
                table: table.shown.clone(),
                tool: shape.tool,
                reason: error::reason(&error),
            };
            return Err(DatabaseError::from(denied).into());
        }
        rows => rows?,
    };
    let entries = rows.iter().map(|row| Ok(shape.entry(read_row(row)?)));
    Ok(ExternalRecords {
        tool: shape.tool,
        table: table.shown.clone(),
        entries: entries.collect::<Result<_, sqlx::Error>>()?,
    })
}

/// The schemas to search for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// For each name, the table that the search path resolves to, as it does for the tool.
    Path,
    /// All schemas that the role may use, one by one.
    Everywhere,
}

/// A table with the name of a tool's table.
#[derive(Clone, Debug)]
struct Candidate {
    table: FoundTable,
    relation: Relation,
    is_on_path: bool,
}

/// The tables with the name of a tool's table.
async fn tables(
    connection: &mut PgConnection,
    scope: Scope,
    wanted: &ExternalChoice,
) -> Result<Vec<Candidate>, sqlx::Error> {
    let (schema, names) = match wanted.table() {
        Some((schema, name)) => (schema, vec![name]),
        None => (None, layout::table_names()),
    };
    let names: Vec<_> = names.into_iter().map(literal).collect();
    let (distinct, condition, order) = match scope {
        Scope::Path => (
            "DISTINCT ON (c.relname)",
            match schema {
                Some(schema) => format!("n.nspname = {}", literal(schema)),
                None => format!("(n.nspname = ANY ({PATH}) OR {})", in_own_schemas()),
            },
            format!("c.relname, array_position({PATH}, n.nspname)"),
        ),
        Scope::Everywhere => (
            "",
            "has_schema_privilege(n.oid, 'USAGE')".to_owned(),
            "n.nspname, c.relname".to_owned(),
        ),
    };
    let sql = format!(
        "{NOTE_PATH};\n{};\n\
         SELECT {distinct} {}, (n.nspname = ANY ({PATH}))::text, \
         (SELECT string_agg(a.attname::text, E'\\n' ORDER BY a.attnum) FROM pg_attribute AS a \
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) \
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relname IN ({}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
         AND {condition} ORDER BY {order}",
        PINNED.join(";\n"),
        trust::columns(),
        names.join(", ")
    );
    let quote = in_quotes;
    let mut tables = Vec::new();
    // The first row is that of the path.
    for row in unpinned_rows(connection, &sql).await?.iter().skip(1) {
        let relation = Relation::of(row)?;
        let columns: Option<String> = row.try_get(row.len() - 1)?;
        let table = FoundTable {
            shown: relation.shown(),
            quoted: format!("{}.{}", quote(&relation.schema), quote(&relation.name)),
            name: relation.name.clone(),
            columns: columns
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
        };
        tables.push(Candidate {
            table,
            relation,
            is_on_path: row.try_get::<String, _>(row.len() - 2)? == "true",
        });
    }
    Ok(tables)
}

/// The condition of tables that tools have in schemas of their own.
fn in_own_schemas() -> String {
    let tables = layout::own_schemas().map(|(schema, table)| {
        let (schema, table) = (literal(schema), literal(table));
        format!("n.nspname = {schema} AND c.relname = {table}")
    });
    tables.collect::<Vec<_>>().join(" OR ")
}

fn query(shape: &ExternalShape, table: &FoundTable) -> String {
    let quote = |name: &str| format!("t.{}", in_quotes(name));
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

fn read_row(row: &PgRow) -> Result<ExternalRow, sqlx::Error> {
    Ok(ExternalRow {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        kind: row.try_get(2)?,
        flag: row.try_get(3)?,
        at: row.try_get(4)?,
        duration: row.try_get(5)?,
        checksum: row.try_get(6)?,
    })
}
