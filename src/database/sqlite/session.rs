//! The session changes that a script may leave, and how they are reverted.
//!
//! Reopening the file reverts everything. The functions here are for cases where that is
//! impossible: an in-memory database, and between the steps of one transaction.

use super::{
    super::{DatabaseError, StepRequest},
    connect::Connection,
    value::{Bind, Value},
    version_table::{VersionTable, quoted},
};
use crate::sql::{StatementKind, mentions};

/// Pragmas of the connection that can be set in a transaction. Pragmas that this build of SQLite
/// lacks have no value and are ignored.
const ANYWHERE: [&str; 20] = [
    "query_only",
    "writable_schema",
    "automatic_index",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "defer_foreign_keys",
    "fullfsync",
    "ignore_check_constraints",
    "journal_size_limit",
    "legacy_alter_table",
    "max_page_count",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "threads",
    "trusted_schema",
    "wal_autocheckpoint",
];

/// Pragmas of the connection that have no effect in a transaction, or are refused there.
const OUTSIDE: [&str; 2] = ["synchronous", "temp_store"];

/// The values of the connection's pragmas.
#[derive(Clone, Debug, Default)]
pub(super) struct Baseline(Vec<(&'static str, i64)>);

impl Baseline {
    /// Reads the values.
    pub fn read(connection: &mut Connection) -> Result<Self, DatabaseError> {
        let mut values = Vec::new();
        for name in ANYWHERE.into_iter().chain(OUTSIDE) {
            if let Some(value) = connection.integer(&format!("PRAGMA main.{name}"))? {
                values.push((name, value));
            }
        }
        Ok(Self(values))
    }
}

/// Whether the statements could change the session.
pub(super) fn is_touched_by(step: &StepRequest<'_>) -> bool {
    const WORDS: [&str; 4] = ["pragma", "attach", "detach", "explain"];
    step.statements.iter().any(|statement| {
        let text = statement.text(step.text);
        let starts_with = |word: &str| {
            text.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        !matches!(statement.kind, StatementKind::Plain) || WORDS.into_iter().any(starts_with)
    })
}

/// Whether there are temporary tables, views or triggers.
pub(super) fn has_temporary_objects(connection: &mut Connection) -> Result<bool, DatabaseError> {
    let found = connection.integer("SELECT 1 FROM temp.sqlite_schema LIMIT 1")?;
    Ok(found.is_some())
}

/// Whether the step could leave temporary objects: every statement that creates the first one
/// contains the word.
pub(super) fn may_be_temporary(step: &StepRequest<'_>) -> bool {
    mentions(step.text, "temp")
}

/// Allows records to be written even if a script has set `query_only`. Returns the previous value.
pub(super) fn allow_writing(connection: &mut Connection) -> Result<bool, DatabaseError> {
    let query_only = connection.integer("PRAGMA query_only")? == Some(1);
    if query_only {
        forbid_writing(connection, false)?;
    }
    Ok(query_only)
}

/// Sets `query_only`.
pub(super) fn forbid_writing(
    connection: &mut Connection,
    forbid: bool,
) -> Result<(), DatabaseError> {
    let sql = format!("PRAGMA query_only = {}", i32::from(forbid));
    connection.write(&sql, &[]).map(drop)
}

/// Drops temporary triggers of scripts on migrator's tables. (A temporary *table* of the same name
/// is harmless, since the tables are always qualified with `main`.) Returns whether there are any
/// temporary objects.
pub(super) fn unhook(
    connection: &mut Connection,
    table: &VersionTable,
) -> Result<bool, DatabaseError> {
    if !has_temporary_objects(connection)? {
        return Ok(false);
    }
    let rows = connection.query(
        "SELECT name FROM temp.sqlite_schema WHERE type = 'trigger'
         AND lower(tbl_name) IN (lower(?1), lower(?2), lower(?3))",
        &[&table.name, &table.log_name, &table.progress_name].map(|name| Bind::Text(name)),
    )?;
    for row in rows {
        if let [Value::Text(name)] = row.as_slice() {
            let sql = format!("DROP TRIGGER IF EXISTS temp.{}", quoted(name));
            connection.write(&sql, &[])?;
        }
    }
    Ok(true)
}

/// Reverts what can be reverted in the open transaction, or without one.
pub(super) fn restore(connection: &mut Connection) -> Result<(), DatabaseError> {
    connection.handle.install_busy_handler();
    let in_transaction = connection.in_transaction();
    let baseline = connection.baseline.clone();
    for (name, value) in baseline.0 {
        if in_transaction && OUTSIDE.contains(&name) {
            continue;
        }
        if connection.integer(&format!("PRAGMA main.{name}"))? != Some(value) {
            connection.write(&format!("PRAGMA main.{name} = {value}"), &[])?;
        }
    }
    connection.write("PRAGMA case_sensitive_like = 0", &[])?;
    drop_temporary_objects(connection)?;
    if !in_transaction {
        detach_all(connection)?;
    }
    Ok(())
}

/// Drops triggers first, so that none of them fires, and virtual tables before their shadow tables.
fn drop_temporary_objects(connection: &mut Connection) -> Result<(), DatabaseError> {
    while let Some(row) = connection
        .query(
            "SELECT type, name FROM temp.sqlite_schema
             WHERE type IN ('trigger', 'view', 'table') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             ORDER BY CASE type WHEN 'trigger' THEN 1 WHEN 'view' THEN 2 ELSE 3 END,
                      upper(substr(sql, 1, 14)) <> 'CREATE VIRTUAL', name LIMIT 1",
            &[],
        )?
        .into_iter()
        .next()
    {
        let [Value::Text(kind), Value::Text(name)] = row.as_slice() else {
            break;
        };
        connection.write(&format!("DROP {kind} temp.{}", quoted(name)), &[])?;
    }
    Ok(())
}

/// Detaches databases that a script has attached. Within a transaction, this fails for those that
/// take part in it.
pub(super) fn detach_all(connection: &mut Connection) -> Result<(), DatabaseError> {
    for row in connection.query("PRAGMA database_list", &[])? {
        if let Some(Value::Text(name)) = row.get(1)
            && name != "main"
            && name != "temp"
        {
            let detached = connection.write(&format!("DETACH {}", quoted(name)), &[]);
            if detached.is_err() && connection.in_transaction() {
                return Err(DatabaseError::Other(format!(
                    "the attached database {name} takes part in the transaction, and the scripts after \
                     this one would see it; without --transaction all it can be detached"
                )));
            }
            detached?;
        }
    }
    Ok(())
}
