//! Opens sessions and finds the schema of the version table.

use std::time::Duration;

use sqlx::{
    ConnectOptions, PgConnection, Row,
    postgres::{PgConnectOptions, PgSslMode},
};

use super::{
    super::{DatabaseError, PlaceKind, Settings, SqlFailure, TlsProblem, notice::SESSION},
    backend::{self, Backend, MARK, unique_mark},
    error,
    message::{PINNED, literal, unpinned_rows},
    options::ServerOptions,
    socket::{Known, Socket},
    trust::Relation,
    version_table::{self, Presence, Trouble, VersionTable},
};

/// The oldest supported server, as `server_version_num`.
const OLDEST: u32 = 120_000;

/// The options of every session.
pub(super) fn prepared(options: &ServerOptions, settings: &Settings) -> ServerOptions {
    named(options, &settings.application_name).asking(&settings.session)
}

/// The options of a session with another application name.
pub(super) fn named(options: &ServerOptions, application_name: &str) -> ServerOptions {
    options.clone().map(|login| {
        login
            // Otherwise whole scripts would be logged.
            .disable_statement_logging()
            // PgBouncer rejects this option.
            .extra_float_digits(None)
            .application_name(shortened(application_name))
    })
}

/// Opens a session with `defaults` for the server's settings, which a pooler drops. The requested
/// settings are then verified.
pub(super) async fn open(
    options: &ServerOptions,
    defaults: &[(&str, String)],
    timeout: Duration,
    place: &str,
) -> Result<(PgConnection, Backend), DatabaseError> {
    let timeout = options.connect_timeout.unwrap_or(timeout);
    for file in &options.files {
        // The client library would not say which file is missing.
        file.metadata().map_err(|error| DatabaseError::Tls {
            place: place.to_owned(),
            problem: TlsProblem::Other(format!("{}: {error}", file.display())),
        })?;
    }
    let opening = async {
        let mark = unique_mark();
        let mut connection = login(options, defaults, &mark)
            .await
            .map_err(|error| refused(&error, options, place))?;
        check_version(&connection)?;
        let backend = backend::identify(&mut connection, options, &mark, place).await?;
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

/// Opens a session for scripts, with its socket if that can be determined.
pub(super) async fn open_for_scripts(
    options: &ServerOptions,
    defaults: &[(&str, String)],
    timeout: Duration,
    place: &str,
) -> Result<(PgConnection, Backend, Option<Socket>), DatabaseError> {
    let known = Known::now();
    let (mut connection, mut backend) = open(options, defaults, timeout, place).await?;
    let socket = Socket::opened_since(&known, options.get_port());
    if let Some(socket) = &socket {
        socket.keep_alive(options.keepalives);
    }
    backend::as_psql(&mut connection, &mut backend, options, place).await?;
    for timeout in &backend.set_aside {
        log::debug!(target: SESSION, "{timeout} is disabled in this session");
    }
    Ok((connection, backend, socket))
}

/// Connects without running a query.
pub(super) async fn login(
    options: &ServerOptions,
    defaults: &[(&str, String)],
    mark: &str,
) -> Result<PgConnection, sqlx::Error> {
    match login_once(options.login(), options, defaults, mark).await {
        Err(error) if options.prefers_plain && error::refuses_plain(&error) => {
            let encrypted = options.login().clone().ssl_mode(PgSslMode::Require);
            login_once(&encrypted, options, defaults, mark).await
        }
        connected => connected,
    }
}

async fn login_once(
    login: &PgConnectOptions,
    options: &ServerOptions,
    defaults: &[(&str, String)],
    mark: &str,
) -> Result<PgConnection, sqlx::Error> {
    let keepalives = options.keepalives.settings();
    let defaults = defaults.iter().map(|(name, value)| (*name, value.as_str()));
    let keepalives = keepalives
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    let marked = login.clone();
    let marked = marked.options(keepalives.chain(defaults).chain([(MARK, mark)]));
    match marked.connect().await {
        Err(error) if error::refuses_options(&error) => login.connect().await,
        Err(error) if error::was_just_renamed(&error) => marked.connect().await,
        connected => connected,
    }
}

/// The reason why a login failed. A pooler may reject options.
fn refused(error: &sqlx::Error, options: &ServerOptions, place: &str) -> DatabaseError {
    let is_refused = error::refuses_options(error) || error::refuses_setting(error);
    if is_refused && !options.settings.is_empty() {
        let names = options.settings.iter().map(|it| it.name.as_str());
        let names: Vec<_> = names.collect();
        return backend::not_in_force(place, &names.join(", "), &error::reason(error));
    }
    error::connecting(error, place)
}

/// The maximum length of a name on the server in bytes.
pub(super) const LONGEST_NAME: usize = 63;

/// A name truncated to [`LONGEST_NAME`].
pub(super) fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}

/// Finds the version table: in the schema of its qualified name, or in the first schema of the
/// search path. Creates nothing.
pub(super) async fn resolve(
    connection: &mut PgConnection,
    configured: &str,
) -> Result<VersionTable, DatabaseError> {
    let (schema, name) = split_name(configured).map_err(DatabaseError::Other)?;
    let found = find(connection, schema.as_deref(), &name)
        .await
        .map_err(|error| asking(&error))?;
    let Some(home) = found.home else {
        let Some(schema) = schema else {
            let closed = closed(connection).await.map_err(|error| asking(&error))?;
            return Err(closed.unwrap_or_else(|| nowhere(&name)));
        };
        return Err(DatabaseError::MissingSchema {
            schema,
            table: name,
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

struct Found {
    /// The schema that the name resolves to; `None` if there is none.
    home: Option<String>,
    /// The relations in that schema with the name of the table or its log.
    relations: Vec<Relation>,
    /// Other possible version tables, with their schemas.
    others: Vec<String>,
}

/// Expressions that run under the session's search path, so that [`PATH`] and [`HOME`] can be read
/// when that is pinned.
pub(super) const NOTE_PATH: &str = "SELECT pg_catalog.set_config('migrator.path', \
     pg_catalog.current_schemas(false)::pg_catalog.text, true), \
     pg_catalog.set_config('migrator.home', pg_catalog.current_schema()::pg_catalog.text, true)";

/// The first existing schema of the search path, in which new tables are created; see [`PATH`]. No
/// schema has an empty name.
const HOME: &str = "coalesce(current_setting('migrator.home'), '')::name";

/// The existing schemas of the session's search path, after [`NOTE_PATH`] has run in the same
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
    // The first row is that of the path; the others are distinguished by their columns.
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

/// The schemas of the search path that exist but that the role may not use.
async fn closed(connection: &mut PgConnection) -> Result<Option<DatabaseError>, sqlx::Error> {
    let sql = "SELECT n.nspname::pg_catalog.text, CURRENT_USER::pg_catalog.text \
         FROM pg_catalog.pg_namespace AS n \
         JOIN pg_catalog.unnest(pg_catalog.string_to_array(\
         pg_catalog.current_setting('search_path'), ',')) AS p(item) \
         ON n.nspname OPERATOR(pg_catalog.=) (CASE pg_catalog.btrim(p.item) \
         WHEN '\"$user\"' THEN CURRENT_USER::pg_catalog.text \
         ELSE pg_catalog.btrim(p.item, ' \"') END)::pg_catalog.name \
         ORDER BY n.nspname";
    let mut names = Vec::new();
    let mut role = String::new();
    for row in unpinned_rows(connection, sql).await? {
        names.push(row.try_get::<String, _>(0)?);
        role = row.try_get(1)?;
    }
    Ok((!names.is_empty()).then(|| DatabaseError::MissingRights {
        role,
        rights: "USAGE".to_owned(),
        object: format!("the schema {}", names.join(" or ")),
    }))
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

/// The schema and the table of a configured name; each may be in double quotes.
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
    // PostgreSQL silently truncates longer names, and the name of the log is `_log` longer.
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
