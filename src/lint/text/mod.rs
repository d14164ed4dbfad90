//! Reads what statements say.

mod postgres;
mod sqlite;

use super::{Act, Headers, Known, Script, Statement};
use crate::{
    schema::Schema,
    sql::{self, Dialect, SqlProblem, StatementKind},
};

/// Returns what `statement` says.
pub fn read(dialect: Dialect, statement: &str) -> Vec<Act> {
    match dialect {
        Dialect::Postgres => postgres::read(statement),
        Dialect::Sqlite => sqlite::read(statement),
    }
}

/// Reads the statements of a script, and predicts their effects after what is `known`. Afterwards,
/// the script is known as well.
///
/// # Errors
/// Returns the problems of a text that cannot be split into statements.
pub fn script(
    dialect: Dialect,
    text: &str,
    headers: Headers,
    known: &mut Known,
) -> Result<Script, Vec<SqlProblem>> {
    let split = sql::split(dialect, text)?;
    Ok(statements(dialect, text, &split, headers, known))
}

/// Reads the statements into which a script was split; see [`script`].
pub fn statements(
    dialect: Dialect,
    text: &str,
    split: &[sql::Statement],
    headers: Headers,
    known: &mut Known,
) -> Script {
    let young = known.young().to_vec();
    known.begin_transaction();
    let mut statements: Vec<Statement> = Vec::with_capacity(split.len());
    let mut is_first = true;
    for statement in split {
        let is_single = headers.transaction_off
            || matches!(statement.kind, StatementKind::OutsideTransaction(_));
        if is_single {
            known.begin_transaction();
        }
        let sql = statement.text(text).to_owned();
        let acts = read(dialect, &sql);
        let effects = known.effects(&acts);
        statements.push(Statement {
            sql,
            span: statement.span.clone(),
            line: statement.line,
            column: statement.column,
            in_transaction: !is_single && !is_first,
            is_batched: false,
            acts,
            effects,
            error: None,
        });
        is_first = false;
    }
    known.begin_transaction();
    Script {
        dialect,
        headers,
        statements,
        young,
        before: None,
        after: None,
    }
}

/// Makes the objects of `schema` known as older than every run.
pub fn know_schema(known: &mut Known, schema: &Schema) {
    known.schema(schema);
}
