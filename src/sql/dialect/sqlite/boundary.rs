//! Detects which `;` ends a statement in SQLite.

use crate::sql::{TokenKind, dialect::Unfinished};

/// The states of `sqlite3_complete`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sql) enum Boundary {
    #[default]
    Start,
    Normal,
    Explain,
    Create,
    Trigger,
    /// In a trigger, after a `;`.
    TriggerSemicolon,
    /// In a trigger, after `; END`.
    TriggerEnd,
}

impl Boundary {
    #[inline]
    pub(in crate::sql) fn feed(&mut self, kind: TokenKind, bytes: &[u8]) {
        *self = self.next(kind, bytes);
    }

    #[inline]
    pub(in crate::sql) fn is_between(&self) -> bool {
        *self == Self::Start
    }

    pub(in crate::sql) fn unfinished(&self) -> Option<Unfinished> {
        matches!(self, Self::Trigger | Self::TriggerSemicolon).then_some(Unfinished::Trigger)
    }

    fn next(self, kind: TokenKind, bytes: &[u8]) -> Self {
        if kind == TokenKind::Semicolon {
            return match self {
                Self::Trigger | Self::TriggerSemicolon => Self::TriggerSemicolon,
                _ => Self::Start,
            };
        }
        let is = |word: &[u8]| kind == TokenKind::Word && bytes.eq_ignore_ascii_case(word);
        match self {
            Self::Normal => Self::Normal,
            Self::Start if is(b"explain") => Self::Explain,
            Self::Start | Self::Explain if is(b"create") => Self::Create,
            Self::Explain if is(b"explain") || is(b"temp") || is(b"temporary") => Self::Normal,
            Self::Explain if is(b"trigger") || is(b"end") => Self::Normal,
            Self::Explain => Self::Explain,
            Self::Create if is(b"temp") || is(b"temporary") => Self::Create,
            Self::Create if is(b"trigger") => Self::Trigger,
            Self::Start | Self::Create => Self::Normal,
            Self::TriggerSemicolon if is(b"end") => Self::TriggerEnd,
            Self::Trigger | Self::TriggerSemicolon | Self::TriggerEnd => Self::Trigger,
        }
    }
}
