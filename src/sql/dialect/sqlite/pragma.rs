use crate::sql::{Dialect, words::Words};

/// The value of a `PRAGMA foreign_keys = x` or `(x)`.
///
/// Also decides what the frozen canonical form drops: never change it.
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
