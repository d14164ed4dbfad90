//! Foreign keys: disabled while scripts run, and verified before the commit.
//!
//! A check also reports rows that were broken before, so it is made before and after, and the
//! difference counts. Rebuilding a table assigns new rowids, so violations are not identified but
//! counted, by child table, parent table and columns.

use std::collections::BTreeMap;

use rusqlite::ffi;

use super::{
    super::DatabaseError,
    connect::Connection,
    value::{Bind, Row, Value},
    version_table::quoted,
};
use crate::sql::mentions;

/// The maximum number of rowids in an error.
const EXAMPLES: usize = 5;

/// The child table, its columns and the parent table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    child: String,
    columns: Vec<String>,
    parent: String,
}

impl Key {
    fn shown(&self) -> String {
        let Self {
            child,
            columns,
            parent,
        } = self;
        format!(
            "the foreign key of {child} ({}) to {parent}",
            columns.join(", ")
        )
    }
}

/// Names of tables and columns are compared case-insensitively, as in SQLite.
impl Key {
    fn folded(&self) -> Self {
        Self {
            child: self.child.to_ascii_lowercase(),
            columns: self
                .columns
                .iter()
                .map(|c| c.to_ascii_lowercase())
                .collect(),
            parent: self.parent.to_ascii_lowercase(),
        }
    }
}

#[derive(Clone, Debug)]
struct Violations {
    /// The key, with names as written.
    key: Key,
    count: u64,
    rowids: Vec<i64>,
}

/// Whether no table has a foreign key and `script` adds none. This is read once, since with many
/// tables even a check without keys takes time. Within a run, which excludes other writers, only
/// scripts can change the answer.
pub(super) fn are_absent(
    connection: &mut Connection,
    script: &str,
    in_run: bool,
) -> Result<bool, DatabaseError> {
    if mentions(script, "references") {
        connection.without_keys = None;
        return Ok(false);
    }
    if in_run && connection.without_keys.is_some() {
        return Ok(true);
    }
    let version = connection.integer("PRAGMA main.data_version")?;
    if version.is_some() && connection.without_keys == version {
        return Ok(true);
    }
    let sql = "SELECT 1 FROM main.sqlite_schema WHERE sql LIKE '%references%' LIMIT 1";
    let absent = connection.integer(sql)?.is_none();
    connection.without_keys = version.filter(|_| absent);
    Ok(absent)
}

/// The violations at one point in time.
#[derive(Clone, Debug, Default)]
pub(super) struct ForeignKeyState {
    violations: BTreeMap<Key, Violations>,
    /// `foreign key mismatch`: the parent has no unique key of these columns. Maps the message in
    /// lower case to the original.
    mismatches: BTreeMap<String, String>,
    /// Keys that SQLite cannot evaluate here, for example because of a collation or function of the
    /// application. Maps the folded key to the key as written and the reason.
    unchecked: BTreeMap<Key, (Key, String)>,
}

impl ForeignKeyState {
    /// Checks the whole database. If anything is found, checks table by table, since a mismatch
    /// ends a check.
    pub fn read(connection: &mut Connection) -> Result<Self, DatabaseError> {
        let mut state = Self::default();
        let mut is_clean = true;
        let check = "PRAGMA main.foreign_key_check";
        match connection.handle.for_each(check, |_| is_clean = false) {
            Ok(()) if is_clean => return Ok(state),
            Ok(()) => {}
            Err(failure) if failure.primary() == ffi::SQLITE_ERROR => {}
            Err(failure) => return Err(connection.explain(failure)),
        }
        for child in children(connection)? {
            state.check(connection, &child)?;
        }
        Ok(state)
    }

    /// One line for each key with more violations than in `before`.
    pub fn worse_than(&self, before: &Self) -> Vec<String> {
        let violations = self.violations.iter().filter_map(|(key, now)| {
            let then = before.violations.get(key).map_or(0, |then| then.count);
            (now.count > then).then(|| now.describe(then))
        });
        violations.collect()
    }

    /// One line for each key that no longer matches, or for which it is unknown whether `script`
    /// has kept it.
    pub fn in_doubt(
        &self,
        connection: &mut Connection,
        before: &Self,
        script: &str,
    ) -> Result<Vec<String>, DatabaseError> {
        let new = self.mismatches.iter();
        let new = new.filter(|(folded, _)| !before.mismatches.contains_key(*folded));
        let mut lines: Vec<_> = new.map(|(_, message)| message.clone()).collect();
        for (folded, (key, reason)) in &self.unchecked {
            let is_old = before.unchecked.contains_key(folded);
            if !is_old || may_be_changed(connection, key, script)? {
                lines.push(format!("{} cannot be checked: {reason}", key.shown()));
            }
        }
        Ok(lines)
    }

    fn check(&mut self, connection: &mut Connection, child: &str) -> Result<(), DatabaseError> {
        let keys = keys_of(connection, child)?;
        let mut found: BTreeMap<i64, (u64, Vec<i64>)> = BTreeMap::new();
        let sql = format!("PRAGMA main.foreign_key_check({})", quoted(child));
        let result = connection.handle.for_each(&sql, |row| {
            let id = match row.get(3) {
                Value::Integer(id) => id,
                _ => -1,
            };
            let (count, rowids) = found.entry(id).or_default();
            *count += 1;
            if let Value::Integer(rowid) = row.get(1)
                && rowids.len() < EXAMPLES
            {
                rowids.push(rowid);
            }
        });
        match result {
            Ok(()) => {}
            Err(failure) if failure.primary() == ffi::SQLITE_ERROR => {
                // Otherwise, a collation or function of the application is missing. The other keys
                // of the table can still be counted.
                let mismatch = failure.message.to_ascii_lowercase();
                let mismatch = mismatch
                    .starts_with("foreign key mismatch")
                    .then_some(mismatch);
                found = self.count_by_join(connection, &keys, mismatch.as_deref());
                if let Some(folded) = mismatch {
                    self.mismatches.insert(folded, failure.message);
                }
            }
            Err(failure) => return Err(connection.explain(failure)),
        }
        for (id, (count, rowids)) in found {
            let Some(key) = keys.get(&id).map(|parsed| parsed.key.clone()) else {
                continue;
            };
            let violations = self.violations.entry(key.folded()).or_insert(Violations {
                key,
                count: 0,
                rowids: Vec::new(),
            });
            violations.count += count;
            violations.rowids.extend(rowids);
        }
        Ok(())
    }
}

impl ForeignKeyState {
    /// Counts key by key where `foreign_key_check` fails, and records the keys that cannot be
    /// counted, unless they are in `mismatch`.
    fn count_by_join(
        &mut self,
        connection: &mut Connection,
        keys: &BTreeMap<i64, ForeignKey>,
        mismatch: Option<&str>,
    ) -> BTreeMap<i64, (u64, Vec<i64>)> {
        let mut found = BTreeMap::new();
        for (id, foreign_key) in keys {
            let key = &foreign_key.key;
            let referencing = format!("referencing \"{}\"", key.parent.to_ascii_lowercase());
            let is_told = mismatch.is_some_and(|message| message.ends_with(&referencing));
            let reason = match count_orphans(connection, foreign_key) {
                Ok(Some(0)) => continue,
                Ok(Some(count)) => {
                    found.insert(*id, (count.unsigned_abs(), Vec::new()));
                    continue;
                }
                _ if is_told => continue,
                Ok(None) => "the parent has another number of columns in its key".to_owned(),
                Err(error) => error.to_string(),
            };
            self.unchecked.insert(key.folded(), (key.clone(), reason));
        }
        found
    }
}

/// Whether `script` could change the rows of either table: it names one of them, or fires a trigger
/// that does.
fn may_be_changed(
    connection: &mut Connection,
    key: &Key,
    script: &str,
) -> Result<bool, DatabaseError> {
    for table in [&key.child, &key.parent] {
        // Quoted names can be written in several ways.
        let is_plain = table.chars().all(|c| c.is_alphanumeric() || c == '_');
        let in_trigger = "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' \
            AND instr(lower(sql), lower(?1)) > 0 LIMIT 1";
        if !is_plain
            || mentions(script, table)
            || !connection
                .query(in_trigger, &[Bind::Text(table)])?
                .is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Violations {
    fn describe(&self, before: u64) -> String {
        let new = self.count - before;
        let Key {
            child,
            columns,
            parent,
        } = &self.key;
        let (rows, have, column) = (
            if new == 1 { "row" } else { "rows" },
            if new == 1 { "has" } else { "have" },
            if columns.len() == 1 {
                "column"
            } else {
                "columns"
            },
        );
        let mut line = format!(
            "{new} {rows} of {child} ({column} {}) {have} no parent in {parent}",
            columns.join(", ")
        );
        if before > 0 {
            line += &format!(", besides {before} that had none before");
        }
        if !self.rowids.is_empty() {
            let named: Vec<_> = self
                .rowids
                .iter()
                .take(EXAMPLES)
                .map(i64::to_string)
                .collect();
            let more = if self.count > named.len() as u64 {
                ", …"
            } else {
                ""
            };
            line += &format!(" (rowid {}{more})", named.join(", "));
        }
        line
    }
}

/// A declared foreign key.
struct ForeignKey {
    key: Key,
    /// The parent's columns; empty if the key refers to its primary key.
    to: Vec<String>,
}

fn children(connection: &mut Connection) -> Result<Vec<String>, DatabaseError> {
    let rows = connection.query(
        "SELECT name FROM main.sqlite_schema
         WHERE type = 'table' AND instr(lower(sql), 'references') > 0 ORDER BY name",
        &[],
    )?;
    let names = rows.into_iter().filter_map(|row| text(&row, 0));
    Ok(names.collect())
}

/// The foreign keys of a table, by ID.
fn keys_of(
    connection: &mut Connection,
    child: &str,
) -> Result<BTreeMap<i64, ForeignKey>, DatabaseError> {
    let sql = format!("PRAGMA main.foreign_key_list({})", quoted(child));
    let mut keys = BTreeMap::new();
    // The columns are id, seq, table, from, to, …; sorted by ID, then seq.
    for row in connection.query(&sql, &[])? {
        let (Some(Value::Integer(id)), Some(parent), Some(from)) =
            (row.first(), text(&row, 2), text(&row, 3))
        else {
            continue;
        };
        let entry = keys.entry(*id).or_insert_with(|| ForeignKey {
            key: Key {
                child: child.to_owned(),
                columns: Vec::new(),
                parent,
            },
            to: Vec::new(),
        });
        entry.key.columns.push(from);
        entry.to.extend(text(&row, 4));
    }
    Ok(keys)
}

fn count_orphans(
    connection: &mut Connection,
    foreign_key: &ForeignKey,
) -> Result<Option<i64>, DatabaseError> {
    let Key {
        child,
        columns,
        parent,
    } = &foreign_key.key;
    let to = if foreign_key.to.is_empty() {
        primary_key(connection, parent)?
    } else {
        foreign_key.to.clone()
    };
    if to.len() != columns.len() {
        return Ok(None);
    }
    let present: Vec<_> = columns
        .iter()
        .map(|column| format!("c.{} IS NOT NULL", quoted(column)))
        .collect();
    // The parent's side comes first: its affinity and collation apply to the comparison.
    let equal: Vec<_> = columns
        .iter()
        .zip(&to)
        .map(|(from, to)| format!("p.{} = c.{}", quoted(to), quoted(from)))
        .collect();
    connection.integer(&format!(
        "SELECT count(*) FROM main.{} c WHERE {} AND NOT EXISTS (SELECT 1 FROM main.{} p WHERE {})",
        quoted(child),
        present.join(" AND "),
        quoted(parent),
        equal.join(" AND "),
    ))
}

fn primary_key(connection: &mut Connection, table: &str) -> Result<Vec<String>, DatabaseError> {
    let sql = format!("PRAGMA main.table_info({})", quoted(table));
    let mut columns = BTreeMap::new();
    for row in connection.query(&sql, &[])? {
        if let (Some(name), Some(Value::Integer(place @ 1..))) = (text(&row, 1), row.get(5)) {
            columns.insert(*place, name);
        }
    }
    Ok(columns.into_values().collect())
}

fn text(row: &Row, column: usize) -> Option<String> {
    match row.get(column) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Enables or disables enforcement and verifies the result: inside a transaction, and in a SQLite
/// without foreign keys, the pragma is silently ignored.
pub(super) fn enforce(connection: &mut Connection, on: bool) -> Result<(), DatabaseError> {
    if connection.handle.enforces_foreign_keys() != on {
        connection.write(&format!("PRAGMA foreign_keys = {}", i64::from(on)), &[])?;
        if connection.handle.enforces_foreign_keys() != on {
            let state = if on { "on" } else { "off" };
            return Err(DatabaseError::Other(format!(
                "PRAGMA foreign_keys cannot be switched {state}"
            )));
        }
    }
    connection.foreign_keys = on;
    Ok(())
}
