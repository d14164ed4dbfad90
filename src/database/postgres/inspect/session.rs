//! The message that reads the catalogs.

use sqlx::{PgConnection, postgres::PgRow};

use super::{
    super::message::for_each_answer,
    Query,
    catalog::Catalog,
    fields::{Fault, Fields},
};

/// Commands before the queries. The settings end with the transaction.
///
/// The search path makes every name in the queries one of pg_catalog, and gives every other name in
/// expressions its schema. The other settings are those on which the text of constants depends.
const BEGIN: [&str; 12] = [
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL search_path TO pg_catalog, pg_temp",
    "SET LOCAL TimeZone TO 'UTC'",
    "SET LOCAL DateStyle TO 'ISO, YMD'",
    "SET LOCAL IntervalStyle TO 'postgres'",
    "SET LOCAL extra_float_digits TO 1",
    "SET LOCAL bytea_output TO 'hex'",
    "SET LOCAL xmlbinary TO 'base64'",
    "SET LOCAL lc_monetary TO 'C'",
    "SET LOCAL quote_all_identifiers TO off",
    "SET LOCAL standard_conforming_strings TO on",
    // The planner overestimates the work on catalogs.
    "SET LOCAL jit TO off",
];

/// How often the session has read the catalogs. Planning the queries takes more time than running them
/// on a small schema, so they are prepared when they are sent for the second time. A session that reads
/// once, and may be behind a pooler, prepares nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::database::postgres) enum Reads {
    #[default]
    None,
    Once,
    Prepared,
}

/// The name of a prepared query.
fn prepared(index: usize) -> String {
    format!("migrator_inspect_{index}")
}

/// Sends all queries and passes each row to its query.
pub(super) async fn read(
    connection: &mut PgConnection,
    queries: &[Query],
    reads: Reads,
    catalog: &mut Catalog,
) -> Result<(), Fault> {
    let mut commands: Vec<String> = BEGIN.into_iter().map(str::to_owned).collect();
    if reads == Reads::Once {
        let queries = queries.iter().enumerate();
        commands.extend(
            queries.map(|(index, query)| format!("PREPARE {} AS {}", prepared(index), query.sql)),
        );
    }
    let before = commands.len();
    for (index, query) in queries.iter().enumerate() {
        commands.push(match reads {
            Reads::None => query.sql.clone(),
            Reads::Once | Reads::Prepared => format!("EXECUTE {}", prepared(index)),
        });
    }
    commands.push("COMMIT".to_owned());
    let mut fault = None;
    // After a fault of a row, the rest is read all the same: it ends the transaction.
    let take = |command: usize, row: Option<PgRow>| {
        let query = command.checked_sub(before).and_then(|at| queries.get(at));
        if fault.is_some() {
            return;
        }
        fault = match (query, row) {
            (Some(query), Some(row)) => (query.read)(catalog, &mut Fields::of(&row)).err(),
            (Some(query), None) => (query.end)(catalog).err(),
            (None, Some(_)) => Some(Fault::Malformed("an unexpected row".into())),
            (None, None) => None,
        };
    };
    for_each_answer(connection, &commands.join(";\n"), take).await?;
    fault.map_or(Ok(()), Err)
}
