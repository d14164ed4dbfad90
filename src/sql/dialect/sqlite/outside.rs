use crate::sql::{Dialect, TokenKind, words::Words};

/// Returns what a statement does to more than its own database: to other files.
pub(super) fn reaches_outside(statement: &str) -> Option<&'static str> {
    let mut words = Words::new(Dialect::Sqlite, statement);
    if words.eat("VACUUM") {
        return words.any(|word| word.is("INTO")).then_some("writes a file");
    }
    if !words.eat("ATTACH") {
        return None;
    }
    words.eat("DATABASE");
    let file = words.next()?;
    let is_own =
        file.kind == TokenKind::String && ["", ":memory:"].contains(&file.text.trim_matches('\''));
    (!is_own).then_some("opens another file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_on_other_files_are_recognized() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(reaches_outside(text), expected, "{text}");
        };
        check("ATTACH 'other.db' AS o", Some("opens another file"));
        check("ATTACH DATABASE ?1 AS o", Some("opens another file"));
        check("ATTACH ':memory:' AS o", None);
        check("attach database '' as o", None);
        check("VACUUM INTO 'copy.db'", Some("writes a file"));
        check("VACUUM", None);
        check("CREATE TABLE attach (x)", None);
    }
}
