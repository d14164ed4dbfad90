use similar::{ChangeTag, TextDiff};

use super::{Page, Paint, Style, Verbosity, count};

/// The number of lines shown without `-v`.
const LINES: usize = 40;

/// The lines that differ between two texts, with two lines around them, each after `indent`.
pub fn changed_lines(
    from: &str,
    to: &str,
    indent: &str,
    paint: Paint,
    verbosity: Verbosity,
) -> Page {
    let diff = TextDiff::from_lines(from, to);
    let groups = diff.grouped_ops(2);
    let changes: Vec<_> = groups
        .iter()
        .flatten()
        .flat_map(|op| diff.iter_changes(op))
        .collect();
    let limit = match verbosity {
        Verbosity::Verbose => usize::MAX,
        _ => LINES,
    };
    let mut page = Page::default();
    for change in changes.iter().take(limit) {
        let line = change.value().trim_end();
        page.exact(match change.tag() {
            ChangeTag::Delete => paint.paint(Style::Bad, format!("{indent}-{line}")),
            ChangeTag::Insert => paint.paint(Style::Good, format!("{indent}+{line}")),
            ChangeTag::Equal => format!("{indent} {line}"),
        });
    }
    if changes.len() > limit {
        let rest = count(changes.len() - limit, "line");
        page.row(paint.paint(Style::Dim, format!("{indent}… {rest} more (-v prints all)")));
    }
    page
}
