//! Digests of rows, one query a table.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::{DatabaseError, Digests, Rows, TableDigests},
    Postgres,
    admin::quoted,
    error,
    message::{PINNED, for_each_answer, rows, unpinned_rows},
    properties::text,
    version_table::Trouble,
};
use crate::schema::{Digest, Name, RowColumn, StoredTable, TableSums};

#[async_trait]
impl Digests for Postgres {
    async fn digests(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<TableDigests>, DatabaseError> {
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let (connection, _) = self.parts().await?;
        match together(connection, tables).await {
            Ok(found) => Ok(found.into_iter().map(Ok).collect()),
            Err(error) if error::from_server(&error).is_some() => {
                self.rolled_back().await?;
                self.one_by_one(tables).await
            }
            Err(error) => Err(self.trouble(error.into()).await),
        }
    }

    async fn sums(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<Result<TableSums, DatabaseError>>, DatabaseError> {
        let mut all = Vec::with_capacity(tables.len());
        for table in tables {
            all.push(match self.texts(&sums_query(table)).await {
                Ok(rows) => Ok(sums(rows)),
                Err(error @ (DatabaseError::ConnectionLost(_) | DatabaseError::Interrupted)) => {
                    return Err(error);
                }
                Err(error) => Err(error),
            });
        }
        Ok(all)
    }

    async fn perhaps_filled(
        &mut self,
        mut tables: Vec<StoredTable>,
    ) -> Result<Vec<StoredTable>, DatabaseError> {
        let (connection, _) = self.parts().await?;
        let found = rows(connection, FILLED).await;
        let found = self.answer(found.map_err(Trouble::from)).await?;
        let name = |row| Ok(Name::new(text(Some(row), 0)?, text(Some(row), 1)?));
        let filled: Result<HashSet<Name>, DatabaseError> = found.iter().map(name).collect();
        let filled = filled?;
        tables.retain(|table| filled.contains(&table.name));
        Ok(tables)
    }
}

/// The tables with a file that is not empty. Only those of the usual access method have a file that
/// tells.
const FILLED: &str = "SELECT n.nspname::text, c.relname::text FROM pg_class AS c \
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' \
    AND (pg_relation_size(c.oid) > 0 OR c.relam <> (SELECT oid FROM pg_am WHERE amname = 'heap'))";

impl Postgres {
    /// Reads each table in a transaction of its own, so that a failure is that of one table.
    async fn one_by_one(
        &mut self,
        tables: &[StoredTable],
    ) -> Result<Vec<TableDigests>, DatabaseError> {
        let mut all = Vec::with_capacity(tables.len());
        for table in tables {
            let (connection, _) = self.parts().await?;
            let found = together(connection, std::slice::from_ref(table)).await;
            all.push(match found {
                Ok(mut found) => Ok(found.pop().unwrap_or_default()),
                Err(error) if error::from_server(&error).is_some() => {
                    self.rolled_back().await?;
                    Err(DatabaseError::Other(error::reason(&error)))
                }
                Err(error) => return Err(self.trouble(error.into()).await),
            });
        }
        Ok(all)
    }

    async fn rolled_back(&mut self) -> Result<(), DatabaseError> {
        let (connection, _) = self.parts().await?;
        let ended = unpinned_rows(connection, "ROLLBACK").await;
        self.answer(ended.map(drop).map_err(Trouble::from)).await
    }
}

/// The number of queries in one message. The server parses a message before it runs any of it.
const TOGETHER: usize = 500;

/// Sends a query for each table, in one transaction.
async fn together(
    connection: &mut PgConnection,
    tables: &[StoredTable],
) -> Result<Vec<Vec<Box<[Digest]>>>, sqlx::Error> {
    let begin = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"];
    let mut commands: Vec<String> = begin.into_iter().chain(PINNED).map(str::to_owned).collect();
    let mut found = Vec::with_capacity(tables.len());
    let groups = tables.len().div_ceil(TOGETHER);
    let mut read = Ok(());
    for (number, group) in (1..).zip(tables.chunks(TOGETHER)) {
        let before = commands.len();
        commands.extend(group.iter().map(query));
        if number == groups {
            commands.push("COMMIT".to_owned());
        }
        let mut rows: Vec<Vec<Box<[Digest]>>> = group.iter().map(|_| Vec::new()).collect();
        let keep = |command: usize, row: Option<PgRow>| {
            let rows = command.checked_sub(before).and_then(|at| rows.get_mut(at));
            if let (Some(rows), Some(row), true) = (rows, row, read.is_ok()) {
                read = digests(&row).map(|row| rows.push(row));
            }
        };
        for_each_answer(connection, &commands.join(";\n"), keep).await?;
        found.append(&mut rows);
        commands.clear();
    }
    read.map(|()| found)
}

/// Digests of the texts of the values. The collation of a column does not matter: equal values must
/// be equal byte by byte.
fn query(table: &StoredTable) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            format!(
                "hashtextextended({}::text COLLATE \"C\", 0)",
                quoted(&column.name)
            )
        })
        .collect();
    format!(
        "SELECT {} FROM ONLY {}.{}",
        columns.join(", "),
        quoted(&table.name.schema),
        quoted(&table.name.name)
    )
}

/// The number of rows, and a sum for each column. The seed of a digest is that of the key.
fn sums_query(table: &StoredTable) -> String {
    let digest = |column: &RowColumn, seed: &str| {
        let name = quoted(&column.name);
        format!("hashtextextended({name}::text COLLATE \"C\", {seed})")
    };
    let key = table.columns.iter().position(|column| column.is_key);
    let columns = table.columns.iter().enumerate().map(|(at, column)| {
        let seed = match key {
            Some(key) if key != at => digest(&table.columns[key], "0"),
            _ => "0".to_owned(),
        };
        format!(", coalesce(sum({}), 0)", digest(column, &seed))
    });
    format!(
        "SELECT count(*){} FROM ONLY {}.{}",
        columns.collect::<String>(),
        quoted(&table.name.schema),
        quoted(&table.name.name)
    )
}

fn sums(rows: Vec<Vec<Option<String>>>) -> TableSums {
    let mut numbers = rows.into_iter().flatten().flatten();
    let count = numbers.next().and_then(|it| it.parse().ok());
    TableSums {
        rows: count.unwrap_or_default(),
        sums: numbers.map(|it| it.parse().unwrap_or_default()).collect(),
    }
}

fn digests(row: &PgRow) -> Result<Box<[Digest]>, sqlx::Error> {
    let values = (0..row.len()).map(|at| {
        let value: Option<i64> = row.try_get(at)?;
        Ok(value.map(i64::cast_unsigned))
    });
    values.collect()
}
