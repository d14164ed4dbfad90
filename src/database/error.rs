use std::{fmt, time::Duration};

use super::Distrust;
use crate::layout::ExternalError;

/// An error that the database reported for a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlFailure {
    /// The kind of the failure, if callers handle it specially.
    pub kind: Option<FailureKind>,
    /// SQLSTATE (`23505`), or SQLite's name of the result code (`SQLITE_CONSTRAINT_UNIQUE`).
    pub code: Option<String>,
    /// The error message.
    pub message: String,
    /// PostgreSQL's DETAIL.
    pub detail: Option<String>,
    /// PostgreSQL's HINT.
    pub hint: Option<String>,
    /// What PostgreSQL names beside the message.
    pub names: Option<Box<FailureNames>>,
    /// PostgreSQL's CONTEXT: the location within a function or DO block.
    pub context: Option<String>,
    /// The byte offset within the statement's text, if the database reported a position.
    pub offset: Option<usize>,
}

/// What an error is about, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureNames {
    /// The violated constraint or index.
    pub constraint: Option<String>,
    /// The table, without its schema.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
}

/// The kind of a failure, independent of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The statement was cancelled by a timeout or by another session.
    Cancelled,
    /// The role lacks a privilege.
    Privilege,
    /// Sessions or other server objects use the object.
    InUse,
    /// The transaction was aborted because of a concurrent one: a deadlock or a serialization
    /// failure. It may succeed when retried.
    Conflict,
    /// The statement cannot run inside a transaction, or ends the transaction it runs in.
    InTransaction,
    /// The transaction or the server is read-only.
    ReadOnly,
    /// The statement does not fit the schema, whatever the rows are: an object is missing, exists
    /// already or is needed by another one, or the syntax is wrong.
    Definition,
    /// A column that the statement adds would be NULL in existing rows, which it may not be.
    AddedNull,
    /// A column would be NULL, which it may not be; the failure names it.
    ContainsNull,
    /// The server does not have the files of an extension.
    MissingExtension,
    /// The encoding of the database lacks this character.
    Untranslatable(char),
}

/// A problem with TLS or the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// The server does not offer TLS.
    #[error("the server does not offer TLS")]
    NotOffered,
    /// The certificate is a CA certificate and cannot be used by a server.
    #[error("the server certificate is a CA certificate (CA:TRUE)")]
    Authority,
    /// The certificate has no extensions.
    #[error("the server certificate is X.509 version 1; version 3 is required")]
    Version1,
    /// The certificate is not signed by a trusted CA.
    #[error("the server certificate is not signed by a trusted CA")]
    UnknownIssuer,
    /// The certificate belongs to another server.
    #[error("the server certificate is not valid for this host name")]
    OtherName,
    /// The certificate has expired.
    #[error("the server certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the server certificate is not valid yet")]
    NotYetValid,
    /// Another TLS problem.
    #[error("TLS: {0}")]
    Other(
        /// The message of the client library.
        String,
    ),
}

/// The kind of a database location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A database on a server.
    Server,
    /// A file.
    File,
}

/// An error of a database or of the connection to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The server cannot be reached, or the file cannot be opened.
    #[error("cannot connect to {place}: {reason}")]
    Unreachable {
        /// The kind of the location.
        kind: PlaceKind,
        /// The location, without a password.
        place: String,
        /// The message of the operating system.
        reason: String,
    },
    /// The server does not have the database, or the SQLite file does not exist.
    #[error("database {place} does not exist")]
    Missing {
        /// The kind of the location.
        kind: PlaceKind,
        /// The location, without a password.
        place: String,
    },
    /// The user or password is wrong, or the role may not connect.
    #[error("access to {place} denied: {reason}")]
    Denied {
        /// The location, without a password.
        place: String,
        /// The message of the server.
        reason: String,
    },
    /// The connection cannot be encrypted as requested.
    #[error("cannot connect to {place}: {problem}")]
    Tls {
        /// The location, without a password.
        place: String,
        /// The TLS problem.
        problem: TlsProblem,
    },
    /// The peer is not a database server.
    #[error("{place} is not a PostgreSQL server: {reason}")]
    OtherProtocol {
        /// The location, without a password.
        place: String,
        /// The unexpected response.
        reason: String,
    },
    /// The connection lacks a requested property.
    #[error("{place}: {asked} was requested, but {found}")]
    NotInForce {
        /// The location, without a password.
        place: String,
        /// The requested property, such as `search_path = app`.
        asked: String,
        /// The actual property.
        found: String,
    },
    /// The server speaks PostgreSQL's protocol, and migrations are not safe on it.
    #[error("{place} is {name}, which is not supported: {reason}")]
    UnsupportedServer {
        /// The location, without a password.
        place: String,
        /// The product.
        name: String,
        /// Why it is not supported.
        reason: String,
    },
    /// The path is not a SQLite database, but a directory for example.
    #[error("{place} is not a database: {reason}")]
    NotADatabase {
        /// The path.
        place: String,
        /// What the path is instead.
        reason: String,
    },
    /// The database is read-only.
    #[error("cannot write to {place}: {reason}")]
    ReadOnly {
        /// The kind of the location.
        kind: PlaceKind,
        /// The location.
        place: String,
        /// The message of the database.
        reason: String,
    },
    /// Another program keeps the database locked.
    #[error("the database was locked by another program for {waited:?}: {reason}")]
    Busy {
        /// The time spent waiting.
        waited: Duration,
        /// The message of the database.
        reason: String,
    },
    /// The version table's layout belongs to a newer migrator.
    #[error(
        "the version table {table} has layout {found}, this version of migrator supports up to {known}"
    )]
    NewerLayout {
        /// The table.
        table: String,
        /// The layout that was found.
        found: u32,
        /// The newest supported layout.
        known: u32,
    },
    /// A table with the version table's name has another purpose or invalid content.
    #[error("{table} is not a valid version table: {reason}")]
    NotAVersionTable {
        /// The table.
        table: String,
        /// The inconsistency.
        reason: String,
    },
    /// A table could run code of other roles with the privileges of this one.
    #[error("{table} is not trusted: {reason}")]
    Untrusted {
        /// The table.
        table: String,
        /// The reason for the distrust.
        reason: Distrust,
    },
    /// The role lacks a required privilege.
    #[error("{role} lacks {rights} on {object}")]
    MissingRights {
        /// The role.
        role: String,
        /// The missing privileges, as named in GRANT.
        rights: String,
        /// The object, such as `the table public.migrator_version`.
        object: String,
    },
    /// The version table has an older layout, and the role may not upgrade it.
    #[error(
        "{table} has an older layout that only its owner {owner} can upgrade, and {role} is not a member of {owner}"
    )]
    NotOwner {
        /// The table.
        table: String,
        /// The owner of the table.
        owner: String,
        /// The role.
        role: String,
    },
    /// The records of another migration tool cannot be read.
    #[error(transparent)]
    Records(#[from] ExternalError),
    /// The configured schema of the version table does not exist.
    #[error("schema {schema} of the version table {table} does not exist")]
    MissingSchema {
        /// The schema.
        schema: String,
        /// The table.
        table: String,
    },
    /// The name of the version table is unqualified and other schemas have a table of that name, or
    /// another table differs only in case.
    #[error("{}", ambiguous(.table, *.exists, .others))]
    AmbiguousTable {
        /// The table that the name resolves to, with its schema.
        table: String,
        /// Whether that table exists.
        exists: bool,
        /// The other tables, with their schemas; never empty.
        others: Vec<String>,
    },
    /// A record did not change exactly one row, or the state differs from the planned one.
    #[error("the version table changed meanwhile: {reason}")]
    StateChanged {
        /// The difference.
        reason: String,
    },
    /// A pooler assigns statements to any free server session, so a session lock cannot be held
    /// through it.
    #[error(
        "{place} is behind a connection pooler that shares server sessions between clients, \
         but the lock of a migration belongs to one session"
    )]
    Pooled {
        /// The location, without a password.
        place: String,
    },
    /// `direct-url` leads to another database.
    #[error("direct-url leads to {place}, which is not the database that {pooled} leads to")]
    OtherDatabase {
        /// The location of `direct-url`, without a password.
        place: String,
        /// The location with the pooler, without a password.
        pooled: String,
    },
    /// PGlite lets several clients in, which share its only session.
    #[error(
        "{place} is PGlite and accepts several connections, which share one session, \
         so that a lock does not keep them apart"
    )]
    SharedSession {
        /// The location, without a password.
        place: String,
    },
    /// The lock is no longer held by this session.
    #[error("the lock was lost, and another session holds it")]
    LockLost,
    /// A statement of migrator or of a script failed.
    #[error("{}", .0.message)]
    Sql(SqlFailure),
    /// A statement waited longer than lock_timeout.
    #[error("{}", .failure.message)]
    LockTimeout {
        /// The error of the server.
        failure: SqlFailure,
        /// The blocking sessions, one line each, if known.
        blockers: Vec<String>,
    },
    /// SQLite: new rows violate a foreign key.
    #[error("{}", .0.join("; "))]
    ForeignKeys(
        /// One line per child table, parent table and columns, with counts.
        Vec<String>,
    ),
    /// SQLite: foreign keys that no longer match, or that cannot be checked.
    #[error("{}", .0.join("; "))]
    KeysInDoubt(
        /// One line per foreign key.
        Vec<String>,
    ),
    /// A database that is to be dropped is in use.
    #[error("{place} is in use by {}", by.join("; "))]
    InUse {
        /// The kind of the location.
        kind: PlaceKind,
        /// The location, without a password.
        place: String,
        /// The users of the database, if known; never empty.
        by: Vec<String>,
    },
    /// The server refuses to create or drop the database.
    #[error("cannot {action} {place}: {}", failure.message)]
    Refused {
        /// The refused action.
        action: Action,
        /// The database, without a password.
        place: String,
        /// The error of the server.
        failure: SqlFailure,
    },
    /// `:memory:` was given where a file is needed.
    #[error("an in-memory database exists only as long as its connection")]
    InMemory,
    /// Migrator cancelled the statement.
    #[error("the statement was cancelled")]
    Interrupted,
    /// The connection was lost; the running step was not committed.
    #[error("the connection was lost: {0}")]
    ConnectionLost(String),
    /// The connection was lost during COMMIT, which took effect. The session's settings are lost
    /// with it.
    #[error("the connection was lost after the changes were committed: {0}")]
    SessionLost(String),
    /// The connection was lost during COMMIT, and the version table cannot be read.
    #[error("the connection was lost during COMMIT; whether it took effect is unknown: {0}")]
    OutcomeUnknown(String),
    /// Another error, such as one of the disk or the protocol.
    #[error("{0}")]
    Other(String),
}

fn ambiguous(table: &str, exists: bool, others: &[String]) -> String {
    let others = others.join(", ");
    match exists {
        true => format!("the version table is {table}, and there is another one: {others}"),
        false => format!(
            "the version table would be {table}, which does not exist, and there is one already: {others}"
        ),
    }
}

/// An action on a whole database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The database is created.
    Create,
    /// The database is removed with all its contents.
    Drop,
    /// The database is replaced by another one.
    Replace,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Drop => "drop",
            Self::Replace => "replace",
        })
    }
}

/// The stage of a step at which an error occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStage {
    /// Before the first statement: BEGIN, the lock, the check of the state.
    Begin,
    /// In the statement with this index in [`super::StepRequest::statements`].
    Statement(usize),
    /// After the last statement: deferred constraints, foreign keys.
    Verify,
    /// While writing the record.
    Record,
    /// During COMMIT.
    Commit,
}

/// A failed step, rolled back unless the error says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct StepError {
    /// The stage at which the error occurred.
    pub stage: StepStage,
    /// The error.
    pub error: DatabaseError,
}
