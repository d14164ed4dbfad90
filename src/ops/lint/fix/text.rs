//! Edits of the text of a script.

use crate::arrange::Arrange as _;
use std::ops::Range;

/// Edits of a text that leave every other byte as it is.
#[derive(Clone, Debug)]
pub(super) struct Edits<'a> {
    text: &'a str,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Edits<'a> {
    /// No edits yet.
    pub fn new(text: &'a str) -> Self {
        let edits = Vec::new();
        Self { text, edits }
    }

    /// Whether there is no edit.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Puts statements in the place of one, below a directive.
    pub fn replace(&mut self, span: &Range<usize>, statements: &[String], directive: Option<&str>) {
        let newline = self.newline();
        let mut new = String::new();
        if let Some(directive) = directive {
            // A directive is a line of its own.
            if !self.line_before(span.start).trim().is_empty() {
                new.push_str(newline);
            }
            new.push_str(directive);
            new.push_str(newline);
        }
        new.push_str(&statements.join(&format!(";{newline}")));
        self.edits.push((span.clone(), new));
    }

    /// Takes a statement out, with its `;` and its line. Returns `false` if a comment stands before
    /// the `;`.
    pub fn remove(&mut self, span: &Range<usize>) -> bool {
        let rest = &self.text[span.end..];
        let gap = rest.len() - rest.trim_start().len();
        let mut end = match rest[gap..].chars().next() {
            Some(';') => span.end + gap + 1,
            None => self.text.len(),
            Some(_) => return false,
        };
        let mut start = span.start;
        let before = self.line_before(start);
        if before.trim().is_empty()
            && let Some(line) = self.blank_line(end)
        {
            start -= before.len();
            end += line;
            // Of two blank lines, one stays.
            if self.is_paragraph(start)
                && let Some(line) = self.blank_line(end)
            {
                end += line;
            }
        }
        self.edits.push((start..end, String::new()));
        true
    }

    /// Whether a directive or a suppression is above the statement.
    pub fn has_directive(&self, span: &Range<usize>) -> bool {
        let before = &self.text[..span.start - self.line_before(span.start).len()];
        let comments = before.lines().rev().map(str::trim);
        comments
            .take_while(|line| line.starts_with("--"))
            .any(|line| {
                let line = line.trim_start_matches('-').trim_start();
                let directive = line.strip_prefix("migrator:").map(str::trim_start);
                directive.is_some_and(|it| it.starts_with("allow") || it.starts_with("batch"))
            })
    }

    /// The text with the edits.
    pub fn finish(self) -> String {
        let text = self.text;
        self.finish_in(text)
    }

    /// The edits made in a text that has more before the first statement.
    pub fn finish_in(mut self, text: &str) -> String {
        let more = text.len() - self.text.len();
        for (range, _) in &mut self.edits {
            *range = range.start + more..range.end + more;
        }
        self.edits.arrange_by_key(|(range, _)| range.start);
        done(text, &self.edits)
    }

    /// What the script ends its lines with.
    fn newline(&self) -> &'static str {
        match self.text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        }
    }

    fn line_before(&self, at: usize) -> &'a str {
        let before = &self.text[..at];
        &before[before.rfind('\n').map_or(0, |end| end + 1)..]
    }

    /// The length of the rest of the line, with its end, if there is nothing on it.
    fn blank_line(&self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        match rest.find('\n') {
            Some(end) if rest[..end].trim().is_empty() => Some(end + 1),
            None if rest.trim().is_empty() => Some(rest.len()),
            _ => None,
        }
    }

    /// Whether a line begins here below a blank one.
    fn is_paragraph(&self, at: usize) -> bool {
        let before = &self.text[..at];
        let mut lines = before.lines().rev();
        before.ends_with('\n') && lines.next().is_some_and(|line| line.trim().is_empty())
    }
}

/// A text after edits in the order of their places.
fn done(before: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut text = String::new();
    let mut done = 0;
    for (range, new) in edits {
        let start = range.start.max(done);
        text.push_str(&before[done..start]);
        text.push_str(new);
        done = range.end.max(done);
    }
    text.push_str(&before[done..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, statement: &str) -> Range<usize> {
        let start = text.find(statement).unwrap();
        start..start + statement.len()
    }

    #[test]
    fn statements_are_replaced() {
        let check = |text: &str, directive, expected: &str| {
            let mut edits = Edits::new(text);
            let new = ["X".to_owned(), "Y".to_owned()];
            edits.replace(&span(text, "B"), &new, directive);
            assert_eq!(edits.finish(), expected);
        };
        check("A;\n  B ;\nC", None, "A;\n  X;\nY ;\nC");
        check("A;\r\nB", None, "A;\r\nX;\r\nY");
        check("A; B;", Some("-- d"), "A; \n-- d\nX;\nY;");
        check("B;\n", Some("-- d"), "-- d\nX;\nY;\n");
    }

    #[test]
    fn statements_are_removed_with_their_line() {
        let check = |text: &str, expected: Option<&str>| {
            let mut edits = Edits::new(text);
            let done = edits.remove(&span(text, "B"));
            assert_eq!(
                done.then(|| edits.finish()).as_deref(),
                expected,
                "{text:?}"
            );
        };
        check("A;\nB;\nC;\n", Some("A;\nC;\n"));
        check("A;\n  B ; \nC;\n", Some("A;\nC;\n"));
        check("A;\n\nB;\n\nC;\n", Some("A;\n\nC;\n"));
        check("A; B; C;", Some("A;  C;"));
        check("A;\nB", Some("A;\n"));
        check("A;\nB -- why\n;", None);
    }

    #[test]
    fn directives_are_seen() {
        let check = |text: &str, expected| {
            let edits = Edits::new(text);
            assert_eq!(edits.has_directive(&span(text, "B")), expected, "{text:?}");
        };
        check("A;\n-- migrator: allow = x (y)\n-- b\nB;", true);
        check("-- a\n-- migrator: revises = 1\nB;", false);
        check("-- migrator: batch\nA;\nB;", false);
    }
}
