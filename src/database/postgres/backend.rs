//! The server's side of a session: its process, and whether requested settings are in force.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

use sqlx::{
    PgConnection, Row,
    postgres::{PgRow, types::Oid},
};

use super::{
    super::DatabaseError,
    asked::Setting,
    error,
    message::{block, literal, unpinned_rows},
    options::{ServerOptions, TargetSession},
    product::Product,
    psql, session,
};

/// A server process, distinguished from a later one with the same number.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    pub pid: i32,
    /// The time of its start, in ISO 8601 with its zone.
    pub started: String,
    /// The number of the database.
    pub database: Oid,
    /// The number of the role of the login.
    pub role: Oid,
    /// Whether the session lacks the options of the login, which means that a pooler is in between.
    pub pooled: bool,
    /// Whether the server checks regularly that the client still exists, even while it works.
    /// Otherwise the work of a killed process continues and keeps its lock.
    pub is_watchful: bool,
    /// Commands for settings that the login cannot make, since RESET reverts them.
    pub settings: Vec<String>,
    /// Timeouts that would end an idle session or a long transaction: `idle_session_timeout =
    /// 5min`.
    pub set_aside: Vec<String>,
    /// The reason why the session is read-only, if it is.
    pub read_only: Option<ReadOnly>,
    /// Whether the role of the login is a superuser.
    pub superuser: bool,
    /// Whether [`psql::follow`] has run.
    pub is_as_psql: bool,
    pub product: Product,
    /// Whether the server refuses some statements in a message with others, as Citus does.
    pub takes_one: bool,
    /// The search path of a session that goes from schema to schema. The login has set none, so RESET
    /// does not restore it.
    pub path: Option<SearchPath>,
}

/// Commands that set a search path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SearchPath {
    /// For the session.
    pub session: String,
    /// For the transaction.
    pub local: String,
}

impl SearchPath {
    pub fn new(path: &str) -> Self {
        let path = literal(path);
        let set = |is_local: bool| {
            format!("SELECT pg_catalog.set_config('search_path', {path}, {is_local})")
        };
        Self {
            session: set(false),
            local: set(true),
        }
    }
}

impl Backend {
    /// The session of a psql script: it has no settings of a migrator connection, and TimeZone and
    /// DateStyle have their defaults.
    pub fn of_script(asked: &[(String, String)]) -> Self {
        let commands = asked.iter().map(|(name, value)| {
            let (name, value) = (literal(name), literal(value));
            block(&format!(
                "BEGIN PERFORM pg_catalog.set_config({name}, {value}, false); END"
            ))
        });
        Self {
            pid: 0,
            started: String::new(),
            database: Oid(0),
            role: Oid(0),
            pooled: true,
            is_watchful: false,
            settings: commands.collect(),
            set_aside: Vec::new(),
            read_only: None,
            superuser: false,
            is_as_psql: true,
            product: Product::default(),
            takes_one: false,
            path: None,
        }
    }

    /// Commands that revert [`PINNED`](super::message::PINNED) within a transaction, for a script that
    /// follows.
    pub fn unpinned(&self) -> [&str; 2] {
        let path = self.path.as_ref().map(|path| path.local.as_str());
        [
            path.unwrap_or("SET LOCAL search_path TO DEFAULT"),
            "SET LOCAL row_security TO DEFAULT",
        ]
    }

    /// Whether both are the same process.
    pub fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }
}

/// The reason why a session is read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadOnly {
    /// The server is a standby.
    Standby,
    /// `default_transaction_read_only` is on.
    Default,
}

impl ReadOnly {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Standby => "the server is a standby (in recovery)",
            Self::Default => {
                "default_transaction_read_only is on, set by the server, the database, the role or the URL"
            }
        }
    }
}

/// A setting made at login with a unique value. A pooler drops it, refuses it, or assigns a server
/// session with another value.
pub(super) const MARK: &str = "migrator.session";

/// The first version with `client_connection_check_interval`, as `server_version_num`.
const KNOWS_WATCHFUL: u32 = 140_000;

/// The settings that every session is asked for, except [`TIMEOUTS`].
const SETTINGS: [&str; 4] = [
    MARK,
    "client_connection_check_interval",
    "default_transaction_read_only",
    "is_superuser",
];

/// Timeouts that end an idle session or a long transaction.
const TIMEOUTS: [&str; 3] = [
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
];

/// Whether process `a`, as of pg_stat_activity, is `backend`, as a condition that no setting affects.
pub(super) fn is_process(pid: i32, started: &str) -> String {
    format!(
        "a.pid = {pid} AND a.backend_start = {}::timestamptz",
        literal(started)
    )
}

/// Sets the role until the end of the message: the server hides a session from other roles, and a
/// role may be set for it at login.
pub(super) const AS_LOGIN: &str = "SET LOCAL ROLE NONE";

/// A value for a connection's mark.
pub(super) fn unique_mark() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    // With a clock before 1970, the mark is less unique.
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{:x}-{number:x}", process::id(), now.as_nanos())
}

/// Identifies the process of a session, and checks whether the requested settings are in force.
pub(super) async fn identify(
    connection: &mut PgConnection,
    options: &ServerOptions,
    mark: &str,
    place: &str,
) -> Result<Backend, DatabaseError> {
    let lost = |error: &sqlx::Error| error::connecting(error, place);
    let version = connection.server_version_num();
    let mut watchful = version.is_none_or(|version| version >= KNOWS_WATCHFUL);
    let mut asked = Some(asked(&options.settings)).filter(|asked| !asked.is_empty());
    let found = loop {
        let message = question(asked.as_deref(), watchful);
        match unpinned_rows(connection, &message).await {
            Ok(found) => break found,
            // The setting can be made only at login.
            Err(error) if asked.is_some() && error::is_too_late(&error) => asked = None,
            // Not every platform supports the setting.
            Err(error) if watchful && error::from_server(&error).is_some() => watchful = false,
            Err(error) => {
                // Other servers lack what the question names.
                if error::from_server(&error).is_some() {
                    let product = Product::ask(connection, options.get_host()).await;
                    product.unwrap_or_default().check(place)?;
                }
                return Err(lost(&error));
            }
        }
    };
    let answers = Answers(&found);
    let role = match answers.role().map_err(|error| lost(&error))? {
        Some(role) => role,
        None => role(connection).await.map_err(|error| lost(&error))?,
    };
    let mut backend = answers
        .backend(mark, &options.settings, role)
        .map_err(|error| lost(&error))?;
    let version = answers.version().map_err(|error| lost(&error))?;
    backend.product = Product::of(version, options.get_host());
    backend.product.check(place)?;
    if asked.is_some() || backend.pooled {
        answers.verify(place).map_err(|error| lost(&error))??;
    }
    if asked.is_none() && backend.pooled && !options.settings.is_empty() {
        return Err(not_in_force(place, "options", "a pooler is in between"));
    }
    verify_target(options.target, backend.read_only, place)?;
    if !backend.pooled && !backend.settings.is_empty() {
        let sent = unpinned_rows(connection, &backend.settings.join(";\n")).await;
        sent.map_err(|error| lost(&error))?;
    }
    Ok(backend)
}

/// The number of columns of [`asked`]; the session's row has more.
const ASKED: usize = 3;

/// Queries of the values in force, and of the requested values in the server's format.
fn asked(settings: &[Setting]) -> String {
    let mut queries = Vec::new();
    for setting in settings.iter().filter(|it| is_verified(&it.name)) {
        let (name, value) = (literal(&setting.name), literal(&setting.value));
        queries.push(format!(
            "SELECT {name}::pg_catalog.text, \
             pg_catalog.current_setting({name}, true), pg_catalog.set_config({name}, {value}, true)"
        ));
    }
    queries.join(";\n")
}

/// Whether a setting is verified after the login. The others are set by commands, which fail by
/// themselves.
fn is_verified(name: &str) -> bool {
    let by_command = ["lock_timeout", "statement_timeout"];
    !by_command.contains(&name) && !psql::is_hidden(name)
}

/// Whether the extension Citus is installed: its table tells that sooner than the list of extensions, which
/// no session has read before.
const HAS_CITUS: &str = "pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL";

/// The role of the session, on servers that do not tell it with the session.
async fn role(connection: &mut PgConnection) -> Result<Oid, sqlx::Error> {
    let sql = "SELECT pg_catalog.quote_ident(SESSION_USER)::pg_catalog.regrole::pg_catalog.oid";
    let found = unpinned_rows(connection, sql).await?;
    found.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)
}

fn question(asked: Option<&str>, watchful: bool) -> String {
    let own = [watchful.then_some(session::BE_WATCHFUL), Some(AS_LOGIN)];
    let own: Vec<_> = own.into_iter().flatten().collect();
    let settings = SETTINGS.iter().chain(&TIMEOUTS).map(|name| {
        let name = literal(name);
        format!("pg_catalog.current_setting({name}, true)")
    });
    let body = format!(
        "{};\nSET LOCAL datestyle TO ISO;\n\
         SELECT a.pid, a.backend_start::pg_catalog.text, a.datid, a.usesysid, \
         pg_catalog.pg_is_in_recovery(), pg_catalog.version(), {HAS_CITUS}, {} \
         FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a",
        own.join(";\n"),
        settings.collect::<Vec<_>>().join(", "),
    );
    match asked {
        Some(asked) => format!("{asked};\n{body}"),
        None => body,
    }
}

/// The server's result of [`question`].
struct Answers<'a>(&'a [PgRow]);

impl Answers<'_> {
    /// The rows of [`asked`].
    fn asked(&self) -> impl Iterator<Item = &PgRow> {
        self.0.iter().filter(|row| row.len() == ASKED)
    }

    /// The row of the session.
    fn session(&self) -> Result<&PgRow, sqlx::Error> {
        let mut rows = self.0.iter().filter(|row| row.len() > ASKED);
        rows.next().ok_or(sqlx::Error::RowNotFound)
    }

    /// The text of `version()`.
    fn version(&self) -> Result<&str, sqlx::Error> {
        self.session()?.try_get(5)
    }

    /// The role that has logged in.
    fn role(&self) -> Result<Option<Oid>, sqlx::Error> {
        self.session()?.try_get(3)
    }

    fn backend(&self, mark: &str, asked: &[Setting], role: Oid) -> Result<Backend, sqlx::Error> {
        let row = self.session()?;
        let setting = |index: usize| row.try_get::<Option<&str>, _>(7 + index);
        let [mark_found, interval, read_only, superuser] = [0, 1, 2, 3].map(setting);
        let (mut settings, mut set_aside) = (Vec::new(), Vec::new());
        for (index, name) in (SETTINGS.len()..).zip(TIMEOUTS) {
            let Some(value) = setting(index)?.filter(|value| *value != "0") else {
                continue;
            };
            if !asked.iter().any(|asked| asked.name == name) {
                settings.push(format!("SET {name} TO 0"));
                set_aside.push(format!("{name} = {value}"));
            }
        }
        let read_only = match (row.try_get(4)?, read_only? == Some("on")) {
            (true, _) => Some(ReadOnly::Standby),
            (false, true) => Some(ReadOnly::Default),
            (false, false) => None,
        };
        Ok(Backend {
            pid: row.try_get(0)?,
            started: row.try_get(1)?,
            database: row.try_get(2)?,
            role,
            pooled: mark_found? != Some(mark),
            is_watchful: interval?.is_some_and(|interval| interval != "0"),
            settings,
            set_aside,
            read_only,
            superuser: superuser? == Some("on"),
            is_as_psql: false,
            product: Product::default(),
            takes_one: row.try_get(6)?,
            path: None,
        })
    }

    /// Compares the requested values with those in force.
    fn verify(&self, place: &str) -> Result<Result<(), DatabaseError>, sqlx::Error> {
        for row in self.asked() {
            let name: String = row.try_get(0)?;
            let found: Option<String> = row.try_get(1)?;
            let wanted: Option<String> = row.try_get(2)?;
            if found != wanted {
                let asked = format!("{name} = {}", wanted.unwrap_or_default());
                let found = match found {
                    Some(found) if !found.is_empty() => format!("it is {found}"),
                    _ => "it is not set".to_owned(),
                };
                return Ok(Err(not_in_force(place, &asked, &found)));
            }
        }
        Ok(Ok(()))
    }
}

pub(super) fn not_in_force(place: &str, asked: &str, found: &str) -> DatabaseError {
    DatabaseError::NotInForce {
        place: place.to_owned(),
        asked: asked.to_owned(),
        found: found.to_owned(),
    }
}

fn verify_target(
    target: TargetSession,
    read_only: Option<ReadOnly>,
    place: &str,
) -> Result<(), DatabaseError> {
    let standby = read_only == Some(ReadOnly::Standby);
    let (name, fits) = match target {
        TargetSession::Any => return Ok(()),
        TargetSession::ReadWrite => ("read-write", read_only.is_none()),
        TargetSession::ReadOnly => ("read-only", read_only.is_some()),
        TargetSession::Primary => ("primary", !standby),
        TargetSession::Standby => ("standby", standby),
    };
    if fits {
        return Ok(());
    }
    let found = read_only.map_or("the server is writable", ReadOnly::reason);
    let asked = format!("target_session_attrs = {name}");
    Err(not_in_force(place, &asked, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_to_be_of_the_kind_that_was_asked_for() {
        use ReadOnly::{Default, Standby};
        let check = |target, found, fits| {
            let verified = verify_target(target, found, "x");
            assert_eq!(verified.is_ok(), fits, "{target:?} {found:?}");
        };
        for found in [None, Some(Default), Some(Standby)] {
            check(TargetSession::Any, found, true);
            check(TargetSession::ReadWrite, found, found.is_none());
            check(TargetSession::ReadOnly, found, found.is_some());
            check(TargetSession::Primary, found, found != Some(Standby));
            check(TargetSession::Standby, found, found == Some(Standby));
        }
    }
}
