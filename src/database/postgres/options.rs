//! The options of a connection: how to reach the server, and the requested settings.

use std::{
    env,
    net::IpAddr,
    ops::Deref,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{
    asked::{self, Setting},
    parameters::Parameters,
    password_file::{self, Wanted},
};
use crate::{
    database::{Settings, location::LocationError},
    files,
};

/// An unlimited wait, short enough to be added to an `Instant`.
const ENDLESS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The file of certificates that the user trusts.
const ROOT_CERTIFICATE: &str = "root.crt";

/// The server, the login and the requested settings.
#[derive(Clone)]
pub struct ServerOptions {
    login: PgConnectOptions,
    /// The settings requested by URL and environment, in the order in which the server applies
    /// them.
    pub(super) settings: Vec<Setting>,
    pub(super) target: TargetSession,
    /// The connect timeout, which overrides the configuration.
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalives: Keepalives,
    /// The trusted certificates, which replace those of the system.
    root: Option<PathBuf>,
    /// The certificate and key files that a connection reads.
    pub(super) files: Vec<PathBuf>,
    /// Whether to connect without TLS first, and with it only if the server requires it.
    pub(super) prefers_plain: bool,
}

impl Deref for ServerOptions {
    type Target = PgConnectOptions;

    fn deref(&self) -> &PgConnectOptions {
        &self.login
    }
}

/// The acceptable kinds of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TargetSession {
    #[default]
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
}

/// TCP keepalives, for both ends of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keepalives {
    pub is_on: bool,
    /// The seconds of silence before the first keepalive.
    pub idle: u32,
    /// The seconds between two keepalives.
    pub interval: u32,
    /// The number of keepalives that may be lost.
    pub count: u32,
    /// The milliseconds that sent data may stay unacknowledged; zero uses the system's default.
    pub user_timeout: u32,
}

impl Default for Keepalives {
    fn default() -> Self {
        Self {
            is_on: true,
            idle: 20,
            interval: 10,
            count: 3,
            user_timeout: 0,
        }
    }
}

impl Keepalives {
    /// The settings for the server's end.
    pub(super) fn settings(self) -> Vec<(&'static str, String)> {
        if !self.is_on {
            return Vec::new();
        }
        let mut settings = vec![
            ("tcp_keepalives_idle", self.idle.to_string()),
            ("tcp_keepalives_interval", self.interval.to_string()),
            ("tcp_keepalives_count", self.count.to_string()),
        ];
        if self.user_timeout > 0 {
            settings.push(("tcp_user_timeout", self.user_timeout.to_string()));
        }
        settings
    }
}

impl ServerOptions {
    /// The same server with the settings of the configuration. Settings requested already are kept.
    pub(super) fn asking(mut self, settings: &[(String, String)]) -> Self {
        for (name, value) in settings {
            if self.settings.iter().all(|known| known.name != *name) {
                asked::put(&mut self.settings, name, value.clone());
                self.login = self.login.options([(name, value)]);
            }
        }
        self
    }

    /// The settings for a connection: the `configured` ones, overridden by those requested here.
    pub(in crate::database) fn adjust(&self, mut settings: Settings) -> Settings {
        let configured = std::mem::take(&mut settings.session);
        for Setting { name, value } in self.clone().asking(&configured).settings {
            match name.as_str() {
                "lock_timeout" => {
                    settings.lock_timeout = asked::duration(&value).unwrap_or_default()
                }
                "statement_timeout" => {
                    settings.statement_timeout = asked::duration(&value).unwrap_or_default();
                }
                _ => settings.session.push((name, value)),
            }
        }
        settings
    }
    /// The same server with the login changed by `change`.
    pub(super) fn map(mut self, change: impl FnOnce(PgConnectOptions) -> PgConnectOptions) -> Self {
        self.login = change(self.login);
        self
    }

    /// Another database of the same server.
    pub(super) fn database(self, name: &str) -> Self {
        self.map(|login| login.database(name))
    }

    #[cfg(feature = "cli")]
    pub(in crate::database) fn root_certificates(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    pub(super) fn login(&self) -> &PgConnectOptions {
        &self.login
    }

    /// Creates options from parameters.
    ///
    /// # Errors
    /// [`LocationError`] of an invalid value, or when no database is named.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, LocationError> {
        let mut login = PgConnectOptions::new_without_pgpass();
        let host = host(parameters)?;
        let is_socket = |host: &str| host.starts_with('/');
        if let Some(host) = &host {
            login = if is_socket(host) {
                login.socket(host)
            } else {
                login.host(host)
            };
        }
        let is_local = host.as_deref().map_or(login.get_host(), |host| host);
        let is_local = is_socket(is_local);
        login = login.port(port(parameters)?.unwrap_or(5432));
        if let Some(user) = parameters.text("user") {
            login = login.username(user);
        }
        let Some(database) = parameters.text("dbname") else {
            return Err(LocationError::NoDatabase);
        };
        login = login.database(database);
        if let Some(password) = password(parameters, &login)? {
            login = login.password(&password);
        }
        let mode = ssl_mode(parameters, is_local)?;
        let mut files = Vec::new();
        login = certificates(parameters, login.ssl_mode(mode), &mut files)?;
        let settings = asked::of(parameters)?;
        for Setting { name, value } in &settings {
            // The settings of PGOPTIONS are set already; setting them again is harmless.
            login = login.options([(name.as_str(), value.as_str())]);
        }
        Ok(Self {
            login,
            settings,
            target: target(parameters),
            connect_timeout: connect_timeout(parameters)?,
            keepalives: keepalives(parameters)?,
            root: root(parameters).filter(|_| is_verified(mode)),
            files,
            prefers_plain: parameters.text("sslmode") == Some("allow") && !is_local,
        })
    }
}

/// The host, the address, or the directory of the socket; `None` if none is given.
fn host(parameters: &Parameters) -> Result<Option<String>, LocationError> {
    let host = parameters.get("host");
    let address = parameters.get("hostaddr");
    for value in [host, address].into_iter().flatten() {
        if value.text.contains(',') {
            return Err(several("several hosts"));
        }
    }
    if let Some(address) = address {
        let parsed = address.text.parse::<IpAddr>();
        parsed.map_err(|_| address.refused("expected an IP address"))?;
        let verified = parameters.text("sslmode") == Some("verify-full");
        if verified && host.is_some_and(|host| host.text != address.text) {
            return Err(address.refused(
                "with sslmode=verify-full the certificate is compared with `host`, which is also \
                 what is connected to; leave hostaddr out",
            ));
        }
        return Ok(Some(address.text.clone()));
    }
    let Some(host) = host else {
        return Ok(None);
    };
    if host.text.starts_with('@') {
        return Err(host.refused("abstract sockets are not supported"));
    }
    let text = host.text.strip_prefix('[');
    let text = text.and_then(|text| text.strip_suffix(']'));
    Ok(Some(text.unwrap_or(&host.text).to_owned()))
}

fn several(what: &str) -> LocationError {
    LocationError::Syntax(format!("it names {what}; name the one to migrate"))
}

fn port(parameters: &Parameters) -> Result<Option<u16>, LocationError> {
    let Some(port) = parameters.get("port") else {
        return Ok(None);
    };
    if port.text.contains(',') {
        return Err(several("several ports"));
    }
    match port.text.trim().parse() {
        Ok(number @ 1..) => Ok(Some(number)),
        _ => Err(port.refused("expected a port, 1 to 65535")),
    }
}

fn password(
    parameters: &Parameters,
    login: &PgConnectOptions,
) -> Result<Option<String>, LocationError> {
    if let Some(password) = parameters.text("password") {
        return Ok(Some(password.to_owned()));
    }
    // As in libpq, the name is preferred to its address.
    let named = parameters.text("host").or(parameters.text("hostaddr"));
    let wanted = Wanted {
        host: named.unwrap_or(login.get_host()),
        port: login.get_port(),
        database: login.get_database().unwrap_or_default(),
        user: login.get_username(),
    };
    password_file::find(parameters.text("passfile"), &wanted)
}

fn ssl_mode(parameters: &Parameters, is_socket: bool) -> Result<PgSslMode, LocationError> {
    if is_socket {
        // As in libpq, nobody can intercept a socket connection.
        return Ok(PgSslMode::Disable);
    }
    let asked = parameters.get("sslmode");
    let is_system = parameters.text("sslrootcert") == Some("system");
    let mode = match (asked.map(|mode| mode.text.as_str()), parameters.text("ssl")) {
        (Some(mode), _) => mode,
        (None, Some("true")) => "require",
        (None, Some(_)) => "disable",
        (None, None) if parameters.text("requiressl") == Some("1") => "require",
        (None, None) if is_system => "verify-full",
        (None, None) => "prefer",
    };
    if let Some(asked) = asked.filter(|asked| is_system && asked.text != "verify-full") {
        return Err(asked.refused("sslrootcert=system needs sslmode=verify-full"));
    }
    Ok(match mode {
        "disable" => PgSslMode::Disable,
        "allow" => PgSslMode::Allow,
        // As in libpq, naming trusted certificates implies their verification.
        "require" if root(parameters).is_some_and(|root| root.exists()) => PgSslMode::VerifyCa,
        "require" => PgSslMode::Require,
        "verify-ca" => PgSslMode::VerifyCa,
        "verify-full" => PgSslMode::VerifyFull,
        _ => PgSslMode::Prefer,
    })
}

/// The trusted certificates: the named file, or the user's own if it exists.
fn root(parameters: &Parameters) -> Option<PathBuf> {
    match parameters.text("sslrootcert") {
        Some("system") => None,
        Some(named) => Some(named.into()),
        None => usual(ROOT_CERTIFICATE).filter(|usual| usual.exists()),
    }
}

/// A file of libpq in the user's home directory.
fn usual(name: &str) -> Option<PathBuf> {
    let home = if cfg!(windows) {
        PathBuf::from(env::var_os("APPDATA")?).join("postgresql")
    } else {
        env::home_dir()?.join(".postgresql")
    };
    Some(home.join(name))
}

fn is_verified(mode: PgSslMode) -> bool {
    matches!(mode, PgSslMode::VerifyCa | PgSslMode::VerifyFull)
}

fn certificates(
    parameters: &Parameters,
    mut login: PgConnectOptions,
    files: &mut Vec<PathBuf>,
) -> Result<PgConnectOptions, LocationError> {
    for name in ["sslrootcert", "sslcert", "sslkey"] {
        let named = parameters.text(name).filter(|named| *named != "system");
        named.map_or(Ok(()), |named| look(Path::new(named)))?;
    }
    let mode = login.get_ssl_mode();
    if is_verified(mode)
        && let Some(root) = root(parameters)
    {
        look(&root)?;
        files.push(root.clone());
        login = login.ssl_root_cert(root);
    }
    let given = |name: &str| parameters.text(name).map(PathBuf::from);
    let own = |name: &str| usual(name).filter(|usual| usual.exists());
    let certificate = given("sslcert").or_else(|| own("postgresql.crt"));
    let Some(certificate) = certificate else {
        return Ok(login);
    };
    let Some(key) = given("sslkey").or_else(|| own("postgresql.key")) else {
        return Err(LocationError::File {
            path: certificate.display().to_string(),
            reason: "its key is not named: sslkey".to_owned(),
        });
    };
    if matches!(mode, PgSslMode::Disable) {
        return Ok(login);
    }
    look(&certificate)?;
    look(&key)?;
    refuse_open_key(&key)?;
    files.extend([certificate.clone(), key.clone()]);
    Ok(login.ssl_client_cert(certificate).ssl_client_key(key))
}

/// Checks a file that the client library opens, which would wait for a named pipe forever.
fn look(path: &Path) -> Result<(), LocationError> {
    files::check(path).map_err(|found| LocationError::File {
        path: path.display().to_string(),
        reason: found.to_string(),
    })
}

/// As in libpq, a key must not be readable by others. A key of root may be readable by its group.
#[cfg(unix)]
fn refuse_open_key(key: &Path) -> Result<(), LocationError> {
    use std::os::unix::fs::MetadataExt;

    let Ok(metadata) = key.metadata() else {
        return Ok(());
    };
    let allowed = if metadata.uid() == 0 { 0o740 } else { 0o700 };
    if metadata.mode() & 0o777 & !allowed == 0 {
        return Ok(());
    }
    Err(LocationError::File {
        path: key.display().to_string(),
        reason: "the key can be read by others; chmod 600".to_owned(),
    })
}

#[cfg(not(unix))]
fn refuse_open_key(_: &Path) -> Result<(), LocationError> {
    Ok(())
}

fn target(parameters: &Parameters) -> TargetSession {
    match parameters.text("target_session_attrs") {
        Some("read-write") => TargetSession::ReadWrite,
        Some("read-only") => TargetSession::ReadOnly,
        Some("primary") => TargetSession::Primary,
        Some("standby") => TargetSession::Standby,
        // With a single host, a preference leaves no choice.
        _ => TargetSession::Any,
    }
}

/// As in libpq, zero and negative values mean no limit.
fn connect_timeout(parameters: &Parameters) -> Result<Option<Duration>, LocationError> {
    let seconds = parameters.number("connect_timeout")?;
    Ok(seconds.map(|seconds| match u64::try_from(seconds) {
        Ok(seconds @ 1..) => Duration::from_secs(seconds),
        _ => ENDLESS,
    }))
}

fn keepalives(parameters: &Parameters) -> Result<Keepalives, LocationError> {
    let usual = Keepalives::default();
    let number = |name: &str, usual: u32| {
        let given = parameters.number(name)?.unwrap_or(0);
        // As in libpq, zero means the default.
        Ok(u32::try_from(given)
            .ok()
            .filter(|it| *it > 0)
            .unwrap_or(usual))
    };
    Ok(Keepalives {
        is_on: parameters.text("keepalives") != Some("0"),
        idle: number("keepalives_idle", usual.idle)?,
        interval: number("keepalives_interval", usual.interval)?,
        count: number("keepalives_count", usual.count)?,
        user_timeout: number("tcp_user_timeout", usual.user_timeout)?,
    })
}
