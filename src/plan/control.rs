use std::cell::OnceCell;

use crate::sql::{Dialect, Statement, StatementKind, TransactionControl};

/// What follows each statement of a script, computed once for all of them.
pub(super) struct Ahead<'a> {
    dialect: Dialect,
    text: &'a str,
    statements: &'a [Statement],
    /// Index of the last statement that ends a transaction.
    last_end: Option<usize>,
    /// For each statement, whether a later one before the next COMMIT may violate foreign keys.
    breaking: OnceCell<Vec<bool>>,
}

impl<'a> Ahead<'a> {
    pub fn of(dialect: Dialect, text: &'a str, statements: &'a [Statement]) -> Self {
        use TransactionControl::{Chain, Commit, Rollback, TwoPhase};
        let ends = |statement: &Statement| {
            matches!(
                statement.kind,
                StatementKind::Transaction(Commit | Rollback | Chain | TwoPhase)
            )
        };
        Self {
            dialect,
            text,
            statements,
            last_end: statements.iter().rposition(ends),
            breaking: OnceCell::new(),
        }
    }

    /// Returns whether the transaction that the BEGIN at `index` starts never ends.
    pub fn stays_open(&self, index: usize) -> bool {
        self.last_end.is_none_or(|last| last < index)
    }

    /// Returns whether the statement at `index`, in a transaction, is a `PRAGMA foreign_keys` that
    /// has no effect there but could matter to later statements.
    pub fn is_ignored_pragma(&self, index: usize, foreign_keys: bool) -> bool {
        let asked = self
            .dialect
            .foreign_keys(self.statements[index].text(self.text));
        asked.is_some_and(|asked| asked != foreign_keys)
            && self.breaking.get_or_init(|| self.find_breaking())[index]
    }

    fn find_breaking(&self) -> Vec<bool> {
        let commit = StatementKind::Transaction(TransactionControl::Commit);
        let mut breaks = false;
        let statements = self.statements.iter().rev();
        let mut found: Vec<bool> = statements
            .map(|statement| {
                let after = breaks;
                breaks = statement.kind != commit
                    && (breaks
                        || self
                            .dialect
                            .may_break_foreign_keys(statement.text(self.text)));
                after
            })
            .collect();
        found.reverse();
        found
    }
}

/// Returns the statement's common name.
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
