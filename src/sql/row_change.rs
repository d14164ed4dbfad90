//! Statements that change rows, and their tables.

use super::{
    Dialect, TokenKind,
    words::{Item, Words},
};

/// The way a statement changes rows of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowVerb {
    /// `INSERT`, `REPLACE`.
    Insert,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `MERGE` (PostgreSQL).
    Merge,
}

impl RowVerb {
    /// Returns the SQL keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Merge => "MERGE",
        }
    }

    /// Returns whether it can add rows, so that existing rows do not limit how many it changes.
    pub fn adds_rows(self) -> bool {
        matches!(self, Self::Insert | Self::Merge)
    }
}

/// A statement that changes rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The verb of the statement.
    pub verb: RowVerb,
    /// The table as written after FROM, including quotes, schema and `ONLY`.
    pub table: String,
}

/// A reason why a statement is not known to change rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRowChange {
    /// The statement is of another kind.
    OtherStatement,
    /// The statement may change rows within its WITH, but its row count is that of a query.
    WithinQuery,
    /// The table cannot be determined.
    UnknownTable,
}

/// Returns the verb and table of `statement`.
///
/// # Errors
/// Returns an error if the statement changes no rows, or if its table cannot be determined.
pub fn row_change(dialect: Dialect, statement: &str) -> Result<RowChange, NoRowChange> {
    let mut words = Words::new(dialect, statement);
    if words.eat("WITH") {
        skip_with(&mut words).ok_or(NoRowChange::UnknownTable)?;
        if words.peek().is_none_or(|item| is_query(&item)) {
            return Err(NoRowChange::WithinQuery);
        }
    }
    let verb = verb(dialect, &mut words).ok_or(NoRowChange::OtherStatement)?;
    let table = table(dialect, &mut words).ok_or(NoRowChange::UnknownTable)?;
    Ok(RowChange { verb, table })
}

/// Parses the verb and everything between it and the table.
fn verb(dialect: Dialect, words: &mut Words) -> Option<RowVerb> {
    let rules = dialect.rows();
    if rules.replace && words.eat("REPLACE") {
        return words.eat("INTO").then_some(RowVerb::Insert);
    }
    let verb = match words.eat_any(&["INSERT", "UPDATE", "DELETE", "MERGE"])? {
        "INSERT" => RowVerb::Insert,
        "UPDATE" => RowVerb::Update,
        "DELETE" => RowVerb::Delete,
        _ if rules.merge => RowVerb::Merge,
        _ => return None,
    };
    if rules.or_clause && matches!(verb, RowVerb::Insert | RowVerb::Update) && words.eat("OR") {
        words.eat_any(&["ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK"])?;
    }
    let follows = match verb {
        RowVerb::Insert | RowVerb::Merge => words.eat("INTO"),
        RowVerb::Delete => words.eat("FROM"),
        RowVerb::Update => true,
    };
    follows.then_some(verb)
}

fn table(dialect: Dialect, words: &mut Words) -> Option<String> {
    let mut table = String::new();
    if dialect.rows().only && words.eat("ONLY") {
        table.push_str("ONLY ");
    }
    // A table after ONLY can be in parentheses.
    let enclosed = !table.is_empty() && words.eat_symbol("(");
    loop {
        let name = words.next()?;
        if !is_name(&name) {
            return None;
        }
        table.push_str(name.text);
        if !words.eat_symbol(".") {
            break;
        }
        table.push('.');
    }
    (!enclosed || words.eat_symbol(")")).then_some(table)
}

fn is_name(item: &Item) -> bool {
    match item.kind {
        TokenKind::Word => !item.text.starts_with(|c: char| c.is_ascii_digit()),
        // Its escapes might need a later UESCAPE.
        TokenKind::QuotedName => !item.text.starts_with(['u', 'U']),
        _ => false,
    }
}

/// Skips the queries of a WITH. Returns `None` if their syntax is not recognized.
fn skip_with(words: &mut Words) -> Option<()> {
    words.eat("RECURSIVE");
    loop {
        if !is_name(&words.next()?) {
            return None;
        }
        if words.eat_symbol("(") {
            words.parenthesized();
        }
        if !words.eat("AS") {
            return None;
        }
        words.eat("NOT");
        words.eat("MATERIALIZED");
        if !words.eat_symbol("(") {
            return None;
        }
        words.parenthesized();
        // The SEARCH and CYCLE clauses of a recursive query.
        if words.peek()?.is("SEARCH") || words.peek()?.is("CYCLE") {
            return None;
        }
        if !words.eat_symbol(",") {
            return Some(());
        }
    }
}

fn is_query(item: &Item) -> bool {
    let begins = ["SELECT", "VALUES", "TABLE"];
    item.kind == TokenKind::Open || begins.iter().any(|word| item.is(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use NoRowChange::{OtherStatement, UnknownTable, WithinQuery};
    use RowVerb::{Delete, Insert, Merge, Update};

    const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

    fn check(dialects: &[Dialect], sql: &str, expected: Result<(RowVerb, &str), NoRowChange>) {
        for dialect in dialects {
            let found = row_change(*dialect, sql);
            let found = found.as_ref().map(|it| (it.verb, it.table.as_str()));
            assert_eq!(found, expected.as_ref().copied(), "{dialect:?}: {sql}");
        }
    }

    #[test]
    fn the_table_is_found_behind_the_verb() {
        for (sql, verb, table) in [
            ("INSERT INTO t SELECT 1", Insert, "t"),
            ("insert /* x */ into -- y\n t(a) values (1)", Insert, "t"),
            ("UPDATE t SET a = 1", Update, "t"),
            ("UPDATE t AS x SET a = 1", Update, "t"),
            (
                "UPDATE \"a \"\"b\".\"T\" x SET a = 1",
                Update,
                "\"a \"\"b\".\"T\"",
            ),
            ("UPDATE s . t SET a = 1", Update, "s.t"),
            ("DELETE FROM żółć WHERE true", Delete, "żółć"),
            ("DELETE FROM main.t", Delete, "main.t"),
            ("UPDATE update SET a = 1", Update, "update"),
            ("WITH x AS (SELECT 1) UPDATE t SET a = 1", Update, "t"),
            (
                "WITH RECURSIVE x(a, b) AS (SELECT ')'), y AS (VALUES (1)) DELETE FROM t",
                Delete,
                "t",
            ),
            (
                "WITH delete AS MATERIALIZED (SELECT 1) INSERT INTO t SELECT 1",
                Insert,
                "t",
            ),
            (
                "WITH x AS NOT MATERIALIZED (SELECT 1) INSERT INTO t SELECT 1",
                Insert,
                "t",
            ),
            (
                "WITH m AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM m",
                Insert,
                "b",
            ),
        ] {
            check(&BOTH, sql, Ok((verb, table)));
        }
    }

    #[test]
    fn each_dialect_has_its_own_forms() {
        let postgres = |sql, expected| check(&[Dialect::Postgres], sql, expected);
        let sqlite = |sql, expected| check(&[Dialect::Sqlite], sql, expected);
        postgres("UPDATE ONLY t SET a = 1", Ok((Update, "ONLY t")));
        postgres("DELETE FROM ONLY (s.t) WHERE a", Ok((Delete, "ONLY s.t")));
        postgres("UPDATE t * SET a = 1", Ok((Update, "t")));
        postgres("MERGE INTO t USING s ON true", Ok((Merge, "t")));
        postgres("UPDATE U&\"d\\0061t\" SET a = 1", Err(UnknownTable));
        postgres("REPLACE INTO t VALUES (1)", Err(OtherStatement));
        sqlite("REPLACE INTO t VALUES (1)", Ok((Insert, "t")));
        sqlite("INSERT OR IGNORE INTO t SELECT 1", Ok((Insert, "t")));
        sqlite("UPDATE OR FAIL [a b] SET a = 1", Ok((Update, "[a b]")));
        sqlite("DELETE FROM `a`.t", Ok((Delete, "`a`.t")));
        sqlite("MERGE INTO t USING s ON true", Err(OtherStatement));
    }

    #[test]
    fn what_changes_no_rows_or_hides_them_is_told_apart() {
        for (sql, expected) in [
            ("", OtherStatement),
            ("SELECT 1", OtherStatement),
            ("CREATE TABLE t (x int)", OtherStatement),
            ("UPDATE", UnknownTable),
            ("UPDATE 1 SET a = 1", UnknownTable),
            ("UPDATE (t) SET a = 1", UnknownTable),
            ("INSERT t VALUES (1)", OtherStatement),
            (
                "WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x",
                WithinQuery,
            ),
            (
                "WITH x AS (DELETE FROM t RETURNING 1) (SELECT * FROM x)",
                WithinQuery,
            ),
            ("WITH x AS (SELECT 1) VALUES (1)", WithinQuery),
            ("WITH x AS (SELECT 1", UnknownTable),
            ("WITH x", UnknownTable),
            (
                "WITH RECURSIVE x AS (SELECT 1) SEARCH DEPTH FIRST BY a, b SET c UPDATE t SET a = 1",
                UnknownTable,
            ),
        ] {
            check(&BOTH, sql, Err(expected));
        }
    }

    proptest! {
        /// Whatever prevents the change, the name is returned unchanged.
        #[test]
        fn any_name_is_found(
            schema in proptest::option::of("[a-z_][a-z0-9_]{0,8}|\"([^\"\0]|\"\"){1,8}\""),
            name in "[a-z_][a-z0-9_]{0,8}|\"([^\"\0]|\"\"){1,8}\"",
            gap in " |\n|/\\* x \\*/|-- y\n",
            with in "|WITH a AS \\(SELECT '\\(' FROM b\\) ",
        ) {
            prop_assume!(!matches!(name.as_str(), "only" | "or"));
            prop_assume!(!matches!(schema.as_deref(), Some("only" | "or")));
            let table = schema.map_or(name.clone(), |schema| format!("{schema}.{name}"));
            for dialect in BOTH {
                for (verb, sql) in [
                    (Update, format!("{with}UPDATE{gap}{table}{gap}SET x = 1")),
                    (Delete, format!("{with}DELETE{gap}FROM{gap}{table}{gap}WHERE x")),
                    (Insert, format!("{with}INSERT{gap}INTO{gap}{table}{gap}(a) SELECT 1")),
                ] {
                    let expected = Ok(RowChange { verb, table: table.clone() });
                    prop_assert_eq!(row_change(dialect, &sql), expected, "{}", sql);
                }
            }
        }

        /// Any text is accepted.
        #[test]
        fn any_text_can_be_looked_at(text in "(?s)(WITH|AS|UPDATE|ONLY|INTO|[a(). ,\"']|.){0,20}") {
            for dialect in BOTH {
                let _ = row_change(dialect, &text);
            }
        }
    }
}
