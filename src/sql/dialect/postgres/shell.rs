//! Escapes text that psql would interpret.

use crate::sql::{Dialect, TokenKind, lex};

/// Inserts a space after each colon that a name follows, where it changes nothing: psql would
/// replace `:name`, `:'name'` and `:"name"`, which the end of an array slice may resemble.
pub(super) fn escapes(statement: &str) -> Vec<(usize, &'static str)> {
    let bytes = statement.as_bytes();
    let is_colon = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&b':');
    let mut places = Vec::new();
    for token in lex(Dialect::Postgres, bytes) {
        let lone = token.kind == TokenKind::Other
            && is_colon(Some(token.start))
            && !is_colon(token.start.checked_sub(1));
        let after = bytes.get(token.end);
        if lone
            && after.is_some_and(|c| c.is_ascii_alphanumeric() || b"_'\"{".contains(c) || *c > 127)
        {
            places.push((token.end, " "));
        }
    }
    places
}
