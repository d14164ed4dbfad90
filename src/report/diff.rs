//! Changes of scripts as unified diffs.

use super::{Page, Paint, Style, count};
use crate::revision::{DiffLine, ScriptChange};

/// The number of lines of a diff that are shown unless all are requested.
const LINES: usize = 40;

/// The length at which lines are cut unless all of the diff is requested, in characters.
const LENGTH: usize = 200;

/// A change of a script, with the command that prints all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The change.
    pub change: ScriptChange,
    /// The command.
    pub command: String,
}

impl Diff {
    /// A change of a script of `revision`.
    pub fn of(revision: impl std::fmt::Display, change: &ScriptChange) -> Self {
        Self {
            change: change.clone(),
            command: format!("migrator show {revision} --diff"),
        }
    }

    /// Adds the start of the diff to a page.
    pub fn show(&self, page: &mut Page, paint: Paint) {
        self.add(page, paint, LINES, LENGTH);
    }

    /// Adds a line with the size of the diff to a page.
    pub fn count(&self, page: &mut Page, paint: Paint) {
        self.add(page, paint, 0, LENGTH);
    }

    /// Adds the whole diff to a page.
    pub fn show_all(&self, page: &mut Page, paint: Paint) {
        self.add(page, paint, usize::MAX, usize::MAX);
    }

    fn add(&self, page: &mut Page, paint: Paint, most: usize, length: usize) {
        let lines = self.change.lines();
        let mut is_cut = false;
        for line in lines.iter().take(most) {
            let text = line.to_string();
            let end = text.char_indices().nth(length).map(|(end, _)| end);
            let text = match end {
                Some(end) => format!("{}…", &text[..end]),
                None => text,
            };
            is_cut |= end.is_some();
            let text = match style(line) {
                Some(style) => paint.paint(style, text),
                None => text,
            };
            page.exact(format!("  {text}"));
        }
        let command = &self.command;
        let rest = match lines.len().saturating_sub(most) {
            0 if is_cut => format!("… long lines are cut; `{command}` prints all"),
            0 => return,
            rest if most == 0 => {
                format!(
                    "… {} of changes; `{command}` prints them",
                    count(rest, "line")
                )
            }
            rest => format!("… {} more; `{command}` prints all", count(rest, "line")),
        };
        page.row(format!("  {}", paint.paint(Style::Dim, rest)));
    }
}

/// Adds the whole change of a file, which may be new, to a page.
pub fn show_texts(page: &mut Page, paint: Paint, is_new: bool, change: &ScriptChange) {
    let before = match is_new {
        true => "/dev/null",
        false => &change.file,
    };
    for (at, line) in change.lines().iter().enumerate() {
        // The lines begin with the names.
        let text = match at {
            0 => format!("--- {before}"),
            _ => line.to_string(),
        };
        page.exact(match style(line) {
            Some(style) => paint.paint(style, text),
            None => text,
        });
    }
}

fn style(line: &DiffLine<'_>) -> Option<Style> {
    match line {
        DiffLine::Name(_) => Some(Style::Strong),
        DiffLine::Place(_) => Some(Style::Dim),
        DiffLine::Same(_) => None,
        DiffLine::Removed(_) => Some(Style::Bad),
        DiffLine::Added(_) => Some(Style::Good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(applied: &str, now: &str) -> Diff {
        let change = ScriptChange {
            file: "1_a.up.sql".to_owned(),
            applied: applied.into(),
            now: now.into(),
        };
        Diff::of("1", &change)
    }

    fn shown(diff: &Diff, show: fn(&Diff, &mut Page, Paint)) -> String {
        let mut page = Page::default();
        show(diff, &mut page, Paint(false));
        page.to_string()
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let lines = |count: usize| "x\n".repeat(count);
        // Two names and a place come before the lines.
        let check = |count: usize, expected: Option<&str>| {
            let text = shown(&diff("", &lines(count)), Diff::show);
            let last = text.lines().last().unwrap_or_default();
            let rest = last.contains('…').then_some(last.trim());
            assert_eq!(rest, expected, "{text}");
            assert_eq!(text.lines().count(), (count + 3).min(41));
        };
        check(37, None);
        check(
            38,
            Some("… 1 line more; `migrator show 1 --diff` prints all"),
        );
        check(
            100,
            Some("… 63 lines more; `migrator show 1 --diff` prints all"),
        );
        let all = shown(&diff("", &lines(100)), Diff::show_all);
        assert_eq!(all.lines().count(), 103);
        let counted = shown(&diff("", &lines(100)), Diff::count);
        let expected = "  … 103 lines of changes; `migrator show 1 --diff` prints them\n";
        assert_eq!(counted, expected);
    }

    #[test]
    fn long_lines_are_cut() {
        let long = diff("", &"ż".repeat(300));
        let text = shown(&long, Diff::show);
        assert!(
            text.contains(&format!("\n  +{}…\n", "ż".repeat(199))),
            "{text}"
        );
        assert!(text.ends_with("… long lines are cut; `migrator show 1 --diff` prints all\n"));
        let all = shown(&long, Diff::show_all);
        assert!(all.ends_with(&format!("+{}\n", "ż".repeat(300))), "{all}");
    }

    #[test]
    fn control_characters_are_shown_as_text() {
        let text = shown(&diff("a\u{1b}[2J\n", "b\rc\u{202e}\n"), Diff::show);
        assert!(
            text.ends_with("  -a\\u{1b}[2J\n  +b\\rc\\u{202e}\n"),
            "{text}"
        );
    }
}
