//! URLs of servers.

use std::{fmt, net::IpAddr, str::FromStr};

use sqlx::postgres::PgConnectOptions;

use super::credentials;
use crate::{
    database::location::{LocationError, decode, has_password, parameters_of},
    nearest::misspelt,
};

/// What the URLs begin with.
pub(in crate::database) const SCHEMES: &[&str] = &["postgres", "postgresql"];

/// What others call them.
pub(in crate::database) const OTHER_SCHEMES: &[&str] = &["pg", "pgsql", "psql"];

/// Parameters that sqlx acts upon.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Characters that end the part of a URL a password stands in.
const ESCAPE_HINT: &str = "characters such as / # ? @ : in a user name or password must be written as %2F %23 %3F %40 %3A";

/// Reads what follows the scheme.
///
/// PostgreSQL's environment (`PGHOST`, `PGPASSWORD`, `PGSSLMODE` …) and password file fill in what
/// the URL leaves open.
pub(in crate::database) fn parse(rest: &str) -> Result<PgConnectOptions, LocationError> {
    let (before, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    check_server_part(before)?;
    check_parameters(parameters)?;
    credentials::check(
        &parameters_of(parameters)?,
        has_password(before, parameters),
    )?;
    let hostless = without_host(before, parameters)?;
    let rest = hostless.as_deref().unwrap_or(rest);
    let url = format!("postgres:{rest}");
    let options = PgConnectOptions::from_str(&url).map_err(|error| unreadable(before, error))?;
    if options.get_database().is_some() {
        return Ok(options);
    }
    // As libpq: without a name it is the user's. Said in the URL, so that the
    // password file is searched for that database.
    let separator = if rest.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}dbname={}", encode(options.get_username()));
    PgConnectOptions::from_str(&url).map_err(|error| unreadable(before, error))
}

fn check_server_part(before: &str) -> Result<(), LocationError> {
    let authority = before.strip_prefix("//").ok_or_else(|| {
        LocationError::Syntax("`//` is missing after `postgres:` (postgres://user@host/db)".into())
    })?;
    let (server, path) = authority.split_once('/').unwrap_or((authority, ""));
    if path.contains('@') || before.contains('#') {
        return Err(LocationError::Syntax(ESCAPE_HINT.into()));
    }
    let host = server.rsplit_once('@').map_or(server, |(_, host)| host);
    if host.contains(',') {
        return Err(LocationError::Syntax(
            "it names several hosts; name only the host to migrate".into(),
        ));
    }
    Ok(())
}

/// `//user:password@/db`, as it is written for sockets: URLs with a user must have a host, so user,
/// password and port become parameters.
fn without_host(before: &str, parameters: &str) -> Result<Option<String>, LocationError> {
    let authority = before.strip_prefix("//").unwrap_or(before);
    let (server, path) = authority.split_once('/').unwrap_or((authority, ""));
    let Some((login, address)) = server.rsplit_once('@') else {
        return Ok(None);
    };
    if !address.is_empty() && !address.starts_with(':') {
        return Ok(None);
    }
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let given = [
        ("user", Some(user)),
        ("password", password),
        ("port", address.strip_prefix(':')),
    ];
    let mut pairs = Vec::new();
    for (name, value) in given {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            pairs.push(format!("{name}={}", encode(&decode(value)?)));
        }
    }
    pairs.extend((!parameters.is_empty()).then(|| parameters.to_owned()));
    Ok(Some(format!("///{path}?{}", pairs.join("&"))))
}

fn check_parameters(parameters: &str) -> Result<(), LocationError> {
    if parameters.contains('#') {
        return Err(LocationError::Syntax(ESCAPE_HINT.into()));
    }
    // What looks like parameters may be the rest of a password with a `?` in
    // it, which must not be shown.
    let doubtful = parameters.contains('@');
    for (name, value) in parameters_of(parameters)? {
        let setting = name.starts_with("options[") && name.ends_with(']');
        let known = setting || PARAMETERS.contains(&name.as_str());
        let may_hold_at = matches!(name.as_str(), "user" | "password" | "dbname");
        if doubtful && (!known || value.contains('@') && !may_hold_at) {
            return Err(LocationError::Syntax(ESCAPE_HINT.into()));
        }
        if !known {
            return Err(LocationError::Parameter {
                nearest: misspelt(&name, PARAMETERS.iter().copied()),
                name,
            });
        }
    }
    Ok(())
}

/// What the library says names the part that is wrong, but not its text.
fn unreadable(before: &str, error: sqlx::Error) -> LocationError {
    let reason = match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    };
    LocationError::Syntax(if before.contains('@') {
        format!("{reason}; {ESCAPE_HINT}")
    } else {
        reason
    })
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Where the database is, for people; never with a password.
pub(super) fn place(options: &PgConnectOptions) -> String {
    fmt::from_fn(|f| write(options, f)).to_string()
}

/// Writes [`place`].
pub(in crate::database) fn write(
    options: &PgConnectOptions,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let port = options.get_port();
    let user = options.get_username();
    let database = database(options);
    let host = server_of(options);
    if host.starts_with('/') {
        write!(f, "postgres://{user}@/{database}?host={host}")?;
        if port == 5432 {
            Ok(())
        } else {
            write!(f, "&port={port}")
        }
    } else if host.contains(':') && !host.starts_with('[') {
        write!(f, "postgres://{user}@[{host}]:{port}/{database}")
    } else {
        write!(f, "postgres://{user}@{host}:{port}/{database}")
    }
}

/// The host, or the directory of the socket.
fn server_of(options: &PgConnectOptions) -> String {
    let socket = options.get_socket().map(|path| path.display().to_string());
    socket.unwrap_or_else(|| options.get_host().to_owned())
}

/// The machine of a server: empty for this one, whether by socket or by a loopback address.
fn machine(options: &PgConnectOptions) -> String {
    let server = server_of(options);
    let name = server.trim_end_matches('.').to_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address
        .parse::<IpAddr>()
        .map_or(name == "localhost", |address| address.is_loopback());
    if name.starts_with('/') || is_loopback {
        String::new()
    } else {
        name
    }
}

/// As libpq has it: the user's name where the URL names none.
pub(in crate::database) fn database(options: &PgConnectOptions) -> &str {
    options
        .get_database()
        .unwrap_or_else(|| options.get_username())
}

/// The address without user and password: equal for all spellings of it. All ways to a port of this
/// machine count as one, and have no host.
pub(in crate::database) fn address(options: &PgConnectOptions) -> String {
    format!(
        "postgres://{}:{}/{}",
        machine(options),
        options.get_port(),
        database(options)
    )
}

/// Whether it is a server on this machine.
pub(in crate::database) fn is_local(options: &PgConnectOptions) -> bool {
    machine(options).is_empty()
}
