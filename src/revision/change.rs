//! The difference between a script as it was applied and as it is now.

use std::sync::Arc;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// A script that is not the one that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptChange {
    /// The file of the current script.
    pub file: String,
    /// The raw text that was applied.
    pub applied: Arc<str>,
    /// The raw text of the current script.
    pub now: Arc<str>,
}

/// A line of a unified diff, without its line ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffLine<'a> {
    /// The name of one of the texts: `--- applied`, `+++ FILE`.
    Name(String),
    /// The place of the following lines in both texts: `@@ -1,3 +1,4 @@`.
    Place(String),
    /// A line of both texts.
    Same(&'a str),
    /// A line of the applied text.
    Removed(&'a str),
    /// A line of the current text.
    Added(&'a str),
}

/// The number of unchanged lines around changed ones.
const CONTEXT: usize = 3;

/// The largest number of lines between the first and the last difference that are compared line by
/// line. The time grows with its square.
const COMPARED: usize = 5_000;

impl ScriptChange {
    /// Returns the lines of a unified diff; none if the texts only differ in their line endings.
    pub fn lines(&self) -> Vec<DiffLine<'_>> {
        let before: Vec<&str> = self.applied.lines().collect();
        let now: Vec<&str> = self.now.lines().collect();
        let groups = group_diff_ops(operations(&before, &now), CONTEXT);
        if groups.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![
            DiffLine::Name("--- applied".to_owned()),
            DiffLine::Name(format!("+++ {}", self.file)),
        ];
        for group in groups {
            lines.push(DiffLine::Place(place(&group)));
            for operation in group {
                let (removed, added) = (operation.old_range(), operation.new_range());
                if let DiffOp::Equal { .. } = operation {
                    lines.extend(before[removed].iter().map(|line| DiffLine::Same(line)));
                } else {
                    lines.extend(before[removed].iter().map(|line| DiffLine::Removed(line)));
                    lines.extend(now[added].iter().map(|line| DiffLine::Added(line)));
                }
            }
        }
        lines
    }

    /// Returns the whole unified diff; `None` if the texts only differ in their line endings.
    pub fn unified(&self) -> Option<String> {
        let lines = self.lines();
        let text = lines.iter().map(|line| line.to_string() + "\n");
        (!lines.is_empty()).then(|| text.collect())
    }
}

impl std::fmt::Display for DiffLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(text) | Self::Place(text) => f.write_str(text),
            Self::Same(line) => write!(f, " {line}"),
            Self::Removed(line) => write!(f, "-{line}"),
            Self::Added(line) => write!(f, "+{line}"),
        }
    }
}

fn operations(before: &[&str], now: &[&str]) -> Vec<DiffOp> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let start = before.iter().zip(now).take_while(same).count();
    let rest = (&before[start..], &now[start..]);
    let end = rest.0.iter().rev().zip(rest.1.iter().rev());
    let end = end.take_while(same).count();
    let (removed, added) = (rest.0.len() - end, rest.1.len() - end);
    if removed + added <= COMPARED {
        return capture_diff_slices(Algorithm::Myers, before, now);
    }
    let equal = |old_index, new_index, len| DiffOp::Equal {
        old_index,
        new_index,
        len,
    };
    let replaced = DiffOp::Replace {
        old_index: start,
        old_len: removed,
        new_index: start,
        new_len: added,
    };
    vec![
        equal(0, 0, start),
        replaced,
        equal(start + removed, start + added, end),
    ]
}

/// The head of a group of operations, in the format of `diff -u`.
fn place(group: &[DiffOp]) -> String {
    let range = |ranges: &dyn Fn(&DiffOp) -> std::ops::Range<usize>| {
        let start = group.first().map_or(0, |first| ranges(first).start);
        let end = group.last().map_or(0, |last| ranges(last).end);
        match end - start {
            // An empty range is named by the line before it.
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            count => format!("{},{count}", start + 1),
        }
    };
    format!(
        "@@ -{} +{} @@",
        range(&DiffOp::old_range),
        range(&DiffOp::new_range)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(applied: &str, now: &str) -> ScriptChange {
        ScriptChange {
            file: "1_a.up.sql".to_owned(),
            applied: applied.into(),
            now: now.into(),
        }
    }

    #[test]
    fn a_diff_has_the_format_of_diff_u() {
        let check = |applied: &str, now: &str, expected: &str| {
            let head = "--- applied\n+++ 1_a.up.sql\n";
            let expected = Some(format!("{head}{expected}"));
            let unified = change(applied, now).unified();
            assert_eq!(unified, expected, "{applied:?} {now:?}");
        };
        check("a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n");
        check("", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n");
        check("a\n", "", "@@ -1 +0,0 @@\n-a\n");
        check("a\nb", "a\r\nc\r\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        check(
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
            "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n",
        );
        check(
            "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
            "X\n2\n3\n4\n5\n6\n7\n8\n",
            "@@ -1,4 +1,4 @@\n-x\n+X\n 2\n 3\n 4\n@@ -6,4 +6,3 @@\n 6\n 7\n 8\n-y\n",
        );
    }

    #[test]
    fn line_endings_are_no_difference() {
        assert_eq!(change("a\r\nb", "a\nb\n").unified(), None);
        assert_eq!(change("", "").unified(), None);
    }

    #[test]
    fn texts_that_differ_too_much_are_replaced_as_a_whole() {
        let text = |lines: std::ops::Range<usize>| {
            let lines = lines.map(|line| format!("{line}\n"));
            format!("start\n{}end\n", lines.collect::<String>())
        };
        let same = |count: usize| {
            // All lines but two are in both texts, one line further up.
            let change = change(&text(0..count), &text(1..count + 1));
            let lines = change.lines();
            let same = lines
                .iter()
                .filter(|line| matches!(line, DiffLine::Same(_)));
            same.count()
        };
        assert!(same(COMPARED / 2) > 2);
        assert_eq!(same(COMPARED / 2 + 1), 2);
    }
}
