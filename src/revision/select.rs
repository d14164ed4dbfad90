//! Selects the revisions of a range.

use std::collections::HashSet;

use super::{
    AppliedRevision, History, Range, Resolved, Revision, RevisionId, Target, TargetError,
    lineage::applied_heads,
};

/// One end of a range.
#[derive(Clone)]
enum End {
    /// The end is not given, which includes everything on that side.
    Open,
    /// Before every revision.
    Base,
    /// These revisions, which are in the history.
    Revisions(Vec<RevisionId>),
}

impl Range {
    /// Returns whether the range depends on applied revisions.
    pub fn needs_database(&self) -> bool {
        let ends = [&self.start, &self.end];
        let mut ends = ends.into_iter().flatten();
        ends.any(|end| matches!(end, Target::Current(_)))
    }
}

impl History {
    /// Returns the revisions from the start to the end of `range`, both included, in the order of
    /// [`Self::in_order`]: those that the end needs and that are, or need, the start.
    ///
    /// As the start, `-N` counts down from the end, or from the head if no end is given, and `+N`
    /// up from base. As the end, `+N` counts up from the start, and `-N` down from the head.
    ///
    /// # Errors
    /// Returns an error if an end names no revision of the history, or `±N` reaches a fork.
    pub fn between(
        &self,
        range: &Range,
        applied: &[AppliedRevision],
    ) -> Result<Vec<&Revision>, TargetError> {
        let given = (range.start.as_ref(), range.end.as_ref());
        let (start, end) = if let (Some(Target::Relative(steps @ ..0)), end) = given {
            let end = self.last(end, &End::Base, applied)?;
            (self.walk(end.clone(), *steps, applied)?, end)
        } else {
            let start = match given.0 {
                Some(Target::Relative(steps)) => self.walk(End::Base, *steps, applied)?,
                start => self.end(start, applied)?,
            };
            let end = self.last(given.1, &start, applied)?;
            (start, end)
        };
        Ok(self.selected(&start, &end))
    }

    /// Returns the end of a range that begins at `start`.
    fn last(
        &self,
        target: Option<&Target>,
        start: &End,
        applied: &[AppliedRevision],
    ) -> Result<End, TargetError> {
        match (target, start) {
            (Some(Target::Relative(steps @ ..0)), _) => self.walk(End::Open, *steps, applied),
            (Some(Target::Relative(steps)), End::Open) => self.walk(End::Base, *steps, applied),
            (Some(Target::Relative(steps)), start) => self.walk(start.clone(), *steps, applied),
            (target, _) => self.end(target, applied),
        }
    }

    fn end(
        &self,
        target: Option<&Target>,
        applied: &[AppliedRevision],
    ) -> Result<End, TargetError> {
        let Some(target) = target else {
            return Ok(End::Open);
        };
        // A listing may begin or end at several revisions.
        if *target == Target::Current(0) {
            let heads = applied_heads(applied).into_iter();
            let ids: Vec<_> = heads.map(|row| row.revision.clone()).collect();
            return if ids.is_empty() {
                Ok(End::Base)
            } else {
                self.known(target, ids)
            };
        }
        match self.resolve(target, applied) {
            Ok(Resolved::Revisions(ids)) => self.known(target, ids),
            Ok(_) => Ok(End::Base),
            // An empty history has nothing to list.
            Err(TargetError::NoRevisions) => Ok(End::Base),
            Err(error) => Err(error),
        }
    }

    /// Returns an error if one of the applied revisions `ids` is not in the directory.
    fn known(&self, target: &Target, ids: Vec<RevisionId>) -> Result<End, TargetError> {
        match ids.iter().find(|id| self.get(id).is_none()) {
            None => Ok(End::Revisions(ids)),
            Some(missing) => Err(TargetError::NotInDirectory {
                text: target.to_string(),
                revision: missing.clone(),
            }),
        }
    }

    /// Walks `steps` from `from`, or from the head if it is open.
    fn walk(&self, from: End, steps: i64, applied: &[AppliedRevision]) -> Result<End, TargetError> {
        let name = match from {
            End::Open => "head".to_owned(),
            End::Base => "base".to_owned(),
            End::Revisions(ids) => match ids.as_slice() {
                [only] => only.to_string(),
                _ => return Err(TargetError::SeveralHeads(ids)),
            },
        };
        let text = format!("{name}{steps:+}");
        self.end(Some(&Target::Name { text }), applied)
    }

    fn selected(&self, start: &End, end: &End) -> Vec<&Revision> {
        let from: Option<HashSet<&RevisionId>> = match start {
            End::Open | End::Base => None,
            End::Revisions(ids) => {
                let above = self.descendants(ids).into_iter().map(|r| &r.id);
                let these = ids.iter().filter_map(|id| self.get(id)).map(|r| &r.id);
                Some(above.chain(these).collect())
            }
        };
        let upto = match end {
            End::Open => self.in_order().collect(),
            End::Base => Vec::new(),
            End::Revisions(ids) => self.closure(ids),
        };
        let within =
            |revision: &&Revision| from.as_ref().is_none_or(|ids| ids.contains(&revision.id));
        upto.into_iter().filter(within).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revision::testing::{history, row};

    /// Returns slugs, in order, or the error.
    fn between(history: &History, rows: &[AppliedRevision], text: &str) -> String {
        match history.between(&text.parse().unwrap(), rows) {
            Ok(found) => {
                let slugs: Vec<_> = found
                    .iter()
                    .map(|revision| revision.slug.as_str())
                    .collect();
                slugs.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn ranges_are_inclusive_and_counted_from_their_other_end() {
        let line = history(&[("1_a", ""), ("2_b", ""), ("3_c", ""), ("4_d", "")]);
        let rows = [row(1, "1", "", ""), row(2, "2", "1", "")];
        let check = |text: &str, expected: &str| {
            assert_eq!(between(&line, &rows, text), expected, "{text}");
        };
        check("b:c", "b c");
        check("b:b", "b");
        check("b:", "b c d");
        check(":b", "a b");
        check("base:", "a b c d");
        check(":base", "");
        check("c:b", "");
        check("current:", "b c d");
        check(":current", "a b");
        check("current-1:current+1", "a b c");
        check("-1:current", "a b");
        check("-2:", "b c d");
        check("-1:c", "b c");
        check(":+2", "a b");
        check("b:+1", "b c");
        check("+2:", "b c d");
        check("+2:+1", "b c");
        check(":-1", "a b c");
        check("-1:-1", "b c");
        check("-1:+3", "b c");
        check("b:-1", "b c");
        check("-9:", "`head-9` goes past base");
        check("b:+9", "`2+9` goes past head");
        check("x:", "no revision matches `x`");
    }

    #[test]
    fn branches_and_dependencies_belong_to_what_they_are_of() {
        let fork = history(&[
            ("1_a", ""),
            ("2_b", "revises = 1"),
            ("3_c", "revises = 1"),
            ("4_m", "revises = 2, 3"),
            ("5_x", "revises = base"),
            ("6_y", "revises = 4; depends-on = 5"),
        ]);
        let rows = [
            row(1, "1", "", ""),
            row(2, "2", "1", ""),
            row(3, "3", "1", ""),
        ];
        let check = |text: &str, expected: &str| {
            assert_eq!(between(&fork, &rows, text), expected, "{text}");
        };
        check("a:m", "a b c m");
        check("b:", "b m y");
        check(":b", "a b");
        check(":y", "a b c m x y");
        check("x:y", "x y");
        // Several revisions are applied, and each of them is an end.
        check("current:", "b c m y");
        check(":current", "a b c");
        check("-1:current", "there are 2 heads: 2, 3");
        check("-1:m", "`4-1` is ambiguous: from 4 it leads to any of 2, 3");
    }

    #[test]
    fn of_nothing_there_is_nothing() {
        let empty = history(&[]);
        for text in ["head:", ":head", "current:", "base:", "-1:"] {
            assert_eq!(between(&empty, &[], text), "", "{text}");
        }
        let others = [row(1, "9", "", "")];
        let line = history(&[("1_a", "")]);
        let expected = "`current` is revision 9, which is not in this directory";
        assert_eq!(between(&line, &others, "current:"), expected);
    }

    proptest! {
        #[test]
        fn an_end_is_within_its_range(start in 1usize..5, length in 0usize..4) {
            let line = history(&[("1_a", ""), ("2_b", ""), ("3_c", ""), ("4_d", "")]);
            let end = (start + length).min(4);
            let found = between(&line, &[], &format!("{start}:{end}"));
            prop_assert_eq!(found.split(' ').count(), end - start + 1);
        }
    }
}
