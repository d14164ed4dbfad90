//! Finds the objects that a statement drops, as far as its text shows.

use super::{
    Dialect, TokenKind,
    words::{Item, Words},
};

/// An object that a statement drops, or whose rows it deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The kind, as displayed: `table`, `materialized view`, `all rows of`.
    pub kind: &'static str,
    /// The name as written; a column has its table as a prefix.
    pub name: String,
}

/// Kinds after DROP; longer ones come before their prefixes.
const KINDS: [(&[&str], &str); 16] = [
    (&["FOREIGN", "TABLE"], "foreign table"),
    (&["TABLE"], "table"),
    (&["MATERIALIZED", "VIEW"], "materialized view"),
    (&["VIEW"], "view"),
    (&["INDEX"], "index"),
    (&["TYPE"], "type"),
    (&["DOMAIN"], "domain"),
    (&["SEQUENCE"], "sequence"),
    (&["SCHEMA"], "schema"),
    (&["EXTENSION"], "extension"),
    (&["FUNCTION"], "function"),
    (&["PROCEDURE"], "procedure"),
    (&["TRIGGER"], "trigger"),
    (&["POLICY"], "policy"),
    (&["ROLE"], "role"),
    (&["DATABASE"], "database"),
];

/// Returns what `statement` drops: DROP, ALTER TABLE … DROP COLUMN, TRUNCATE. Effects of called
/// functions and of cascades are not visible in its text.
pub fn dropped(dialect: Dialect, statement: &str) -> Vec<Dropped> {
    let mut words = Words::new(dialect, statement);
    if words.eat("DROP") {
        return objects(&mut words);
    }
    if words.eat("TRUNCATE") {
        words.eat("TABLE");
        return names(&mut words, "all rows of");
    }
    if words.eat_all(&["ALTER", "FOREIGN", "TABLE"]) || words.eat_all(&["ALTER", "TABLE"]) {
        return columns(&mut words);
    }
    Vec::new()
}

/// Parses the objects after DROP.
fn objects(words: &mut Words) -> Vec<Dropped> {
    let kind = KINDS.iter().find(|(kind, _)| words.eat_all(kind));
    let Some((_, kind)) = kind else {
        return Vec::new();
    };
    words.eat("CONCURRENTLY");
    words.eat_all(&["IF", "EXISTS"]);
    names(words, kind)
}

/// Parses a list of names, ignoring any text between a name and the next comma.
fn names(words: &mut Words, kind: &'static str) -> Vec<Dropped> {
    let mut found = Vec::new();
    loop {
        words.eat("ONLY");
        let Some(name) = name(words) else {
            return found;
        };
        found.push(Dropped { kind, name });
        if !skip_past_comma(words) {
            return found;
        }
    }
}

/// Parses the columns dropped after ALTER TABLE.
fn columns(words: &mut Words) -> Vec<Dropped> {
    words.eat_all(&["IF", "EXISTS"]);
    words.eat("ONLY");
    let mut found = Vec::new();
    let Some(table) = name(words) else {
        return found;
    };
    words.eat_symbol("*");
    loop {
        let is_other = |item: &Item| item.is("CONSTRAINT");
        if words.eat("DROP") && !words.eat_if(is_other) {
            words.eat("COLUMN");
            words.eat_all(&["IF", "EXISTS"]);
            found.extend(name(words).map(|column| Dropped {
                kind: "column",
                name: format!("{table}.{column}"),
            }));
        }
        if !skip_past_comma(words) {
            return found;
        }
    }
}

/// Returns a name as written, with its schema.
fn name(words: &mut Words) -> Option<String> {
    let mut name = String::new();
    loop {
        let item = words.next()?;
        match item.kind {
            TokenKind::Word | TokenKind::QuotedName | TokenKind::String => name.push_str(item.text),
            _ => return None,
        }
        if !words.eat_symbol(".") {
            return Some(name);
        }
        name.push('.');
    }
}

/// Skips past the next comma outside parentheses.
fn skip_past_comma(words: &mut Words) -> bool {
    let mut depth = 0u32;
    for item in words {
        match item.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ if depth == 0 && item.text == "," => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

    #[test]
    fn what_a_statement_drops_is_named() {
        let check = |dialects: &[Dialect], sql: &str, expected: &[&str]| {
            for dialect in dialects {
                let found = dropped(*dialect, sql);
                let found = found.iter().map(|it| format!("{} {}", it.kind, it.name));
                assert_eq!(found.collect::<Vec<_>>(), expected, "{dialect:?}: {sql}");
            }
        };
        let postgres = &[Dialect::Postgres];
        check(&BOTH, "DROP TABLE users", &["table users"]);
        check(
            &BOTH,
            "drop /* x */ table if exists \"A b\" -- y",
            &["table \"A b\""],
        );
        check(
            &BOTH,
            "DROP TABLE a, s.b CASCADE",
            &["table a", "table s.b"],
        );
        check(&BOTH, "DROP INDEX IF EXISTS i", &["index i"]);
        check(&BOTH, "DROP VIEW v", &["view v"]);
        check(&BOTH, "ALTER TABLE t DROP COLUMN a", &["column t.a"]);
        check(&BOTH, "ALTER TABLE t DROP a", &["column t.a"]);
        check(&[Dialect::Sqlite], "DROP TABLE `a`", &["table `a`"]);
        check(
            postgres,
            "DROP INDEX CONCURRENTLY IF EXISTS s.i, j",
            &["index s.i", "index j"],
        );
        check(postgres, "DROP TYPE mood", &["type mood"]);
        check(
            postgres,
            "DROP MATERIALIZED VIEW m",
            &["materialized view m"],
        );
        check(
            postgres,
            "DROP FUNCTION f(int, text), g",
            &["function f", "function g"],
        );
        check(postgres, "DROP TRIGGER x ON t", &["trigger x"]);
        check(
            postgres,
            "TRUNCATE a, ONLY b RESTART IDENTITY",
            &["all rows of a", "all rows of b"],
        );
        check(
            postgres,
            "ALTER TABLE IF EXISTS ONLY s.t * ADD c numeric(1, 2), DROP COLUMN IF EXISTS a CASCADE, DROP CONSTRAINT k, DROP b",
            &["column s.t.a", "column s.t.b"],
        );
        check(postgres, "ALTER TABLE t ALTER a DROP NOT NULL", &[]);
        for other in [
            "",
            "DROP",
            "DROP TABLE",
            "DROP TABLE (a)",
            "ALTER TABLE",
            "SELECT 1",
            "CREATE TABLE t (a)",
        ] {
            check(&BOTH, other, &[]);
        }
    }

    proptest! {
        /// Any text is accepted.
        #[test]
        fn any_text_can_be_looked_at(text in "(?s)(DROP|ALTER|TABLE|COLUMN|TRUNCATE|[a(). ,\"']|.){0,20}") {
            for dialect in BOTH {
                let _ = dropped(dialect, &text);
            }
        }
    }
}
