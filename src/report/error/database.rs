use super::{Error, diagnostic};
use crate::{
    database::{
        Action, DatabaseError, Distrust, FailureKind, LocationError, PlaceKind, SqlFailure,
        TlsProblem,
    },
    layout::ExternalError,
    report::Diagnostic,
    report::codes::{self, Code},
};

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        Self::from(&error)
    }
}

impl From<&DatabaseError> for Error {
    fn from(error: &DatabaseError) -> Self {
        Self::from(describe(error))
    }
}

/// An error outside any script.
pub(super) fn describe(error: &DatabaseError) -> Diagnostic {
    let (code, hint) = advice(error);
    let notes = match error {
        DatabaseError::Sql(failure)
        | DatabaseError::LockTimeout { failure, .. }
        | DatabaseError::Refused { failure, .. } => notes(failure),
        _ => Vec::new(),
    };
    Diagnostic {
        notes,
        hint: hint.map(str::to_owned),
        ..diagnostic(code, error)
    }
}

pub(super) fn advice(error: &DatabaseError) -> (Code, Option<&'static str>) {
    use DatabaseError as E;
    match error {
        E::Unreachable {
            kind: PlaceKind::Server,
            ..
        } => (
            codes::M601,
            Some("check that the server is running and that the address in the URL is right"),
        ),
        E::Unreachable {
            kind: PlaceKind::File,
            ..
        } => (
            codes::M601,
            Some("check the path in the URL; a missing file is created, its directory is not"),
        ),
        E::Missing {
            kind: PlaceKind::Server,
            ..
        } => (
            codes::M602,
            Some("if the URL is right, `migrator db create` creates it"),
        ),
        E::Missing {
            kind: PlaceKind::File,
            ..
        } => (
            codes::M602,
            Some("if the URL is right, `migrator upgrade` creates it"),
        ),
        E::Denied { .. } => (
            codes::M603,
            Some(
                "check user and password in the URL; special characters in a password must be percent-encoded",
            ),
        ),
        E::NotADatabase { .. } => (codes::M604, Some("check the path in the URL")),
        E::ReadOnly { kind, .. } => (codes::M605, Some(read_only(*kind))),
        E::Tls { problem, .. } => (codes::M617, Some(tls(problem))),
        E::OtherProtocol { .. } => (
            codes::M618,
            Some("check host and port in the URL; the default port of PostgreSQL is 5432"),
        ),
        E::UnsupportedServer { .. } => (
            codes::M619,
            Some("docs/engines.md lists the servers that are supported"),
        ),
        E::NotInForce { .. } => (
            codes::M616,
            Some(
                "if there is a pooler, connect to the server directly, or set it on the server (ALTER ROLE … SET, ALTER DATABASE … SET); otherwise change the request",
            ),
        ),
        E::Busy { .. } => (
            codes::M606,
            Some("close the other program or wait for it, then run the command again"),
        ),
        E::NewerLayout { .. } => (codes::M505, Some("use the newer version of migrator")),
        E::NotAVersionTable { .. } => (codes::M506, Some("set `version-table` to another name")),
        E::Untrusted { reason, .. } => (codes::M517, Some(untrusted(reason))),
        E::MissingRights { .. } => (
            codes::M615,
            Some(
                "GRANT the privilege to the role, or connect as another role; docs/security.md lists what each command needs",
            ),
        ),
        E::NotOwner { .. } => (
            codes::M615,
            Some("run `migrator ensure-version` once as the owner"),
        ),
        E::Records(error) => records(error),
        E::AmbiguousTable { .. } => (
            codes::M507,
            Some("say which one is meant: set `version-table = \"schema.name\"` in migrator.toml"),
        ),
        E::MissingSchema { .. } => (
            codes::M519,
            Some("create it, or fix `version-table`; nothing was run"),
        ),
        E::StateChanged { .. } => (
            codes::M508,
            Some("check with `migrator status`, then run the command again"),
        ),
        E::Pooled { .. } => (codes::M610, Some(POOLED)),
        E::OtherDatabase { .. } => (
            codes::M620,
            Some(
                "make direct-url name the database of the URL in use, or remove it; nothing was written",
            ),
        ),
        E::SharedSession { .. } => (
            codes::M610,
            Some(
                "start its server with one connection at a time, which is the default: --max-connections=1",
            ),
        ),
        E::LockLost => (codes::M705, Some("run the command again")),
        E::Sql(failure) => ours(failure),
        E::LockTimeout { .. } => (
            codes::M703,
            Some("run the command again when there is less traffic, or increase lock-timeout"),
        ),
        E::ForeignKeys(_) => (codes::M702, Some("fix the rows or the script")),
        E::KeysInDoubt(_) => (codes::M707, Some(KEYS_IN_DOUBT)),
        E::InUse {
            kind: PlaceKind::Server,
            ..
        } => (
            codes::M611,
            Some("end their sessions, or terminate them with --force"),
        ),
        E::InUse {
            kind: PlaceKind::File,
            ..
        } => (
            codes::M611,
            Some("wait for the other program or close it, then run the command again"),
        ),
        E::Refused {
            action, failure, ..
        } => (codes::M612, refused(*action, failure)),
        E::InMemory => (codes::M613, Some("name a file: sqlite:app.db")),
        E::Interrupted => (codes::M706, None),
        E::ConnectionLost(_) => (
            codes::M607,
            Some("check with `migrator status`, then run the command again"),
        ),
        E::SessionLost(_) => (
            codes::M607,
            Some(
                "run the command again: it resumes where it stopped, with the session settings of the script",
            ),
        ),
        E::OutcomeUnknown(_) => (
            codes::M608,
            Some("check with `migrator status` before doing anything else"),
        ),
        E::Other(_) => (codes::M609, None),
    }
}

fn records(error: &ExternalError) -> (Code, Option<&'static str>) {
    match error {
        ExternalError::None(_) => (
            codes::M640,
            Some(
                "if the table has another name, give it with --from TOOL --table NAME; check that this is the right database; on PostgreSQL, the search path must include the schema of the table",
            ),
        ),
        ExternalError::Several(_) => (codes::M641, Some("choose one with --from TOOL")),
        ExternalError::Denied { .. } => (
            codes::M643,
            Some("GRANT SELECT on it to the role in the URL, or adopt as the role that owns it"),
        ),
        ExternalError::Odd { .. } => (codes::M642, Some("name the tool with --from TOOL")),
    }
}

fn untrusted(reason: &Distrust) -> &'static str {
    match reason {
        Distrust::Kind(_) => "drop it, or set `version-table` to another name",
        Distrust::Owner {
            superuser: false, ..
        } => {
            "drop it if it is not yours; otherwise connect as its owner, or become a member of that role"
        }
        Distrust::Owner { .. } => {
            "drop it if it is not yours; otherwise connect as its owner, or ALTER TABLE … OWNER TO a role that you trust"
        }
        Distrust::RowSecurity { .. } => {
            "ALTER TABLE … DISABLE ROW LEVEL SECURITY, or let the role own the table or have BYPASSRLS"
        }
        Distrust::Child { .. } | Distrust::Part { .. } => {
            "drop it if it is not yours, or make the role in the URL the owner of it and of the functions it calls"
        }
    }
}

pub(super) const KEYS_IN_DOUBT: &str = "give the parent a PRIMARY KEY or UNIQUE constraint on these columns, or accept the key as it is: \
     `-- migrator: foreign-keys = unchecked`";

pub(super) fn read_only(kind: PlaceKind) -> &'static str {
    match kind {
        PlaceKind::File => "check the permissions of the file and of its directory",
        PlaceKind::Server => {
            "connect to the primary; if default_transaction_read_only is on by mistake, switch it off for the role, the database or in [postgres.settings]"
        }
    }
}

fn tls(problem: &TlsProblem) -> &'static str {
    match problem {
        TlsProblem::NotOffered => "enable TLS on the server (ssl = on), or use sslmode=prefer",
        TlsProblem::Authority | TlsProblem::Version1 => {
            "psql accepts it, migrator does not: give the server an X.509 version 3 certificate with CA:FALSE and its name as subjectAltName, signed by the CA in sslrootcert; or encrypt without verification: sslmode=require and no root certificate"
        }
        TlsProblem::UnknownIssuer => "name the CA certificate with sslrootcert",
        TlsProblem::OtherName => {
            "connect with a name that is in the certificate, or verify only the CA: sslmode=verify-ca"
        }
        TlsProblem::Expired | TlsProblem::NotYetValid => {
            "renew the server certificate, or correct the clock"
        }
        TlsProblem::Other(_) => "check sslmode, sslrootcert, sslcert and sslkey",
    }
}

pub(super) const POOLED: &str = "connect to the server directly, or to a pool in session mode; with `direct-url` in migrator.toml, commands that write do so";

/// The code and hint for a statement of migrator that the database refused.
pub(super) fn ours(failure: &SqlFailure) -> (Code, Option<&'static str>) {
    let denied = failure.kind == Some(FailureKind::Privilege);
    let hint = "GRANT the missing privileges: USAGE on the schema and, to create the version table, CREATE; or set `version-table = \"schema.name\"` to a schema in which the role may create tables; for a backup, SELECT on every table and sequence";
    (codes::M609, denied.then_some(hint))
}

/// The hint for a server that does not create or drop a database.
fn refused(action: Action, failure: &SqlFailure) -> Option<&'static str> {
    match (action, failure.kind) {
        (Action::Create, Some(FailureKind::Privilege)) => {
            Some("ask a superuser for ALTER ROLE … CREATEDB, or to create the database")
        }
        (Action::Drop, Some(FailureKind::Privilege)) => {
            Some("only the owner of the database and superusers may drop it")
        }
        (Action::Replace, Some(FailureKind::Privilege)) => Some(
            "the role must own the database, have CREATEDB, and be allowed to terminate other sessions: GRANT pg_signal_backend",
        ),
        (Action::Replace, Some(FailureKind::InUse)) => Some(
            "sessions, prepared transactions or replication slots use it; end them and run the command again",
        ),
        _ => None,
    }
}

/// The details that the database reported besides its message.
pub(super) fn notes(failure: &SqlFailure) -> Vec<String> {
    let parts = [
        (failure.detail.as_ref(), "detail"),
        (failure.hint.as_ref(), "the database's hint"),
        (failure.context.as_ref(), "in"),
        (failure.code.as_ref(), "code"),
    ];
    parts
        .into_iter()
        .filter_map(|(text, name)| text.map(|text| format!("{name}: {text}")))
        .collect()
}

/// Whether URLs of this scheme lead to remote databases of the kind of SQLite.
fn is_remote(scheme: &str) -> bool {
    let remote = ["libsql", "http", "https", "ws", "wss"];
    remote.iter().any(|it| scheme.eq_ignore_ascii_case(it))
}

/// The error for a `direct-url` that does not fit the database.
pub fn direct_url() -> Error {
    Error::new(
        codes::M108,
        "`direct-url` is for a PostgreSQL database behind a pooler",
    )
    .hint("remove it from migrator.toml, or set it in the environment that it belongs to")
}

/// The error for an invalid URL; `source` says where it was given.
pub fn location(error: &LocationError, source: &str) -> Error {
    let hint = match error {
        LocationError::File { .. } => {
            return Error::new(codes::M113, error.to_string());
        }
        LocationError::Scheme { scheme, .. } if is_remote(scheme) => {
            "a remote libSQL or D1 database has no lock that a run could hold: migrate a local file (sqlite:FILE) and apply the scripts with the engine's own tool; see docs/engines.md"
                .to_owned()
        }
        LocationError::Scheme {
            nearest: Some(nearest),
            ..
        } => format!("did you mean `{nearest}`?"),
        LocationError::Parameter {
            nearest: Some(nearest),
            ..
        } => {
            format!("did you mean `{nearest}`?")
        }
        LocationError::Value { .. } => {
            "docs/configuration.md lists the values of each connection parameter".to_owned()
        }
        LocationError::Service { .. } => {
            "searched: PGSERVICEFILE or ~/.pg_service.conf, then PGSYSCONFDIR/pg_service.conf"
                .to_owned()
        }
        LocationError::NoDatabase => {
            "add it: postgres://user@host/DATABASE, or PGDATABASE; psql would use the user name"
                .to_owned()
        }
        _ => "a URL has the form sqlite:FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE"
            .to_owned(),
    };
    let message = match error {
        // The variable is named itself, so the source does not apply.
        LocationError::Value { name, .. } if name.starts_with("PG") => error.to_string(),
        _ => format!("{error} (from {source})"),
    };
    Error::new(codes::M108, message).hint(hint)
}
