//! Rows of user tables.

use async_trait::async_trait;
use sqlx::{Column, Row, postgres::PgRow};

use super::{
    super::{DatabaseError, NamedRows, Rows, StepStage, Usage},
    Postgres,
    admin::quoted,
    error,
    message::{Failed, Message, pinned, unpinned_rows},
    session,
};
use crate::{lint::Size, schema::Name};

/// The size in bytes from which a message is sent and another one started.
const ENOUGH: usize = 1 << 20;

/// What comes before the statements. Nobody waits long for a trigger, and constraints are checked
/// after each statement.
const BEGIN: [&str; 4] = [
    "BEGIN",
    "SET LOCAL statement_timeout TO '10s'",
    "SET LOCAL lock_timeout TO '10s'",
    "SET CONSTRAINTS ALL IMMEDIATE",
];
const SAVEPOINT: &str = "SAVEPOINT migrator_row";
const RELEASE: &str = "RELEASE SAVEPOINT migrator_row";
const ROLLBACK: &str = "ROLLBACK TO SAVEPOINT migrator_row";

#[async_trait]
impl Rows for Postgres {
    async fn try_each(
        &mut self,
        statements: &[String],
    ) -> Result<Vec<Result<u64, DatabaseError>>, DatabaseError> {
        self.refuse_run()?;
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        self.ensure().await?;
        // Triggers may run any code, even code that releases the lock.
        self.hold.doubt();
        self.running.begin();
        let tried = self.try_statements(statements).await;
        let cancelled = self.running.end().await;
        match tried {
            Ok(outcomes) => Ok(outcomes),
            Err(error) => Err(self.gave_up(error, cancelled).await),
        }
    }

    async fn clear(&mut self, tables: &[Name]) -> Result<bool, DatabaseError> {
        if tables.is_empty() {
            return Ok(true);
        }
        let names = tables.iter();
        let names =
            names.map(|name| format!("ONLY {}.{}", quoted(&name.schema), quoted(&name.name)));
        let names: Vec<String> = names.collect();
        let sql = format!("TRUNCATE {} RESTART IDENTITY", names.join(", "));
        let tried = self.try_each(&[sql]).await?;
        Ok(tried.iter().all(Result::is_ok))
    }

    async fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        self.rows_of(&format!("BEGIN;\n{};\nCOMMIT", pinned(sql)))
            .await
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        Ok(self.ask_named(sql).await?.rows)
    }

    async fn ask_named(&mut self, sql: &str) -> Result<NamedRows, DatabaseError> {
        // Names of functions and operators are those of the system first.
        let path = "SELECT pg_catalog.set_config('search_path', pg_catalog.concat('pg_catalog, ', \
                    pg_catalog.current_setting('search_path')), true)";
        let sql = format!("BEGIN READ ONLY;\n{path};\n{sql}\n;\nROLLBACK");
        // The first one is the path.
        let found = self.raw_rows_of(&sql).await?;
        let rows = found.get(1..).unwrap_or_default();
        let columns = rows.first().map_or(&[][..], |row| row.columns());
        Ok(NamedRows {
            columns: columns.iter().map(|it| it.name().to_owned()).collect(),
            rows: rows.iter().map(texts_of).collect::<Result<_, _>>()?,
        })
    }

    async fn table_sizes(&mut self) -> Result<Vec<(Name, Size)>, DatabaseError> {
        let rows = self.texts(SIZES).await?.into_iter();
        let number = |text: Option<String>| text?.parse().ok();
        let size = |row: Vec<Option<String>>| {
            let [schema, name, rows, pages] = <[_; 4]>::try_from(row).ok()?;
            let (rows, pages) = (number(rows)?, number(pages)?);
            Some((Name::new(schema?, name?), Size { rows, pages }))
        };
        Ok(rows.filter_map(size).collect())
    }

    async fn usage(&mut self) -> Result<Usage, DatabaseError> {
        let rows = self.texts(USAGE).await?;
        let mut numbers = rows.into_iter().flatten();
        let mut number = || numbers.next().flatten()?.parse().ok();
        Ok(Usage {
            bytes: number().unwrap_or_default(),
            wal: number(),
        })
    }
}

const USAGE: &str = "SELECT pg_database_size(current_database()), \
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";

/// The tables and materialized views with the estimates of the last VACUUM or ANALYZE. A table that had
/// none yet is taken to have 50 rows a page.
const SIZES: &str = "SELECT n.nspname, c.relname, \
    CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples::bigint \
    ELSE pg_relation_size(c.oid) / 8192 * 50 END, pg_relation_size(c.oid) / 8192 \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

impl Postgres {
    /// The rows of a message, as text.
    async fn rows_of(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
        self.raw_rows_of(sql).await?.iter().map(texts_of).collect()
    }

    async fn raw_rows_of(&mut self, sql: &str) -> Result<Vec<PgRow>, DatabaseError> {
        self.refuse_run()?;
        self.ensure().await?;
        let Some(connection) = &mut self.connection else {
            return Err(DatabaseError::ConnectionLost("it was lost earlier".into()));
        };
        self.running.begin();
        let found = unpinned_rows(connection, sql).await;
        let cancelled = self.running.end().await;
        match found {
            Ok(found) => Ok(found),
            Err(error) => Err(self.gave_up(error, cancelled).await),
        }
    }

    fn refuse_run(&self) -> Result<(), DatabaseError> {
        match self.run {
            Some(_) => Err(DatabaseError::Other("a run is in progress".into())),
            None => Ok(()),
        }
    }

    /// Sends each statement between savepoints. An error ends a message, so what follows is sent
    /// in another one.
    async fn try_statements(
        &mut self,
        statements: &[String],
    ) -> Result<Vec<Result<u64, DatabaseError>>, sqlx::Error> {
        let Some(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        let mut outcomes = Vec::with_capacity(statements.len());
        let mut message = Message::default();
        message.extend(StepStage::Begin, BEGIN);
        loop {
            let done = outcomes.len();
            let mut rest = statements.iter().enumerate().skip(done);
            while message.len() < ENOUGH
                && let Some((index, statement)) = rest.next()
            {
                message.push(StepStage::Begin, SAVEPOINT);
                message.push(StepStage::Statement(index), statement);
                message.push(StepStage::Begin, RELEASE);
            }
            let is_last = rest.next().is_none();
            if is_last {
                message.push(StepStage::Commit, "COMMIT");
                message.extend(StepStage::Commit, session::reset(&self.backend));
            }
            let sent = message.send(connection, |stage, rows, _| {
                if matches!(stage, StepStage::Statement(_)) {
                    outcomes.push(Ok(rows));
                }
            });
            let sent = sent.await;
            message = Message::default();
            match sent {
                Ok(()) if is_last => return Ok(outcomes),
                Ok(()) => {}
                Err(failed) if self.running.is_cancelled() => return Err(failed.error),
                Err(failed) => {
                    let error = refusal(failed, outcomes.len(), &self.place)?;
                    outcomes.push(Err(error));
                    message.push(StepStage::Begin, ROLLBACK);
                }
            }
        }
    }

    /// The error of work that was given up, after the session was restored.
    async fn gave_up(&mut self, error: sqlx::Error, cancelled: bool) -> DatabaseError {
        if cancelled {
            self.clean_up(false).await;
            return DatabaseError::Interrupted;
        }
        let Some(server) = error::from_server(&error) else {
            return self.lost(error::reason(&error)).await;
        };
        let failure = error::failure(server, None);
        let stage = StepStage::Statement(0);
        let error = error::at_stage(failure, stage, &self.place, Vec::new());
        self.clean_up(false).await;
        error
    }
}

/// The error of the statement with index `next`, if it is one that the server reported for it.
fn refusal(failed: Failed, next: usize, place: &str) -> Result<DatabaseError, sqlx::Error> {
    match error::from_server(&failed.error) {
        Some(server) if failed.stage == StepStage::Statement(next) => {
            let failure = error::failure(server, failed.offset);
            Ok(error::at_stage(failure, failed.stage, place, Vec::new()))
        }
        _ => Err(failed.error),
    }
}

fn texts_of(row: &PgRow) -> Result<Vec<Option<String>>, DatabaseError> {
    let value = |column| {
        let value = row.try_get_unchecked::<Option<String>, _>(column);
        value.map_err(|error| DatabaseError::Other(error.to_string()))
    };
    (0..row.len()).map(value).collect()
}
