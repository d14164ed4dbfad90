use std::borrow::Cow;

use super::Dialect;

/// Escapes `statement` for the database's shell, so that the database receives it unchanged.
pub fn for_shell(dialect: Dialect, statement: &str) -> Cow<'_, str> {
    let places = (dialect.shell().escapes)(statement);
    if places.is_empty() {
        return Cow::Borrowed(statement);
    }
    let mut text = String::with_capacity(statement.len() + 8 * places.len());
    let mut from = 0;
    for (at, inserted) in places {
        text.push_str(&statement[from..at]);
        text.push_str(inserted);
        from = at;
    }
    text.push_str(&statement[from..]);
    Cow::Owned(text)
}

/// Escapes `text` for a one-line comment: no program treats any part of it as a line end.
pub fn comment(text: &str) -> Cow<'_, str> {
    let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    match text.contains(ends) {
        true => text.replace(ends, " ").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sql::canonicalize;

    #[test]
    fn psql_finds_no_variables() {
        let check = |text: &str, expected: &str| {
            assert_eq!(for_shell(Dialect::Postgres, text), expected, "{text}");
        };
        check("SELECT a[1:n]", "SELECT a[1: n]");
        check("SELECT a[:\"HOST\"]", "SELECT a[: \"HOST\"]");
        check("SELECT a[x:'1']", "SELECT a[x: '1']");
        check("SELECT 1::text, a[1:2]", "SELECT 1::text, a[1: 2]");
        check(
            "SELECT ':n', $$:n$$, E':n' -- :n",
            "SELECT ':n', $$:n$$, E':n' -- :n",
        );
        check("f(a := 1)", "f(a := 1)");
    }

    #[test]
    fn the_sqlite_shell_finds_no_ends_of_its_own() {
        let check = |text: &str, expected: &str| {
            assert_eq!(for_shell(Dialect::Sqlite, text), expected, "{text}");
        };
        check("SELECT 4\n/\n2", "SELECT 4\n/**//\n2");
        check("SELECT 4\n  / -- x\n2", "SELECT 4\n  /**// -- x\n2");
        check("SELECT 4 /\n2", "SELECT 4 /\n2");
        check("SELECT 4\n/2", "SELECT 4\n/2");
        check("SELECT 1 AS\nGo", "SELECT 1 AS\n/**/Go");
        check("SELECT '\n/\n'", "SELECT '\n/\n'");
        check("SELECT '\r\n'", "SELECT '\r\r\n'");
    }

    proptest! {
        #[test]
        fn it_stays_the_same_statement(text in "(SELECT|[a1:'\" /\\n]|go|\\$\\$|--){0,12}") {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                let squeezed = |text: &str| {
                    let canonical = canonicalize(dialect, text);
                    let text = String::from_utf8_lossy(&canonical.bytes).into_owned();
                    text.replace(' ', "")
                };
                prop_assert_eq!(squeezed(&for_shell(dialect, &text)), squeezed(&text));
            }
        }
    }
}
