//! The comment block at the top of a script, as comment lines.

use crate::sql::Dialect;

/// The syntax of a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommentKind {
    /// `-- …`
    Line,
    /// A line of `/* … */`.
    Block,
}

/// One comment line, without its delimiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    pub kind: CommentKind,
    /// Byte offset of `text` in the script.
    pub offset: usize,
    pub text: &'a str,
}

/// The top of a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TopBlock<'a> {
    pub comments: Vec<Comment<'a>>,
    /// Offset of the first text that is neither comment nor white space.
    pub end: usize,
}

/// The byte order mark that some Windows editors write.
pub(super) const BOM: &str = "\u{feff}";

/// Returns everything before the first text that is neither comment nor white space.
pub(super) fn top_block(dialect: Dialect, text: &str) -> TopBlock<'_> {
    let mut comments = Vec::new();
    let mut at = if text.starts_with(BOM) { BOM.len() } else { 0 };
    loop {
        let rest = &text[at..];
        let inner = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        at += rest.len() - inner.len();
        if let Some(comment) = inner.strip_prefix("--") {
            let line = &comment[..line_end(dialect, comment)];
            comments.push(Comment {
                kind: CommentKind::Line,
                offset: at + 2,
                text: line,
            });
            at += 2 + line.len();
        } else if inner.starts_with("/*") {
            let length = block_comment_length(dialect, inner);
            push_block_lines(&mut comments, at, &inner[..length]);
            at += length;
        } else {
            return TopBlock { comments, end: at };
        }
    }
}

/// Returns the length of a `--` comment before its line end.
fn line_end(dialect: Dialect, comment: &str) -> usize {
    // Searches for one character each are faster than one for several.
    let ends = dialect.line_ends().iter();
    ends.fold(comment.len(), |end, c| {
        comment[..end].find(*c).unwrap_or(end)
    })
}

/// Returns the length of the `/* … */` that `text` starts with; an unclosed one extends to the end.
fn block_comment_length(dialect: Dialect, text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 1;
    let mut at = 2;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            b"/*" if dialect.comments_nest() => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

fn push_block_lines<'a>(comments: &mut Vec<Comment<'a>>, start: usize, comment: &'a str) {
    let inner = &comment[2..];
    let inner = inner.strip_suffix("*/").unwrap_or(inner);
    let mut offset = start + 2;
    for line in inner.split_inclusive('\n') {
        comments.push(Comment {
            kind: CommentKind::Block,
            offset,
            text: line,
        });
        offset += line.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(dialect: Dialect, text: &str, comments: &[&str], rest: &str) {
        let block = top_block(dialect, text);
        let found: Vec<_> = block.comments.iter().map(|c| c.text.trim()).collect();
        assert_eq!(found, comments, "comments of {text:?}");
        assert_eq!(&text[block.end..], rest, "rest of {text:?}");
        for comment in &block.comments {
            assert!(text[comment.offset..].starts_with(comment.text));
        }
    }

    #[test]
    fn the_block_ends_at_the_first_other_text() {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            check(dialect, "", &[], "");
            check(dialect, "\u{feff}-- a", &["a"], "");
            check(dialect, "\u{feff}\u{feff}-- a", &[], "\u{feff}-- a");
            check(dialect, "--a\r\n\r\n --b\r\nX", &["a", "b"], "X");
            check(dialect, "/* a\n b */ X -- c", &["a", "b"], "X -- c");
            check(dialect, "/**//***/ --c\nX", &["*", "c"], "X");
            check(dialect, "/* a", &["a"], "");
            check(dialect, "/*/ a */X", &["/ a"], "X");
            check(dialect, "-\n--a", &[], "-\n--a");
        }
    }

    #[test]
    fn the_dialects_differ_in_nesting_and_lone_carriage_returns() {
        check(Dialect::Postgres, "/* /* a */ b */ X", &["/* a */ b"], "X");
        check(Dialect::Sqlite, "/* /* a */ X", &["/* a"], "X");
        check(Dialect::Postgres, "--a\rX", &["a"], "X");
        check(Dialect::Sqlite, "--a\rX", &["a\rX"], "");
    }

    proptest! {
        #[test]
        fn any_text_has_a_block(text in "(?s)([-/* \n\r\u{feff}ż]|--|/\\*|\\*/|.){0,40}") {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                let block = top_block(dialect, &text);
                prop_assert!(text.is_char_boundary(block.end));
                for comment in block.comments {
                    prop_assert!(text[comment.offset..block.end].starts_with(comment.text));
                }
            }
        }
    }
}
