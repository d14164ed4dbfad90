//! Creates, drops and probes whole databases of a server.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, Row};

use super::{
    super::{Action, DatabaseError, PlaceKind, Settings},
    connect, error,
    message::{WITHOUT_WARNINGS, literal, rows, unpinned_rows},
    options::ServerOptions,
    url,
};
pub(super) use crate::sql::in_quotes as quoted;

/// The default databases for maintenance connections, one of which exists on every server.
const MAINTENANCE: [&str; 2] = ["postgres", "template1"];

/// The first version with DROP DATABASE … WITH (FORCE), as `server_version_num`.
const KNOWS_FORCE: u32 = 130_000;

/// The maximum number of attempts at an action that others may block briefly. The server itself
/// waits for some seconds each time.
const ATTEMPTS: usize = 3;

/// The time that sessions may take to disappear, since the server lists one for a moment after its
/// client has ended.
const LEAVING: Duration = Duration::from_secs(1);
/// The interval at which these sessions are checked.
const LOOK: Duration = Duration::from_millis(20);

const DUPLICATE_DATABASE: &str = "42P04";
const UNIQUE_VIOLATION: &str = "23505";
pub(super) const UNDEFINED_DATABASE: &str = "3D000";
pub(super) const IN_USE: &str = "55006";

/// See [`crate::database::engine::create`].
pub async fn create(
    options: &ServerOptions,
    settings: &Settings,
    maintenance: Option<&str>,
) -> Result<bool, DatabaseError> {
    let server = Server::connect(options, settings, maintenance).await?;
    server.finish(async |server| server.create().await).await
}

/// See [`crate::database::engine::drop`].
pub async fn drop(
    options: &ServerOptions,
    settings: &Settings,
    maintenance: Option<&str>,
    force: bool,
) -> Result<bool, DatabaseError> {
    let server = Server::connect(options, settings, maintenance).await?;
    server.finish(async |server| server.drop(force).await).await
}

/// See [`crate::database::engine::probe`].
pub async fn probe(
    options: &ServerOptions,
    settings: &Settings,
    patience: Duration,
) -> Result<(), DatabaseError> {
    let options = connect::prepared(options, settings);
    let place = place(&options);
    let begin = Instant::now();
    let (connection, _) = connect::open(&options, &[], patience, &place).await?;
    // The server has answered; a failure to close does not matter.
    let left = patience.saturating_sub(begin.elapsed());
    let _ = tokio::time::timeout(left, connection.close()).await;
    Ok(())
}

fn place(options: &ServerOptions) -> String {
    url::place(options)
}

/// A session in another database of the server.
pub(super) struct Server {
    pub(super) connection: PgConnection,
    /// The server process of the session.
    pub(super) backend: super::backend::Backend,
    /// The name of the database to administer.
    pub(super) name: String,
    /// The name of the database of the session.
    pub(super) connected_to: String,
    place: String,
    timeout: Duration,
}

impl Server {
    pub(super) async fn connect(
        options: &ServerOptions,
        settings: &Settings,
        maintenance: Option<&str>,
    ) -> Result<Self, DatabaseError> {
        let name = url::database(options);
        let candidates: Vec<&str> = match maintenance {
            Some(given) => vec![given],
            None => MAINTENANCE.into_iter().filter(|it| *it != name).collect(),
        };
        Self::connect_to(options, settings, &candidates).await
    }

    /// Connects for work beside the database, which may be connected to itself. A session in
    /// template1 would prevent others from creating databases.
    pub(super) async fn connect_beside(
        options: &ServerOptions,
        settings: &Settings,
    ) -> Result<Self, DatabaseError> {
        let [usual, last] = MAINTENANCE;
        let candidates = [usual, url::database(options), last];
        Self::connect_to(options, settings, &candidates).await
    }

    async fn connect_to(
        options: &ServerOptions,
        settings: &Settings,
        candidates: &[&str],
    ) -> Result<Self, DatabaseError> {
        let prepared = connect::prepared(options, settings);
        // Creating and dropping a database copies or removes many files, which takes time.
        let patient = [
            ("statement_timeout", "0".to_owned()),
            ("lock_timeout", "0".to_owned()),
        ];
        let mut first = None;
        for candidate in candidates {
            let there = prepared.clone().database(candidate);
            let (at, timeout) = (self::place(&there), settings.connect_timeout);
            match connect::open(&there, &patient, timeout, &at).await {
                Ok((connection, backend)) => {
                    return Ok(Self {
                        connection,
                        backend,
                        name: url::database(options).to_owned(),
                        connected_to: (*candidate).to_owned(),
                        place: self::place(options),
                        timeout,
                    });
                }
                // The maintenance database may be closed to this role, or dropped.
                Err(error @ (DatabaseError::Missing { .. } | DatabaseError::Denied { .. })) => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first.unwrap_or_else(|| DatabaseError::Missing {
            kind: PlaceKind::Server,
            place: self::place(options),
        }))
    }

    async fn finish<T>(
        mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let result = work(&mut self).await;
        self.close().await;
        result
    }

    pub(super) async fn close(self) {
        // The work is done, and a server that does not respond ends the session by itself.
        let _ = tokio::time::timeout(self.timeout, self.connection.close()).await;
    }

    async fn create(&mut self) -> Result<bool, DatabaseError> {
        // A missing privilege matters only if the database must be created.
        if self.exists().await? {
            return Ok(false);
        }
        let sql = format!("CREATE DATABASE {}", quoted(&self.name));
        let mut attempt = 1;
        loop {
            let Err(error) = unpinned_rows(&mut self.connection, &sql).await else {
                return Ok(true);
            };
            match error::code(&error) {
                // Another session created it first.
                Some(DUPLICATE_DATABASE | UNIQUE_VIOLATION) => return Ok(false),
                // Another session is in template1, the template of new databases.
                Some(IN_USE) if attempt < ATTEMPTS => {
                    if self.exists().await? {
                        return Ok(false);
                    }
                    attempt += 1;
                }
                _ => return Err(self.refused(&error, Action::Create)),
            }
        }
    }

    async fn drop(&mut self, force: bool) -> Result<bool, DatabaseError> {
        if !self.exists().await? {
            return Ok(false);
        }
        if !force {
            // Sessions without a user belong to the server, which stops them by itself.
            let others = "AND a.usesysid IS NOT NULL";
            let begin = Instant::now();
            loop {
                match self.refuse_others(others).await {
                    Err(DatabaseError::InUse { .. }) if begin.elapsed() < LEAVING => {
                        tokio::time::sleep(LOOK).await;
                    }
                    outcome => break outcome?,
                }
            }
        }
        let knows_force = self
            .connection
            .server_version_num()
            .is_some_and(|version| version >= KNOWS_FORCE);
        let how = if force && knows_force {
            " WITH (FORCE)"
        } else {
            ""
        };
        let sql = format!("DROP DATABASE {}{how}", quoted(&self.name));
        let mut attempt = 1;
        loop {
            if force && !knows_force {
                self.terminate_others().await?;
            }
            let Err(error) = unpinned_rows(&mut self.connection, &sql).await else {
                return Ok(true);
            };
            match error::code(&error) {
                Some(UNDEFINED_DATABASE) => return Ok(false),
                Some(IN_USE) if force && attempt < ATTEMPTS => attempt += 1,
                Some(IN_USE) => {
                    self.refuse_others("").await?;
                    return Err(self.refused(&error, Action::Drop));
                }
                _ => return Err(self.refused(&error, Action::Drop)),
            }
        }
    }

    pub(super) async fn exists(&mut self) -> Result<bool, DatabaseError> {
        // The cast to a name truncates to the length used by the server.
        let sql = format!(
            "SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}::pg_catalog.name",
            literal(&self.name)
        );
        Ok(!self.ask(&sql).await?.is_empty())
    }

    /// Fails if other sessions are connected to the database.
    async fn refuse_others(&mut self, which: &str) -> Result<(), DatabaseError> {
        let sql = format!(
            "SELECT pg_catalog.concat('pid ', a.pid, ', ', a.usename, \
             CASE WHEN a.client_addr IS NOT NULL THEN ' at ' END, pg_catalog.host(a.client_addr), \
             CASE WHEN a.application_name <> '' THEN ', ' END, a.application_name) \
             FROM pg_catalog.pg_stat_activity AS a \
             WHERE a.datname = {}::pg_catalog.name AND a.pid <> pg_catalog.pg_backend_pid() {which} \
             ORDER BY a.pid",
            literal(&self.name)
        );
        let mut by: Vec<String> = Vec::new();
        for row in self.ask(&sql).await? {
            by.push(row.try_get(0).map_err(|error| lost(&error))?);
        }
        if by.is_empty() {
            return Ok(());
        }
        let place = self.place.clone();
        Err(DatabaseError::InUse {
            kind: PlaceKind::Server,
            place,
            by,
        })
    }

    async fn terminate_others(&mut self) -> Result<(), DatabaseError> {
        let sql = format!(
            "{WITHOUT_WARNINGS};\n\
             SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a \
             WHERE a.datname = {}::pg_catalog.name AND a.pid <> pg_catalog.pg_backend_pid()",
            literal(&self.name)
        );
        match rows(&mut self.connection, &sql).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.refused(&error, Action::Drop)),
        }
    }

    /// The rows of a query.
    pub(super) async fn ask(
        &mut self,
        sql: &str,
    ) -> Result<Vec<sqlx::postgres::PgRow>, DatabaseError> {
        let found = rows(&mut self.connection, sql).await;
        found.map_err(|error| match error::from_server(&error) {
            Some(server) => DatabaseError::Sql(error::failure(server, None)),
            None => lost(&error),
        })
    }

    /// The error of the server for a command about the database.
    pub(super) fn refused(&self, error: &sqlx::Error, action: Action) -> DatabaseError {
        match error::from_server(error) {
            Some(server) => DatabaseError::Refused {
                action,
                place: self.place.clone(),
                failure: error::failure(server, None),
            },
            None => lost(error),
        }
    }
}

fn lost(error: &sqlx::Error) -> DatabaseError {
    DatabaseError::ConnectionLost(error::reason(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_hold_anything() {
        assert_eq!(quoted("shop"), "\"shop\"");
        assert_eq!(
            quoted("a\"; DROP DATABASE b; --"),
            "\"a\"\"; DROP DATABASE b; --\""
        );
    }
}
