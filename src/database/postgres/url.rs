//! URLs of servers.

use std::{fmt, net::IpAddr};

use super::{
    credentials,
    options::ServerOptions,
    parameters::{self, Parameters},
};
use crate::database::location::{LocationError, decode, parameters_of};

/// The supported URL schemes.
pub(in crate::database) const SCHEMES: &[&str] = &["postgres", "postgresql"];

/// Names that other tools use for these schemes.
pub(in crate::database) const OTHER_SCHEMES: &[&str] = &["pg", "pgsql", "psql"];

/// Characters that end the part of a URL that contains the password.
const ESCAPE_HINT: &str = "characters such as / # ? @ : in a user name or password must be written as %2F %23 %3F %40 %3A";

/// Parses the part of a URL after the scheme.
///
/// libpq's environment (`PGHOST`, `PGPASSWORD`, `PGSSLMODE` …), service and password files supply
/// what the URL omits.
pub(in crate::database) fn parse(rest: &str) -> Result<ServerOptions, LocationError> {
    let (before, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut given = server_part(before)?;
    given.extend(checked_parameters(parameters)?);
    options_of(given)
}

/// Parses libpq's other connection string, `host=db dbname=shop`; returns `None` for other text.
pub(in crate::database) fn parse_keywords(
    text: &str,
) -> Option<Result<ServerOptions, LocationError>> {
    parameters::is_keywords(text).then(|| options_of(parameters::keywords(text)?))
}

/// A connection string of keywords without its password.
pub(in crate::database) fn keywords_without_password(text: &str) -> String {
    let Ok(pairs) = parameters::keywords(text) else {
        return text.to_owned();
    };
    if !parameters::is_keywords(text) {
        return text.to_owned();
    }
    let pairs = pairs.into_iter().filter(|(name, _)| name != "password");
    let pairs = pairs.map(|(name, value)| {
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        format!("{name}='{value}'")
    });
    pairs.collect::<Vec<_>>().join(" ")
}

fn options_of(given: Vec<(String, String)>) -> Result<ServerOptions, LocationError> {
    let (settings, given): (Vec<_>, Vec<_>) = given
        .into_iter()
        .partition(|(name, _)| setting_of(name).is_some());
    let mut parameters = Parameters::resolve(given, parameters::variable)?;
    for (name, value) in &settings {
        parameters.add_setting(setting_of(name).unwrap_or_default(), value);
    }
    credentials::check()?;
    ServerOptions::of(&parameters)
}

/// The name in `options[name]`.
fn setting_of(name: &str) -> Option<&str> {
    name.strip_prefix("options[")?.strip_suffix(']')
}

/// The parameters of `//user:password@host:port/database`.
fn server_part(before: &str) -> Result<Vec<(String, String)>, LocationError> {
    let authority = before.strip_prefix("//").ok_or_else(|| {
        LocationError::Syntax("`//` is missing after `postgres:` (postgres://user@host/db)".into())
    })?;
    let (server, path) = authority.split_once('/').unwrap_or((authority, ""));
    if path.contains('@') || before.contains('#') {
        return Err(LocationError::Syntax(ESCAPE_HINT.into()));
    }
    let (login, address) = match server.rsplit_once('@') {
        Some((login, address)) => (login, address),
        None => ("", server),
    };
    if address.contains(',') {
        return Err(LocationError::Syntax(
            "it names several hosts; name only the host to migrate".into(),
        ));
    }
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let (host, port) = host_and_port(address, before)?;
    let parts = [
        ("user", Some(user)),
        ("password", password),
        ("host", Some(host)),
        ("port", port),
        ("dbname", Some(path)),
    ];
    let mut given = Vec::new();
    for (name, value) in parts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            given.push((name.to_owned(), decode(value)?));
        }
    }
    Ok(given)
}

/// Splits `host:port`. An IPv6 address is in brackets.
fn host_and_port<'a>(
    address: &'a str,
    before: &str,
) -> Result<(&'a str, Option<&'a str>), LocationError> {
    let wrong = |reason: &str| {
        LocationError::Syntax(if before.contains('@') {
            format!("{reason}; {ESCAPE_HINT}")
        } else {
            reason.to_owned()
        })
    };
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or_else(|| wrong("the address of its host has no closing `]`"))?;
            match port.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if port.is_empty() => (host, None),
                None => return Err(wrong("the port of its host cannot be read")),
            }
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if port.is_some_and(|port| !is_port(port)) {
        return Err(wrong("the port of its host is not a number"));
    }
    if host.contains(|c: char| c.is_whitespace() || c == '\\') {
        return Err(wrong("the name of its host cannot be read"));
    }
    Ok((host, port))
}

fn checked_parameters(text: &str) -> Result<Vec<(String, String)>, LocationError> {
    if text.contains('#') {
        return Err(LocationError::Syntax(ESCAPE_HINT.into()));
    }
    // Apparent parameters may be the rest of a password that contains a `?`, which must not be
    // shown.
    let doubtful = text.contains('@');
    let given = parameters_of(text)?;
    for (name, value) in &given {
        let known = setting_of(name).is_some() || parameters::find(name).is_some();
        let may_hold_at = matches!(name.as_str(), "user" | "password" | "dbname");
        if doubtful && (!known || value.contains('@') && !may_hold_at) {
            return Err(LocationError::Syntax(ESCAPE_HINT.into()));
        }
        if !known {
            return Err(parameters::unknown(name));
        }
    }
    Ok(given)
}

/// The location of the database for display; never with a password.
pub(super) fn place(options: &ServerOptions) -> String {
    fmt::from_fn(|f| write(options, f)).to_string()
}

/// Writes [`place`].
pub(in crate::database) fn write(
    options: &ServerOptions,
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
    } else if host.contains(':') {
        write!(f, "postgres://{user}@[{host}]:{port}/{database}")
    } else {
        write!(f, "postgres://{user}@{host}:{port}/{database}")
    }
}

/// The host, or the directory of the socket.
fn server_of(options: &ServerOptions) -> String {
    let socket = options.get_socket().map(|path| path.display().to_string());
    socket.unwrap_or_else(|| options.get_host().to_owned())
}

/// The machine of a server; empty for this machine, whether by socket or by a loopback address.
fn machine(options: &ServerOptions) -> String {
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

/// The database's name. Every parsed URL has one.
pub(in crate::database) fn database(options: &ServerOptions) -> &str {
    options
        .get_database()
        .unwrap_or_else(|| options.get_username())
}

/// The address without user and password, equal for all spellings. All ways to reach a port of this
/// machine count as one and have no host.
pub(in crate::database) fn address(options: &ServerOptions) -> String {
    format!(
        "postgres://{}:{}/{}",
        machine(options),
        options.get_port(),
        database(options)
    )
}

/// The server without the database, equal for all spellings.
#[cfg(feature = "cli")]
pub(in crate::database) fn server(options: &ServerOptions) -> String {
    format!("{}:{}", machine(options), options.get_port())
}

/// Whether the server is on this machine.
pub(in crate::database) fn is_local(options: &ServerOptions) -> bool {
    machine(options).is_empty()
}
