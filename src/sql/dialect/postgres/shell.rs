//! What psql would take amiss.

use crate::sql::{Dialect, TokenKind, lex};

/// psql puts values in the place of `:name`, `:'name'` and `:"name"`, as the end of an array slice may
/// look like: a space goes behind each colon that a name follows, where it changes nothing.
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
