//! Queries around batches: the number of rows of a table and the state of replicas.

use std::{str::FromStr, time::Duration};

use sqlx::{Row, postgres::PgRow};

use super::{
    super::{DatabaseError, Replication, StepStage},
    Postgres,
    backend::AS_LOGIN,
    error,
    message::{PINNED, unpinned_rows},
};

/// Replicas in the order of the stream, with the position of each. Roles without further privileges
/// only see that a replica exists.
const REPLICATION: &str = "SELECT \
     pg_catalog.count(*) FILTER (WHERE r.state IS NULL)::text, \
     coalesce(pg_catalog.max(pg_catalog.date_part('epoch', r.replay_lag)), 0)::text, \
     pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::text, \
     pg_catalog.min(pg_catalog.pg_wal_lsn_diff(r.replay_lsn, '0/0'))::text \
     FROM pg_catalog.pg_stat_replication AS r \
     WHERE r.state IS NULL OR r.state::text OPERATOR(pg_catalog.=) \
     ANY ('{streaming,catchup}'::text[])";

impl Postgres {
    /// See [`super::super::Batches::count_rows`]. Counting a big table takes long and blocks
    /// nobody, so no statement_timeout applies.
    pub(super) async fn count(&mut self, table: &str) -> Result<u64, DatabaseError> {
        let sql = format!(
            "BEGIN;\nSET LOCAL statement_timeout TO 0;\n\
             SELECT pg_catalog.count(*)::pg_catalog.text FROM {table};\nCOMMIT"
        );
        let found = self.ask(&sql).await?;
        // A view may call any code, even code that releases the lock.
        self.hold.doubt();
        number(found.first(), 0)
    }

    /// See [`super::super::Replicas::replication`].
    pub(super) async fn lag_of_replicas(&mut self) -> Result<Replication, DatabaseError> {
        let pins = PINNED.join(";\n");
        let sql = format!("BEGIN;\n{pins};\n{AS_LOGIN};\n{REPLICATION};\nCOMMIT");
        let found = self.ask(&sql).await?;
        let row = found.first();
        let seconds: f64 = number(row, 1)?;
        Ok(Replication {
            hidden: number(row, 0)?,
            lag: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            written: number(row, 2)?,
            replayed: match text(row, 3)? {
                Some(_) => Some(number(row, 3)?),
                None => None,
            },
        })
    }

    /// Runs a query in the current session; it can be cancelled.
    async fn ask(&mut self, sql: &str) -> Result<Vec<PgRow>, DatabaseError> {
        self.ensure().await?;
        let Some(connection) = &mut self.connection else {
            return Err(DatabaseError::ConnectionLost("it was lost earlier".into()));
        };
        self.running.begin();
        let answer = unpinned_rows(connection, sql).await;
        let cancelled = self.running.end().await;
        let error = match answer {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let Some(server) = error::from_server(&error) else {
            return Err(self.lost(error::reason(&error)).await);
        };
        if cancelled && error::is_cancel(server) {
            self.clean_up(true).await;
            return Err(DatabaseError::Interrupted);
        }
        let failure = error::failure(server, None);
        let stage = StepStage::Statement(0);
        let error = error::at_stage(failure, stage, &self.place, Vec::new());
        self.clean_up(true).await;
        Err(error)
    }
}

fn text(row: Option<&PgRow>, column: usize) -> Result<Option<String>, DatabaseError> {
    let value = row.map(|row| row.try_get::<Option<String>, _>(column));
    let value = value.transpose().map_err(|error| odd(&error.to_string()))?;
    Ok(value.flatten())
}

fn number<T: FromStr>(row: Option<&PgRow>, column: usize) -> Result<T, DatabaseError> {
    let value = text(row, column)?.and_then(|text| text.parse().ok());
    value.ok_or_else(|| odd("a number was expected"))
}

fn odd(reason: &str) -> DatabaseError {
    DatabaseError::Other(format!("unexpected answer from the server: {reason}"))
}
