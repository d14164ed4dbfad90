//! Opens sessions.

use std::time::Duration;

use sqlx::{
    ConnectOptions, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

use super::{
    super::{DatabaseError, PlaceKind, Settings, TlsProblem, notice::SESSION},
    backend::{self, Backend, MARK, unique_mark},
    error,
    options::ServerOptions,
    socket::{Known, Socket},
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(shortened("migrator"), "migrator");
        assert_eq!(shortened(&"ż".repeat(40)), "ż".repeat(31));
    }
}
