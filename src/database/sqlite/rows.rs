//! Rows of user tables.

use async_trait::async_trait;

use super::{
    super::{DatabaseError, NamedRows, Rows, Usage},
    Absent, Sqlite, blocking,
    connect::Connection,
    step::opened,
    value::Value,
    version_table::quoted,
};
use crate::{lint::Size, schema::Name};

type Outcomes = Vec<Result<u64, DatabaseError>>;

#[async_trait]
impl Rows for Sqlite {
    async fn try_each(&mut self, statements: &[String]) -> Result<Outcomes, DatabaseError> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        self.open_existing().await?;
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            let _running = self.control.start();
            connection.in_transaction_of_its_own(|connection| {
                let mut outcomes = Vec::with_capacity(statements.len());
                for index in 0..statements.len() {
                    next(connection, statements, index, &mut outcomes)?;
                }
                Ok(outcomes)
            })
        })
    }

    async fn clear(&mut self, tables: &[Name]) -> Result<bool, DatabaseError> {
        let names = tables.iter().map(|table| quoted(&table.name));
        let deletes: Vec<String> = names
            .map(|name| format!("DELETE FROM main.{name}"))
            .collect();
        let tried = self.try_each(&deletes).await?;
        Ok(tried.iter().all(Result::is_ok))
    }

    async fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(Vec::new());
        }
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            let _running = self.control.start();
            let rows = connection.query(sql, &[])?;
            rows.into_iter()
                .map(|row| row.into_iter().map(text).collect())
                .collect()
        })
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        self.texts(sql).await
    }

    async fn ask_named(&mut self, sql: &str) -> Result<NamedRows, DatabaseError> {
        if !self.open(Absent::Leave).await? {
            return Ok(NamedRows::default());
        }
        blocking(|| {
            let connection = opened(&mut self.connection)?;
            let _running = self.control.start();
            let mut found = NamedRows::default();
            let mut rows = Vec::new();
            connection.for_each(sql, |row| {
                if rows.is_empty() {
                    found.columns = row.names();
                }
                rows.push(row.values().map(|value| text(value.kept())).collect());
            })?;
            found.rows = rows.into_iter().collect::<Result<_, _>>()?;
            Ok(found)
        })
    }

    async fn table_sizes(&mut self) -> Result<Vec<(Name, Size)>, DatabaseError> {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' \
                      ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%'";
        let mut sizes = Vec::new();
        for name in self.texts(tables).await?.into_iter().flatten().flatten() {
            let quoted = quoted(&name);
            let counted = self
                .texts(&format!("SELECT count(*) FROM {quoted}"))
                .await?;
            let rows = counted.into_iter().flatten().flatten().next();
            if let Some(rows) = rows.and_then(|rows| rows.parse().ok()) {
                let size = Size { rows, pages: 0 };
                sizes.push((Name::new("", name), size));
            }
        }
        Ok(sizes)
    }

    async fn usage(&mut self) -> Result<Usage, DatabaseError> {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let bytes = self
            .texts(sql)
            .await?
            .into_iter()
            .flatten()
            .flatten()
            .next();
        Ok(Usage {
            bytes: bytes.and_then(|it| it.parse().ok()).unwrap_or_default(),
            wal: None,
        })
    }
}

/// Runs the statement with this index. SQLite undoes a failed statement by itself, unless a trigger
/// or a conflict clause rolls back the transaction; then the statements before it run again.
fn next(
    connection: &mut Connection,
    statements: &[String],
    index: usize,
    outcomes: &mut Outcomes,
) -> Result<(), DatabaseError> {
    let outcome = attempt(connection, &statements[index])?;
    outcomes.push(outcome);
    if connection.in_transaction() {
        return Ok(());
    }
    connection.begin("")?;
    for (statement, outcome) in statements.iter().zip(outcomes) {
        if outcome.is_ok() {
            *outcome = attempt(connection, statement)?;
        }
    }
    match connection.in_transaction() {
        true => Ok(()),
        false => connection.begin(""),
    }
}

/// Runs a statement in a savepoint.
fn attempt(
    connection: &mut Connection,
    statement: &str,
) -> Result<Result<u64, DatabaseError>, DatabaseError> {
    connection.write("SAVEPOINT migrator_row", &[])?;
    let outcome = match connection.execute_counting(statement) {
        Err(error @ (DatabaseError::Interrupted | DatabaseError::Busy { .. })) => {
            return Err(error);
        }
        outcome => outcome,
    };
    if connection.in_transaction() {
        if outcome.is_err() {
            connection.write("ROLLBACK TO migrator_row", &[])?;
        }
        connection.write("RELEASE migrator_row", &[])?;
    }
    Ok(outcome.map(|(own, _)| own))
}

fn text(value: Value) -> Result<Option<String>, DatabaseError> {
    match value {
        Value::Null => Ok(None),
        Value::Integer(number) => Ok(Some(number.to_string())),
        Value::Text(text) => Ok(Some(text)),
        Value::Other(kind) => Err(DatabaseError::Other(format!(
            "{kind} was found where text was expected"
        ))),
    }
}
