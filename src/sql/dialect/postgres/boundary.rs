//! Detects which `;` ends a statement in PostgreSQL.

use crate::sql::{TokenKind, dialect::Unfinished};

/// The state of the detector: `;` ends a statement outside parentheses and `BEGIN ATOMIC` bodies.
#[derive(Clone, Default)]
pub(in crate::sql) struct Boundary {
    head: Head,
    depth: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Head {
    #[default]
    Start,
    /// Like `Start`, directly after the `;` of a `COPY … FROM STDIN`.
    CopyEnded,
    Create,
    CreateOr,
    CreateOrReplace,
    /// In a CREATE FUNCTION or CREATE PROCEDURE.
    Routine,
    /// In a routine, after BEGIN.
    RoutineBegin,
    /// In the body of a routine.
    Body,
    /// In the body, at the start of a statement. Only there does END end the body; elsewhere it
    /// ends a CASE or is a label.
    BodyStart,
    Copy,
    /// In a COPY, after FROM.
    CopyFrom,
    /// In a COPY, after FROM STDIN.
    CopyIn,
    Other,
}

impl Boundary {
    pub(in crate::sql) fn feed(&mut self, kind: TokenKind, bytes: &[u8]) {
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

    #[inline]
    pub(in crate::sql) fn is_between(&self) -> bool {
        matches!(self.head, Head::Start | Head::CopyEnded)
    }

    /// Returns whether the last token was the `;` of a `COPY … FROM STDIN`.
    #[inline]
    pub(in crate::sql) fn copy_ended(&self) -> bool {
        self.head == Head::CopyEnded
    }

    pub(in crate::sql) fn unfinished(&self) -> Option<Unfinished> {
        if self.depth > 0 {
            return Some(Unfinished::Parenthesis);
        }
        matches!(self.head, Head::Body | Head::BodyStart).then_some(Unfinished::AtomicBody)
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
            // The text after the END belongs to the same statement.
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
