use std::ops::Range;

use super::{Dialect, Statement, StatementKind, TransactionControl};

/// A `BEGIN; … COMMIT;` around a whole script, with `PRAGMA foreign_keys`
/// before and after it, which the runner's own transaction replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapper {
    /// Indexes of the statements to run.
    pub body: Range<usize>,
    /// Modes of the BEGIN, as written: `ISOLATION LEVEL SERIALIZABLE`. Empty if there are none, or
    /// if the runner's own BEGIN has no modes.
    pub modes: String,
    /// The value of the leading `PRAGMA foreign_keys`; the last one counts.
    pub foreign_keys: Option<bool>,
}

/// Finds the wrapper around `statements`; without one, `body` contains all of them.
///
/// The pragmas are removed even without a BEGIN. Only use this for scripts that run in a
/// transaction: with `transaction = off`, nothing replaces the wrapper.
pub fn unwrap(dialect: Dialect, text: &str, statements: &[Statement]) -> Wrapper {
    let pragma = |statement: &Statement| match statement.kind {
        StatementKind::Session => dialect.foreign_keys(statement.text(text)),
        _ => None,
    };
    let mut wrapper = Wrapper::default();
    let mut body = 0..statements.len();
    while let Some(value) = statements[body.clone()].first().and_then(pragma) {
        wrapper.foreign_keys = Some(value);
        body.start += 1;
    }
    while statements[body.clone()].last().and_then(pragma).is_some() {
        body.end -= 1;
    }
    if let Some(modes) = transaction(&statements[body.clone()]) {
        if dialect.capabilities().transaction_modes {
            wrapper.modes = modes;
        }
        body = body.start + 1..body.end - 1;
    }
    wrapper.body = body;
    wrapper
}

/// Returns the modes of the BEGIN if `statements` are one transaction.
fn transaction(statements: &[Statement]) -> Option<String> {
    use StatementKind::Transaction;
    use TransactionControl::{Begin, Commit, Release, RollbackTo, Savepoint};
    let [first, inner @ .., last] = statements else {
        return None;
    };
    let (Transaction(Begin(modes)), Transaction(Commit)) = (&first.kind, &last.kind) else {
        return None;
    };
    let whole = inner.iter().all(|statement| match &statement.kind {
        Transaction(control) => matches!(control, Savepoint(_) | Release(_) | RollbackTo(_)),
        _ => true,
    });
    whole.then(|| modes.clone())
}

#[cfg(test)]
mod tests;
