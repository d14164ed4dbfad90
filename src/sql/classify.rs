use super::{Dialect, words::Words};

/// The kind of a statement, as the runner distinguishes them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementKind {
    /// Begins, ends or divides a transaction.
    Transaction(TransactionControl),
    /// Changes session settings: SET, RESET, PRAGMA, ATTACH, DETACH. Runs again before a resume.
    ///
    /// In a transaction, SQLite ignores some of these (`PRAGMA foreign_keys`, `page_size`,
    /// `auto_vacuum`) and rejects DETACH, so outside a transactional script they run without a
    /// transaction.
    Session,
    /// `COPY … FROM STDIN` (PostgreSQL).
    CopyIn,
    /// `COPY … TO STDOUT` (PostgreSQL), which scripts do not support.
    CopyOut,
    /// Cannot run inside a transaction; holds the statement's name (`CREATE INDEX CONCURRENTLY`,
    /// `VACUUM`).
    OutsideTransaction(&'static str),
    /// May commit by itself (CALL, DO): it is allowed in a transaction, but outside one it cannot
    /// share a transaction with its progress.
    MayCommit,
    /// Creates an object that lasts for the session (a temporary table, LISTEN, a WITH HOLD
    /// cursor), so that a later session cannot resume after it.
    SessionObject(&'static str),
    /// Any other statement.
    Plain,
}

/// Statements that begin, end or divide a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionControl {
    /// `BEGIN`, `START TRANSACTION`, with its modes as written (`ISOLATION LEVEL SERIALIZABLE`).
    Begin(String),
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `COMMIT AND CHAIN`, `ROLLBACK AND CHAIN`: ends one transaction and begins another.
    Chain,
    /// `SAVEPOINT name`; name folded to lower case unless quoted.
    Savepoint(String),
    /// `RELEASE [SAVEPOINT] name`.
    Release(String),
    /// `ROLLBACK TO [SAVEPOINT] name`.
    RollbackTo(String),
    /// `PREPARE TRANSACTION`, `COMMIT PREPARED`, `ROLLBACK PREPARED`.
    TwoPhase,
}

/// An index created without blocking writers; its names are unquoted, folded and truncated as by
/// the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrentIndex {
    /// Whether the index is UNIQUE.
    pub unique: bool,
    /// Whether the statement does nothing if an index with that name exists.
    pub if_not_exists: bool,
    /// The name of the index; `None` if the database chooses it.
    pub name: Option<String>,
    /// The schema of the table, if specified; the index is created in it too.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

/// A setting of the database file that is fixed when the first table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutPragma {
    /// The setting.
    pub name: &'static str,
    /// Whether a later VACUUM applies the setting.
    pub by_vacuum: bool,
}

/// A named effect of a statement on its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// A temporary object is created: TABLE, VIEW or TRIGGER, and its name.
    Temporary(&'static str, String),
    /// A database is attached.
    Attach(String),
    /// A database is detached.
    Detach(String),
}

/// Returns the kind of `statement`.
pub(super) fn classify(dialect: Dialect, statement: &str) -> StatementKind {
    dialect.classify(Words::new(dialect, statement))
}

/// Returns the kind for `transaction`, or for a statement that starts like one and does not parse.
pub(super) fn transaction(control: Option<TransactionControl>) -> StatementKind {
    control.map_or(StatementKind::Plain, StatementKind::Transaction)
}

/// Parses the rest of a statement after ROLLBACK, where TO may follow.
pub(super) fn rollback_to(words: &mut Words) -> Option<TransactionControl> {
    words.eat("SAVEPOINT");
    words.name().map(TransactionControl::RollbackTo)
}

/// Parses the rest of a statement after RELEASE.
pub(super) fn release(words: &mut Words) -> Option<TransactionControl> {
    words.eat("SAVEPOINT");
    words.name().map(TransactionControl::Release)
}

#[cfg(test)]
mod tests;
