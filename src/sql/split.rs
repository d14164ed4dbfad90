use std::ops::Range;

use super::{
    Dialect, Lexer, StatementKind, Token, TokenKind, classify::classify, dialect::Unfinished, lex,
};
use crate::arrange::Arrange as _;

/// A statement of a script, as a range of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The bytes of the statement: from its first token that is neither space nor comment to its
    /// last one, without the `;`.
    pub span: Range<usize>,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Column of the first byte in characters, from 1.
    pub column: u32,
    /// The kind of the statement.
    pub kind: StatementKind,
    /// The bytes of the data of a `COPY … FROM STDIN`, without the `\.` line.
    pub copy_data: Option<Range<usize>>,
}

impl Statement {
    /// Returns the SQL of the statement in the script it was split from.
    pub fn text<'a>(&self, script: &'a str) -> &'a str {
        &script[self.span.clone()]
    }
}

/// A reason why a script cannot be split into statements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlProblemKind {
    /// A string is not closed.
    #[error("unterminated string")]
    UnterminatedString,
    /// A quoted name is not closed.
    #[error("unterminated quoted name")]
    UnterminatedName,
    /// A comment is not closed.
    #[error("unterminated comment")]
    UnterminatedComment,
    /// A dollar quote is not closed.
    #[error("unterminated dollar quote; {0} is missing")]
    UnterminatedDollarQuote(String),
    /// COPY data has no `\.` line.
    #[error("unterminated COPY data; a line with \\. is missing")]
    UnterminatedCopyData,
    /// SQL is between the `;` of a `COPY … FROM STDIN` and the end of its line.
    #[error("COPY data begins on the next line; move this to a line of its own")]
    TextAfterCopy,
    /// A body (`BEGIN ATOMIC`, a trigger) or a parenthesis is not closed.
    #[error("unterminated {0}")]
    UnterminatedBody(&'static str),
    /// A psql command with this name is used.
    #[error("\\{0} is a psql command, not SQL")]
    PsqlCommand(String),
    /// A sqlite3 dot-command with this name is used.
    #[error(".{0} is a sqlite3 shell command, not SQL")]
    DotCommand(String),
    /// A bind parameter is used, for which a script has no value.
    #[error("{0} is a bind parameter; a script has no value for it, and it would be NULL")]
    Parameter(String),
    /// `\\` in a string after `SET standard_conforming_strings = off`.
    #[error(
        "this string has a backslash after `SET standard_conforming_strings = off`; scripts are \
         read with that setting on"
    )]
    BackslashEscape,
    /// `'…\\'`, and a string that never ends after it.
    #[error(
        "this string ends after its backslash, and another one never ends: scripts are read with \
         standard_conforming_strings = on"
    )]
    BackslashQuote,
    /// The text contains a NUL, where a database would silently stop reading.
    #[error("NUL character, at which the database would stop reading")]
    NulCharacter,
}

/// A problem with the bytes it concerns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SqlProblem {
    /// The kind of problem.
    pub kind: SqlProblemKind,
    /// The byte range of the problem; the opening if something is not closed.
    pub span: Range<usize>,
}

/// Splits a script into its statements.
///
/// Empty statements are dropped, and `\restrict` lines of pg_dump are ignored. Boundaries are those
/// of psql and the sqlite3 shell. An unclosed parenthesis is a problem on PostgreSQL, since it
/// hides all statements after it; on SQLite it hides none, and the database reports it.
///
/// # Errors
/// Returns every problem of the text, in order.
pub fn split(dialect: Dialect, text: &str) -> Result<Vec<Statement>, Vec<SqlProblem>> {
    let mut splitter = Splitter::new(dialect, text);
    let mut lexer = lex(dialect, text.as_bytes());
    while let Some(token) = lexer.next() {
        splitter.take(&token, &lexer);
    }
    splitter.end(&lexer)
}

struct Splitter<'a> {
    dialect: Dialect,
    text: &'a str,
    statements: Vec<Statement>,
    problems: Vec<SqlProblem>,
    open: Option<OpenStatement>,
    /// Whether the last statement is a COPY whose data has not begun.
    data_due: bool,
    place: Place<'a>,
    /// Whether a backslash escapes the next character of a string in the rest of the script.
    escapes: bool,
    /// The first string with such a backslash: the text after it is tokenized differently than by
    /// the database.
    misread: Option<Range<usize>>,
    /// The first string with a backslash before its closing quote.
    backslash_quote: Option<Range<usize>>,
}

struct OpenStatement {
    span: Range<usize>,
    /// Number of open parentheses.
    depth: u32,
    /// Position of the outermost open parenthesis.
    outermost: usize,
    /// Position of the last ATOMIC.
    body: Option<Range<usize>>,
}

impl<'a> Splitter<'a> {
    fn new(dialect: Dialect, text: &'a str) -> Self {
        Self {
            dialect,
            text,
            statements: Vec::new(),
            problems: Vec::new(),
            open: None,
            data_due: false,
            place: Place::new(text),
            escapes: false,
            misread: None,
            backslash_quote: None,
        }
    }

    fn take(&mut self, token: &Token, lexer: &Lexer) {
        if !token.closed {
            self.unclosed(token);
        }
        match token.kind {
            TokenKind::Space | TokenKind::LineComment => {}
            TokenKind::BlockComment => {
                if self.data_due && self.bytes(token).contains(&b'\n') {
                    self.problem(SqlProblemKind::TextAfterCopy, token.start..token.end);
                }
            }
            TokenKind::MetaCommand => self.meta_command(token),
            TokenKind::CopyData => self.copy_data(token),
            TokenKind::Semicolon if lexer.boundary().is_between() => self.finish(),
            _ => self.extend(token),
        }
    }

    fn extend(&mut self, token: &Token) {
        if self.data_due {
            self.data_due = false;
            self.problem(SqlProblemKind::TextAfterCopy, token.start..token.end);
        }
        self.parameter(token);
        self.backslash(token);
        let atomic =
            token.kind == TokenKind::Word && self.bytes(token).eq_ignore_ascii_case(b"atomic");
        let open = self.open.get_or_insert(OpenStatement {
            span: token.start..token.end,
            depth: 0,
            outermost: 0,
            body: None,
        });
        open.span.end = token.end;
        match token.kind {
            TokenKind::Open => {
                if open.depth == 0 {
                    open.outermost = token.start;
                }
                open.depth += 1;
            }
            TokenKind::Close => open.depth = open.depth.saturating_sub(1),
            _ if atomic => open.body = Some(token.start..token.end),
            _ => {}
        }
    }

    fn parameter(&mut self, token: &Token) {
        let Some(length) = (self.dialect.lexical().parameter)(&self.text[token.start..]) else {
            return;
        };
        let starts_one = matches!(token.kind, TokenKind::Word | TokenKind::Other);
        if starts_one {
            let span = token.start..token.start + length;
            let name = self.text[span.clone()].to_owned();
            self.problem(SqlProblemKind::Parameter(name), span);
        }
    }

    /// Records backslashes that would be escapes without standard_conforming_strings.
    fn backslash(&mut self, token: &Token) {
        let bytes = self.bytes(token);
        if token.kind != TokenKind::String || bytes[0] != b'\'' || !bytes.contains(&b'\\') {
            return;
        }
        if self.escapes && self.misread.is_none() {
            self.misread = Some(token.start..token.end);
        }
        let can_escape = self.dialect.lexical().backslash_escapes;
        if can_escape && token.closed && bytes.ends_with(b"\\'") && self.backslash_quote.is_none() {
            self.backslash_quote = Some(token.start..token.end);
        }
    }

    fn finish(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if let Some(conforming) =
            (self.dialect.lexical().conforming_strings)(&self.text[open.span.clone()])
        {
            self.escapes = !conforming;
        }
        let kind = classify(self.dialect, &self.text[open.span.clone()]);
        self.data_due = kind == StatementKind::CopyIn;
        let (line, column) = self.place.move_to(open.span.start);
        self.statements.push(Statement {
            span: open.span,
            line,
            column,
            kind,
            copy_data: None,
        });
    }

    fn copy_data(&mut self, token: &Token) {
        let bytes = self.bytes(token);
        let mut end = token.end;
        if token.closed {
            let ending = [&b"\\.\r\n"[..], b"\\.\n", b"\\.\r", b"\\."];
            let last = ending.iter().find(|last| bytes.ends_with(last));
            end -= last.map_or(0, |last| last.len());
        }
        self.data_due = false;
        if let Some(copy) = self.statements.last_mut() {
            copy.copy_data = Some(token.start..end);
        }
    }

    fn meta_command(&mut self, token: &Token) {
        let name = command_name(&self.text[token.start..token.end]);
        let span = token.start..token.start + 1 + name.len();
        let rules = self.dialect.lexical();
        if self.open.is_none() && rules.passed_over.contains(&name) {
            return;
        }
        self.problem((rules.command)(name.to_owned()), span);
    }

    fn unclosed(&mut self, token: &Token) {
        let text = &self.text[token.start..token.end];
        let up_to = |quote| text.find(quote).map_or(1, |at| at + 1);
        let (kind, opening) = match token.kind {
            TokenKind::String => (SqlProblemKind::UnterminatedString, up_to('\'')),
            TokenKind::BlockComment => (SqlProblemKind::UnterminatedComment, 2),
            TokenKind::DollarString => {
                let tag = text[1..].find('$').map_or(1, |at| at + 2);
                let kind = SqlProblemKind::UnterminatedDollarQuote(text[..tag].to_owned());
                (kind, tag)
            }
            TokenKind::CopyData => {
                let copy = self.statements.last().map(|copy| copy.span.clone());
                let span = copy.unwrap_or(token.start..token.end);
                return self.problem(SqlProblemKind::UnterminatedCopyData, span);
            }
            _ if text.starts_with(['u', 'U']) => (SqlProblemKind::UnterminatedName, up_to('"')),
            _ => (SqlProblemKind::UnterminatedName, 1),
        };
        self.problem(kind, token.start..token.start + opening);
    }

    fn end(mut self, lexer: &Lexer) -> Result<Vec<Statement>, Vec<SqlProblem>> {
        let misread = self.misread.take().map(|span| SqlProblem {
            kind: SqlProblemKind::BackslashEscape,
            span,
        });
        if let Some(misread) = misread {
            // Other problems may be spurious.
            return Err(vec![misread]);
        }
        let is_string = |problem: &SqlProblem| problem.kind == SqlProblemKind::UnterminatedString;
        if self.problems.iter().any(is_string)
            && let Some(span) = self.backslash_quote.take()
        {
            let kind = SqlProblemKind::BackslashQuote;
            return Err(vec![SqlProblem { kind, span }]);
        }
        let hidden = self
            .problems
            .iter()
            .any(|problem| is_opening(&problem.kind));
        if let (Some(unfinished), Some(open)) = (lexer.boundary().unfinished(), &self.open)
            && !hidden
        {
            let (name, span) = match unfinished {
                Unfinished::Parenthesis => ("parenthesis", open.outermost..open.outermost + 1),
                Unfinished::AtomicBody => (
                    "BEGIN ATOMIC body",
                    open.body.clone().unwrap_or(open.span.clone()),
                ),
                Unfinished::Trigger => ("trigger", first_line(self.text, &open.span)),
            };
            self.problem(SqlProblemKind::UnterminatedBody(name), span);
        }
        self.finish();
        if self.data_due
            && let Some(copy) = self.statements.last()
        {
            let span = copy.span.clone();
            self.problem(SqlProblemKind::UnterminatedCopyData, span);
        }
        if let Some(at) = self.text.find('\0') {
            self.problem(SqlProblemKind::NulCharacter, at..at + 1);
        }
        if self.problems.is_empty() {
            return Ok(self.statements);
        }
        self.problems.arrange_by_key(|problem| problem.span.start);
        Err(self.problems)
    }

    fn bytes(&self, token: &Token) -> &'a [u8] {
        &self.text.as_bytes()[token.start..token.end]
    }

    fn problem(&mut self, kind: SqlProblemKind, span: Range<usize>) {
        self.problems.push(SqlProblem { kind, span });
    }
}

/// Updates the lines and columns of `statements` to describe `script`, where `origin` maps each
/// start.
pub fn place_in(script: &str, statements: &mut [Statement], origin: impl Fn(usize) -> usize) {
    let mut place = Place::new(script);
    for statement in statements {
        (statement.line, statement.column) = place.move_to(origin(statement.span.start));
    }
}

/// Returns the name of a meta command, given with its first character.
pub(super) fn command_name(command: &str) -> &str {
    let name = &command[1..];
    let first = name.chars().next().map_or(0, char::len_utf8);
    let end = name[first..].find(|c: char| c.is_whitespace() || c == '\\');
    name[..end.map_or(name.len(), |end| first + end)].trim_end()
}

/// Returns whether the rest of the text may be inside something unclosed, so that other unclosed
/// parts at the end are not meaningful.
fn is_opening(kind: &SqlProblemKind) -> bool {
    matches!(
        kind,
        SqlProblemKind::UnterminatedString
            | SqlProblemKind::UnterminatedName
            | SqlProblemKind::UnterminatedComment
            | SqlProblemKind::UnterminatedDollarQuote(_)
            | SqlProblemKind::UnterminatedCopyData
    )
}

fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let line = text[span.clone()].lines().next().unwrap_or_default();
    span.start..span.start + line.trim_end().len()
}

/// Counts lines and columns along the text, scanning every byte once.
struct Place<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Place<'a> {
    fn new(text: &'a str) -> Self {
        let rest = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        Self {
            text,
            at: text.len() - rest.len(),
            line: 1,
            column: 1,
        }
    }

    fn move_to(&mut self, to: usize) -> (u32, u32) {
        let between = &self.text[self.at..to];
        let breaks = between.bytes().filter(|byte| *byte == b'\n').count() as u32;
        let last = between.rsplit('\n').next().unwrap_or_default();
        let characters = last.chars().count() as u32;
        self.line += breaks;
        self.column = if breaks > 0 { 1 } else { self.column } + characters;
        self.at = to;
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests;
