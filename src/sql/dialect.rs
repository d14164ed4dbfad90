//! The one place that tells dialects apart.
//!
//! Everything else asks a [`Dialect`] a question, which the [`Rules`] of every dialect answer. Rules
//! have no defaults and the matches here no catch-all arm, so that a new dialect does not compile
//! before it has answered all of them. What a whole algorithm differs in is in the dialect's own files.

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
    /// PostgreSQL 12 and newer. The default where no database is configured that would tell.
    #[default]
    Postgres,
    /// SQLite 3.
    Sqlite,
}

/// What the databases of a dialect can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether replicas can follow a database, and be behind it.
    pub replicas: bool,
    /// Whether `BEGIN` can have modes that change how the runner's own transaction behaves.
    pub transaction_modes: bool,
}

/// What one dialect answers.
pub(super) struct Rules {
    /// See [`Dialect::name`].
    name: &'static str,
    /// As people write it.
    title: &'static str,
    capabilities: Capabilities,
    lexical: Lexical,
    names: Names,
    rows: Rows,
    statements: Statements,
    shell: Shell,
}

/// Comments, strings and commands.
pub(super) struct Lexical {
    /// Whether a comment can be inside another.
    pub comments_nest: bool,
    /// Either of these ends a `--` comment.
    pub line_ends: &'static [char],
    /// Whether a string continues with the next one after a line end.
    pub strings_continue: bool,
    /// Commands of the dialect's shell that its dump writes and that mean nothing elsewhere.
    pub passed_over: &'static [&'static str],
    /// The length of a bind parameter that a text starts with, where scripts can't have any and the
    /// database does not say so.
    pub parameter: fn(&str) -> Option<usize>,
    /// What a statement sets standard_conforming_strings to.
    pub conforming_strings: fn(&str) -> Option<bool>,
    /// Whether a backslash can be an escape in a plain string.
    pub backslash_escapes: bool,
    /// What any other command of that shell is.
    pub command: fn(String) -> SqlProblemKind,
}

/// Names of objects.
pub(super) struct Names {
    /// Whether a string can stand for a name.
    pub in_strings: bool,
    /// Whether names in quotes are equal in upper and lower case.
    pub fold_quoted: bool,
    /// Names are cut after this many bytes.
    pub max_bytes: Option<usize>,
}

/// Statements that change rows.
pub(super) struct Rows {
    /// `REPLACE INTO`
    pub replace: bool,
    /// `INSERT OR IGNORE`, `UPDATE OR FAIL` …
    pub or_clause: bool,
    /// `MERGE`
    pub merge: bool,
    /// `ONLY` before a table.
    pub only: bool,
}

/// What statements are to the runner.
pub(super) struct Statements {
    /// Names of [`StatementKind::OutsideTransaction`] that can run again, whatever became of them.
    pub repeatable: &'static [&'static str],
    /// Names of [`StatementKind::OutsideTransaction`] that leave invalid indexes behind when they
    /// are cancelled, under names of the database's own.
    pub leaves_indexes: &'static [&'static str],
    pub concurrent_index: fn(&str) -> Option<ConcurrentIndex>,
    pub session_change: fn(&str) -> Option<SessionChange>,
    /// Frozen: the canonical form drops what this recognises.
    pub foreign_keys: fn(&str) -> Option<bool>,
    pub may_break_foreign_keys: fn(&str) -> bool,
    pub layout_pragma: fn(&str) -> Option<LayoutPragma>,
    /// The modes of a BEGIN in canonical form. Frozen.
    pub begin: fn(Words) -> Option<String>,
    /// Whether it is a COMMIT. Frozen.
    pub commit: fn(Words) -> bool,
}

/// The database's own shell, for scripts of `--sql`.
pub(super) struct Shell {
    /// What is put where in a statement, in order, so that the shell passes it on unchanged.
    pub escapes: fn(&str) -> Vec<(usize, &'static str)>,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];

    fn rules(self) -> &'static Rules {
        match self {
            Self::Postgres => &postgres::RULES,
            Self::Sqlite => &sqlite::RULES,
        }
    }

    /// The name in lower case, as configuration and JSON write it.
    pub fn name(self) -> &'static str {
        self.rules().name
    }

    /// What its databases can do.
    pub fn capabilities(self) -> Capabilities {
        self.rules().capabilities
    }

    /// `name` as a quoted identifier, valid in every dialect.
    pub fn quote_name(self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// Whether a comment can be inside another.
    pub fn comments_nest(self) -> bool {
        self.rules().lexical.comments_nest
    }

    /// The characters of which either ends a `--` comment.
    pub fn line_ends(self) -> &'static [char] {
        self.rules().lexical.line_ends
    }

    /// Whether the runner may simply repeat a statement that runs outside transactions, given its
    /// name in [`StatementKind::OutsideTransaction`], after its outcome was lost.
    pub fn is_repeatable(self, name: &str) -> bool {
        self.rules().statements.repeatable.contains(&name)
    }

    /// Whether a statement that runs outside of transactions, given its name in
    /// [`StatementKind::OutsideTransaction`], leaves invalid indexes behind when it is cancelled.
    pub fn leaves_indexes(self, name: &str) -> bool {
        self.rules().statements.leaves_indexes.contains(&name)
    }

    /// What `statement`, outside a transaction, sets the enforcement of foreign keys to.
    pub fn foreign_keys(self, statement: &str) -> Option<bool> {
        (self.rules().statements.foreign_keys)(statement)
    }

    /// Whether a statement could leave a row without its parent unnoticed, so that foreign keys have
    /// to be checked before the commit. In doubt, true.
    pub fn may_break_foreign_keys(self, statement: &str) -> bool {
        (self.rules().statements.may_break_foreign_keys)(statement)
    }

    /// Reads a statement that sets how the database's file is written, which has no effect once
    /// there are tables.
    pub fn layout_pragma(self, statement: &str) -> Option<LayoutPragma> {
        (self.rules().statements.layout_pragma)(statement)
    }

    /// Reads a statement that creates an index without keeping writers out; `None` for any other, and
    /// for one whose names cannot be told.
    pub fn concurrent_index(self, statement: &str) -> Option<ConcurrentIndex> {
        (self.rules().statements.concurrent_index)(statement)
    }

    /// What `statement` leaves in its session under a name, beside what its kind says.
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

    /// What each byte begins outside quotes.
    #[inline]
    pub(super) fn classes(self) -> &'static [Class; 256] {
        match self {
            Self::Postgres => postgres::CLASSES,
            Self::Sqlite => sqlite::CLASSES,
        }
    }

    /// The token that begins with byte `first`, at `start`.
    #[inline]
    pub(super) fn token(self, lexer: &Lexer, start: usize, first: u8) -> (TokenKind, End) {
        match self {
            Self::Postgres => postgres::token(lexer, start, first),
            Self::Sqlite => sqlite::token(lexer, start, first),
        }
    }

    /// What a statement is to the runner.
    #[inline]
    pub(super) fn classify(self, words: Words) -> StatementKind {
        match self {
            Self::Postgres => postgres::classify(words),
            Self::Sqlite => sqlite::classify(words),
        }
    }

    /// What finds the ends of statements, at the start of a script.
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
        // A schema of that name is like any other there.
        let temp = "CREATE TABLE temp.t (a int)";
        assert!(Sqlite.session_change(temp).is_some());
        assert!(Postgres.session_change(temp).is_none());
        assert!(Postgres.capabilities().replicas && !Sqlite.capabilities().replicas);
    }
}
