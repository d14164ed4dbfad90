//! Lines with their offsets. Markers are searched for line by line, as in the tools, ignoring SQL
//! syntax.

/// A line of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Byte offset of the line.
    pub start: usize,
    /// Byte offset of the next line.
    pub end: usize,
    /// The line without its end.
    pub text: &'a str,
}

/// Returns the lines of `text`; a byte order mark is not part of the first.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let found = Line {
            start,
            end: start + line.len(),
            text: line.strip_suffix('\n').unwrap_or(line),
        };
        start = found.end;
        let text = found.text.strip_suffix('\r').unwrap_or(found.text);
        match text.strip_prefix('\u{feff}') {
            Some(rest) if found.start == 0 => Line {
                start: text.len() - rest.len(),
                text: rest,
                ..found
            },
            _ => Line { text, ..found },
        }
    })
}

impl<'a> Line<'a> {
    /// Returns the text after `-- WORD`, with its offset, if the line begins with it. Blanks may
    /// precede it; see [`Self::is_indented`].
    pub fn marker(&self, word: &str) -> Option<(usize, &'a str)> {
        let comment = self.text.trim_start().strip_prefix("--")?;
        let rest = comment.trim_start().strip_prefix(word)?;
        let inner = rest.trim_start();
        Some((self.start + self.text.len() - inner.len(), inner.trim_end()))
    }

    /// Returns whether the line begins with blanks.
    pub fn is_indented(&self) -> bool {
        self.text.starts_with(char::is_whitespace)
    }

    /// Returns whether the line contains nothing to run.
    pub fn is_silent(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || text.starts_with("--")
    }

    /// Returns the offset of the first character that is not a blank.
    pub fn inner_start(&self) -> usize {
        self.start + self.text.len() - self.text.trim_start().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_are() {
        let text = "\u{feff}-- a\r\n\n  --x Up  no \nb";
        let found: Vec<_> = lines(text).map(|line| (line.start, line.text)).collect();
        assert_eq!(
            found,
            [(3, "-- a"), (9, ""), (10, "  --x Up  no "), (24, "b")]
        );
        let third = lines(text).nth(2).unwrap();
        assert_eq!(third.marker("x"), Some((16, "Up  no")));
        assert_eq!(third.marker("y"), None);
        assert!(third.is_indented() && third.is_silent());
        assert_eq!(third.inner_start(), 12);
        assert_eq!(lines("").count(), 0);
    }
}
