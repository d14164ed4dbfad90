//! Statements that change no rows but those of tables that they alter or drop.

use super::{Dialect, TokenKind, words::Words};

/// What CREATE makes without a row.
const CREATED: &[&[&str]] = &[
    &["AGGREGATE"],
    &["CAST"],
    &["COLLATION"],
    &["DOMAIN"],
    &["EXTENSION"],
    &["FUNCTION"],
    &["INDEX"],
    &["OPERATOR"],
    &["POLICY"],
    &["PROCEDURE"],
    &["ROLE"],
    &["RULE"],
    &["SCHEMA"],
    &["SEQUENCE"],
    &["STATISTICS"],
    &["TRIGGER"],
    &["TYPE"],
    &["UNIQUE", "INDEX"],
    &["VIEW"],
];

/// What DROP removes without a row of another table.
const DROPPED: &[&[&str]] = &[
    &["AGGREGATE"],
    &["CAST"],
    &["COLLATION"],
    &["DOMAIN"],
    &["EXTENSION"],
    &["FUNCTION"],
    &["INDEX"],
    &["MATERIALIZED", "VIEW"],
    &["OPERATOR"],
    &["POLICY"],
    &["PROCEDURE"],
    &["RULE"],
    &["SEQUENCE"],
    &["STATISTICS"],
    &["TRIGGER"],
    &["TYPE"],
    &["VIEW"],
];

/// What ALTER changes without a row.
const ALTERED: &[&[&str]] = &[
    &["COLLATION"],
    &["DEFAULT", "PRIVILEGES"],
    &["DOMAIN"],
    &["FUNCTION"],
    &["INDEX"],
    &["POLICY"],
    &["PROCEDURE"],
    &["SCHEMA"],
    &["SEQUENCE"],
    &["TRIGGER"],
    &["TYPE"],
    &["VIEW"],
];

/// Whether `statement` is known to change no rows but those of tables whose definition it changes as
/// well, apart from what functions and event triggers do.
pub fn keeps_rows(dialect: Dialect, statement: &str) -> bool {
    let mut words = Words::new(dialect, statement);
    if words.eat("CREATE") {
        return creates(words);
    }
    if words.eat("DROP") {
        let is_table = !dialect.rows().drop_deletes && words.eat("TABLE");
        return is_table || eats(&mut words, DROPPED);
    }
    if words.eat("ALTER") {
        let is_table = words.eat("TABLE") && !words.clone().any(|it| it.is("TYPE"));
        return is_table || eats(&mut words, ALTERED);
    }
    words.eat_any(&["COMMENT", "GRANT", "REVOKE"]).is_some()
}

fn creates(mut words: Words<'_>) -> bool {
    words.eat_all(&["OR", "REPLACE"]);
    if eats(&mut words, CREATED) {
        return true;
    }
    words.eat("UNLOGGED");
    words.eat("TABLE") && !has_query(words)
}

/// Whether a statement has AS or EXECUTE outside parentheses.
fn has_query(words: Words<'_>) -> bool {
    let mut depth = 0_u32;
    for item in words {
        match item.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ if depth == 0 && (item.is("AS") || item.is("EXECUTE") || item.is("SELECT")) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

fn eats(words: &mut Words<'_>, all: &[&[&str]]) -> bool {
    all.iter().any(|kind| words.eat_all(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_may_change_rows() {
        let check = |statement: &str, postgres: bool, sqlite: bool| {
            assert_eq!(
                keeps_rows(Dialect::Postgres, statement),
                postgres,
                "{statement}"
            );
            assert_eq!(
                keeps_rows(Dialect::Sqlite, statement),
                sqlite,
                "{statement}"
            );
        };
        let both = |statement: &str, expected: bool| check(statement, expected, expected);
        both(
            "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) STORED)",
            true,
        );
        both("create /* ; */ unlogged table t (a int)", true);
        both("CREATE TABLE t AS SELECT 1", false);
        both("CREATE TABLE t (a) AS VALUES (1)", false);
        both("CREATE UNIQUE INDEX i ON t (a)", true);
        both(
            "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ DELETE FROM t $$",
            true,
        );
        both("CREATE MATERIALIZED VIEW v AS SELECT f()", false);
        both(
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; END",
            true,
        );
        both("ALTER TABLE t ADD COLUMN b int DEFAULT 1", true);
        both("ALTER TABLE t ALTER b TYPE int USING b + 1", false);
        both("ALTER TYPE e ADD VALUE 'x'", true);
        check("DROP TABLE t CASCADE", true, false);
        both("DROP VIEW v", true);
        both("DROP OWNED BY r", false);
        both("COMMENT ON TABLE t IS ''", true);
        for statement in [
            "UPDATE t SET a = 1",
            "SELECT f()",
            "DO $$ $$",
            "TRUNCATE t",
            "CALL f()",
            "",
        ] {
            both(statement, false);
        }
    }
}
