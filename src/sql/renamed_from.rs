//! Comments of a declared schema that tell the old name of a table or a column.

use std::ops::Range;

use super::{Dialect, Token, TokenKind, lex, words::Words};

/// A comment `-- migrator: renamed-from = old` above a table or a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamedFrom {
    /// The bytes of the comment.
    pub comment: Range<usize>,
    /// The old name as written; of a table perhaps with its schema.
    pub old: String,
    /// The table, with its schema if it is written, folded as by the database.
    pub table: Vec<String>,
    /// The column that has another name; `None` if it is the table itself.
    pub column: Option<String>,
}

/// Returns the comments about old names in `text`.
///
/// # Errors
/// Returns the offset of one that is not directly above a table or a column of CREATE TABLE.
pub fn renamed_from(dialect: Dialect, text: &str) -> Result<Vec<RenamedFrom>, usize> {
    let mut found = Vec::new();
    let mut scan = Scan {
        dialect,
        text,
        table: None,
        depth: 0,
        before: None,
    };
    let mut waiting: Option<(Range<usize>, &str)> = None;
    for token in lex(dialect, text.as_bytes()) {
        if let Some(old) = old_name(&text[token.start..token.end], token.kind) {
            waiting = Some((token.start..token.end, old));
            continue;
        }
        if token.is_blank() {
            continue;
        }
        scan.enter(&token);
        if let Some((comment, old)) = waiting.take() {
            let (table, column) = scan.named(&token).ok_or(comment.start)?;
            found.push(RenamedFrom {
                comment,
                old: old.to_owned(),
                table,
                column,
            });
        }
        scan.leave(&token);
    }
    match waiting {
        Some((comment, _)) => Err(comment.start),
        None => Ok(found),
    }
}

/// The value of the comment.
fn old_name(comment: &str, kind: TokenKind) -> Option<&str> {
    if kind != TokenKind::LineComment {
        return None;
    }
    let directive = comment.trim_start_matches('-').trim();
    let rest = directive.strip_prefix("migrator:")?.trim_start();
    let value = rest.strip_prefix("renamed-from")?.trim_start();
    Some(value.strip_prefix('=')?.trim())
}

/// A place in the text.
struct Scan<'a> {
    dialect: Dialect,
    text: &'a str,
    /// The table that the statement creates.
    table: Option<Vec<String>>,
    depth: u32,
    /// The significant token before; `None` at the start.
    before: Option<Token>,
}

impl Scan<'_> {
    fn is_start(&self) -> bool {
        self.before.is_none_or(|it| it.kind == TokenKind::Semicolon) && self.depth == 0
    }

    /// Notes the statement that begins with `token`.
    fn enter(&mut self, token: &Token) {
        if self.is_start() {
            self.table = self.created(token.start);
        }
    }

    fn leave(&mut self, token: &Token) {
        match token.kind {
            TokenKind::Open => self.depth += 1,
            TokenKind::Close => self.depth = self.depth.saturating_sub(1),
            TokenKind::Semicolon => self.depth = 0,
            _ => {}
        }
        self.before = Some(*token);
    }

    /// The table or the column that begins with `token`.
    fn named(&self, token: &Token) -> Option<(Vec<String>, Option<String>)> {
        let table = self.table.clone()?;
        if self.is_start() {
            return Some((table, None));
        }
        let before = self.before?;
        let is_item = before.kind == TokenKind::Open || &self.text[before.start..before.end] == ",";
        let column = Words::new(self.dialect, &self.text[token.start..]).name()?;
        (is_item && self.depth == 1).then_some((table, Some(column)))
    }

    /// The table that the statement at `start` creates.
    fn created(&self, start: usize) -> Option<Vec<String>> {
        let mut words = Words::new(self.dialect, &self.text[start..]);
        if !words.eat("CREATE") {
            return None;
        }
        words.eat_any(&["UNLOGGED", "FOREIGN"]);
        if !words.eat("TABLE") {
            return None;
        }
        words.eat_all(&["IF", "NOT", "EXISTS"]);
        let mut path = vec![words.name()?];
        while words.eat_symbol(".") {
            path.push(words.name()?);
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_are_those_of_what_is_below() {
        let text = "-- migrator: renamed-from = orders\nCREATE TABLE shop.Purchases (\n\
            id int,\n-- The sum.\n-- migrator: renamed-from = total\nsum numeric(10, 2)\n);\n\
            CREATE TABLE u (\n--migrator: renamed-from=a\n\"B\" int);";
        let check = |dialect: Dialect, last: &str| {
            let found = renamed_from(dialect, text).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|it| (it.old.as_str(), it.table.join("."), it.column.as_deref()))
                .collect();
            let expected = [
                ("orders", "shop.purchases".to_owned(), None),
                ("total", "shop.purchases".to_owned(), Some("sum")),
                ("a", "u".to_owned(), Some(last)),
            ];
            assert_eq!(found, expected);
        };
        check(Dialect::Postgres, "B");
        check(Dialect::Sqlite, "b");
    }

    #[test]
    fn a_comment_above_something_else_is_an_error() {
        let check = |text: &str, at: usize| {
            assert_eq!(renamed_from(Dialect::Postgres, text), Err(at), "{text}");
        };
        check(
            "-- migrator: renamed-from = a\nCREATE VIEW b AS SELECT 1;",
            0,
        );
        check("CREATE TABLE t (a -- migrator: renamed-from = b\nint);", 18);
        check("CREATE TABLE t (a int);\n-- migrator: renamed-from = b", 24);
    }
}
