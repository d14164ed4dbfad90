//! Classifies statements of SQLite. The list of those that cannot run inside a transaction was
//! tested statement by statement.

use crate::sql::{
    Dialect, StatementKind, TokenKind, TransactionControl,
    classify::{release, rollback_to, transaction},
    words::Words,
};

use StatementKind::{OutsideTransaction, Plain, Session, SessionObject};

/// Pragmas that only read, or that write something stored in the database.
const STATELESS: &[&str] = &[
    "application_id",
    "foreign_key_check",
    "foreign_key_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "optimize",
    "quick_check",
    "schema_version",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// Returns whether a statement could violate foreign keys while they are not enforced.
pub(super) fn may_break_foreign_keys(statement: &str) -> bool {
    let mut words = Words::new(Dialect::Sqlite, statement);
    let Some(first) = words.next() else {
        return false;
    };
    if first.kind != TokenKind::Word {
        return true;
    }
    match first.text.to_ascii_uppercase().as_str() {
        "CREATE" => {
            words.eat_any(&["TEMP", "TEMPORARY"]);
            words.eat("UNIQUE");
            words
                .eat_any(&["TABLE", "INDEX", "VIEW", "TRIGGER"])
                .is_none()
        }
        "DROP" => words.eat_any(&["INDEX", "VIEW", "TRIGGER"]).is_none(),
        "ALTER" => !is_harmless_column(words),
        "ANALYZE" | "REINDEX" | "VACUUM" | "PRAGMA" | "EXPLAIN" | "SELECT" | "VALUES"
        | "ATTACH" | "DETACH" | "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT"
        | "RELEASE" => false,
        _ => true,
    }
}

/// Returns whether the words after ALTER are `TABLE t ADD …` without REFERENCES.
fn is_harmless_column(mut words: Words) -> bool {
    if !words.eat("TABLE") || words.name().is_none() {
        return false;
    }
    if words.eat_symbol(".") && words.name().is_none() {
        return false;
    }
    words.eat("ADD") && !words.any(|item| item.is("REFERENCES"))
}

pub(in crate::sql) fn classify(mut words: Words) -> StatementKind {
    let Some(first) = words.next() else {
        return Plain;
    };
    if first.kind != TokenKind::Word {
        return Plain;
    }
    match first.text.to_ascii_uppercase().as_str() {
        "PRAGMA" => pragma(words),
        "ATTACH" | "DETACH" => Session,
        "VACUUM" => OutsideTransaction("VACUUM"),
        "CREATE" => create(words),
        keyword => transaction(control(keyword, words)),
    }
}

fn control(keyword: &str, mut words: Words) -> Option<TransactionControl> {
    use TransactionControl::{Begin, Commit, Rollback, Savepoint};
    match keyword {
        "BEGIN" => {
            let mode = words.peek();
            let modes = ["DEFERRED", "IMMEDIATE", "EXCLUSIVE"];
            let mode = mode.filter(|item| modes.iter().any(|mode| item.is(mode)));
            Some(Begin(mode.map_or("", |item| item.text).to_owned()))
        }
        "COMMIT" | "END" => Some(Commit),
        "ROLLBACK" => {
            if words.eat("TRANSACTION") && !words.peek().is_some_and(|item| item.is("TO")) {
                words.next();
            }
            if words.eat("TO") {
                return rollback_to(&mut words);
            }
            Some(Rollback)
        }
        "SAVEPOINT" => words.name().map(Savepoint),
        "RELEASE" => release(&mut words),
        _ => None,
    }
}

fn pragma(mut words: Words) -> StatementKind {
    let Some(mut name) = words.name() else {
        return Plain;
    };
    if words.eat_symbol(".") {
        name = words.name().unwrap_or_default();
    }
    let has_value = !words.is_done();
    match name.as_str() {
        "wal_checkpoint" => OutsideTransaction("PRAGMA wal_checkpoint"),
        "journal_mode" if has_value => OutsideTransaction("PRAGMA journal_mode"),
        "synchronous" if has_value => OutsideTransaction("PRAGMA synchronous"),
        name if !has_value || STATELESS.contains(&name) => Plain,
        _ => Session,
    }
}

fn create(mut words: Words) -> StatementKind {
    if words.eat_any(&["TEMP", "TEMPORARY"]).is_some() {
        return SessionObject(match words.eat_any(&["VIEW", "TRIGGER"]) {
            Some("VIEW") => "CREATE TEMP VIEW",
            Some(_) => "CREATE TEMP TRIGGER",
            None => "CREATE TEMP TABLE",
        });
    }
    words.eat_any(&["UNIQUE", "VIRTUAL"]);
    words.eat_any(&["TABLE", "INDEX", "VIEW", "TRIGGER"]);
    words.eat_all(&["IF", "NOT", "EXISTS"]);
    if words.name().as_deref() == Some("temp") && words.eat_symbol(".") {
        return SessionObject("CREATE in temp");
    }
    Plain
}
