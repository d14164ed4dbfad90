//! The only place that distinguishes dialects.
//!
//! All other code calls methods of [`Dialect`], which use the [`Rules`] of each dialect. Rules
//! have no defaults and the matches here have no catch-all arm, so that a new dialect does not
//! compile until it implements all of them. Algorithms that differ as a whole are in the dialect's
//! own files.

mod boundary;
mod postgres;
mod sqlite;

use std::fmt;

pub(super) use boundary::{Boundary, Unfinished};

use super::{
    ConcurrentIndex, LayoutPragma, Lexer, SessionChange, SqlProblemKind, StatementKind, TokenKind,
    bytes::Class, lexer::End, words::Words,
};

/// The database family whose rules apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL 12 and newer. The default if no configured database determines the dialect.
    #[default]
    Postgres,
    /// SQLite 3.
    Sqlite,
}

/// Features of the databases of a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether a database can have replicas that lag behind it.
    pub replicas: bool,
    /// Whether `BEGIN` accepts modes that change the runner's own transaction.
    pub transaction_modes: bool,
    /// Whether several connections can write at the same time.
    pub concurrent_writers: bool,
}

/// The rules of one dialect.
pub(super) struct Rules {
    /// See [`Dialect::name`].
    name: &'static str,
    /// The usual spelling of the name.
    title: &'static str,
    capabilities: Capabilities,
    lexical: Lexical,
    names: Names,
    rows: Rows,
    statements: Statements,
    shell: Shell,
}

/// Rules for comments, strings and shell commands.
pub(super) struct Lexical {
    /// Whether comments can be nested.
    pub comments_nest: bool,
    /// The characters that end a `--` comment.
    pub line_ends: &'static [char],
    /// Whether a string continues with the next one after a line end.
    pub strings_continue: bool,
    /// Shell commands that the dump tool writes and that can be ignored.
    pub passed_over: &'static [&'static str],
    /// Returns the length of a bind parameter at the start of a text, if the database would
    /// silently accept one in a script.
    pub parameter: fn(&str) -> Option<usize>,
    /// Returns the value that a statement sets standard_conforming_strings to.
    pub conforming_strings: fn(&str) -> Option<bool>,
    /// Whether a backslash can be an escape in a plain string.
    pub backslash_escapes: bool,
    /// Returns the problem of any other shell command.
    pub command: fn(String) -> SqlProblemKind,
}

/// Rules for names of objects.
pub(super) struct Names {
    /// Whether a string can be used as a name.
    pub in_strings: bool,
    /// Whether quoted names are case-insensitive.
    pub fold_quoted: bool,
    /// The maximum length of names in bytes; longer ones are truncated.
    pub max_bytes: Option<usize>,
}

/// Rules for statements that change rows.
pub(super) struct Rows {
    /// `REPLACE INTO`
    pub replace: bool,
    /// `INSERT OR IGNORE`, `UPDATE OR FAIL` …
    pub or_clause: bool,
    /// `MERGE`
    pub merge: bool,
    /// `ONLY` before a table.
    pub only: bool,
    /// Whether DROP TABLE deletes the rows one by one, and those that refer to them.
    pub drop_deletes: bool,
}

/// Rules for classifying statements.
pub(super) struct Statements {
    /// Names of [`StatementKind::OutsideTransaction`] that can run again, whatever their outcome.
    pub repeatable: &'static [&'static str],
    /// Names of [`StatementKind::OutsideTransaction`] that leave invalid indexes behind when
    /// cancelled, under names chosen by the database.
    pub leaves_indexes: &'static [&'static str],
    pub concurrent_index: fn(&str) -> Option<ConcurrentIndex>,
    pub session_change: fn(&str) -> Option<SessionChange>,
    /// Frozen: the canonical form drops the statements recognized here.
    pub foreign_keys: fn(&str) -> Option<bool>,
    pub may_break_foreign_keys: fn(&str) -> bool,
    /// See [`Dialect::reaches_outside`].
    pub reaches_outside: fn(&str) -> Option<&'static str>,
    pub layout_pragma: fn(&str) -> Option<LayoutPragma>,
    /// Returns the modes of a BEGIN in canonical form. Frozen.
    pub begin: fn(Words) -> Option<String>,
    /// Returns whether the statement is a COMMIT. Frozen.
    pub commit: fn(Words) -> bool,
}

/// Rules for the database's own shell, for scripts of `--sql`.
pub(super) struct Shell {
    /// Returns the texts to insert into a statement, by offset, so that the shell passes it on
    /// unchanged.
    pub escapes: fn(&str) -> Vec<(usize, &'static str)>,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];

    fn rules(self) -> &'static Rules {
        match self {
            Self::Postgres => &postgres::RULES,
            Self::Sqlite => &sqlite::RULES,
        }
    }

    /// Returns the name in lower case, as used in configuration and JSON.
    pub fn name(self) -> &'static str {
        self.rules().name
    }

    /// Returns the features of the dialect's databases.
    pub fn capabilities(self) -> Capabilities {
        self.rules().capabilities
    }

    /// Returns whether names that differ only in the case of ASCII letters are the same, even quoted
    /// ones.
    pub fn folds_names(self) -> bool {
        self.names().fold_quoted
    }

    /// Returns whether comments can be nested.
    pub fn comments_nest(self) -> bool {
        self.rules().lexical.comments_nest
    }

    /// Returns the characters that end a `--` comment.
    pub fn line_ends(self) -> &'static [char] {
        self.rules().lexical.line_ends
    }

    /// Returns whether the runner may repeat a statement outside transactions whose outcome is
    /// unknown, given its name in [`StatementKind::OutsideTransaction`].
    pub fn is_repeatable(self, name: &str) -> bool {
        self.rules().statements.repeatable.contains(&name)
    }

    /// Returns whether a statement outside transactions, given its name in
    /// [`StatementKind::OutsideTransaction`], leaves invalid indexes behind when cancelled.
    pub fn leaves_indexes(self, name: &str) -> bool {
        self.rules().statements.leaves_indexes.contains(&name)
    }

    /// Returns the value that `statement`, outside a transaction, sets foreign key enforcement to.
    pub fn foreign_keys(self, statement: &str) -> Option<bool> {
        (self.rules().statements.foreign_keys)(statement)
    }

    /// Returns whether a statement could violate foreign keys unnoticed, so that they must be
    /// checked before the commit. Returns true if in doubt.
    pub fn may_break_foreign_keys(self, statement: &str) -> bool {
        (self.rules().statements.may_break_foreign_keys)(statement)
    }

    /// Returns what `statement` does to more than its own database, such as to roles of the server
    /// or other files. What a procedural statement builds as text is not seen.
    pub fn reaches_outside(self, statement: &str) -> Option<&'static str> {
        (self.rules().statements.reaches_outside)(statement)
    }

    /// Parses a statement that sets the layout of the database file, which has no effect once
    /// tables exist.
    pub fn layout_pragma(self, statement: &str) -> Option<LayoutPragma> {
        (self.rules().statements.layout_pragma)(statement)
    }

    /// Parses a statement that creates an index without blocking writers; `None` for any other, and
    /// if its names cannot be determined.
    pub fn concurrent_index(self, statement: &str) -> Option<ConcurrentIndex> {
        (self.rules().statements.concurrent_index)(statement)
    }

    /// Returns the named effect of `statement` on its session, in addition to its kind.
    pub fn session_change(self, statement: &str) -> Option<SessionChange> {
        (self.rules().statements.session_change)(statement)
    }

    pub(super) fn lexical(self) -> &'static Lexical {
        &self.rules().lexical
    }

    pub(super) fn names(self) -> &'static Names {
        &self.rules().names
    }

    pub(super) fn rows(self) -> &'static Rows {
        &self.rules().rows
    }

    pub(super) fn statements(self) -> &'static Statements {
        &self.rules().statements
    }

    pub(super) fn shell(self) -> &'static Shell {
        &self.rules().shell
    }

    /// Returns the kind of token that each byte begins outside quotes.
    #[inline]
    pub(super) fn classes(self) -> &'static [Class; 256] {
        match self {
            Self::Postgres => postgres::CLASSES,
            Self::Sqlite => sqlite::CLASSES,
        }
    }

    /// Returns the token that begins with byte `first`, at `start`.
    #[inline]
    pub(super) fn token(self, lexer: &Lexer, start: usize, first: u8) -> (TokenKind, End) {
        match self {
            Self::Postgres => postgres::token(lexer, start, first),
            Self::Sqlite => sqlite::token(lexer, start, first),
        }
    }

    /// Returns the kind of a statement.
    #[inline]
    pub(super) fn classify(self, words: Words) -> StatementKind {
        match self {
            Self::Postgres => postgres::classify(words),
            Self::Sqlite => sqlite::classify(words),
        }
    }

    /// Returns the detector of statement ends, for the start of a script.
    pub(super) fn boundary(self) -> Boundary {
        match self {
            Self::Postgres => Boundary::Postgres(postgres::Boundary::default()),
            Self::Sqlite => Boundary::Sqlite(sqlite::Boundary::default()),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rules().title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{canonicalize, for_shell, lex, row_change, split};

    #[test]
    fn every_dialect_answers() {
        for (at, dialect) in Dialect::ALL.into_iter().enumerate() {
            let others = &Dialect::ALL[..at];
            assert!(others.iter().all(|other| other.name() != dialect.name()));
            assert_eq!(dialect.name(), dialect.name().to_ascii_lowercase());
            assert!(dialect.line_ends().contains(&'\n'), "{dialect}");
            let text = "BEGIN;\nUPDATE t SET a = 1;\nCOMMIT;\n";
            assert_eq!(split(dialect, text).unwrap().len(), 3, "{dialect}");
            assert_eq!(canonicalize(dialect, text).bytes, b"UPDATE t SET a = 1");
            assert!(lex(dialect, text.as_bytes()).all(|token| token.closed));
            assert_eq!(
                row_change(dialect, "UPDATE t SET a = 1").unwrap().table,
                "t"
            );
            assert_eq!(for_shell(dialect, "SELECT 1"), "SELECT 1");
            assert!(!dialect.may_break_foreign_keys("CREATE TABLE t (a int)"));
            assert!(dialect.is_repeatable("VACUUM"));
            assert!(!dialect.is_repeatable("CREATE DATABASE"));
        }
    }

    #[test]
    fn each_dialect_has_facts_of_its_own() {
        use Dialect::{Postgres, Sqlite};
        let index = "CREATE INDEX CONCURRENTLY i ON t (a)";
        assert!(Postgres.concurrent_index(index).is_some());
        assert!(Sqlite.concurrent_index(index).is_none());
        let pragma = "PRAGMA foreign_keys = on";
        assert_eq!(Sqlite.foreign_keys(pragma), Some(true));
        assert_eq!(Postgres.foreign_keys(pragma), None);
        // In PostgreSQL, a schema with that name is an ordinary one.
        let temp = "CREATE TABLE temp.t (a int)";
        assert!(Sqlite.session_change(temp).is_some());
        assert!(Postgres.session_change(temp).is_none());
        assert!(Postgres.capabilities().replicas && !Sqlite.capabilities().replicas);
    }
}
