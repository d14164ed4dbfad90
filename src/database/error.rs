use std::{fmt, time::Duration};

use super::Distrust;
use crate::layout::ExternalError;

/// What the database said about a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlFailure {
    /// What kind of failure it is, where someone acts upon it.
    pub kind: Option<FailureKind>,
    /// SQLSTATE (`23505`), or SQLite's name of the result code (`SQLITE_CONSTRAINT_UNIQUE`).
    pub code: Option<String>,
    /// Its sentence.
    pub message: String,
    /// PostgreSQL's DETAIL.
    pub detail: Option<String>,
    /// PostgreSQL's HINT.
    pub hint: Option<String>,
    /// PostgreSQL's CONTEXT: where in a function or DO block.
    pub context: Option<String>,
    /// Byte offset within the statement's text, where the database gave a position.
    pub offset: Option<usize>,
}

/// What a failure is, whatever the database calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The statement was cancelled: by a timeout, or by someone else.
    Cancelled,
    /// The role lacks a privilege.
    Privilege,
    /// Sessions or other things of the server keep an object.
    InUse,
    /// Other transactions were in the way, and this one was given up: a deadlock, or a failure to
    /// serialize. It may succeed when it is tried again.
    Conflict,
    /// The statement can't run inside of a transaction, or ends the one that it runs in.
    InTransaction,
    /// The transaction or the server takes no changes.
    ReadOnly,
    /// The encoding of the database has no such character.
    Untranslatable(char),
}

/// What is the matter with TLS, or with the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// The server has it switched off.
    #[error("the server does not offer TLS")]
    NotOffered,
    /// The certificate may sign others, and so can't be a server's.
    #[error("the server certificate is a CA certificate (CA:TRUE)")]
    Authority,
    /// It has no extensions.
    #[error("the server certificate is X.509 version 1; version 3 is required")]
    Version1,
    /// Nobody who is trusted has signed it.
    #[error("the server certificate is not signed by a trusted CA")]
    UnknownIssuer,
    /// It is another server's.
    #[error("the server certificate is not valid for this host name")]
    OtherName,
    /// Its time is over.
    #[error("the server certificate has expired")]
    Expired,
    /// Its time has not come.
    #[error("the server certificate is not valid yet")]
    NotYetValid,
    /// Something else.
    #[error("TLS: {0}")]
    Other(
        /// What the client library says.
        String,
    ),
}

/// What a place of a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A database on a server.
    Server,
    /// A file.
    File,
}

/// What went wrong with a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The server cannot be reached, or the file cannot be opened.
    #[error("cannot connect to {place}: {reason}")]
    Unreachable {
        /// What was to be reached.
        kind: PlaceKind,
        /// Where, without a password.
        place: String,
        /// The message of the operating system.
        reason: String,
    },
    /// The server is there but the database is not; or the SQLite file is not there.
    #[error("database {place} does not exist")]
    Missing {
        /// What is missing.
        kind: PlaceKind,
        /// Where, without a password.
        place: String,
    },
    /// User or password is wrong, or the role may not connect.
    #[error("access to {place} denied: {reason}")]
    Denied {
        /// Where, without a password.
        place: String,
        /// What the server says.
        reason: String,
    },
    /// The connection can't be encrypted as it was asked for.
    #[error("can't connect to {place}: {problem}")]
    Tls {
        /// Where, without a password.
        place: String,
        /// What is the matter.
        problem: TlsProblem,
    },
    /// What answers is no database server.
    #[error("{place} is not a PostgreSQL server: {reason}")]
    OtherProtocol {
        /// Where, without a password.
        place: String,
        /// What was seen.
        reason: String,
    },
    /// What was asked of a connection is not so.
    #[error("{place}: {asked} was requested, but {found}")]
    NotInForce {
        /// Where, without a password.
        place: String,
        /// `search_path = app`
        asked: String,
        /// What there is instead.
        found: String,
    },
    /// The file is not a SQLite database, is a directory …
    #[error("{place} is not a database: {reason}")]
    NotADatabase {
        /// The place.
        place: String,
        /// What is there instead.
        reason: String,
    },
    /// The database can be read but not written.
    #[error("cannot write to {place}: {reason}")]
    ReadOnly {
        /// What can't be written.
        kind: PlaceKind,
        /// The place.
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
    /// The version table's layout is of a newer migrator.
    #[error(
        "the version table {table} has layout {found}, this version of migrator supports up to {known}"
    )]
    NewerLayout {
        /// The table.
        table: String,
        /// The layout that was found.
        found: u32,
        /// The newest one known.
        known: u32,
    },
    /// A table of the version table's name is something else, or its content makes no sense.
    #[error("{table} is not a valid version table: {reason}")]
    NotAVersionTable {
        /// The table.
        table: String,
        /// What is odd.
        reason: String,
    },
    /// A table could have code of other roles run as ours.
    #[error("{table} is not trusted: {reason}")]
    Untrusted {
        /// The table.
        table: String,
        /// What was found.
        reason: Distrust,
    },
    /// The role of the URL may not do what is needed.
    #[error("{role} lacks {rights} on {object}")]
    MissingRights {
        /// The role.
        role: String,
        /// Names of privileges, as GRANT has them.
        rights: String,
        /// `the table public.migrator_version`
        object: String,
    },
    /// What another tool has recorded cannot be read.
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
    /// The name of the version table is not qualified, and other schemas have one as well; or another
    /// table differs from it in case only.
    #[error("{}", ambiguous(.table, *.exists, .others))]
    AmbiguousTable {
        /// The table that the name leads to, with its schema.
        table: String,
        /// Whether it exists.
        exists: bool,
        /// The others, with their schemas; never empty.
        others: Vec<String>,
    },
    /// A record did not change exactly one row, or the state is not the one planned for.
    #[error("the version table changed meanwhile: {reason}")]
    StateChanged {
        /// What was found.
        reason: String,
    },
    /// A pooler hands our statements to whatever server session is free, so that no session's
    /// lock can be held through it.
    #[error(
        "{place} is behind a connection pooler that shares server sessions between clients, \
         but the lock of a migration belongs to one session"
    )]
    Pooled {
        /// Where, without a password.
        place: String,
    },
    /// The lock is no longer ours.
    #[error("the lock was lost, and another session holds it")]
    LockLost,
    /// A statement of ours or of a script failed.
    #[error("{}", .0.message)]
    Sql(SqlFailure),
    /// A statement waited longer than lock_timeout.
    #[error("{}", .failure.message)]
    LockTimeout {
        /// What the server said.
        failure: SqlFailure,
        /// Who was in the way, one line each, as far as it is known.
        blockers: Vec<String>,
    },
    /// SQLite: rows without their parent that were not there before.
    #[error("{}", .0.join("; "))]
    ForeignKeys(
        /// One line a child, parent and columns, with counts.
        Vec<String>,
    ),
    /// SQLite: foreign keys that match no more, or that can't be checked.
    #[error("{}", .0.join("; "))]
    KeysInDoubt(
        /// One line a key.
        Vec<String>,
    ),
    /// Others use a database that is to be dropped.
    #[error("{place} is in use by {}", by.join("; "))]
    InUse {
        /// What is in use.
        kind: PlaceKind,
        /// Where, without a password.
        place: String,
        /// Who, as far as it is known; never empty.
        by: Vec<String>,
    },
    /// The server does not make or drop the database.
    #[error("cannot {action} {place}: {}", failure.message)]
    Refused {
        /// What was to be done.
        action: Action,
        /// The database, without a password.
        place: String,
        /// What the server said.
        failure: SqlFailure,
    },
    /// `:memory:` where a file is needed.
    #[error("an in-memory database exists only as long as its connection")]
    InMemory,
    /// Cancelled by us.
    #[error("the statement was cancelled")]
    Interrupted,
    /// The connection broke; nothing was committed by the step that ran.
    #[error("the connection was lost: {0}")]
    ConnectionLost(String),
    /// The connection broke during COMMIT, which took effect. The session is gone, with what the
    /// statements of the script have set in it.
    #[error("the connection was lost after the changes were committed: {0}")]
    SessionLost(String),
    /// The connection broke during COMMIT and the table cannot be read.
    #[error("the connection was lost during COMMIT; whether it took effect is unknown: {0}")]
    OutcomeUnknown(String),
    /// Something else: disk, protocol …
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

/// What is done with a database as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// It is removed, with all that is in it.
    Drop,
    /// Another one takes its place.
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

/// Where in a step an error arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStage {
    /// Before the first statement: BEGIN, lock, the check of the state.
    Begin,
    /// In this statement of [`super::StepRequest::statements`].
    Statement(usize),
    /// After the last statement: deferred constraints, foreign keys.
    Verify,
    /// While the record was written.
    Record,
    /// In COMMIT.
    Commit,
}

/// A step that failed and has left no trace, unless the error says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct StepError {
    /// Where in the step.
    pub stage: StepStage,
    /// The error.
    pub error: DatabaseError,
}
