use std::ops::Range;

use super::{Dialect, Statement, StatementKind, TransactionControl, words::Words};

/// A `BEGIN; … COMMIT;` around a whole script, with `PRAGMA foreign_keys`
/// before and after it, which the runner's own transaction replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrapper {
    /// Indexes of the statements that are left to run.
    pub body: Range<usize>,
    /// Modes of the BEGIN, as written: `ISOLATION LEVEL SERIALIZABLE`. Empty
    /// without any, and on SQLite, whose runner begins IMMEDIATE anyway.
    pub modes: String,
    /// What the leading `PRAGMA foreign_keys` asked for, the last one if there
    /// are several.
    pub foreign_keys: Option<bool>,
}

/// Finds the wrapper around `statements`; without one, `body` is all of them.
///
/// The pragmas are taken off without a BEGIN, too. For scripts that run in a
/// transaction only: with `transaction = off` nothing replaces the wrapper.
pub fn unwrap(text: &str, statements: &[Statement]) -> Wrapper {
    let pragma = |statement: &Statement| match statement.kind {
        StatementKind::Session => foreign_keys_pragma(statement.text(text)),
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
        wrapper.modes = modes;
        body = body.start + 1..body.end - 1;
    }
    wrapper.body = body;
    wrapper
}

/// The modes of the BEGIN, where `statements` are one transaction.
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
    let sqlite = ["DEFERRED", "IMMEDIATE", "EXCLUSIVE"];
    let immediate = sqlite.iter().any(|mode| mode.eq_ignore_ascii_case(modes));
    whole.then(|| {
        if immediate {
            String::new()
        } else {
            modes.clone()
        }
    })
}

/// The value of a `PRAGMA foreign_keys = x` or `(x)`.
///
/// Also decides what the frozen canonical form drops: never change it.
pub fn foreign_keys_pragma(statement: &str) -> Option<bool> {
    let mut words = Words::new(Dialect::Sqlite, statement);
    if !words.eat("PRAGMA") {
        return None;
    }
    let mut name = words.name()?;
    if words.eat_symbol(".") {
        name = words.name()?;
    }
    if name != "foreign_keys" {
        return None;
    }
    let parenthesis = words.eat_symbol("(");
    if !parenthesis && !words.eat_symbol("=") {
        return None;
    }
    let value = words.next()?.text;
    if parenthesis && !words.eat_symbol(")") || !words.is_done() {
        return None;
    }
    let value = value.trim_matches(['\'', '"']).to_ascii_lowercase();
    match value.as_str() {
        "on" | "yes" | "true" | "1" => Some(true),
        "off" | "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
