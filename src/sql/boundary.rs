//! Where a statement begins and which `;` ends it.

use super::{Dialect, TokenKind};

/// Follows the significant tokens of a script.
#[derive(Clone)]
pub(super) enum Boundary {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

/// What of a statement is still open at the end of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    Parenthesis,
    AtomicBody,
    Trigger,
}

impl Boundary {
    pub(super) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self::Postgres(Postgres::default()),
            Dialect::Sqlite => Self::Sqlite(Sqlite::Start),
        }
    }

    /// Takes the next token that is neither blank nor data.
    #[inline]
    pub(super) fn feed(&mut self, kind: TokenKind, bytes: &[u8]) {
        match self {
            Self::Postgres(postgres) => postgres.feed(kind, bytes),
            Self::Sqlite(sqlite) => *sqlite = sqlite.next(kind, bytes),
        }
    }

    /// Whether no statement has begun, at the start or since the last `;` that ended one.
    pub(super) fn is_between(&self) -> bool {
        match self {
            Self::Postgres(postgres) => matches!(postgres.head, Head::Start | Head::CopyEnded),
            Self::Sqlite(sqlite) => *sqlite == Sqlite::Start,
        }
    }

    /// Whether the last token was the `;` of a `COPY … FROM STDIN`.
    pub(super) fn copy_ended(&self) -> bool {
        matches!(self, Self::Postgres(postgres) if postgres.head == Head::CopyEnded)
    }

    /// What keeps the statement from ending; only what no valid statement leaves open.
    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        match self {
            Self::Postgres(postgres) if postgres.depth > 0 => Some(Unfinished::Parenthesis),
            Self::Postgres(postgres) => matches!(postgres.head, Head::Body | Head::BodyStart)
                .then_some(Unfinished::AtomicBody),
            Self::Sqlite(sqlite) => matches!(sqlite, Sqlite::Trigger | Sqlite::TriggerSemicolon)
                .then_some(Unfinished::Trigger),
        }
    }
}

/// PostgreSQL: `;` ends a statement outside of parentheses and of `BEGIN ATOMIC` bodies.
#[derive(Clone, Default)]
pub(super) struct Postgres {
    head: Head,
    depth: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Head {
    #[default]
    Start,
    /// Like `Start`, right after the `;` of a `COPY … FROM STDIN`.
    CopyEnded,
    Create,
    CreateOr,
    CreateOrReplace,
    /// In a CREATE FUNCTION or CREATE PROCEDURE.
    Routine,
    /// Such a one, after BEGIN.
    RoutineBegin,
    /// In its body.
    Body,
    /// In its body, where the next statement of it begins. Only there END ends
    /// the body; elsewhere it ends a CASE or is a label.
    BodyStart,
    Copy,
    /// COPY, after FROM.
    CopyFrom,
    /// COPY, after FROM STDIN.
    CopyIn,
    Other,
}

impl Postgres {
    fn feed(&mut self, kind: TokenKind, bytes: &[u8]) {
        match kind {
            TokenKind::Open => self.depth += 1,
            TokenKind::Close => self.depth = self.depth.saturating_sub(1),
            _ if self.depth > 0 => return,
            TokenKind::Semicolon => {
                self.head = match self.head {
                    Head::Body | Head::BodyStart => Head::BodyStart,
                    Head::CopyIn => Head::CopyEnded,
                    _ => Head::Start,
                };
                return;
            }
            _ => {}
        }
        if self.head != Head::Other {
            self.head = self.head.next(kind == TokenKind::Word, bytes);
        }
    }
}

impl Head {
    fn next(self, is_word: bool, bytes: &[u8]) -> Self {
        let is = |word: &[u8]| is_word && bytes.eq_ignore_ascii_case(word);
        let routine = || is(b"function") || is(b"procedure");
        match self {
            Self::Start | Self::CopyEnded if is(b"create") => Self::Create,
            Self::Start | Self::CopyEnded if is(b"copy") => Self::Copy,
            Self::Create if is(b"or") => Self::CreateOr,
            Self::CreateOr if is(b"replace") => Self::CreateOrReplace,
            Self::Create | Self::CreateOrReplace if routine() => Self::Routine,
            Self::Routine | Self::RoutineBegin if is(b"begin") => Self::RoutineBegin,
            Self::RoutineBegin if is(b"atomic") => Self::BodyStart,
            Self::Routine | Self::RoutineBegin => Self::Routine,
            // What follows the END is part of the same statement.
            Self::BodyStart if is(b"end") => Self::Other,
            Self::Body | Self::BodyStart => Self::Body,
            Self::Copy | Self::CopyFrom if is(b"from") => Self::CopyFrom,
            // PostgreSQL reads FROM STDOUT as FROM STDIN.
            Self::CopyFrom if is(b"stdin") || is(b"stdout") => Self::CopyIn,
            Self::Copy | Self::CopyFrom => Self::Copy,
            Self::CopyIn => Self::CopyIn,
            _ => Self::Other,
        }
    }
}

/// SQLite: the states of `sqlite3_complete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sqlite {
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

impl Sqlite {
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
