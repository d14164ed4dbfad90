use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{VerifiedRevision, VerifyFinding, VerifyNote};
use crate::{
    ops::{Error, Session},
    schema::{Kind, Name, ObjectId, RowChanges, Schema, Scope, StoredTable, TableRows},
};

/// The schema and the rows of a database at one moment.
#[derive(Clone)]
pub(in crate::ops) struct State {
    pub schema: Arc<Schema>,
    pub rows: BTreeMap<Name, Arc<TableRows>>,
    /// The tables whose rows cannot be read, with the reasons.
    pub unread: HashMap<Name, String>,
}

/// The tables whose rows are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Watched {
    None,
    All,
    Only(HashSet<Name>),
}

impl Watched {
    /// The tables among those of a schema.
    pub fn of(&self, schema: &Schema) -> Vec<StoredTable> {
        match self {
            Self::None => Vec::new(),
            Self::All => schema.stored_tables(),
            Self::Only(wanted) => schema.stored_tables_where(|name| wanted.contains(name)),
        }
    }
}

impl State {
    /// Reads the present state.
    pub async fn read(
        session: &mut Session,
        scope: &Scope,
        watched: &Watched,
    ) -> Result<Self, Error> {
        let schema = Arc::new(session.inspect(scope).await?);
        Self::with_rows(session, schema, watched).await
    }

    /// Reads the rows of a schema that was read.
    pub async fn with_rows(
        session: &mut Session,
        schema: Arc<Schema>,
        watched: &Watched,
    ) -> Result<Self, Error> {
        let tables = watched.of(&schema);
        let mut state = Self::of(schema);
        if !tables.is_empty() {
            state.read_rows(session, tables).await?;
        }
        Ok(state)
    }

    /// Reads the present state after statements that change no rows but those of tables whose
    /// definition they change. The rows of the others are those of `before`.
    pub async fn read_after(
        session: &mut Session,
        scope: &Scope,
        watched: &Watched,
        before: &Self,
    ) -> Result<Self, Error> {
        let mut state = Self::of(Arc::new(session.inspect(scope).await?));
        let (kept, changed): (Vec<StoredTable>, _) = watched
            .of(&state.schema)
            .into_iter()
            .partition(|table| state.has_same(&table.name, before));
        for table in kept {
            if let Some(rows) = before.rows.get(&table.name) {
                state.rows.insert(table.name, Arc::clone(rows));
            } else if let Some(reason) = before.unread.get(&table.name) {
                state.unread.insert(table.name, reason.clone());
            }
        }
        state.read_rows(session, changed).await?;
        Ok(state)
    }

    fn of(schema: Arc<Schema>) -> Self {
        Self {
            schema,
            rows: BTreeMap::new(),
            unread: HashMap::new(),
        }
    }

    /// Whether a table is the one of another state, as far as facts tell.
    fn has_same(&self, table: &Name, other: &Self) -> bool {
        let id = ObjectId::new(Kind::Table, table.schema.clone(), table.name.clone());
        let (own, others) = (self.schema.get(&id), other.schema.get(&id));
        own.is_some() && own == others && self.schema.parts(table) == other.schema.parts(table)
    }

    /// Whether something runs after statements of which their text tells nothing.
    pub fn has_event_triggers(&self) -> bool {
        let mut objects = self.schema.objects.iter();
        objects.any(|object| object.id.kind == Kind::EventTrigger)
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
                    let rows = Arc::new(TableRows { columns, rows });
                    self.rows.insert(table.name, rows);
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

    /// Whether all tables of another state have the same rows here.
    pub fn has_rows_of(&self, other: &Self) -> bool {
        other.rows.iter().all(|(table, rows)| {
            let own = self.rows.get(table);
            own.is_some_and(|own| {
                let changes = rows.changes_to(own, &[]);
                changes == RowChanges::default()
            })
        })
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
        if Arc::ptr_eq(old, new) {
            continue;
        }
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
/// down script. The rows that the up script loses are a finding of its own.
pub(super) fn round_trip(
    before: &State,
    between: &State,
    after: &State,
    verified: &mut VerifiedRevision,
) {
    for (table, mut changes) in not_restored(before, between, after) {
        let rows = before.rows.get(&table).zip(between.rows.get(&table));
        let lost_by_up = rows.map_or(0, |(old, passed)| old.changes_to(passed, &[]).lost);
        changes.lost = changes.lost.saturating_sub(lost_by_up);
        if !changes.is_empty() {
            verified.add(VerifyFinding::RowsNotRestored { table, changes });
        }
    }
}

/// The tables whose rows are not those of `before` after up scripts, which led to `between`, and their
/// down scripts. What an up script had dropped cannot come back.
pub(in crate::ops) fn not_restored(
    before: &State,
    between: &State,
    after: &State,
) -> Vec<(Name, RowChanges)> {
    let mut found = Vec::new();
    for (table, old) in &before.rows {
        let (Some(passed), Some(new)) = (between.rows.get(table), after.rows.get(table)) else {
            continue;
        };
        if Arc::ptr_eq(old, passed) && Arc::ptr_eq(old, new) {
            continue;
        }
        let gone = old.columns.iter().filter(|column| {
            let mut others = passed.columns.iter();
            others.all(|other| other.name != column.name)
        });
        let gone: Vec<String> = gone.map(|column| column.name.clone()).collect();
        let changes = old.changes_to(new, &gone);
        if !changes.is_empty() {
            found.push((table.clone(), changes));
        }
    }
    found
}
