//! Escapes text that the sqlite3 shell would interpret.

use crate::sql::{Dialect, Token, lex};

/// Escapes lines `/` or `go`, which the shell treats as the end of a statement, and CR LF, which it
/// converts to LF.
pub(super) fn escapes(statement: &str) -> Vec<(usize, &'static str)> {
    let mut places = terminators(statement);
    let ends = statement.match_indices("\r\n");
    places.extend(ends.map(|(at, _)| (at, "\r")));
    places.sort_unstable();
    places
}

/// Escapes each line that the shell would treat as the end of the statement.
fn terminators(statement: &str) -> Vec<(usize, &'static str)> {
    let bytes = statement.as_bytes();
    let mut places = Vec::new();
    let mut new_line = false;
    let mut tokens = lex(Dialect::Sqlite, bytes).peekable();
    while let Some(token) = tokens.next() {
        let text = &bytes[token.start..token.end];
        if token.is_blank() {
            new_line |= text.contains(&b'\n');
            continue;
        }
        let ends = |next: Option<&Token>| next.is_none_or(Token::is_blank);
        if new_line && (text == b"/" || text.eq_ignore_ascii_case(b"go")) && ends(tokens.peek()) {
            places.push((token.start, "/**/"));
        }
        new_line = false;
    }
    places
}
