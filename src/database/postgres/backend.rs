//! The server's side of a session: its process, and whether requested settings are in force.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::DatabaseError,
    asked::Setting,
    error,
    message::{block, literal, pinned, unpinned_rows},
    options::{ServerOptions, TargetSession},
    session,
};

/// A server process, distinguished from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backend {
    pub pid: i32,
    pub started: String,
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
    /// Settings of role and database that the login hides.
    hidden: Vec<Setting>,
    /// Whether the role may read the server's configuration files.
    reads_files: bool,
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
            pooled: true,
            is_watchful: false,
            settings: commands.collect(),
            set_aside: Vec::new(),
            read_only: None,
            hidden: Vec::new(),
            reads_files: false,
        }
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

/// Settings to which the client library assigns a value at login, hiding those of role, database
/// and server: the name and that value.
const HIDDEN: [(&str, &str); 2] = [("timezone", "UTC"), ("datestyle", "ISO, MDY")];

/// Timeouts that end an idle session or a long transaction.
const TIMEOUTS: [&str; 3] = [
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
];

/// The start time of process `a`, as an expression that no setting affects.
pub(super) const STARTED: &str =
    "to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')";

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
            Err(error) => return Err(lost(&error)),
        }
    };
    let answers = Answers(&found);
    let backend = answers
        .backend(mark, &options.settings)
        .map_err(|error| lost(&error))?;
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

/// Sets TimeZone and DateStyle as in psql, as far as they can be determined.
pub(super) async fn as_psql(
    connection: &mut PgConnection,
    backend: &mut Backend,
    options: &ServerOptions,
    place: &str,
) -> Result<(), DatabaseError> {
    let lost = |error: &sqlx::Error| match error::from_server(error) {
        Some(server) => DatabaseError::Sql(error::failure(server, None)),
        None => error::connecting(error, place),
    };
    let is_asked = |name: &str| options.settings.iter().any(|asked| asked.name == name);
    let is_known = |hidden: &[Setting], name: &str| hidden.iter().any(|it| it.name == name);
    let mut hidden = backend.hidden.clone();
    let unknown = HIDDEN
        .iter()
        .any(|(name, _)| !is_asked(name) && !is_known(&hidden, name));
    if unknown && backend.reads_files && !backend.pooled {
        // The last line with a setting counts.
        let found = unpinned_rows(connection, &pinned(&format!("{AS_LOGIN};\n{FILES}"))).await;
        for row in found.map_err(|error| lost(&error))? {
            let text = |index| {
                row.try_get::<String, _>(index)
                    .map_err(|error| lost(&error))
            };
            let (name, value) = (text(0)?, text(1)?);
            if !is_known(&backend.hidden, &name) {
                hidden.retain(|it| it.name != name);
                hidden.push(Setting { name, value });
            }
        }
    }
    let mut commands = Vec::new();
    for (name, usual) in HIDDEN {
        let asked = options.settings.iter().rev().find(|it| it.name == name);
        let found = asked.or_else(|| hidden.iter().find(|it| it.name == name));
        match found {
            Some(it) if asked.is_some() || it.value != usual => {
                commands.push(format!("SET {name} TO {}", written(it)));
            }
            // Behind a pooler the value is unknown.
            None if backend.pooled => commands.push(format!("RESET {name}")),
            _ => {}
        }
    }
    if !commands.is_empty() {
        let sent = unpinned_rows(connection, &commands.join(";\n")).await;
        sent.map_err(|error| lost(&error))?;
    }
    // RESET ALL covers the others.
    commands.retain(|command| command.starts_with("SET"));
    backend.settings.extend(commands);
    Ok(())
}

/// The value of a SET. DateStyle is a list, of which a literal would be a single item.
fn written(setting: &Setting) -> String {
    if setting.name == "datestyle" {
        let items = setting.value.split(',').map(|item| literal(item.trim()));
        return items.collect::<Vec<_>>().join(", ");
    }
    literal(&setting.value)
}

/// The values in the configuration files of the settings that the login hides.
const FILES: &str = "SELECT pg_catalog.lower(f.name)::text, f.setting::text \
     FROM pg_catalog.pg_show_all_file_settings() AS f \
     WHERE f.applied AND pg_catalog.lower(f.name) IN ('timezone', 'datestyle') ORDER BY f.seqno";

/// Queries of the values in force, and of the requested values in the server's format.
fn asked(settings: &[Setting]) -> String {
    let mut queries = Vec::new();
    for setting in settings.iter().filter(|it| is_verified(&it.name)) {
        let (name, value) = (literal(&setting.name), literal(&setting.value));
        queries.push(format!(
            "SELECT 'asked'::pg_catalog.text, {name}::pg_catalog.text, \
             pg_catalog.current_setting({name}, true), pg_catalog.set_config({name}, {value}, true)"
        ));
    }
    queries.join(";\n")
}

/// Whether a setting is verified after the login. The others are set by commands, which fail by
/// themselves.
fn is_verified(name: &str) -> bool {
    let by_command = ["lock_timeout", "statement_timeout"];
    !by_command.contains(&name) && !HIDDEN.iter().any(|(hidden, _)| *hidden == name)
}

fn question(asked: Option<&str>, watchful: bool) -> String {
    let timeouts = TIMEOUTS.map(literal).join(", ");
    let own = [watchful.then_some(session::BE_WATCHFUL), Some(AS_LOGIN)];
    let own: Vec<_> = own.into_iter().flatten().collect();
    let body = format!(
        "{own};\n\
         SELECT 'session'::text, a.pid::text, \
         {STARTED}, \
         current_setting('{MARK}', true), \
         current_setting('client_connection_check_interval', true), \
         pg_is_in_recovery()::text, current_setting('default_transaction_read_only'), \
         has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')::text \
         FROM pg_stat_get_activity(pg_backend_pid()) AS a;\n\
         SELECT 'timeout'::text, n, current_setting(n, true) FROM unnest(ARRAY[{timeouts}]) AS n \
         WHERE current_setting(n, true) <> '0';\n\
         SELECT 'hidden'::text, lower(split_part(c, '=', 1)), substr(c, strpos(c, '=') + 1) \
         FROM pg_db_role_setting AS s, unnest(s.setconfig) AS c \
         WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())) \
         AND s.setrole IN (0, (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = session_user)) \
         AND lower(split_part(c, '=', 1)) IN ('timezone', 'datestyle') \
         ORDER BY s.setrole <> 0, s.setdatabase <> 0",
        own = own.join(";\n"),
    );
    let body = pinned(&body);
    match asked {
        Some(asked) => format!("{asked};\n{body}"),
        None => body,
    }
}

/// The server's result of [`question`].
struct Answers<'a>(&'a [PgRow]);

impl Answers<'_> {
    fn of(&self, kind: &str) -> impl Iterator<Item = &PgRow> {
        let is_it = move |row: &&PgRow| {
            let found = row.try_get::<String, _>(0);
            found.is_ok_and(|found| found == kind)
        };
        self.0.iter().filter(is_it)
    }

    fn backend(&self, mark: &str, asked: &[Setting]) -> Result<Backend, sqlx::Error> {
        let row = self.of("session").next().ok_or(sqlx::Error::RowNotFound)?;
        let text = |index| row.try_get::<Option<String>, _>(index);
        let is =
            |index, wanted: &str| Ok::<_, sqlx::Error>(text(index)?.as_deref() == Some(wanted));
        let pid = text(1)?.and_then(|pid| pid.parse().ok());
        let mut hidden: Vec<Setting> = Vec::new();
        for row in self.of("hidden") {
            // Values of a database override the server's, and those of a role override both.
            let name: String = row.try_get(1)?;
            hidden.retain(|known| known.name != name);
            let value = row.try_get(2)?;
            hidden.push(Setting { name, value });
        }
        let (mut settings, mut set_aside) = (Vec::new(), Vec::new());
        for row in self.of("timeout") {
            let (name, value): (String, String) = (row.try_get(1)?, row.try_get(2)?);
            if !asked.iter().any(|asked| asked.name == name) {
                settings.push(format!("SET {name} TO 0"));
                set_aside.push(format!("{name} = {value}"));
            }
        }
        let read_only = match (is(5, "true")?, is(6, "on")?) {
            (true, _) => Some(ReadOnly::Standby),
            (false, true) => Some(ReadOnly::Default),
            (false, false) => None,
        };
        Ok(Backend {
            pid: pid.ok_or(sqlx::Error::RowNotFound)?,
            started: text(2)?.unwrap_or_default(),
            pooled: !is(3, mark)?,
            is_watchful: text(4)?.is_some_and(|interval| interval != "0"),
            settings,
            set_aside,
            read_only,
            hidden,
            reads_files: is(7, "true")?,
        })
    }

    /// Compares the requested values with those in force.
    fn verify(&self, place: &str) -> Result<Result<(), DatabaseError>, sqlx::Error> {
        for row in self.of("asked") {
            let name: String = row.try_get(1)?;
            let found: Option<String> = row.try_get(2)?;
            let wanted: Option<String> = row.try_get(3)?;
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

    #[test]
    fn a_list_is_written_item_by_item() {
        let check = |name: &str, value: &str, expected: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            assert_eq!(written(&Setting { name, value }), expected);
        };
        check("datestyle", "SQL, DMY", "E'SQL', E'DMY'");
        check("timezone", "Asia/Tokyo", "E'Asia/Tokyo'");
    }
}
