use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{VerifiedRevision, VerifyFinding, VerifyNote};
use crate::{
    ops::{Error, Session},
    schema::{Name, RowChanges, Schema, Scope, StoredTable, TableRows},
};

/// The schema and the rows of a database at one moment.
#[derive(Clone)]
pub(in crate::ops) struct State {
    pub schema: Arc<Schema>,
    pub rows: BTreeMap<Name, TableRows>,
    /// The tables whose rows cannot be read, with the reasons.
    pub unread: HashMap<Name, String>,
}

impl State {
    /// Reads the present state.
    pub async fn read(
        session: &mut Session,
        scope: &Scope,
        with_rows: bool,
    ) -> Result<Self, Error> {
        let schema = session.inspect(scope).await?;
        let tables = match with_rows {
            true => schema.stored_tables(),
            false => Vec::new(),
        };
        let mut state = Self {
            schema: Arc::new(schema),
            rows: BTreeMap::new(),
            unread: HashMap::new(),
        };
        state.read_rows(session, tables).await?;
        Ok(state)
    }

    /// Reads the rows of tables again.
    pub async fn read_rows(
        &mut self,
        session: &mut Session,
        tables: Vec<StoredTable>,
    ) -> Result<(), Error> {
        let found = session.digests(&tables).await?;
        for (table, found) in tables.into_iter().zip(found) {
            match found {
                Ok(rows) => {
                    let columns = table.columns;
                    self.rows.insert(table.name, TableRows { columns, rows });
                }
                Err(error) => {
                    self.unread.insert(table.name, error.to_string());
                }
            }
        }
        Ok(())
    }

    /// Whether a table has rows.
    pub fn has_rows(&self) -> bool {
        self.rows.values().any(|rows| !rows.rows.is_empty())
    }

    /// The tables without rows.
    pub fn empty_tables(&self) -> impl Iterator<Item = &Name> {
        let rows = self.rows.iter();
        rows.filter(|(_, rows)| rows.rows.is_empty())
            .map(|(name, _)| name)
    }
}

/// What an up script does to rows: those that it loses are findings, the rest are notes.
pub(super) fn up(before: &State, after: &State, verified: &mut VerifiedRevision) {
    for (table, old) in &before.rows {
        let table = table.clone();
        let Some(new) = after.rows.get(&table) else {
            let rows = old.rows.len();
            match after.unread.get(&table) {
                Some(reason) => verified.note(VerifyNote::Unread {
                    table,
                    reason: reason.clone(),
                }),
                None if rows > 0 => verified.note(VerifyNote::TableDropped { table, rows }),
                None => {}
            }
            continue;
        };
        let changes = old.changes_to(new, &[]);
        if changes.lost > 0 {
            verified.add(VerifyFinding::RowsLost {
                table: table.clone(),
                rows: changes.lost,
            });
        }
        let rest = RowChanges { lost: 0, ..changes };
        if rest != RowChanges::default() {
            let changes = rest;
            verified.note(VerifyNote::RowsChanged { table, changes });
        }
    }
}

/// The tables whose rows are not those of `before` after an up script, which led to `between`, and its
/// down script. What the up script had dropped cannot come back.
pub(super) fn round_trip(
    before: &State,
    between: &State,
    after: &State,
    verified: &mut VerifiedRevision,
) {
    for (table, old) in &before.rows {
        let (Some(passed), Some(new)) = (between.rows.get(table), after.rows.get(table)) else {
            continue;
        };
        let gone = old.columns.iter().filter(|column| {
            let mut others = passed.columns.iter();
            others.all(|other| other.name != column.name)
        });
        let gone: Vec<String> = gone.map(|column| column.name.clone()).collect();
        let mut changes = old.changes_to(new, &gone);
        // The rows that the up script loses are a finding of its own.
        let lost_by_up = old.changes_to(passed, &[]).lost;
        changes.lost = changes.lost.saturating_sub(lost_by_up);
        if !changes.is_empty() {
            let table = table.clone();
            verified.add(VerifyFinding::RowsNotRestored { table, changes });
        }
    }
}
