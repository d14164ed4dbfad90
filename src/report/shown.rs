use std::collections::HashMap;

use serde_json::json;

use super::{Diagnostic, Page, annotation};
use crate::report::view::Json;

/// How many problems of one code are shown. A mistake that is made thousands of times is told by
/// the first of them.
const LIMIT: usize = 50;

/// The problems that are shown of many, in their order.
pub struct Shown<'a> {
    /// Each with the number of those of its code that are left out after it.
    items: Vec<(&'a Diagnostic, usize)>,
}

impl<'a> Shown<'a> {
    /// Those of `all`.
    pub fn of(all: &'a [Diagnostic]) -> Self {
        let mut items: Vec<(&Diagnostic, usize)> = Vec::new();
        // How many of a code there are, and where the last of them is that is shown.
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

    /// For people; `one` is how a problem looks.
    pub fn human(&self, one: impl Fn(&Diagnostic) -> Page) -> Page {
        let mut page = Page::default();
        for (diagnostic, more) in &self.items {
            if !page.is_empty() {
                page.blank();
            }
            page.append(one(diagnostic));
            if *more > 0 {
                page.blank();
                page.sentence(format!("… and {more} more like this"));
            }
        }
        page
    }

    /// As annotations for GitHub, one a line.
    pub fn github(&self, path: &dyn Fn(&str) -> String) -> Page {
        let mut page = Page::default();
        for (diagnostic, more) in &self.items {
            page.append(annotation(diagnostic, path));
            if *more > 0 {
                page.sentence(format!("… and {more} more of {}", diagnostic.code));
            }
        }
        page
    }

    /// For programs: the problems as `name`, and as `omitted` how many of each code are left out.
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

    /// Problems of these codes, so many of each in a row.
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
            let page = Shown::of(&all).human(|one| Page::of(one.code));
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
        // Those of another kind between them are all shown.
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
