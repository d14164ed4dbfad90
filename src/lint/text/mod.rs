//! Reads what statements say.

mod postgres;
mod sqlite;

use super::{Act, Headers, Known, Script, Statement};
use crate::sql::{self, Dialect, StatementKind, TransactionControl};

/// Returns what `statement` says.
pub fn read(dialect: Dialect, statement: &str) -> Vec<Act> {
    match dialect {
        Dialect::Postgres => postgres::read(statement),
        Dialect::Sqlite => sqlite::read(statement),
    }
}

/// Splits a script and reads its statements; see [`statements`].
#[cfg(test)]
pub fn script(
    dialect: Dialect,
    text: &str,
    headers: Headers,
    known: &mut Known,
) -> Result<Script, Vec<sql::SqlProblem>> {
    let split = sql::split(dialect, text)?;
    let acts = acts(dialect, text, &split);
    Ok(statements(text, &split, acts, headers, known))
}

/// What the statements say into which the script `text` was split.
pub fn acts(dialect: Dialect, text: &str, split: &[sql::Statement]) -> Vec<Vec<Act>> {
    let texts = split.iter().map(|statement| statement.text(text));
    texts.map(|sql| read(dialect, sql)).collect()
}

/// Predicts the effects of the statements into which the script `text` was split, and which say `acts`,
/// after what is `known`. Afterwards, the script is known as well.
pub fn statements(
    text: &str,
    split: &[sql::Statement],
    acts: Vec<Vec<Act>>,
    headers: Headers,
    known: &mut Known,
) -> Script {
    let dialect = known.dialect();
    let young = known.young().to_vec();
    known.begin_transaction();
    let mut statements: Vec<Statement> = Vec::with_capacity(split.len());
    // Whether the next statement continues a transaction.
    let mut is_open = false;
    let mut is_explicit = false;
    for (statement, acts) in split.iter().zip(acts) {
        if let StatementKind::Transaction(control) = &statement.kind
            && let Some(begins) = begins(control)
        {
            is_explicit = begins;
            is_open = false;
            known.begin_transaction();
        }
        let is_outside = matches!(statement.kind, StatementKind::OutsideTransaction(_));
        if is_outside || headers.transaction_off && !is_explicit {
            is_open = false;
            known.begin_transaction();
        }
        let effects = known.effects(&acts);
        statements.push(Statement {
            sql: statement.text(text).to_owned(),
            span: statement.span.clone(),
            line: statement.line,
            column: statement.column,
            in_transaction: is_open,
            is_batched: false,
            acts,
            effects,
            error: None,
        });
        is_open = !is_outside && (is_explicit || !headers.transaction_off);
    }
    known.begin_transaction();
    Script {
        dialect,
        headers,
        statements,
        young,
        later: Vec::new(),
        server: None,
        before: None,
        after: None,
    }
}

/// Whether a transaction begins or ends; `None` for what only divides it.
fn begins(control: &TransactionControl) -> Option<bool> {
    match control {
        TransactionControl::Begin(_) | TransactionControl::Chain => Some(true),
        TransactionControl::Commit
        | TransactionControl::Rollback
        | TransactionControl::TwoPhase => Some(false),
        TransactionControl::Savepoint(_)
        | TransactionControl::Release(_)
        | TransactionControl::RollbackTo(_) => None,
    }
}
