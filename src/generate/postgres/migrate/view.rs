//! Views that CREATE OR REPLACE can change.

use super::{
    routine::{outside, split},
    sides::Sides,
};
use crate::schema::{Facts, Kind, postgres::View};

/// Whether CREATE OR REPLACE VIEW can make one view of the other: the columns are the same
/// expressions over the same tables, perhaps with more at the end.
pub(super) fn has_same_columns(sides: &Sides<'_>, at: usize, from: &View, to: &View) -> bool {
    let (Some(old), Some(new)) = (columns(&from.query), columns(&to.query)) else {
        return false;
    };
    let Some(new_at) = sides.new_of[at] else {
        return false;
    };
    let tables = |links: &[usize], side: &super::sides::Side<'_>| -> Vec<String> {
        let relations = links.iter().map(|at| &side.get(*at).id);
        let relations = relations
            .filter(|id| matches!(id.kind, Kind::Table | Kind::View | Kind::MaterializedView));
        relations.map(ToString::to_string).collect()
    };
    let (old_tables, new_tables) = (
        tables(&sides.old.links[at], &sides.old),
        tables(&sides.new.links[new_at], &sides.new),
    );
    let has_same_types = sides.old.links[at]
        .iter()
        .all(|it| match &sides.old.get(*it).facts {
            Facts::Column(_) => {
                let changed = &sides.changed[*it];
                !changed.contains_key("data_type") && !changed.contains_key("collation")
            }
            _ => true,
        });
    has_same_types
        && new.len() >= old.len()
        && old.iter().zip(&new).all(|(old, new)| old == new)
        && old_tables.iter().all(|table| new_tables.contains(table))
}

/// The items of a plain SELECT; `None` for other queries.
fn columns(query: &str) -> Option<Vec<&str>> {
    let list = query.trim_start().strip_prefix("SELECT ")?;
    let end = keyword(list, "FROM")?;
    let rest = &list[end..];
    let is_plain = ["UNION", "INTERSECT", "EXCEPT"]
        .iter()
        .all(|word| keyword(rest, word).is_none());
    let items = split(&list[..end]);
    let has_star = items.iter().any(|it| it.ends_with('*'));
    (is_plain && !has_star).then_some(items)
}

/// The place of a keyword outside quotes and parentheses.
fn keyword(text: &str, word: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_space = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_none_or(u8::is_ascii_whitespace)
    };
    let is_here = |at: &usize| {
        text.is_char_boundary(*at)
            && text[*at..].starts_with(word)
            && is_space(at.checked_sub(1))
            && is_space(Some(at + word.len()))
    };
    outside(text).map(|(at, _)| at).find(is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_of_a_plain_query_are_found() {
        let check = |query: &str, expected: Option<&[&str]>| {
            assert_eq!(columns(query).as_deref(), expected);
        };
        check(
            "SELECT a.id,\n    f(a.x, 'FROM '::text) AS y\n   FROM s.a",
            Some(&["a.id", "f(a.x, 'FROM '::text) AS y"]),
        );
        check("SELECT 1 AS a FROM x UNION SELECT 2 FROM y", None);
        check("WITH q AS (SELECT 1) SELECT a FROM q", None);
    }
}
