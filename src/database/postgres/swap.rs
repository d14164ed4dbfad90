//! Replaces a database by renaming.

use std::time::Duration;

use chrono::Utc;
use sqlx::postgres::PgRow;
use tokio::time::Instant;

use super::{
    super::{Action, CopyError, Database, DatabaseError},
    Postgres,
    admin::{IN_USE, Server, quoted},
    backup::{failed, optional, text},
    error,
    message::{WITHOUT_WARNINGS, literal, rows, unpinned_rows},
    outcome::outlive,
    scratch::{self, Scratch},
};

/// The maximum number of attempts to rename a database to which others reconnect. The server waits
/// for some seconds each time.
const ATTEMPTS: usize = 4;

/// The interval at which other sessions are checked for.
const NAP: Duration = Duration::from_millis(50);

/// A renaming, with the facts that show whether it has taken effect.
struct Swap {
    /// The name that both databases have at some time.
    name: String,
    /// The database that has the name before, and its new name.
    old: Option<(String, String)>,
    /// The OID of the database that gets the name.
    new: String,
}

/// The way in which a renaming failed.
enum Broken {
    /// The renaming failed, or its result did not arrive.
    Renaming(sqlx::Error),
    /// The sessions in the old database could not be terminated, and the renaming was abandoned.
    Clearing(DatabaseError),
}

/// Renames the scratch database to a name that no database has.
pub(super) async fn rename_one(scratch: &mut Scratch) -> Result<(), CopyError> {
    let name = scratch.server.name.clone();
    let swap = Swap {
        new: oid(&mut scratch.server, &scratch.name).await?,
        old: None,
        name,
    };
    let sql = rename(&scratch.name, &swap.name);
    let renamed = rows(&mut scratch.server.connection, &sql).await;
    match renamed {
        Ok(_) => Ok(()),
        Err(error) => swap.settle(scratch, Broken::Renaming(error)).await,
    }
}

fn rename(from: &str, to: &str) -> String {
    format!("ALTER DATABASE {} RENAME TO {}", quoted(from), quoted(to))
}

/// Renames both databases in one transaction. Returns the new name of the old one.
///
/// RENAME first takes a lock that keeps new sessions out, and then waits for existing ones to end;
/// another session terminates them meanwhile. So no session can be opened in between, and no crash
/// can leave a database closed. `lock` is released last.
pub(super) async fn swap(scratch: &mut Scratch, lock: Postgres) -> Result<String, CopyError> {
    let mut other = scratch.connect().await?;
    let name = scratch.server.name.clone();
    let kept = free_name(&mut other, &name).await?;
    let old = oid(&mut other, &name).await?;
    let swap = Swap {
        new: oid(&mut other, &scratch.name).await?,
        old: Some((old.clone(), kept.clone())),
        name,
    };
    for command in settings(&mut other, &swap.name, &scratch.name).await? {
        let done = rows(&mut other.connection, &command).await;
        done.map_err(|error| other.refused(&error, Action::Replace))?;
    }
    let mut lock = Some(lock);
    for attempt in 1.. {
        let renaming = rename_both(&mut scratch.server, &swap.name, &kept, &scratch.name);
        let renamed = tokio::select! {
            renamed = renaming => renamed.map_err(Broken::Renaming),
            error = clear(&mut other, &old, &mut lock) => Err(Broken::Clearing(error)),
        };
        match renamed {
            Ok(()) => break,
            Err(Broken::Renaming(error))
                if attempt < ATTEMPTS && error::code(&error) == Some(IN_USE) => {}
            Err(broken) => {
                swap.settle(scratch, broken).await?;
                break;
            }
        }
    }
    other.close().await;
    Ok(kept)
}

impl Swap {
    /// Determines the outcome of a failed renaming. If the server has not reported it, it is
    /// queried over a new connection after the session that renamed has ended: a COMMIT whose
    /// result was lost may have taken effect.
    ///
    /// # Errors
    /// The reason of the failure; [`CopyError::ReplaceUnknown`] if the server cannot be queried.
    async fn settle(&self, scratch: &mut Scratch, broken: Broken) -> Result<(), CopyError> {
        let error = match broken {
            Broken::Renaming(error) if error::from_server(&error).is_some() => {
                return Err(scratch.server.refused(&error, Action::Replace).into());
            }
            Broken::Renaming(error) => DatabaseError::ConnectionLost(error::reason(&error)),
            Broken::Clearing(error) => error,
        };
        let deadline = Instant::now() + scratch.settings.connect_timeout;
        loop {
            match self.look(scratch, deadline).await {
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false)) => return Err(error.into()),
                Ok(None) => break,
                // The server may be starting.
                Err(_) if Instant::now() < deadline => tokio::time::sleep(NAP).await,
                Err(_) => break,
            }
        }
        Err(CopyError::ReplaceUnknown {
            database: self.name.clone(),
            kept: self.old.as_ref().map(|(_, kept)| kept.clone()),
            reason: match error {
                DatabaseError::ConnectionLost(reason) => reason,
                error => error.to_string(),
            },
        })
    }

    /// Whether both databases have their new names; `None` if neither the new nor the old names
    /// exist. The scratch database continues with the new connection.
    async fn look(
        &self,
        scratch: &mut Scratch,
        deadline: Instant,
    ) -> Result<Option<bool>, DatabaseError> {
        let mut server = scratch.connect().await?;
        let gone = outlive(&mut server.connection, &scratch.server.backend, deadline).await;
        if !gone.map_err(|error| failed(&error))? {
            return Ok(None);
        }
        let sql = format!(
            "SELECT d.oid::text, d.datname::text FROM pg_catalog.pg_database AS d \
             WHERE d.datname = {}::pg_catalog.name",
            literal(&self.name)
        );
        let found = server.ask(&sql).await?;
        let there = optional(found.first(), 0)?;
        scratch.server = server;
        let old = self.old.as_ref().map(|(oid, _)| oid);
        Ok(match &there {
            Some(there) if *there == self.new => Some(true),
            there if there.as_ref() == old => Some(false),
            _ => None,
        })
    }
}

/// The OID of the database with that name.
async fn oid(server: &mut Server, name: &str) -> Result<String, DatabaseError> {
    let found = server.ask(&about(name)).await?;
    text(found.first(), 0)
}

/// A free name `NAME_before_TIME`, with a number appended if another restore used it in the same
/// second.
async fn free_name(server: &mut Server, name: &str) -> Result<String, DatabaseError> {
    let time = Utc::now().format("%Y%m%d_%H%M%S").to_string();
    let mut kept = scratch::beside(name, "_before_", &time);
    for number in 2.. {
        if server.ask(&about(&kept)).await?.is_empty() {
            break;
        }
        kept = scratch::beside(name, "_before_", &format!("{time}_{number}"));
    }
    Ok(kept)
}

async fn rename_both(
    server: &mut Server,
    name: &str,
    kept: &str,
    scratch: &str,
) -> Result<(), sqlx::Error> {
    // The commands are sent one by one: if this process dies, the server would still run the rest
    // of a message.
    let commands = [
        "BEGIN",
        &rename(name, kept),
        &rename(scratch, name),
        "COMMIT",
    ];
    for command in commands {
        if let Err(error) = rows(&mut server.connection, command).await {
            let _ = unpinned_rows(&mut server.connection, "ROLLBACK").await;
            return Err(error);
        }
    }
    Ok(())
}

/// Terminates the sessions in a database as soon as no new one can be opened, this one last.
/// Returns only with an error.
async fn clear(server: &mut Server, oid: &str, lock: &mut Option<Postgres>) -> DatabaseError {
    // Sessions that wait at login do not show the database yet.
    let closed = format!(
        "SELECT 1 FROM pg_catalog.pg_locks AS l WHERE l.locktype = 'object' AND l.granted \
         AND l.mode = 'AccessExclusiveLock' AND l.objid = {oid} \
         AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass"
    );
    loop {
        let cleared = match server.ask(&closed).await {
            Ok(found) if found.is_empty() => Ok(()),
            Ok(_) => end_sessions(server, oid, lock).await,
            Err(error) => Err(error),
        };
        if let Err(error) = cleared {
            return error;
        }
        tokio::time::sleep(NAP).await;
    }
}

async fn end_sessions(
    server: &mut Server,
    oid: &str,
    lock: &mut Option<Postgres>,
) -> Result<(), DatabaseError> {
    let ours = lock.as_ref().map_or(0, |lock| lock.backend.pid);
    let ending = format!(
        "{WITHOUT_WARNINGS};\n\
         SELECT pg_catalog.pg_terminate_backend(a.pid)::text FROM pg_catalog.pg_stat_activity AS a \
         WHERE a.datid = {oid} AND a.pid <> {ours} AND a.backend_type = 'client backend'"
    );
    let ended = rows(&mut server.connection, &ending).await;
    let ended = ended.map_err(|error| server.refused(&error, Action::Replace))?;
    if ended.is_empty()
        && let Some(lock) = lock.take()
    {
        Box::new(lock).close().await?;
    }
    Ok(())
}

/// A query for the database with that name.
fn about(name: &str) -> String {
    format!(
        "SELECT d.oid::text FROM pg_catalog.pg_database AS d WHERE d.datname = {}",
        literal(name)
    )
}

/// Commands that copy to `new` what is set for the database `name` outside it: settings,
/// privileges, the connection limit and the comment.
async fn settings(
    server: &mut Server,
    name: &str,
    new: &str,
) -> Result<Vec<String>, DatabaseError> {
    let new = literal(&quoted(new));
    // Lists keep their commas, since they are stored as written.
    let sql = format!(
        "WITH d AS (SELECT d.* FROM pg_catalog.pg_database AS d WHERE d.datname = {}) \
         SELECT pg_catalog.format('ALTER DATABASE %s CONNECTION LIMIT %s', {new}, d.datconnlimit), 1 \
         FROM d WHERE d.datconnlimit >= 0 \
         UNION ALL SELECT pg_catalog.format('COMMENT ON DATABASE %s IS %L', {new}, c.description), 1 \
         FROM d JOIN pg_catalog.pg_shdescription AS c ON c.objoid = d.oid \
         AND c.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass \
         UNION ALL SELECT pg_catalog.format('REVOKE ALL ON DATABASE %s FROM PUBLIC', {new}), 2 \
         FROM d WHERE d.datacl IS NOT NULL \
         UNION ALL SELECT pg_catalog.format('GRANT %s ON DATABASE %s TO %s%s', a.privilege_type, {new}, \
         CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, \
         CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), 3 \
         FROM d, pg_catalog.aclexplode(d.datacl) AS a \
         UNION ALL SELECT pg_catalog.format('ALTER %s %s SET %I TO %s', \
         CASE WHEN s.setrole = 0 THEN 'DATABASE' ELSE pg_catalog.format('ROLE %I IN DATABASE', r.rolname) END, {new}, \
         pg_catalog.split_part(e.entry, '=', 1), CASE WHEN pg_catalog.split_part(e.entry, '=', 1) IN \
         ('search_path', 'local_preload_libraries', 'session_preload_libraries', 'temp_tablespaces') \
         THEN v.value ELSE pg_catalog.quote_literal(v.value) END), 4 \
         FROM d JOIN pg_catalog.pg_db_role_setting AS s ON s.setdatabase = d.oid \
         LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole \
         CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS e (entry) \
         CROSS JOIN LATERAL (SELECT pg_catalog.substr(e.entry, pg_catalog.strpos(e.entry, '=') + 1) AS value) AS v \
         ORDER BY 2, 1",
        literal(name)
    );
    let found = server.ask(&sql).await?;
    found.iter().map(|row: &PgRow| text(Some(row), 0)).collect()
}
