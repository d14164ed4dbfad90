use super::{Dialect, words::Words};

/// What a statement is to the runner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementKind {
    /// Begins, ends or divides a transaction.
    Transaction(TransactionControl),
    /// Sets the session: SET, RESET, PRAGMA, ATTACH, DETACH. Replayed before a resume.
    ///
    /// SQLite takes some of these in a transaction and does nothing
    /// (`PRAGMA foreign_keys`, `page_size`, `auto_vacuum`), and refuses a
    /// DETACH there, so outside a transactional script they run in none.
    Session,
    /// `COPY … FROM STDIN` (PostgreSQL).
    CopyIn,
    /// `COPY … TO STDOUT` (PostgreSQL), which a script has no use for.
    CopyOut,
    /// The database refuses it inside a transaction; with its name
    /// (`CREATE INDEX CONCURRENTLY`, `VACUUM`).
    OutsideTransaction(&'static str),
    /// May commit by itself (CALL, DO): allowed in a transaction, but outside
    /// of one it cannot share a transaction with its progress.
    MayCommit,
    /// Makes something that dies with the session (a temporary table, LISTEN, a
    /// WITH HOLD cursor), so that a later session cannot resume after it.
    SessionObject(&'static str),
    /// Everything else.
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

/// An index that is created without keeping writers out; its names unquoted, folded and cut as the
/// database does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrentIndex {
    /// Whether it is UNIQUE.
    pub unique: bool,
    /// Whether it does nothing where an index of its name is.
    pub if_not_exists: bool,
    /// The index; `None` leaves the name to the database.
    pub name: Option<String>,
    /// The schema of the table, where it is written; the index is created in it too.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

/// A setting of the database's file that is fixed when its first table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutPragma {
    /// The setting.
    pub name: &'static str,
    /// Whether a VACUUM after it makes it effective.
    pub by_vacuum: bool,
}

/// What a statement leaves in its session, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// A temporary object: TABLE, VIEW or TRIGGER, and its name.
    Temporary(&'static str, String),
    /// An attached database.
    Attach(String),
    /// An attached database is gone.
    Detach(String),
}

/// What `statement` is to the runner.
pub(super) fn classify(dialect: Dialect, statement: &str) -> StatementKind {
    dialect.classify(Words::new(dialect, statement))
}

/// The kind of `transaction`, or of something that starts like one and does not parse.
pub(super) fn transaction(control: Option<TransactionControl>) -> StatementKind {
    control.map_or(StatementKind::Plain, StatementKind::Transaction)
}

/// After ROLLBACK, where TO may follow.
pub(super) fn rollback_to(words: &mut Words) -> Option<TransactionControl> {
    words.eat("SAVEPOINT");
    words.name().map(TransactionControl::RollbackTo)
}

/// After RELEASE.
pub(super) fn release(words: &mut Words) -> Option<TransactionControl> {
    words.eat("SAVEPOINT");
    words.name().map(TransactionControl::Release)
}

#[cfg(test)]
mod tests;
