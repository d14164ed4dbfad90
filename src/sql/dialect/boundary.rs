//! Detects where a statement begins and which `;` ends it.

use super::{TokenKind, postgres, sqlite};

/// A detector that follows the significant tokens of a script.
#[derive(Clone)]
pub(in crate::sql) enum Boundary {
    Postgres(postgres::Boundary),
    Sqlite(sqlite::Boundary),
}

/// The part of a statement that is still open at the end of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Unfinished {
    Parenthesis,
    AtomicBody,
    Trigger,
}

impl Boundary {
    /// Processes the next token that is neither blank nor data.
    #[inline]
    pub(in crate::sql) fn feed(&mut self, kind: TokenKind, bytes: &[u8]) {
        match self {
            Self::Postgres(boundary) => boundary.feed(kind, bytes),
            Self::Sqlite(boundary) => boundary.feed(kind, bytes),
        }
    }

    /// Returns whether no statement has begun since the start or the last `;` that ended one.
    #[inline]
    pub(in crate::sql) fn is_between(&self) -> bool {
        match self {
            Self::Postgres(boundary) => boundary.is_between(),
            Self::Sqlite(boundary) => boundary.is_between(),
        }
    }

    /// Returns whether the last token was the `;` of a statement whose data follows in the script.
    #[inline]
    pub(in crate::sql) fn data_follows(&self) -> bool {
        match self {
            Self::Postgres(boundary) => boundary.copy_ended(),
            Self::Sqlite(_) => false,
        }
    }

    /// Returns the unfinished part of the statement, if no valid statement can leave it open.
    pub(in crate::sql) fn unfinished(&self) -> Option<Unfinished> {
        match self {
            Self::Postgres(boundary) => boundary.unfinished(),
            Self::Sqlite(boundary) => boundary.unfinished(),
        }
    }
}
