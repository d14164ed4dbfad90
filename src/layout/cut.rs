//! The parts of a file that form its scripts.

use std::{ops::Range, sync::Arc};

use crate::sql::{
    Dialect, Statement, StatementKind, TokenKind, TransactionControl, lex, split, unwrap,
};

/// The transaction mode of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// The script runs in a transaction, unless a header of migrator says otherwise.
    #[default]
    On,
    /// The script runs outside a transaction.
    Off,
    /// The script runs in a transaction, unless it consists only of statements that cannot.
    ByContent,
    /// Like [`Self::ByContent`], but a script that contains its own transactions also runs outside
    /// one.
    AsSent,
}

/// The script of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// Bytes of the file that belong to it, as whole lines.
    pub kept: Vec<Range<usize>>,
    pub mode: Mode,
    /// Whether its `${NAME}` placeholders are replaced.
    pub dollar: bool,
    /// Bytes of the file that markers declare as a statement, or several.
    pub blocks: Vec<Range<usize>>,
    /// Places where a `;` replaces the marker that ends a block.
    pub ends: Vec<usize>,
}

/// The scripts of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub up: Option<Section>,
    pub down: Option<Section>,
}

impl Section {
    /// Creates a section of the whole file.
    pub fn whole(text: &str, mode: Mode) -> Self {
        let mut section = Self {
            mode,
            ..Self::default()
        };
        section.keep(0..text.len());
        section
    }

    /// Adds `more`, and merges it with the last range if they are adjacent.
    pub fn keep(&mut self, more: Range<usize>) {
        match self.kept.last_mut() {
            Some(last) if last.end == more.start => last.end = more.end,
            _ => self.kept.push(more),
        }
    }

    /// Adds a `;` to blocks without one, which their tool ends at the marker.
    pub fn end_blocks(&mut self, dialect: Dialect, text: &str) {
        let is_open = |block: &&Range<usize>| {
            let tokens = lex(dialect, &text.as_bytes()[(*block).clone()]);
            let last = tokens.filter(|token| !token.is_blank()).last();
            last.is_some_and(|token| token.closed && token.kind != TokenKind::Semicolon)
        };
        let blocks = self.blocks.iter().filter(is_open);
        self.ends = blocks.map(|block| block.end).collect();
    }

    /// Returns whether the section is the whole of `text`.
    pub fn is_whole(&self, text: &str) -> bool {
        matches!(self.kept.as_slice(), [all] if *all == (0..text.len()))
    }

    /// Returns whether the section runs outside a transaction.
    pub fn is_off(&self, dialect: Dialect, text: &str) -> bool {
        match self.mode {
            Mode::On => false,
            Mode::Off => true,
            // Text that cannot be split is reported when it is to run.
            Mode::ByContent | Mode::AsSent => {
                let text = self.aligned(text);
                split(dialect, &text).is_ok_and(|statements| {
                    let own =
                        self.mode == Mode::AsSent && have_transactions(dialect, &text, &statements);
                    own || are_outside(&statements)
                })
            }
        }
    }

    /// Returns `text` with everything else blanked out, preserving lines and byte offsets.
    pub fn aligned(&self, text: &str) -> Arc<str> {
        let mut aligned = String::with_capacity(text.len());
        let mut at = 0;
        for range in &self.kept {
            blank(&text[at..range.start], &mut aligned);
            aligned.push_str(&text[range.clone()]);
            at = range.end;
        }
        blank(&text[at..], &mut aligned);
        for end in &self.ends {
            aligned.replace_range(*end..*end + 1, ";");
        }
        aligned.into()
    }

    /// Returns the section as a separate file.
    pub fn alone(&self, text: &str, off: bool) -> Arc<str> {
        let mut alone = String::new();
        if off {
            alone.push_str("-- migrator: transaction = off\n");
        }
        if self.dollar {
            alone.push_str("-- migrator: vars = dollar\n");
        }
        let mut kept = String::new();
        let mut ends = self.ends.iter().peekable();
        for range in &self.kept {
            while ends.next_if(|end| **end < range.start).is_some() {
                kept.push_str(";\n");
            }
            kept.push_str(&text[range.clone()]);
        }
        kept.extend(ends.map(|_| ";\n"));
        let kept = kept.trim_start_matches('\u{feff}');
        // Leading and trailing blanks are not part of a literal.
        let is_blank = |c: char| c.is_ascii_whitespace();
        let first_line = kept.len() - kept.trim_start_matches(is_blank).len();
        let start = kept[..first_line].rfind('\n').map_or(0, |end| end + 1);
        let kept = kept[start..].trim_end_matches(is_blank);
        if !kept.is_empty() {
            alone.push_str(kept);
            alone.push('\n');
        }
        alone.into()
    }
}

/// Returns whether none of the statements can run in a transaction.
fn are_outside(statements: &[Statement]) -> bool {
    let is_outside = |one: &Statement| matches!(one.kind, StatementKind::OutsideTransaction(_));
    !statements.is_empty() && statements.iter().all(is_outside)
}

/// Returns whether the statements begin or end transactions, apart from one around all of them.
fn have_transactions(dialect: Dialect, text: &str, statements: &[Statement]) -> bool {
    let body = &statements[unwrap(dialect, text, statements).body];
    body.iter().any(|one| {
        use TransactionControl::{Begin, Commit};
        matches!(&one.kind, StatementKind::Transaction(Begin(_) | Commit))
    })
}

/// Appends an equal number of blank bytes, keeping line endings and a byte order mark.
fn blank(text: &str, aligned: &mut String) {
    for (at, c) in text.char_indices() {
        let ends_line = c == '\n' || text[at..].starts_with("\r\n");
        if ends_line || c == '\u{feff}' && aligned.is_empty() {
            aligned.push(c);
        } else {
            aligned.extend(std::iter::repeat_n(' ', c.len_utf8()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_kept_is_blank() {
        let text = "\u{feff}-- żółć\r\nSELECT 1;\r\n-- x\n  SELECT 2;\n\n";
        let mut section = Section::default();
        let at = |part: &str| text.find(part).unwrap();
        section.keep(at("SELECT 1")..at("-- x"));
        section.keep(at("  SELECT 2")..text.len());
        let aligned = section.aligned(text);
        assert_eq!(aligned.len(), text.len());
        assert_eq!(aligned.find("SELECT 2"), text.find("SELECT 2"));
        assert_eq!(
            aligned.trim_matches(['\u{feff}', ' ', '\r', '\n']),
            "SELECT 1;\r\n    \n  SELECT 2;"
        );
        assert_eq!(&*section.alone(text, false), "SELECT 1;\r\n  SELECT 2;\n");
        assert_eq!(
            &*section.alone(text, true),
            "-- migrator: transaction = off\nSELECT 1;\r\n  SELECT 2;\n"
        );
        assert_eq!(&*Section::default().alone(text, false), "");
    }

    #[test]
    fn a_script_of_nothing_but_vacuum_runs_outside() {
        let check = |text: &str, off: bool| {
            for mode in [Mode::ByContent, Mode::AsSent] {
                let section = Section::whole(text, mode);
                assert_eq!(section.is_off(Dialect::Postgres, text), off, "{text}");
            }
        };
        check("CREATE INDEX CONCURRENTLY i ON t (a)", true);
        check("-- x\nVACUUM; VACUUM t;", true);
        check("CREATE INDEX i ON t (a)", false);
        check(
            "CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY i ON t (a)",
            false,
        );
        check("", false);
        check("SELECT '", false);
    }

    #[test]
    fn a_script_with_transactions_of_its_own_has_no_other() {
        let check = |text: &str, off: bool| {
            let is_off = |mode| Section::whole(text, mode).is_off(Dialect::Postgres, text);
            assert_eq!(is_off(Mode::AsSent), off, "{text}");
            assert!(!is_off(Mode::ByContent), "{text}");
        };
        check("BEGIN; SELECT 1; COMMIT;", false);
        check("SAVEPOINT a; RELEASE a;", false);
        check("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;", true);
        check("SELECT 1; BEGIN; SELECT 2; COMMIT;", true);
    }

    proptest! {
        #[test]
        fn places_stay_where_they_were(text in "(?s)[\u{feff}ż \r\na;-]{0,40}", cuts in prop::collection::vec(0usize..40, 0..6)) {
            let mut ends: Vec<_> = cuts.into_iter().filter(|at| text.is_char_boundary(*at) && *at <= text.len()).collect();
            ends.sort_unstable();
            let mut section = Section::default();
            for pair in ends.chunks_exact(2) {
                section.keep(pair[0]..pair[1]);
            }
            let aligned = section.aligned(&text);
            prop_assert_eq!(aligned.len(), text.len());
            prop_assert_eq!(aligned.matches('\n').count(), text.matches('\n').count());
            for range in &section.kept {
                prop_assert_eq!(&aligned[range.clone()], &text[range.clone()]);
            }
        }
    }
}
