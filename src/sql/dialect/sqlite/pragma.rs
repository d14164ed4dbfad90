use crate::sql::{Dialect, LayoutPragma, words::Words};

/// Returns the value of a `PRAGMA foreign_keys = x` or `(x)`.
///
/// The frozen canonical form depends on this function: never change it.
pub(super) fn foreign_keys(statement: &str) -> Option<bool> {
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

/// Parses a pragma that affects the first page of the file. Default values are ignored, because
/// dumps write them.
pub(super) fn layout(statement: &str) -> Option<LayoutPragma> {
    let mut words = Words::new(Dialect::Sqlite, statement);
    if !words.eat("PRAGMA") {
        return None;
    }
    let mut name = words.name()?;
    if words.eat_symbol(".") {
        if name != "main" {
            return None;
        }
        name = words.name()?;
    }
    if !words.eat_symbol("(") && !words.eat_symbol("=") {
        return None;
    }
    let value = words.next()?.text.trim_matches(['\'', '"', '`', '[', ']']);
    let (name, usual, by_vacuum): (_, &[&str], _) = match name.as_str() {
        "encoding" => ("encoding", &["utf-8", "utf8"], false),
        "auto_vacuum" => ("auto_vacuum", &["none", "0"], true),
        "page_size" => ("page_size", &["4096"], true),
        _ => return None,
    };
    let is_usual = usual.iter().any(|usual| value.eq_ignore_ascii_case(usual));
    (!is_usual).then_some(LayoutPragma { name, by_vacuum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lays_out_a_file() {
        let check = |text: &str, expected: Option<(&'static str, bool)>| {
            let expected = expected.map(|(name, by_vacuum)| LayoutPragma { name, by_vacuum });
            assert_eq!(layout(text), expected, "{text}");
        };
        check("PRAGMA encoding = 'UTF-16'", Some(("encoding", false)));
        check(
            "pragma main.encoding(\"utf-16le\")",
            Some(("encoding", false)),
        );
        check("PRAGMA encoding = 'utf-8'", None);
        check("PRAGMA encoding", None);
        check(
            "PRAGMA auto_vacuum = INCREMENTAL",
            Some(("auto_vacuum", true)),
        );
        check("PRAGMA auto_vacuum = 0", None);
        check("PRAGMA \"page_size\"=1024", Some(("page_size", true)));
        check("PRAGMA other.page_size = 1024", None);
        check("PRAGMA journal_mode = WAL", None);
        check("SELECT 1", None);
    }
}
