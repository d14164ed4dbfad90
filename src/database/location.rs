use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use sqlx::postgres::PgConnectOptions;

use super::credentials;
use crate::sql::Dialect;

/// Where a database is, read from a URL.
#[derive(Clone)]
pub enum Location {
    /// A server and a database on it.
    Postgres(Box<PgConnectOptions>),
    /// A file, or `:memory:`.
    Sqlite(PathBuf),
}

/// A URL that names no database. Never holds the URL itself, which may carry a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// Neither `sqlite:` nor `postgres:`.
    #[error("`{scheme}:` is not a database that migrator knows")]
    Scheme {
        /// As written.
        scheme: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// No scheme at all.
    #[error("the url has no scheme")]
    NoScheme,
    /// The rest of it can't be read.
    #[error("the url can't be read: {0}")]
    Syntax(String),
    /// A parameter after `?` that does not exist.
    #[error("the url has an unknown parameter `{name}`")]
    Parameter {
        /// As written.
        name: String,
        /// The known one nearest to it.
        nearest: Option<&'static str>,
    },
    /// A password file, certificate or key that is no regular file.
    #[error("cannot use {path}: {reason}")]
    File {
        /// As it is named.
        path: String,
        /// What it is.
        reason: String,
    },
}

impl Location {
    /// Reads `url`; relative SQLite paths are relative to `base`.
    ///
    /// PostgreSQL's environment (`PGHOST`, `PGPASSWORD`, `PGSSLMODE` …) and
    /// password file fill in what the URL leaves open.
    ///
    /// # Errors
    /// When it names no database.
    pub fn parse(url: &str, base: &Path) -> Result<Self, LocationError> {
        let url = url.trim();
        let (scheme, rest) = split_scheme(url).ok_or(LocationError::NoScheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite(rest, base),
            "postgres" | "postgresql" => postgres(rest),
            _ => Err(LocationError::Scheme {
                scheme: scheme.to_owned(),
                nearest: nearest_scheme(scheme),
            }),
        }
    }

    /// The database's own name: what people type to confirm.
    pub fn database_name(&self) -> String {
        match self {
            Self::Postgres(options) => database_of(options).to_owned(),
            Self::Sqlite(file) => file.file_name().map_or_else(
                || file.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
        }
    }

    /// Whether both lead to the same server and database, as far as the
    /// addresses tell. All ways to a port of this machine count as one.
    pub fn is_same_database(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Postgres(a), Self::Postgres(b)) => {
                machine_of(a) == machine_of(b)
                    && a.get_port() == b.get_port()
                    && database_of(a) == database_of(b)
            }
            (Self::Sqlite(a), Self::Sqlite(b)) => real(a) == real(b),
            _ => false,
        }
    }

    /// Whether it is a SQLite file that does not exist.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Postgres(_) => false,
            Self::Sqlite(file) => file.as_os_str() != ":memory:" && !file.exists(),
        }
    }

    /// Where the database is, without user and password: equal for all spellings of one address.
    /// A server on this machine has no host.
    pub fn address(&self) -> String {
        match self {
            Self::Postgres(options) => format!(
                "postgres://{}:{}/{}",
                machine_of(options),
                options.get_port(),
                database_of(options)
            ),
            Self::Sqlite(file) => format!("sqlite:{}", real(file).display()),
        }
    }

    /// Whether the address means something else on another machine: files, and servers on this one.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Postgres(options) => machine_of(options).is_empty(),
            Self::Sqlite(_) => true,
        }
    }

    /// Whose rules hold there.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }
}

/// For people: never with a password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(options) => write_server(options, f),
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
        }
    }
}

/// A url that was read, without the password that may be in it.
pub fn without_password(url: &str) -> String {
    let (before, parameters) = match url.split_once('?') {
        Some((before, parameters)) => (before, Some(parameters)),
        None => (url, None),
    };
    let start = before.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = before.split_at(start);
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split_once(':').map_or(login, |(user, _)| user);
            format!("{user}@{host}")
        }
        None => authority.to_owned(),
    };
    let mut shown = format!("{scheme}{authority}{path}");
    let kept: Vec<_> = parameters
        .into_iter()
        .flat_map(|parameters| parameters.split('&'))
        .filter(|pair| !is_password(pair))
        .collect();
    if !kept.is_empty() {
        shown.push('?');
        shown.push_str(&kept.join("&"));
    }
    shown
}

fn has_password(before: &str, parameters: &str) -> bool {
    let login = before.rsplit_once('@').map_or("", |(login, _)| login);
    let login = login.trim_start_matches('/');
    login.contains(':') || parameters.split('&').any(is_password)
}

fn is_password(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    decode(name).is_ok_and(|name| name == "password")
}

/// Parameters of PostgreSQL URLs that sqlx acts upon.
const POSTGRES_PARAMETERS: &[&str] = &[
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

fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let named = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    // `app.db:x` has a dot where no scheme in use has one: a file name.
    (named && !scheme.contains('.')).then_some((scheme, rest))
}

fn nearest_scheme(scheme: &str) -> Option<&'static str> {
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite3" | "file" => Some("sqlite"),
        "pg" | "pgsql" | "psql" => Some("postgres"),
        other => nearest(other, &["sqlite", "postgres", "postgresql"]),
    }
}

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn sqlite(rest: &str, base: &Path) -> Result<Location, LocationError> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut in_memory = path == ":memory:";
    for (name, value) in parameters_of(parameters)? {
        match (name.as_str(), value.as_str()) {
            // The command decides whether a missing file is made.
            ("mode", "rw" | "rwc") => {}
            ("mode", "memory") => in_memory = true,
            ("mode", _) => {
                return Err(LocationError::Syntax(format!(
                    "`mode={value}` does not fit a database that is to be migrated"
                )));
            }
            _ => {
                return Err(LocationError::Parameter {
                    nearest: nearest(&name, &["mode"]),
                    name,
                });
            }
        }
    }
    if in_memory {
        return Ok(Location::Sqlite(":memory:".into()));
    }
    if path.is_empty() {
        return Err(LocationError::Syntax("it names no file".into()));
    }
    Ok(Location::Sqlite(base.join(decode(path)?)))
}

fn postgres(rest: &str) -> Result<Location, LocationError> {
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
        return Ok(Location::Postgres(Box::new(options)));
    }
    // As libpq: without a name it is the user's. Said in the URL, so that the
    // password file is searched for that database.
    let separator = if rest.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}dbname={}", encode(options.get_username()));
    let options = PgConnectOptions::from_str(&url).map_err(|error| unreadable(before, error))?;
    Ok(Location::Postgres(Box::new(options)))
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
            "it names several hosts; name the one to migrate".into(),
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
        let known = setting || POSTGRES_PARAMETERS.contains(&name.as_str());
        let may_hold_at = matches!(name.as_str(), "user" | "password" | "dbname");
        if doubtful && (!known || value.contains('@') && !may_hold_at) {
            return Err(LocationError::Syntax(ESCAPE_HINT.into()));
        }
        if !known {
            return Err(LocationError::Parameter {
                nearest: nearest(&name, POSTGRES_PARAMETERS),
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

fn parameters_of(text: &str) -> Result<Vec<(String, String)>, LocationError> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

pub(super) fn decode(text: &str) -> Result<String, LocationError> {
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = match bytes[at..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            decoded.push(high << 4 | low);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded)
        .map_err(|_| LocationError::Syntax("its %-escapes are not UTF-8".into()))
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn write_server(options: &PgConnectOptions, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let port = options.get_port();
    let user = options.get_username();
    let database = database_of(options);
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
fn machine_of(options: &PgConnectOptions) -> String {
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
fn database_of(options: &PgConnectOptions) -> &str {
    options
        .get_database()
        .unwrap_or_else(|| options.get_username())
}

/// The file behind links and other spellings, as far as there is one.
fn real(file: &Path) -> PathBuf {
    file.canonicalize().unwrap_or_else(|_| file.to_owned())
}

#[cfg(test)]
mod tests {
    use std::env;

    use proptest::prelude::*;

    use super::*;

    fn parse(url: &str) -> Result<Location, LocationError> {
        Location::parse(url, Path::new("/base"))
    }

    #[test]
    fn urls_lead_to_places() {
        let check = |url: &str, place: &str| {
            let shown = parse(url).map(|location| location.to_string());
            assert_eq!(shown.as_deref(), Ok(place), "{url}");
        };
        check("sqlite:rel.db", "sqlite:/base/rel.db");
        check("sqlite:./rel.db", "sqlite:/base/./rel.db");
        check("sqlite://rel.db", "sqlite:/base/rel.db");
        check("sqlite:///abs.db", "sqlite:/abs.db");
        check("sqlite:/abs.db", "sqlite:/abs.db");
        check("SQLite:a%20b%3F.db", "sqlite:/base/a b?.db");
        check("sqlite:100%.db", "sqlite:/base/100%.db");
        check("sqlite::memory:", "sqlite::memory:");
        check("sqlite://:memory:", "sqlite::memory:");
        check("sqlite:x.db?mode=rwc", "sqlite:/base/x.db");
        check("sqlite:x?mode=memory", "sqlite::memory:");
        check(" postgres://u:secret@h:6000/db ", "postgres://u@h:6000/db");
        check("postgresql://u:secret@h/db", "postgres://u@h:5432/db");
        check("postgres://u@h", "postgres://u@h:5432/u");
        check("postgres://a%2Fb@h", "postgres://a/b@h:5432/a/b");
        check("postgres://u@[::1]:7000/db", "postgres://u@[::1]:7000/db");
        check(
            "postgres://u:s%40%2Fx@h/db?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgres://u@h:5432/db",
        );
        check(
            "postgres:///db?host=/run/pg&user=u&password=secret@1",
            "postgres://u@/db?host=/run/pg",
        );
        check(
            "postgres://u@%2Frun%2Fpg:5433/db?options[search_path]=x",
            "postgres://u@/db?host=/run/pg&port=5433",
        );
        check(
            "postgres://a%26b:s%2B+%40@:6000/db?host=/run/pg",
            "postgres://a&b@/db?host=/run/pg&port=6000",
        );
    }

    #[test]
    fn a_password_is_taken_out_and_nothing_else() {
        let check = |url: &str, expected: &str| assert_eq!(without_password(url), expected);
        check("sqlite:a b.db?mode=rw", "sqlite:a b.db?mode=rw");
        check("sqlite::memory:", "sqlite::memory:");
        check("postgres://u:s%40x@h:1/db", "postgres://u@h:1/db");
        check(
            "postgres://u@h/db?sslmode=require",
            "postgres://u@h/db?sslmode=require",
        );
        check(
            "postgres:///db?user=u&pass%77ord=x@y&host=/run",
            "postgres:///db?user=u&host=/run",
        );
        check("postgres://h/db?password=x", "postgres://h/db");
    }

    #[test]
    fn what_is_shown_of_a_socket_can_be_read_again() {
        for shown in [
            "postgres://u@/db?host=/run/pg",
            "postgres://u@/db?host=/run/pg&port=5433",
        ] {
            let read = parse(shown).map(|location| location.to_string());
            assert_eq!(read.as_deref(), Ok(shown));
        }
    }

    #[test]
    fn other_urls_are_refused() {
        let check = |url: &str, expected: LocationError| {
            assert_eq!(parse(url).err(), Some(expected), "{url}");
        };
        let scheme = |scheme: &str, nearest| LocationError::Scheme {
            scheme: scheme.into(),
            nearest,
        };
        let parameter = |name: &str, nearest| LocationError::Parameter {
            name: name.into(),
            nearest,
        };
        check("app.db", LocationError::NoScheme);
        check("", LocationError::NoScheme);
        check("./a:b", LocationError::NoScheme);
        check("C:\\app.db", LocationError::NoScheme);
        check("app.db:x", LocationError::NoScheme);
        check("sqlite3:app.db", scheme("sqlite3", Some("sqlite")));
        check("file:app.db", scheme("file", Some("sqlite")));
        check("postgre://h/db", scheme("postgre", Some("postgres")));
        check("pg://h/db", scheme("pg", Some("postgres")));
        check("mysql://h/db", scheme("mysql", None));
        check(
            "postgres://h/db?ssl_mode=require",
            parameter("ssl_mode", Some("sslmode")),
        );
        check("postgres://h/db?zzz=1", parameter("zzz", None));
        check("sqlite:x.db?cache=shared", parameter("cache", None));
    }

    #[test]
    fn syntax_errors_say_what_is_wrong_without_the_password() {
        let check = |url: &str, part: &str| match parse(url) {
            Err(LocationError::Syntax(reason)) => {
                assert!(reason.contains(part), "{url}: {reason}");
                assert!(!reason.contains("secret"), "{url}: {reason}");
            }
            other => panic!("{url}: {:?}", other.map(|location| location.to_string())),
        };
        check("sqlite:", "no file");
        check("sqlite:x.db?mode=ro", "mode=ro");
        check("postgres:db", "//");
        check("postgres://u:secret/@h/db", "%2F");
        check("postgres://u:12/secret@h/db", "%2F");
        check("postgres://u:secret#1@h/db", "%23");
        check("postgres://u:12?secret@h/db", "%3F");
        check("postgres://u:secret@h:port/db", "port");
        check("postgres://u:secret@h/db?sslmode=maybe", "maybe");
        check("postgres://u:secret@a:1,b:2/db", "several hosts");
    }

    #[test]
    fn the_database_defaults_to_the_user() {
        let Ok(Location::Postgres(options)) = parse("postgres://jo%26hn@h?sslmode=disable") else {
            panic!("not read");
        };
        // The environment may name another one, as with libpq.
        let expected = env::var("PGDATABASE").unwrap_or_else(|_| "jo&hn".into());
        assert_eq!(options.get_database(), Some(expected.as_str()));
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(
            noise in "[a-z/#?@:%&=,\\[\\] ]{0,5}",
            place in "(h|h/db|h:1/db|h:x|/db|:1/db|:x|)",
        ) {
            let shown = match parse(&format!("postgres://u:hunter2{noise}hunter2@{place}")) {
                Ok(location) => location.to_string(),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
