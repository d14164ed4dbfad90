/// A position in a text; both parts count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line; lines end with LF.
    pub line: u32,
    /// The column in characters, not bytes. A byte order mark does not count.
    pub column: u32,
}

/// Returns the position of byte `offset` in `text`, or of its end if `offset` is past it.
pub fn position(text: &str, offset: usize) -> Position {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let before = before.strip_prefix('\u{FEFF}').unwrap_or(before);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.bytes().filter(|byte| *byte == b'\n').count() as u32 + 1,
        column: before[line_start..].chars().count() as u32 + 1,
    }
}

/// Computes the positions of many places in one text. Each scans the text from the last place on
/// its line, so that ordered places together cost one scan.
#[derive(Debug)]
pub struct Positions<'a> {
    text: &'a str,
    /// The start of each line, after a byte order mark.
    starts: Vec<usize>,
    /// The last place requested.
    last: (usize, Position),
}

impl<'a> Positions<'a> {
    /// Creates the positions of `text`.
    pub fn of(text: &'a str) -> Self {
        let first = text.len() - text.trim_start_matches('\u{FEFF}').len();
        let first = first.min('\u{FEFF}'.len_utf8());
        let lines = text.bytes().enumerate();
        let starts = lines
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(first).chain(starts).collect(),
            last: (first, Position { line: 1, column: 1 }),
        }
    }

    /// Returns the [`position`] of `offset`.
    pub fn at(&mut self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset = offset.max(self.starts[0]);
        let line = self.starts.partition_point(|start| *start <= offset);
        let (last, known) = self.last;
        let (from, column) = if known.line as usize == line && last <= offset {
            (last, known.column)
        } else {
            (self.starts[line - 1], 1)
        };
        let position = Position {
            line: line as u32,
            column: column + self.text[from..offset].chars().count() as u32,
        };
        self.last = (offset, position);
        position
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn many_positions_are_those_of_each(
            text in "\u{FEFF}?[a\u{FEFF}ż\n\r]{0,40}",
            offsets in proptest::collection::vec(0..90_usize, 0..20),
        ) {
            let mut positions = Positions::of(&text);
            for offset in offsets {
                prop_assert_eq!(positions.at(offset), position(&text, offset), "{} of {:?}", offset, &text);
            }
        }
    }

    #[test]
    fn counts_lines_and_characters_from_one() {
        let text = "SELECT 1;\nżółć x";
        let check = |offset, line, column| {
            assert_eq!(
                position(text, offset),
                Position { line, column },
                "at {offset}"
            );
        };
        check(0, 1, 1);
        check(9, 1, 10);
        check(10, 2, 1);
        check(10 + "żółć ".len(), 2, 6);
        check(11, 2, 1);
        check(1000, 2, 7);
    }

    #[test]
    fn a_byte_order_mark_has_no_column() {
        let start = Position { line: 1, column: 1 };
        assert_eq!(position("\u{FEFF}x", 3), start);
        assert_eq!(position("\u{FEFF}x", 0), start);
    }
}
