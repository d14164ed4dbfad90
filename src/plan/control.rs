use crate::sql::{Dialect, Statement, StatementKind, TransactionControl};

/// Whether nothing ends the transaction that the first of `statements`, a BEGIN, begins.
pub(super) fn stays_open(statements: &[Statement]) -> bool {
    use TransactionControl::{Chain, Commit, Rollback, TwoPhase};
    !statements.iter().any(|statement| {
        matches!(
            statement.kind,
            StatementKind::Transaction(Commit | Rollback | Chain | TwoPhase)
        )
    })
}

/// Whether the first of `statements`, in a transaction, is a `PRAGMA
/// foreign_keys` whose having no effect there could matter to those after it.
pub(super) fn is_ignored_pragma(
    dialect: Dialect,
    text: &str,
    statements: &[Statement],
    foreign_keys: bool,
) -> bool {
    let [pragma, rest @ ..] = statements else {
        return false;
    };
    let commit = StatementKind::Transaction(TransactionControl::Commit);
    let asked = dialect.foreign_keys(pragma.text(text));
    asked.is_some_and(|asked| asked != foreign_keys)
        && rest
            .iter()
            .take_while(|statement| statement.kind != commit)
            .any(|statement| dialect.may_break_foreign_keys(statement.text(text)))
}

/// What people call it.
pub(super) fn name(control: &TransactionControl) -> &'static str {
    match control {
        TransactionControl::Begin(_) => "BEGIN",
        TransactionControl::Commit => "COMMIT",
        TransactionControl::Rollback => "ROLLBACK",
        TransactionControl::Chain => "AND CHAIN",
        TransactionControl::Savepoint(_) => "SAVEPOINT",
        TransactionControl::Release(_) => "RELEASE",
        TransactionControl::RollbackTo(_) => "ROLLBACK TO",
        TransactionControl::TwoPhase => "two-phase commit",
    }
}
