use std::collections::HashMap;

use serde_json::json;

use super::{Diagnostic, Page, Paint, Weight, annotation};
use crate::report::view::Json;

/// The maximum number of problems shown per code. The first ones are enough to identify a mistake
/// that occurs thousands of times.
const LIMIT: usize = 50;

/// The maximum number of problems whose diffs are shown; the lines of other diffs are counted.
const DIFFS: usize = 5;

/// The problems to show, in their original order.
pub struct Shown<'a> {
    /// The problems, each with the number of problems of its code that are omitted after it.
    items: Vec<(&'a Diagnostic, usize)>,
}

impl<'a> Shown<'a> {
    /// Selects from `all` the problems to show.
    pub fn of(all: &'a [Diagnostic]) -> Self {
        let mut items: Vec<(&Diagnostic, usize)> = Vec::new();
        // The number of problems per code, and the index of the last one shown.
        let mut codes: HashMap<&str, (usize, usize)> = HashMap::new();
        for diagnostic in all {
            let (count, last) = codes.entry(diagnostic.code).or_default();
            *count += 1;
            if *count > LIMIT {
                items[*last].1 += 1;
            } else {
                *last = items.len();
                items.push((diagnostic, 0));
            }
        }
        Self { items }
    }

    /// The problems as text; `one` renders a problem without its diff.
    pub fn human(&self, paint: Paint, one: impl Fn(&Diagnostic) -> Page) -> Page {
        let mut page = Page::default();
        let mut diffs = 0;
        for (diagnostic, more) in &self.items {
            if !page.is_empty() {
                page.blank();
            }
            page.append(one(diagnostic));
            if let Some(diff) = &diagnostic.diff {
                diffs += 1;
                page.blank();
                match diffs <= DIFFS {
                    true => diff.show(&mut page, paint),
                    false => diff.count(&mut page, paint),
                }
            }
            if *more > 0 {
                page.blank();
                page.sentence(format!("… and {more} more like this"));
            }
        }
        page
    }

    /// The problems as annotations for GitHub, one per line.
    pub fn github(&self, path: &dyn Fn(&str) -> String) -> Page {
        let mut page = Page::default();
        for (diagnostic, more) in &self.items {
            page.append(annotation(diagnostic, Weight::Error, path));
            if *more > 0 {
                page.sentence(format!("… and {more} more of {}", diagnostic.code));
            }
        }
        page
    }

    /// The problems as JSON: the field `name`, and in `omitted` the number of omitted problems per
    /// code.
    pub fn json(&self, name: &str) -> Json {
        let shown = self.items.iter();
        let shown: Vec<_> = shown.map(|(diagnostic, _)| diagnostic.json()).collect();
        let left = self.items.iter().filter(|(_, more)| *more > 0);
        let left: Json = left
            .map(|(diagnostic, more)| (diagnostic.code.to_owned(), json!(more)))
            .collect();
        let mut fields = Json::new();
        fields.insert(name.to_owned(), json!(shown));
        if !left.is_empty() {
            fields.insert("omitted".to_owned(), json!(left));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Problems with these codes, each repeated by its count.
    fn problems(counts: &[(&'static str, usize)]) -> Vec<Diagnostic> {
        let of = |&(code, count): &(&'static str, usize)| {
            let one = Diagnostic {
                code,
                message: code.to_lowercase(),
                ..Diagnostic::default()
            };
            vec![one; count]
        };
        counts.iter().flat_map(of).collect()
    }

    #[test]
    fn at_most_50_of_a_kind_are_shown_and_the_rest_is_counted() {
        let check = |counts: &[(&'static str, usize)], expected: &str| {
            let all = problems(counts);
            let page = Shown::of(&all).human(Paint(false), |one| Page::of(one.code));
            assert_eq!(page.text(None), expected, "{counts:?}");
        };
        let lines = |code: &str, count: usize| vec![format!("{code}\n"); count].join("\n");
        check(&[], "");
        check(&[("A", 1)], "A\n");
        check(&[("A", 50)], &lines("A", 50));
        let (a, b) = (lines("A", 50), lines("B", 2));
        let more = "\n… and 950 more like this\n";
        check(&[("A", 1_000)], &format!("{a}{more}"));
        check(&[("A", 1_000), ("B", 2)], &format!("{a}{more}\n{b}"));
        // Problems of other codes between them are all shown.
        check(
            &[("A", 50), ("B", 2), ("A", 950)],
            &format!("{a}{more}\n{b}"),
        );
    }

    #[test]
    fn programs_are_told_how_many_are_left_out() {
        let all = problems(&[("A", 60), ("B", 50), ("C", 51)]);
        let fields = Shown::of(&all).json("errors");
        assert_eq!(fields["errors"].as_array().map(Vec::len), Some(150));
        assert_eq!(fields["omitted"], json!({"A": 10, "C": 1}));
        let fields = Shown::of(&all[..50]).json("errors");
        assert!(fields.get("omitted").is_none());
    }

    #[test]
    fn annotations_are_counted_likewise() {
        let all = problems(&[("A", 52)]);
        let text = Shown::of(&all).github(&str::to_owned).text(None);
        assert_eq!(text.lines().count(), 51);
        assert!(text.ends_with("::a\n… and 2 more of A\n"), "{text}");
    }
}
