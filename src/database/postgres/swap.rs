//! One database put in the place of another, by names.

use std::time::Duration;

use chrono::Utc;
use sqlx::postgres::PgRow;

use super::{
    super::{Action, Database, DatabaseError},
    Postgres,
    admin::{IN_USE, Server, quoted},
    backup::text,
    error,
    message::{literal, rows},
    scratch::{self, Scratch},
};

/// How often it is tried to rename a database that others come back to. The server waits for some
/// seconds each time.
const ATTEMPTS: usize = 4;

/// Between two looks at whether others are gone.
const NAP: Duration = Duration::from_millis(50);

/// Gives the scratch database the name that nobody has.
pub(super) async fn rename_one(scratch: &mut Scratch) -> Result<(), DatabaseError> {
    let sql = rename(&scratch.name, &scratch.server.name.clone());
    let renamed = rows(&mut scratch.server.connection, &sql).await;
    renamed
        .map(drop)
        .map_err(|error| scratch.server.refused(&error, Action::Replace))
}

fn rename(from: &str, to: &str) -> String {
    format!("ALTER DATABASE {} RENAME TO {}", quoted(from), quoted(to))
}

/// Renames both in one transaction. Returns the old one's new name.
///
/// RENAME first takes a lock that keeps new sessions out, and then waits for those that are there
/// to go; another session ends them meanwhile. So nobody comes in between, and no database is
/// closed that a crash could leave closed. `lock` is let go last.
pub(super) async fn swap(
    scratch: &mut Scratch,
    mut other: Server,
    lock: Postgres,
) -> Result<String, DatabaseError> {
    let name = scratch.server.name.clone();
    let kept = free_name(&mut other, &name).await?;
    let found = other.ask(&about(&name)).await?;
    let oid = text(found.first(), 0)?;
    for command in settings(&mut other, &name, &scratch.name).await? {
        let done = rows(&mut other.connection, &command).await;
        done.map_err(|error| other.refused(&error, Action::Replace))?;
    }
    let mut lock = Some(lock);
    for attempt in 1.. {
        let renaming = rename_both(&mut scratch.server, &name, &kept, &scratch.name);
        let renamed = tokio::select! {
            renamed = renaming => renamed,
            error = clear(&mut other, &oid, &mut lock) => return Err(error),
        };
        match renamed {
            Ok(()) => break,
            Err(error) if attempt < ATTEMPTS && error::code(&error) == Some(IN_USE) => {}
            Err(error) => return Err(scratch.server.refused(&error, Action::Replace)),
        }
    }
    other.close().await;
    Ok(kept)
}

/// `NAME_before_TIME`, with a number behind it where another restore of that second has it.
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
    // One by one: of what is sent together the server would do the rest, if we die.
    let commands = [
        "BEGIN",
        &rename(name, kept),
        &rename(scratch, name),
        "COMMIT",
    ];
    for command in commands {
        if let Err(error) = rows(&mut server.connection, command).await {
            let _ = rows(&mut server.connection, "ROLLBACK").await;
            return Err(error);
        }
    }
    Ok(())
}

/// Ends the sessions in a database as soon as nobody can begin a new one, ours at last. Comes back
/// only with an error.
async fn clear(server: &mut Server, oid: &str, lock: &mut Option<Postgres>) -> DatabaseError {
    // Those that wait to come in do not show the database yet.
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
        "SELECT pg_catalog.pg_terminate_backend(a.pid)::text FROM pg_catalog.pg_stat_activity AS a \
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

/// A query for the database of that name.
fn about(name: &str) -> String {
    format!(
        "SELECT d.oid::text FROM pg_catalog.pg_database AS d WHERE d.datname = {}",
        literal(name)
    )
}

/// Commands that give `new` what is set for the database `name` but is not in it: settings,
/// privileges, the limit of connections and the comment.
async fn settings(
    server: &mut Server,
    name: &str,
    new: &str,
) -> Result<Vec<String>, DatabaseError> {
    let new = literal(&quoted(new));
    // Lists keep their commas; they are stored as they are written.
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
