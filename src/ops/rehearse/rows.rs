use std::collections::{BTreeMap, BTreeSet};

use super::{RowCount, observe::Observed};
use crate::{
    lint::Size,
    ops::{Error, Session},
    schema::Name,
    sql::in_quotes,
};

/// The sizes of tables.
pub(super) type Sizes = BTreeMap<Name, Size>;

/// How many rows the tables of a copy have.
pub(super) struct Rows {
    /// The sizes after the last script.
    pub sizes: Sizes,
    /// The exact numbers of rows after the last script.
    counts: BTreeMap<Name, u64>,
    /// The tables of which traces tell whether their rows change: those that were there at first, by
    /// their first names.
    told: BTreeSet<Name>,
}

impl Rows {
    /// Counts the rows of all tables, unless they are in `counts`, by the names of the tables.
    pub async fn read(
        session: &mut Session,
        counted: Option<BTreeMap<String, u64>>,
    ) -> Result<Self, Error> {
        let sizes = sizes(session).await?;
        let counted = counted.unwrap_or_default();
        let mut counts = BTreeMap::new();
        for table in sizes.keys() {
            let known = counted.get(&plain(table)).copied();
            let rows = match known {
                Some(rows) => rows,
                None => count(session, table).await?,
            };
            counts.insert(table.clone(), rows);
        }
        Ok(Self {
            told: sizes.keys().cloned().collect(),
            sizes,
            counts,
        })
    }

    /// The number of rows of a table, whose name may be in another case.
    pub fn of(&self, table: &Name) -> Option<u64> {
        let is_it = |name: &Name| {
            name.schema == table.schema && name.name.eq_ignore_ascii_case(&table.name)
        };
        let exact = self.counts.get(table);
        let found = exact.or_else(|| {
            let mut all = self.counts.iter();
            all.find(|(name, _)| is_it(name)).map(|(_, rows)| rows)
        });
        found.copied()
    }

    /// Counts the rows of new tables and of those that scripts may have changed; without traces, of all.
    /// Returns the tables whose numbers are others.
    pub async fn changes(
        &mut self,
        session: &mut Session,
        observed: &Observed,
        has_traces: bool,
    ) -> Result<Vec<RowCount>, Error> {
        for (before, after) in &observed.renamed {
            if let Some(rows) = self.counts.remove(before) {
                self.counts.insert(after.clone(), rows);
            }
        }
        self.sizes = sizes(session).await?;
        let mut found = Vec::new();
        for (table, size) in &self.sizes {
            let before = self.counts.get(table).copied();
            let is_told = self.told.contains(table) && !observed.written.contains(table);
            if has_traces && before.is_some() && is_told {
                continue;
            }
            let after = match has_traces {
                true => count(session, table).await?,
                // Where nothing is traced, sizes are counted.
                false => size.rows,
            };
            self.counts.insert(table.clone(), after);
            if before != Some(after) {
                found.push(RowCount {
                    table: table.clone(),
                    before,
                    after: Some(after),
                });
            }
        }
        let is_gone = |table: &Name, _: &mut u64| !self.sizes.contains_key(table);
        let gone = self.counts.extract_if(.., is_gone);
        found.extend(gone.map(|(table, rows)| RowCount {
            table,
            before: Some(rows),
            after: None,
        }));
        Ok(found)
    }
}

/// The sizes of the tables, without those of the records.
pub(super) async fn sizes(session: &mut Session) -> Result<Sizes, Error> {
    let records = session.version_table();
    let (_, records) = records.rsplit_once('.').unwrap_or(("", &records));
    let log = format!("{records}_log");
    let sizes = session.table_sizes().await?.into_iter();
    let is_record = |name: &Name| name.name == records || name.name == log;
    Ok(sizes.filter(|(name, _)| !is_record(name)).collect())
}

/// The name as backups have it.
fn plain(table: &Name) -> String {
    match table.schema.is_empty() {
        true => table.name.clone(),
        false => format!("{}.{}", table.schema, table.name),
    }
}

/// Counts the rows of a table.
async fn count(session: &mut Session, table: &Name) -> Result<u64, Error> {
    let name = match table.schema.is_empty() {
        true => in_quotes(&table.name),
        false => format!("{}.{}", in_quotes(&table.schema), in_quotes(&table.name)),
    };
    let rows = session
        .texts(&format!("SELECT count(*) FROM {name}"))
        .await?;
    let rows = rows.into_iter().flatten().flatten().next();
    Ok(rows.and_then(|rows| rows.parse().ok()).unwrap_or(0))
}
