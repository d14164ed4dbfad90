/// A place in a text, both parts counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Line, ended by LF.
    pub line: u32,
    /// Column in characters, not bytes. A byte order mark is none.
    pub column: u32,
}

/// The position of byte `offset` in `text`; past the end it is the end.
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

#[cfg(test)]
mod tests {
    use super::*;

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
