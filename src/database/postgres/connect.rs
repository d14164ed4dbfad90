//! Opening sessions, and finding the schema of the version table.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use sqlx::{ConnectOptions, PgConnection, Row, postgres::PgConnectOptions};

use super::{
    super::{DatabaseError, PlaceKind, SqlFailure},
    error,
    message::{PINNED, literal, rows, unpinned_rows},
    session,
    trust::Relation,
    version_table::{self, Presence, Trouble, VersionTable},
};

/// The oldest server that is known to work, as `server_version_num`.
const OLDEST: u32 = 120_000;

/// A server process, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    pub pid: i32,
    pub started: String,
    /// Whether it knows nothing of what we said at connect: a pooler is in between.
    pub pooled: bool,
    /// Whether it looks now and then if we still exist, also while it is at work. Otherwise
    /// what a killed process has begun continues, and keeps its lock.
    pub is_watchful: bool,
}

/// Set at connect to a value that no other session has. A pooler drops it, refuses it, or hands
/// out a server session that was made with another value.
const MARK: &str = "migrator.session";

/// Options that every session of ours has.
pub(super) fn prepared(options: &PgConnectOptions, application_name: &str) -> PgConnectOptions {
    options
        .clone()
        // Whole scripts would reach the logger.
        .disable_statement_logging()
        // PgBouncer refuses it at connect.
        .extra_float_digits(None)
        .application_name(shortened(application_name))
}

/// Opens a session with `defaults` for the server's settings, which a pooler drops.
pub(super) async fn open(
    options: &PgConnectOptions,
    defaults: &[(&str, String)],
    timeout: Duration,
    place: &str,
) -> Result<(PgConnection, Backend), DatabaseError> {
    let opening = async {
        let mark = unique_mark();
        let mut connection = login(options, defaults, &mark)
            .await
            .map_err(|error| error::connecting(&error, place))?;
        check_version(&connection)?;
        let backend = identify(&mut connection, &mark)
            .await
            .map_err(|error| error::connecting(&error, place))?;
        Ok((connection, backend))
    };
    tokio::time::timeout(timeout, opening)
        .await
        .unwrap_or_else(|_| {
            Err(DatabaseError::Unreachable {
                kind: PlaceKind::Server,
                place: place.to_owned(),
                reason: format!("no answer within {timeout:?}"),
            })
        })
}

/// Connects and asks nothing.
pub(super) async fn login(
    options: &PgConnectOptions,
    defaults: &[(&str, String)],
    mark: &str,
) -> Result<PgConnection, sqlx::Error> {
    let defaults = defaults.iter().map(|(name, value)| (*name, value.as_str()));
    let marked = options.clone().options(defaults.chain([(MARK, mark)]));
    match marked.connect().await {
        Err(error) if error::refuses_options(&error) => options.connect().await,
        Err(error) if error::was_just_renamed(&error) => marked.connect().await,
        connected => connected,
    }
}

/// Bytes that a name on the server may have.
pub(super) const LONGEST_NAME: usize = 63;

/// Cut to [`LONGEST_NAME`].
pub(super) fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}

/// Finds the version table: in the schema that its name says, or in the first one of the search path.
/// Makes nothing.
pub(super) async fn resolve(
    connection: &mut PgConnection,
    configured: &str,
) -> Result<VersionTable, DatabaseError> {
    let (schema, name) = split_name(configured).map_err(DatabaseError::Other)?;
    let found = find(connection, schema.as_deref(), &name)
        .await
        .map_err(|error| asking(&error))?;
    let Some(home) = found.home else {
        return Err(match schema {
            Some(schema) => DatabaseError::MissingSchema {
                schema,
                table: name,
            },
            None => nowhere(&name),
        });
    };
    let is_there = found.relations.iter().any(|one| one.name == name);
    let presence = match is_there {
        true => Presence::There,
        false => Presence::Unknown,
    };
    let mut table = VersionTable::new(&home, &name, presence);
    table.note_others(is_there, found.others);
    let judged = table.judge(connection, &found.relations).await;
    judged.map_err(|trouble| match trouble {
        Trouble::Ours(error) => error,
        Trouble::Theirs(error) => asking(&error),
    })?;
    Ok(table)
}

fn nowhere(name: &str) -> DatabaseError {
    DatabaseError::Sql(SqlFailure {
        message: format!(
            "no schema of the search path exists and may be used by this role, so there is no place \
             for {name}"
        ),
        hint: Some(
            "create the schema, GRANT USAGE on it, or name another one: \
             version-table = \"schema.table\""
                .into(),
        ),
        ..SqlFailure::default()
    })
}

/// `client_connection_check_interval` is known from here on, as `server_version_num`.
const KNOWS_WATCHFUL: u32 = 140_000;

struct Found {
    /// The schema that the name leads to; `None` where there is none.
    home: Option<String>,
    /// Tables of the name, and of its log's, in that schema.
    relations: Vec<Relation>,
    /// Version tables that could be meant as well, with their schemas.
    others: Vec<String>,
}

/// Expressions that run under the session's search path, for [`PATH`] and [`HOME`] to be read when
/// that is pinned.
pub(super) const NOTE_PATH: &str = "SELECT pg_catalog.set_config('migrator.path', \
     pg_catalog.current_schemas(false)::pg_catalog.text, true), \
     pg_catalog.set_config('migrator.home', pg_catalog.current_schema()::pg_catalog.text, true)";

/// The first schema of the search path that is there, where new tables are made; as [`PATH`]. No
/// schema has an empty name.
const HOME: &str = "coalesce(current_setting('migrator.home'), '')::name";

/// The schemas of the session's search path that are there, once [`NOTE_PATH`] has run in the same
/// message.
pub(super) const PATH: &str = "current_setting('migrator.path')::name[]";

async fn find(
    connection: &mut PgConnection,
    schema: Option<&str>,
    name: &str,
) -> Result<Found, sqlx::Error> {
    let home = schema.map_or_else(
        || HOME.to_owned(),
        |schema| format!("{}::name", literal(schema)),
    );
    let relations = version_table::relations(name, &home);
    let others = version_table::others(name, &home, schema.is_none());
    let sql = format!(
        "{NOTE_PATH};\n{};\n\
         SELECT n.nspname::text FROM pg_namespace AS n WHERE n.nspname = {home};\n\
         {relations};\n{others}",
        PINNED.join(";\n")
    );
    let rows = unpinned_rows(connection, &sql).await?;
    let mut found = Found {
        home: None,
        relations: Vec::new(),
        others: Vec::new(),
    };
    // The first row is the path's; the others are told apart by their columns.
    for row in rows.iter().skip(1) {
        match row.len() {
            1 => found.home = Some(row.try_get(0)?),
            2 => {
                let (schema, table): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                found.others.push(format!("{schema}.{table}"));
            }
            _ => found.relations.push(Relation::of(row)?),
        }
    }
    Ok(found)
}

fn asking(error: &sqlx::Error) -> DatabaseError {
    match error::from_server(error) {
        Some(server) => DatabaseError::Sql(error::failure(server, None)),
        None => DatabaseError::ConnectionLost(error::reason(error)),
    }
}

fn check_version(connection: &PgConnection) -> Result<(), DatabaseError> {
    match connection.server_version_num() {
        Some(version) if version < OLDEST => Err(DatabaseError::Other(format!(
            "the server is PostgreSQL {}.{}; version 12 or newer is required",
            version / 10_000,
            version / 100 % 100,
        ))),
        _ => Ok(()),
    }
}

/// A value for a connection's mark.
pub(super) fn unique_mark() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    // A clock before 1970 leaves a mark that is not quite as unique.
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{:x}-{number:x}", process::id(), now.as_nanos())
}

/// Until the end of its message: the server hides a session from other roles, and a role may be
/// set for it before it begins.
pub(super) const AS_LOGIN: &str = "SET LOCAL ROLE NONE";

async fn identify(connection: &mut PgConnection, mark: &str) -> Result<Backend, sqlx::Error> {
    let watchful = connection
        .server_version_num()
        .is_none_or(|version| version >= KNOWS_WATCHFUL);
    let identity = format!(
        "{AS_LOGIN};\nSELECT a.pid, a.backend_start::text, pg_catalog.current_setting('{MARK}', true), \
         pg_catalog.current_setting('client_connection_check_interval', true) \
         FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a"
    );
    let watched = format!("{};\n{identity}", session::BE_WATCHFUL);
    let found = match rows(connection, if watchful { &watched } else { &identity }).await {
        // Not every platform has it.
        Err(error) if watchful && error::from_server(&error).is_some() => {
            rows(connection, &identity).await?
        }
        found => found?,
    };
    let row = found.first().ok_or(sqlx::Error::RowNotFound)?;
    let interval = row.try_get::<Option<String>, _>(3)?;
    Ok(Backend {
        pid: row.try_get(0)?,
        started: row.try_get(1)?,
        pooled: row.try_get::<Option<String>, _>(2)?.as_deref() != Some(mark),
        is_watchful: interval.is_some_and(|interval| interval != "0"),
    })
}

/// The schema and the table of a configured name; each may stand in double quotes.
pub(super) fn split_name(configured: &str) -> Result<(Option<String>, String), String> {
    let mut parts = vec![String::new()];
    let mut characters = configured.trim().chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        let part = parts.last_mut().expect("there is always one");
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => part.push('"'),
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            other => part.push(other),
        }
    }
    if quoted || parts.iter().any(String::is_empty) || parts.len() > 2 {
        return Err(format!("`{configured}` is not a table's name"));
    }
    let name = parts.pop().expect("there is always one");
    // PostgreSQL cuts longer names silently, and the log's has `_log` more.
    if name.len() > 59 {
        return Err(format!("the table's name `{name}` is longer than 59 bytes"));
    }
    Ok((parts.pop(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_may_be_qualified_and_quoted() {
        let check = |text: &str, schema: Option<&str>, name: &str| {
            let expected = (schema.map(str::to_owned), name.to_owned());
            assert_eq!(split_name(text), Ok(expected), "{text}");
        };
        check("t", None, "t");
        check("Mixed", None, "Mixed");
        check("s.t", Some("s"), "t");
        check("\"a.b\".\"c \"\"d\"", Some("a.b"), "c \"d");
        for text in ["", ".t", "s.", "a.b.c", "\"t", &"x".repeat(60)] {
            assert!(split_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(shortened("migrator"), "migrator");
        assert_eq!(shortened(&"ż".repeat(40)), "ż".repeat(31));
    }
}
