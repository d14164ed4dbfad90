mod postgres;
mod sqlite;

pub use postgres::{ConcurrentIndex, concurrent_index};
pub use sqlite::may_break_foreign_keys;

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
    /// DETACH there, so outside of a transactional script they run in none.
    Session,
    /// `COPY … FROM STDIN` (PostgreSQL).
    CopyIn,
    /// `COPY … TO STDOUT` (PostgreSQL), which a script has no use for.
    CopyOut,
    /// The database refuses it inside a transaction; with its name
    /// (`CREATE INDEX CONCURRENTLY`, `VACUUM`).
    OutsideTransaction(&'static str),
    /// May commit by itself (CALL, DO): allowed in a transaction, but outside
    /// of one it can't share a transaction with its progress.
    MayCommit,
    /// Makes something that dies with the session (a temporary table, LISTEN, a
    /// WITH HOLD cursor), so that a later session can't resume after it.
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

/// What `statement` is to the runner.
pub(super) fn classify(dialect: Dialect, statement: &str) -> StatementKind {
    let words = Words::new(dialect, statement);
    match dialect {
        Dialect::Postgres => postgres::classify(words),
        Dialect::Sqlite => sqlite::classify(words),
    }
}

/// The kind of `transaction`, or of something that starts like one and does not parse.
fn transaction(control: Option<TransactionControl>) -> StatementKind {
    control.map_or(StatementKind::Plain, StatementKind::Transaction)
}

/// After ROLLBACK, where TO may follow.
fn rollback_to(words: &mut Words) -> Option<TransactionControl> {
    words.eat("SAVEPOINT");
    words.name().map(TransactionControl::RollbackTo)
}

/// After RELEASE.
fn release(words: &mut Words) -> Option<TransactionControl> {
    words.eat("SAVEPOINT");
    words.name().map(TransactionControl::Release)
}

#[cfg(test)]
mod tests;
