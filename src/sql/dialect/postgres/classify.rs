//! Classifies statements of PostgreSQL. The list of those that cannot run inside a transaction was
//! tested statement by statement on version 15. The text does not show that REINDEX and CLUSTER
//! also reject a partitioned table, or that DROP SUBSCRIPTION accepts one without a slot.

use crate::sql::{
    ConcurrentIndex, Dialect, StatementKind, TokenKind, TransactionControl,
    classify::{release, rollback_to, transaction},
    words::{Item, Words, option_is_off, option_is_on},
};

use StatementKind::{MayCommit, OutsideTransaction, Plain, Session, SessionObject};

/// Parses a `CREATE INDEX CONCURRENTLY`; `None` for any other statement, and for names written
/// `U&"…"`.
pub(super) fn concurrent_index(statement: &str) -> Option<ConcurrentIndex> {
    let mut words = Words::new(Dialect::Postgres, statement);
    if !words.eat("CREATE") {
        return None;
    }
    let unique = words.eat("UNIQUE");
    if !words.eat_all(&["INDEX", "CONCURRENTLY"]) {
        return None;
    }
    let if_not_exists = words.eat_all(&["IF", "NOT", "EXISTS"]);
    let name = if words.eat("ON") {
        None
    } else {
        let name = words.name()?;
        if !words.eat("ON") {
            return None;
        }
        Some(name)
    };
    words.eat("ONLY");
    let mut schema = None;
    let mut table = words.name()?;
    while words.eat_symbol(".") {
        schema = Some(std::mem::replace(&mut table, words.name()?));
    }
    Some(ConcurrentIndex {
        unique,
        if_not_exists,
        name,
        schema,
        table,
    })
}

/// Returns the value that a statement sets standard_conforming_strings to, which affects later
/// ones.
pub(super) fn conforming_strings(statement: &str) -> Option<bool> {
    const NAME: &str = "standard_conforming_strings";
    let mut words = Words::new(Dialect::Postgres, statement);
    if words.eat("RESET") {
        return words.eat_any(&[NAME, "ALL"]).map(|_| true);
    }
    if !words.eat("SET") {
        return None;
    }
    words.eat_any(&["SESSION", "LOCAL"]);
    if !words.eat(NAME) || !(words.eat_symbol("=") || words.eat("TO")) {
        return None;
    }
    let value = words.next()?.text.trim_matches('\'').to_ascii_lowercase();
    match value.as_str() {
        "off" | "of" | "false" | "fals" | "fal" | "fa" | "f" | "no" | "n" | "0" => Some(false),
        _ => Some(true),
    }
}

pub(in crate::sql) fn classify(mut words: Words) -> StatementKind {
    let Some(first) = words.next() else {
        return Plain;
    };
    if first.kind == TokenKind::Open {
        return query(words);
    }
    if first.kind != TokenKind::Word {
        return Plain;
    }
    match first.text.to_ascii_uppercase().as_str() {
        "SELECT" if is_set_config(words.clone()) => Session,
        "SELECT" | "WITH" => query(words),
        "CREATE" => create(words),
        "ALTER" => alter(words),
        "DROP" => drop(words),
        "SET" => set(words),
        "RESET" | "LOAD" => Session,
        "DISCARD" if words.eat("ALL") => OutsideTransaction("DISCARD ALL"),
        "DISCARD" => Session,
        "COPY" => copy(words),
        "CALL" | "DO" => MayCommit,
        "VACUUM" => OutsideTransaction("VACUUM"),
        "REINDEX" => reindex(words),
        "CLUSTER" => cluster(words),
        "LISTEN" => SessionObject("LISTEN"),
        "DECLARE" => declare(words),
        "PREPARE" if words.eat("TRANSACTION") => {
            StatementKind::Transaction(TransactionControl::TwoPhase)
        }
        "PREPARE" => SessionObject("PREPARE"),
        keyword => transaction(control(keyword, words)),
    }
}

fn control(keyword: &str, mut words: Words) -> Option<TransactionControl> {
    use TransactionControl::{Begin, Chain, Commit, Rollback, Savepoint, TwoPhase};
    match keyword {
        "BEGIN" => {
            words.eat_any(&["WORK", "TRANSACTION"]);
            Some(Begin(words.collapsed()))
        }
        "START" if words.eat("TRANSACTION") => Some(Begin(words.collapsed())),
        "COMMIT" | "ROLLBACK" if words.eat("PREPARED") => Some(TwoPhase),
        "COMMIT" | "END" | "ROLLBACK" | "ABORT" => {
            words.eat_any(&["WORK", "TRANSACTION"]);
            if words.eat_all(&["AND", "CHAIN"]) {
                Some(Chain)
            } else if keyword == "ROLLBACK" && words.eat("TO") {
                rollback_to(&mut words)
            } else if matches!(keyword, "COMMIT" | "END") {
                Some(Commit)
            } else {
                Some(Rollback)
            }
        }
        "SAVEPOINT" => words.name().map(Savepoint),
        "RELEASE" => release(&mut words),
        _ => None,
    }
}

/// Classifies SET. SET LOCAL, SET CONSTRAINTS and SET TRANSACTION end with the transaction.
fn set(mut words: Words) -> StatementKind {
    match words.eat_any(&["LOCAL", "CONSTRAINTS", "TRANSACTION"]) {
        Some(_) => Plain,
        None => Session,
    }
}

/// Returns whether a query, after its SELECT, consists only of `set_config(…, false)`.
fn is_set_config(mut words: Words) -> bool {
    loop {
        words.eat_if(|item| item.is("pg_catalog") || item.text == "\"pg_catalog\"");
        words.eat_symbol(".");
        if !words.eat("set_config") || !words.eat_symbol("(") {
            return false;
        }
        let arguments = words.parenthesized();
        let [.., comma, local] = arguments.as_slice() else {
            return false;
        };
        let off = ["false", "'false'", "'f'", "'off'"];
        if comma.text != "," || !off.iter().any(|off| local.text.eq_ignore_ascii_case(off)) {
            return false;
        }
        if words.is_done() {
            return true;
        }
        if !words.eat_symbol(",") {
            return false;
        }
    }
}

/// Classifies a query. `INTO TEMP x` and `INTO pg_temp.x` create a temporary table.
fn query(words: Words) -> StatementKind {
    let mut before: Option<Item> = None;
    let mut words = words;
    while let Some(item) = words.next() {
        let inserts = before.is_some_and(|item| item.is("INSERT") || item.is("MERGE"));
        if item.is("INTO") && !inserts && is_temporary_target(words.clone()) {
            return SessionObject("SELECT INTO TEMP");
        }
        before = Some(item);
    }
    Plain
}

fn is_temporary_target(mut words: Words) -> bool {
    words.eat_any(&["LOCAL", "GLOBAL"]);
    if words.eat_any(&["TEMP", "TEMPORARY"]).is_some() {
        // TEMP alone is a table with that name.
        let clause = [
            "FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "UNION", "HAVING",
        ];
        return words.peek().is_some_and(|item| {
            matches!(item.kind, TokenKind::Word | TokenKind::QuotedName)
                && !clause.iter().any(|word| item.is(word))
        });
    }
    words.eat("TABLE");
    is_pg_temp(&mut words)
}

fn is_pg_temp(words: &mut Words) -> bool {
    words.name().as_deref() == Some("pg_temp") && words.eat_symbol(".")
}

fn create(mut words: Words) -> StatementKind {
    let mut index = words.clone();
    index.eat("UNIQUE");
    if index.eat_all(&["INDEX", "CONCURRENTLY"]) {
        return OutsideTransaction("CREATE INDEX CONCURRENTLY");
    }
    match words.eat_any(&["DATABASE", "TABLESPACE", "SUBSCRIPTION"]) {
        Some("DATABASE") => return OutsideTransaction("CREATE DATABASE"),
        Some("TABLESPACE") => return OutsideTransaction("CREATE TABLESPACE"),
        Some(_) => return subscription(words),
        None => {}
    }
    words.eat_all(&["OR", "REPLACE"]);
    words.eat_any(&["LOCAL", "GLOBAL"]);
    if words.eat_any(&["TEMP", "TEMPORARY"]).is_some() {
        words.eat("RECURSIVE");
        return SessionObject(match words.eat_any(&["VIEW", "SEQUENCE"]) {
            Some("VIEW") => "CREATE TEMP VIEW",
            Some(_) => "CREATE TEMP SEQUENCE",
            None => "CREATE TEMP TABLE",
        });
    }
    // The keywords of the object, then its name: at most seven words.
    for _ in 0..8 {
        if is_pg_temp(&mut words.clone()) {
            return SessionObject("CREATE in pg_temp");
        }
        if !words.eat_if(|item| item.kind == TokenKind::Word) {
            break;
        }
    }
    Plain
}

/// Classifies CREATE SUBSCRIPTION: it may be in a transaction if it does not create a slot.
fn subscription(mut words: Words) -> StatementKind {
    if words.skip_past("WITH") && words.eat_symbol("(") {
        let options = words.parenthesized();
        if option_is_off(&options, "create_slot") || option_is_off(&options, "connect") {
            return Plain;
        }
    }
    OutsideTransaction("CREATE SUBSCRIPTION")
}

fn drop(mut words: Words) -> StatementKind {
    if words.eat_all(&["INDEX", "CONCURRENTLY"]) {
        return OutsideTransaction("DROP INDEX CONCURRENTLY");
    }
    match words.eat_any(&["DATABASE", "TABLESPACE", "SUBSCRIPTION"]) {
        Some("DATABASE") => OutsideTransaction("DROP DATABASE"),
        Some("TABLESPACE") => OutsideTransaction("DROP TABLESPACE"),
        Some(_) => OutsideTransaction("DROP SUBSCRIPTION"),
        None => Plain,
    }
}

fn alter(mut words: Words) -> StatementKind {
    match words.eat_any(&["SYSTEM", "DATABASE", "TABLE", "SUBSCRIPTION"]) {
        Some("SYSTEM") => OutsideTransaction("ALTER SYSTEM"),
        Some("DATABASE") => alter_database(words),
        Some("TABLE") => alter_table(words),
        Some(_) => alter_subscription(words),
        None => Plain,
    }
}

fn alter_database(mut words: Words) -> StatementKind {
    words.next();
    let tablespace = if words.eat("SET") {
        words.eat("TABLESPACE")
    } else {
        words.eat_any(&["RENAME", "OWNER", "RESET"]).is_none() && words.skip_past("TABLESPACE")
    };
    if tablespace {
        OutsideTransaction("ALTER DATABASE SET TABLESPACE")
    } else {
        Plain
    }
}

fn alter_table(mut words: Words) -> StatementKind {
    while words.skip_past("DETACH") {
        if words.eat("PARTITION")
            && words
                .by_ref()
                .last()
                .is_some_and(|it| it.is("CONCURRENTLY"))
        {
            return OutsideTransaction("ALTER TABLE DETACH PARTITION CONCURRENTLY");
        }
    }
    Plain
}

fn alter_subscription(mut words: Words) -> StatementKind {
    words.next();
    if words.eat_all(&["REFRESH", "PUBLICATION"]) {
        return OutsideTransaction("ALTER SUBSCRIPTION REFRESH PUBLICATION");
    }
    if words.eat_any(&["SET", "ADD", "DROP"]).is_none() || !words.eat("PUBLICATION") {
        return Plain;
    }
    if words.skip_past("WITH")
        && words.eat_symbol("(")
        && option_is_off(&words.parenthesized(), "refresh")
    {
        return Plain;
    }
    OutsideTransaction("ALTER SUBSCRIPTION with refresh")
}

fn reindex(mut words: Words) -> StatementKind {
    let options = if words.eat_symbol("(") {
        words.parenthesized()
    } else {
        Vec::new()
    };
    let kind = words.eat_any(&["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"]);
    if words.eat("CONCURRENTLY") || option_is_on(&options, "CONCURRENTLY") {
        return OutsideTransaction("REINDEX CONCURRENTLY");
    }
    match kind {
        Some("SCHEMA") => OutsideTransaction("REINDEX SCHEMA"),
        Some("DATABASE") => OutsideTransaction("REINDEX DATABASE"),
        Some("SYSTEM") => OutsideTransaction("REINDEX SYSTEM"),
        _ => Plain,
    }
}

/// Classifies CLUSTER: without a table it processes all of them, each in its own transaction.
fn cluster(mut words: Words) -> StatementKind {
    if words.eat_symbol("(") {
        words.parenthesized();
    }
    words.eat("VERBOSE");
    if words.is_done() {
        OutsideTransaction("CLUSTER")
    } else {
        Plain
    }
}

/// Classifies DECLARE. The options of a cursor come before its query.
fn declare(words: Words) -> StatementKind {
    let mut before: Option<Item> = None;
    for item in words.take_while(|item| !item.is("FOR")) {
        if item.is("HOLD") && before.is_some_and(|before| before.is("WITH")) {
            return SessionObject("DECLARE … WITH HOLD");
        }
        before = Some(item);
    }
    Plain
}

fn copy(mut words: Words) -> StatementKind {
    let mut depth = 0u32;
    while let Some(item) = words.next() {
        match item.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let direction = depth == 0 && (item.is("FROM") || item.is("TO"));
        if direction && words.eat_any(&["STDIN", "STDOUT"]).is_some() {
            return match item.is("FROM") {
                true => StatementKind::CopyIn,
                false => StatementKind::CopyOut,
            };
        }
    }
    Plain
}
