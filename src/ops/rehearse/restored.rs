use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{NotRestored, rows::Rows};
use crate::{
    arrange::Arrange as _,
    ops::{Error, Session, Unlike},
    schema::{Name, Schema, StoredTable, TableRows, TableSums, compare},
};

/// How many rows are kept in memory, so that changed ones can be told from lost ones. Of larger tables
/// only sums are kept.
const KEPT: u64 = 1_000_000;

/// The schema and the rows of a copy before the first revision.
pub(super) struct Before {
    schema: Arc<Schema>,
    rows: BTreeMap<Name, (StoredTable, Kept)>,
}

/// What is kept of the rows of a table.
enum Kept {
    Rows(TableRows),
    Sums(TableSums),
}

impl Before {
    /// Reads the rows of all tables of a schema that was read. Tables that cannot be read are left out.
    pub async fn read(
        session: &mut Session,
        schema: Arc<Schema>,
        counts: &Rows,
    ) -> Result<Self, Error> {
        let (small, large) = divided(schema.stored_tables(), counts);
        let mut rows = BTreeMap::new();
        let found = session.digests(&small).await?;
        for (table, found) in small.into_iter().zip(found) {
            if let Ok(rows_found) = found {
                let kept = Kept::Rows(TableRows {
                    columns: table.columns.clone(),
                    rows: rows_found,
                });
                rows.insert(table.name.clone(), (table, kept));
            }
        }
        let found = session.sums(&large).await?;
        for (table, found) in large.into_iter().zip(found) {
            if let Ok(sums) = found {
                rows.insert(table.name.clone(), (table, Kept::Sums(sums)));
            }
        }
        Ok(Self { schema, rows })
    }

    /// Compares with the present schema and rows, after revisions led to the schema `between` and were
    /// reverted. Only the rows of tables that were `written` are read again; of all, if that is not known.
    /// `without` leaves objects out of the schemas.
    pub async fn changes(
        &self,
        session: &mut Session,
        (between, after): (&Schema, &Schema),
        written: Option<&BTreeSet<Name>>,
        without: impl Fn(&Schema) -> Schema,
    ) -> Result<Vec<NotRestored>, Error> {
        let mut found = Vec::new();
        let (old, new) = (without(&self.schema), without(after));
        let difference = compare(&old, &new);
        if !difference.is_empty() {
            let unlike = Unlike::new(difference, &old, &new);
            found.push(NotRestored::Schema(Box::new(unlike)));
        }
        let between: BTreeMap<Name, StoredTable> = by_name(between);
        for (name, now) in by_name(after) {
            let (Some((then, kept)), Some(passed)) = (self.rows.get(&name), between.get(&name))
            else {
                continue;
            };
            let is_same = then == passed && *then == now;
            if is_same && written.is_some_and(|written| !written.contains(&name)) {
                continue;
            }
            let gone: Vec<String> = columns(then)
                .filter(|column| columns(passed).all(|other| other != *column))
                .cloned()
                .collect();
            found.extend(match kept {
                Kept::Rows(rows) => changed_rows(session, rows, &now, &gone).await?,
                Kept::Sums(sums) => changed_values(session, (then, sums), now, &gone).await?,
            });
        }
        Ok(found)
    }
}

fn by_name(schema: &Schema) -> BTreeMap<Name, StoredTable> {
    let tables = schema.stored_tables().into_iter();
    tables.map(|table| (table.name.clone(), table)).collect()
}

fn columns(table: &StoredTable) -> impl Iterator<Item = &String> {
    table.columns.iter().map(|column| &column.name)
}

/// The smallest tables, which have at most [`KEPT`] rows together, and the others.
fn divided(tables: Vec<StoredTable>, counts: &Rows) -> (Vec<StoredTable>, Vec<StoredTable>) {
    let mut tables: Vec<(u64, StoredTable)> = tables
        .into_iter()
        .map(|table| (counts.of(&table.name).unwrap_or(u64::MAX), table))
        .collect();
    tables.arrange_by_key(|(rows, _)| *rows);
    let mut sum: u64 = 0;
    let (small, large): (Vec<_>, Vec<_>) = tables.into_iter().partition(|(rows, _)| {
        sum = sum.saturating_add(*rows);
        sum <= KEPT
    });
    let names = |tables: Vec<(u64, StoredTable)>| tables.into_iter().map(|(_, it)| it).collect();
    (names(small), names(large))
}

async fn changed_rows(
    session: &mut Session,
    before: &TableRows,
    table: &StoredTable,
    gone: &[String],
) -> Result<Option<NotRestored>, Error> {
    let found = session.digests(std::slice::from_ref(table)).await?;
    let Some(Ok(rows)) = found.into_iter().next() else {
        return Ok(None);
    };
    let after = TableRows {
        columns: table.columns.clone(),
        rows,
    };
    let changes = before.changes_to(&after, gone);
    let table = table.name.clone();
    Ok((!changes.is_empty()).then_some(NotRestored::Rows { table, changes }))
}

async fn changed_values(
    session: &mut Session,
    (then, before): (&StoredTable, &TableSums),
    now: StoredTable,
    gone: &[String],
) -> Result<Option<NotRestored>, Error> {
    let found = session.sums(std::slice::from_ref(&now)).await?;
    let Some(Ok(after)) = found.into_iter().next() else {
        return Ok(None);
    };
    let columns = unlike_columns((then, before), (&now, &after), gone);
    if before.rows == after.rows && columns.is_empty() {
        return Ok(None);
    }
    Ok(Some(NotRestored::Values {
        table: now.name,
        before: before.rows,
        after: after.rows,
        columns: match before.rows == after.rows {
            true => columns,
            // Every sum is another one.
            false => Vec::new(),
        },
    }))
}

/// The columns of both states whose sums differ, apart from those that were gone meanwhile. Without the
/// same key the sums cannot be compared.
fn unlike_columns(
    (then, before): (&StoredTable, &TableSums),
    (now, after): (&StoredTable, &TableSums),
    gone: &[String],
) -> Vec<String> {
    let key = |table: &StoredTable| table.columns.iter().find(|it| it.is_key).cloned();
    if key(then) != key(now) || key(then).is_some_and(|it| gone.contains(&it.name)) {
        return Vec::new();
    }
    let sums = then.columns.iter().zip(&before.sums);
    let unlike = sums.filter(|(column, sum)| {
        let mut others = now.columns.iter().zip(&after.sums);
        let other = others.find(|(other, _)| other == column);
        !gone.contains(&column.name) && other.is_some_and(|(_, other)| other != *sum)
    });
    unlike.map(|(column, _)| column.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::RowColumn;

    fn table(columns: &[(&str, bool)]) -> StoredTable {
        let column = |(name, is_key): &(&str, bool)| RowColumn {
            name: (*name).to_owned(),
            data_type: "integer".to_owned(),
            is_key: *is_key,
        };
        StoredTable {
            name: Name::new("", "t"),
            columns: columns.iter().map(column).collect(),
        }
    }

    fn sums(sums: &[i128]) -> TableSums {
        TableSums {
            rows: 7,
            sums: sums.to_vec(),
        }
    }

    #[test]
    fn sums_tell_which_columns_changed() {
        let then = table(&[("id", true), ("a", false), ("b", false)]);
        let now = table(&[("id", true), ("b", false), ("a", false)]);
        let check = |after: &[i128], gone: &[&str], expected: &[&str]| {
            let gone: Vec<String> = gone.iter().map(|it| (*it).to_owned()).collect();
            let after = sums(after);
            let found = unlike_columns((&then, &sums(&[1, 2, 3])), (&now, &after), &gone);
            assert_eq!(found, expected);
        };
        check(&[1, 3, 2], &[], &[]);
        check(&[1, 3, 9], &[], &["a"]);
        check(&[1, 3, 9], &["a"], &[]);
        check(&[1, 3, 9], &["id"], &[]);
    }
}
