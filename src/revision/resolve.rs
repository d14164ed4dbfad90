//! Resolves targets.

use std::collections::HashMap;

use super::{
    AppliedRevision, History, Resolved, Revision, RevisionId, Target, TargetError,
    lineage::applied_heads, target::split_offset,
};
use crate::{arrange::Arrange as _, nearest::nearest};

/// The minimum length of an ID prefix.
const PREFIX: usize = 4;

impl History {
    /// Resolves `target`, given the applied revisions.
    ///
    /// Applied revisions that are not in the history can be named too (their rows store parents),
    /// since a downgrade may go to one. Walking edges follows the stored parents of applied
    /// revisions, so that a file added later does not interfere.
    ///
    /// # Errors
    /// Returns an error if the target names no revision, or more than one.
    pub fn resolve(
        &self,
        target: &Target,
        applied: &[AppliedRevision],
    ) -> Result<Resolved, TargetError> {
        let view = View::new(self, applied);
        match target {
            Target::Head => view.head().map(one),
            Target::Heads => view.heads(),
            Target::Base => Ok(Resolved::Base),
            Target::Current(offset) => view.current(target, *offset),
            Target::Relative(steps) => {
                let count = usize::try_from(steps.unsigned_abs()).unwrap_or(usize::MAX);
                Ok(match steps {
                    0.. => Resolved::Next(count),
                    _ => Resolved::Last(count),
                })
            }
            Target::Name { text } => view.name(text),
            Target::Label { label, offset } => view.label(target, label, *offset),
        }
    }
}

fn one(id: RevisionId) -> Resolved {
    Resolved::Revisions(vec![id])
}

/// A position while walking; `None` is base.
type At = Option<RevisionId>;

fn resolved(at: At) -> Resolved {
    at.map_or(Resolved::Base, one)
}

/// History and version table combined into one graph.
struct View<'a> {
    history: &'a History,
    rows: &'a [AppliedRevision],
    applied: HashMap<&'a RevisionId, &'a AppliedRevision>,
}

impl<'a> View<'a> {
    fn new(history: &'a History, rows: &'a [AppliedRevision]) -> Self {
        let applied = rows.iter().map(|row| (&row.revision, row));
        Self {
            history,
            rows,
            applied: applied.collect(),
        }
    }

    fn head(&self) -> Result<RevisionId, TargetError> {
        match self.history.heads().as_slice() {
            [] => Err(TargetError::NoRevisions),
            [head] => Ok(head.id.clone()),
            heads => Err(TargetError::SeveralHeads(ids(heads))),
        }
    }

    fn heads(&self) -> Result<Resolved, TargetError> {
        match self.history.heads().as_slice() {
            [] => Err(TargetError::NoRevisions),
            heads => Ok(Resolved::Revisions(ids(heads))),
        }
    }

    fn current(&self, target: &Target, offset: i64) -> Result<Resolved, TargetError> {
        let heads = applied_heads(self.rows);
        let several = || heads.iter().map(|row| row.revision.clone()).collect();
        let at = match heads.as_slice() {
            [] if offset >= 0 => None,
            [head] => Some(self.as_written(&head.revision)),
            _ => return Err(TargetError::NoSingleCurrent(several())),
        };
        self.walk(&target.to_string(), at, offset)
    }

    fn label(&self, target: &Target, label: &str, offset: i64) -> Result<Resolved, TargetError> {
        if self.history.is_empty() {
            return Err(TargetError::NoRevisions);
        }
        let labels = || self.history.by_id().filter_map(|r| r.label.as_deref());
        let labelled = |revision: &&Revision| revision.label.as_deref() == Some(label);
        let Some(revision) = self.history.by_id().find(labelled) else {
            let nearest = nearest(label, labels(), 1);
            return Err(TargetError::UnknownLabel {
                label: label.to_owned(),
                nearest: nearest.first().map(|label| (*label).to_owned()),
            });
        };
        let text = target.to_string();
        match self.history.heads_above(&revision.id).as_slice() {
            [head] => self.walk(&text, Some(head.id.clone()), offset),
            heads => Err(TargetError::Fork {
                text,
                at: Some(revision.id.clone()),
                ways: ids(heads),
            }),
        }
    }

    /// Resolves an exact ID, a slug, a file, arithmetic or a prefix, in this order.
    fn name(&self, text: &str) -> Result<Resolved, TargetError> {
        if let Some(id) = self.exact(text)? {
            return Ok(one(id));
        }
        let Some((name, offset)) = split_offset(text) else {
            return match self.prefix(text)? {
                Some(id) => Ok(one(id)),
                None => Err(self.unknown(text, text)),
            };
        };
        let at = match name {
            "head" => Some(self.head()?),
            "base" => None,
            _ => match self.exact(name)? {
                Some(id) => Some(id),
                None => match self.prefix(name)? {
                    Some(id) => Some(id),
                    None => return Err(self.unknown(text, name)),
                },
            },
        };
        self.walk(text, at, offset)
    }

    /// Returns the revision with exactly that ID, slug or file.
    fn exact(&self, text: &str) -> Result<Option<RevisionId>, TargetError> {
        if let Ok(id) = text.parse::<RevisionId>()
            && (self.history.get(&id).is_some() || self.applied.contains_key(&id))
        {
            return Ok(Some(self.as_written(&id)));
        }
        if let Some(id) = self.slug(text, |slug| slug == text)? {
            return Ok(Some(id));
        }
        match self.slug(text, |slug| fold(slug) == fold(text))? {
            Some(id) => Ok(Some(id)),
            None => Ok(self.file(text)),
        }
    }

    /// Returns the revision of the script with that name, as completed by a shell: the path, with
    /// or without direction.
    fn file(&self, text: &str) -> Option<RevisionId> {
        let name = text.rsplit(['/', '\\']).next()?;
        let stem = [".up.sql", ".down.sql"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let (id, slug) = stem.unwrap_or(name).split_once('_')?;
        let revision = self.history.get(&id.parse().ok()?)?;
        (revision.slug == slug).then(|| revision.id.clone())
    }

    fn slug(
        &self,
        text: &str,
        matches: impl Fn(&str) -> bool,
    ) -> Result<Option<RevisionId>, TargetError> {
        let found = self.history.by_id().filter(|r| matches(&r.slug));
        only(text, found.map(|r| r.id.clone()).collect())
    }

    /// Returns the only revision whose ID begins with `text`.
    fn prefix(&self, text: &str) -> Result<Option<RevisionId>, TargetError> {
        let candidates: Vec<_> = self
            .ids()
            .filter(|id| is_version(text) && id.as_str().starts_with(text))
            .cloned()
            .collect();
        if text.len() < PREFIX && !candidates.is_empty() {
            return Err(TargetError::ShortPrefix {
                text: text.to_owned(),
            });
        }
        only(text, candidates)
    }

    /// Returns the error for an unknown name. `name` is `text` without its offset. Either may be
    /// misspelled, but digits are an ID, followed by an offset.
    fn unknown(&self, text: &str, name: &str) -> TargetError {
        let like = |text| {
            let others = self.others().map(|row| row.revision.as_str());
            nearest(text, self.history.names().chain(others), 3)
        };
        let mut found = like(name);
        if !is_number(name) {
            let whole = like(text);
            found = if whole.is_empty() { found } else { whole };
        }
        TargetError::Unknown {
            text: text.to_owned(),
            nearest: found.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Walks `offset` edges up, or down if it is negative.
    fn walk(&self, text: &str, start: At, offset: i64) -> Result<Resolved, TargetError> {
        if offset == 0 {
            return Ok(resolved(start));
        }
        let above = (offset > 0).then(|| self.above());
        let next = |at: &At| match &above {
            Some(above) => above.get(at).cloned().unwrap_or_default(),
            None => self.below(at.as_ref()),
        };
        let end = if offset > 0 { "head" } else { "base" };
        let past = || TargetError::PastTheEnd {
            text: text.to_owned(),
            end,
        };
        // No path is longer than the number of revisions, but stored parents could form a cycle.
        let longest = self.ids().count() as u64;
        if offset.unsigned_abs() > longest {
            return Err(past());
        }
        let mut at = start;
        for _ in 0..offset.unsigned_abs() {
            let mut ways = next(&at);
            at = match ways.len() {
                1 => ways.remove(0),
                0 => return Err(past()),
                _ => {
                    return Err(TargetError::Fork {
                        text: text.to_owned(),
                        at,
                        ways: ways.into_iter().flatten().collect(),
                    });
                }
            };
        }
        Ok(resolved(at))
    }

    /// Returns the positions one edge down: the parents, base below a root, none below base.
    fn below(&self, at: Option<&RevisionId>) -> Vec<At> {
        match at {
            None => Vec::new(),
            Some(id) => match self.parents(id) {
                [] => vec![None],
                parents => parents.iter().map(|p| Some(self.as_written(p))).collect(),
            },
        }
    }

    /// Returns the positions one edge up from each one: the children by ID, and the roots above
    /// base.
    fn above(&self) -> HashMap<At, Vec<At>> {
        let mut above: HashMap<At, Vec<At>> = HashMap::new();
        for id in self.ids() {
            for below in self.below(Some(id)) {
                above.entry(below).or_default().push(Some(id.clone()));
            }
        }
        for ways in above.values_mut() {
            ways.arrange();
        }
        above
    }

    /// Returns the stored parents of applied revisions, and those in the file for all others.
    fn parents(&self, id: &RevisionId) -> &[RevisionId] {
        match self.applied.get(id) {
            Some(row) => &row.parents,
            None => self.history.get(id).map_or(&[], |r| &r.parents),
        }
    }

    /// Returns all IDs, those of the directory first.
    fn ids(&self) -> impl Iterator<Item = &RevisionId> {
        let others = self.others().map(|row| &row.revision);
        self.history.by_id().map(|r| &r.id).chain(others)
    }

    /// Returns the applied revisions that are not in the directory.
    fn others(&self) -> impl Iterator<Item = &AppliedRevision> {
        self.rows
            .iter()
            .filter(|row| self.history.get(&row.revision).is_none())
    }

    /// Returns the ID as written in the directory, or else in the version table.
    fn as_written(&self, id: &RevisionId) -> RevisionId {
        let known = self.history.get(id).map(|revision| &revision.id);
        let row = || self.applied.get(id).map(|row| &row.revision);
        known.or_else(row).unwrap_or(id).clone()
    }
}

fn only(text: &str, mut candidates: Vec<RevisionId>) -> Result<Option<RevisionId>, TargetError> {
    if candidates.len() > 1 {
        candidates.arrange();
        return Err(TargetError::Ambiguous {
            text: text.to_owned(),
            candidates,
        });
    }
    Ok(candidates.pop())
}

/// Returns whether an ID could begin with `text`.
fn is_version(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Normalizes a slug: `add users` and `add-users` are equivalent to `add_users`.
fn fold(slug: &str) -> String {
    slug.replace([' ', '-'], "_")
}

fn ids(revisions: &[&Revision]) -> Vec<RevisionId> {
    revisions.iter().map(|r| r.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revision::testing::{self, history, row};

    /// Returns `base`, `next N`, `last N`, IDs or the error.
    fn meaning(history: &History, rows: &[AppliedRevision], text: &str) -> String {
        let target: Target = text.parse().unwrap();
        match history.resolve(&target, rows) {
            Ok(Resolved::Base) => "base".to_owned(),
            Ok(Resolved::Next(count)) => format!("next {count}"),
            Ok(Resolved::Last(count)) => format!("last {count}"),
            Ok(Resolved::Revisions(ids)) => {
                let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
                ids.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    fn check(history: &History, rows: &[AppliedRevision], table: &[(&str, &str)]) {
        for (text, expected) in table {
            assert_eq!(meaning(history, rows, text), *expected, "{text}");
        }
    }

    fn line() -> History {
        history(&[
            ("20260101_add_users", ""),
            ("20260102_add-2", ""),
            ("20260203_add", "label = core"),
            ("20270101_Head-1", ""),
        ])
    }

    /// 1 - 2 - 4 and 1 - 3, joined by 5.
    fn diamond() -> History {
        history(&[
            ("1", ""),
            ("2", "revises = 1; label = left"),
            ("3", "revises = 1; label = right"),
            ("4", "revises = 2"),
            ("5", "revises = 4, 3"),
        ])
    }

    #[test]
    fn words_and_steps() {
        check(
            &line(),
            &[],
            &[
                ("head", "20270101"),
                ("heads", "20270101"),
                ("base", "base"),
                ("+3", "next 3"),
                ("-3", "last 3"),
                ("current", "base"),
            ],
        );
        let empty = history(&[]);
        check(
            &empty,
            &[],
            &[
                ("head", "there are no revisions"),
                ("heads", "there are no revisions"),
                ("x@head", "there are no revisions"),
                ("base", "base"),
                ("current", "base"),
                ("current+1", "`current+1` goes past head"),
                ("base+1", "`base+1` goes past head"),
            ],
        );
        let forked = history(&[("1", ""), ("2", "revises = 1"), ("3", "revises = 1")]);
        check(
            &forked,
            &[],
            &[
                ("head", "there are 2 heads: 2, 3"),
                ("head-1", "there are 2 heads: 2, 3"),
                ("heads", "2 3"),
            ],
        );
    }

    #[test]
    fn ids_prefixes_and_slugs() {
        let ambiguous = "`2026` matches 3 revisions: 20260101, 20260102, 20260203";
        check(
            &line(),
            &[],
            &[
                ("20260102", "20260102"),
                ("0020260102", "20260102"),
                ("2027", "20270101"),
                ("202602", "20260203"),
                ("2026", ambiguous),
                (
                    "202",
                    "`202` is too short; a prefix needs at least 4 characters",
                ),
                ("999", "no revision matches `999`"),
                ("02026", "no revision matches `02026`"),
                ("add_users", "20260101"),
                ("add users", "20260101"),
                ("add-users", "20260101"),
                ("add_2", "20260102"),
                ("add", "20260203"),
                ("nothing", "no revision matches `nothing`"),
                ("ADD", "no revision matches `ADD`"),
            ],
        );
    }

    #[test]
    fn files_name_their_revision() {
        let rows = [
            ("20260101_add_users", "20260101"),
            ("migrations/20260101_add_users.up.sql", "20260101"),
            ("./20260102_add-2.down.sql", "20260102"),
            ("20260102_add-2+1", "20260203"),
            ("20260101_add_2", "no revision matches `20260101_add_2`"),
        ];
        check(&line(), &[], &rows);
    }

    #[test]
    fn an_exact_slug_beats_one_with_other_separators() {
        let twins = history(&[("1_a_b", ""), ("2_a-b", ""), ("3_c", ""), ("4_c", "")]);
        check(
            &twins,
            &[],
            &[
                ("a_b", "1"),
                ("a-b", "2"),
                ("a b", "`a b` matches 2 revisions: 1, 2"),
                ("c", "`c` matches 2 revisions: 3, 4"),
                ("c-1", "`c` matches 2 revisions: 3, 4"),
            ],
        );
    }

    #[test]
    fn exact_names_beat_arithmetic() {
        check(
            &line(),
            &[],
            &[
                ("add-2", "20260102"),
                ("add-1", "20260102"),
                ("add-3", "base"),
                ("add-4", "`add-4` goes past base"),
                ("add-2-1", "20260101"),
                ("add-2+1", "20260203"),
                ("Head-1", "20270101"),
                ("head-1", "20260203"),
                ("2027-1", "20260203"),
                ("2027+1", "`2027+1` goes past head"),
                (
                    "add-99999999999999999999",
                    "`add-99999999999999999999` goes past base",
                ),
                ("add+0", "20260203"),
                ("base+2", "20260102"),
                ("base+4", "20270101"),
                ("base+5", "`base+5` goes past head"),
                ("base-1", "`base-1` goes past base"),
                (
                    "2026-1",
                    "`2026` matches 3 revisions: 20260101, 20260102, 20260203",
                ),
                ("what-1", "no revision matches `what-1`"),
            ],
        );
    }

    #[test]
    fn unknown_names_list_the_nearest() {
        let check = |text: &str, expected: &[&str]| {
            let found = line().resolve(&text.parse().unwrap(), &[]);
            let Err(TargetError::Unknown { nearest, .. }) = found else {
                panic!("{found:?}");
            };
            assert_eq!(nearest, expected, "{text}");
        };
        check("add_user", &["add_users"]);
        check("user", &["add_users"]);
        check("ad-2", &["add-2"]);
        check("user-12345", &["add_users"]);
        check("20260204", &["20260203", "20260102", "20260101"]);
        check("20260204-1", &["20260203", "20260102", "20260101"]);
        check("heda", &["head", "heads"]);
        check("zzzzzz", &[]);
    }

    #[test]
    fn forks_list_the_ways() {
        let roots = history(&[("1", ""), ("2", "revises = base")]);
        check(
            &diamond(),
            &[],
            &[
                ("1+1", "`1+1` is ambiguous: from 1 it leads to any of 2, 3"),
                (
                    "head-1",
                    "`head-1` is ambiguous: from 5 it leads to any of 4, 3",
                ),
                ("4-2", "1"),
                ("4-3", "base"),
                ("3+1", "5"),
            ],
        );
        check(
            &roots,
            &[],
            &[
                (
                    "base+1",
                    "`base+1` is ambiguous: from base it leads to any of 1, 2",
                ),
                (
                    "current+1",
                    "`current+1` is ambiguous: from base it leads to any of 1, 2",
                ),
            ],
        );
    }

    #[test]
    fn labels_lead_to_the_heads_above_them() {
        let forked = history(&[
            ("1", "label = stem"),
            ("2", "revises = 1; label = left"),
            ("3", "revises = 1"),
            ("4", "revises = 2"),
            ("5", "revises = base; depends-on = 4"),
        ]);
        check(
            &forked,
            &[],
            &[
                ("left@head", "4"),
                ("left@head-1", "2"),
                ("left@head-3", "base"),
                ("left@head+1", "`left@head+1` goes past head"),
                (
                    "stem@head",
                    "`stem@head` is ambiguous: from 1 it leads to any of 3, 4",
                ),
                ("lefd@head", "no revision has the label `lefd`"),
            ],
        );
        check(&diamond(), &[], &[("left@head", "5"), ("right@head", "5")]);
        let error = forked.resolve(&"lefd@head".parse().unwrap(), &[]);
        let expected = TargetError::UnknownLabel {
            label: "lefd".to_owned(),
            nearest: Some("left".to_owned()),
        };
        assert_eq!(error, Err(expected));
    }

    #[test]
    fn current_is_the_only_applied_head() {
        let rows = [
            row(1, "01", "", ""),
            row(2, "2", "1", ""),
            row(3, "3", "1", ""),
        ];
        let nothing = "`current` is ambiguous: nothing is applied";
        check(
            &diamond(),
            &[],
            &[
                ("current", "base"),
                ("current+1", "1"),
                ("current-1", nothing),
            ],
        );
        check(
            &diamond(),
            &rows[..1],
            &[
                ("current", "1"),
                ("current-1", "base"),
                ("current-2", "`current-2` goes past base"),
                (
                    "current+1",
                    "`current+1` is ambiguous: from 1 it leads to any of 2, 3",
                ),
            ],
        );
        check(
            &diamond(),
            &rows[..2],
            &[("current+1", "4"), ("current+2", "5"), ("current-1", "1")],
        );
        check(
            &diamond(),
            &rows,
            &[("current", "`current` is ambiguous: 2, 3")],
        );
    }

    #[test]
    fn revisions_without_files_can_be_named_and_left() {
        let rows = [
            row(1, "20260101", "", ""),
            row(2, "20280101", "20260101", ""),
            row(3, "20280202", "20280101", ""),
        ];
        check(
            &line(),
            &rows,
            &[
                ("20280101", "20280101"),
                ("20280101+1", "20280202"),
                ("2028", "`2028` matches 2 revisions: 20280101, 20280202"),
                ("202802", "20280202"),
                ("20280202-2", "20260101"),
                ("20280202-3", "base"),
                ("current", "20280202"),
                ("head", "20270101"),
                ("77777", "no revision matches `77777`"),
                (
                    "20260101+1",
                    "`20260101+1` is ambiguous: from 20260101 it leads to any of 20260102, 20280101",
                ),
            ],
        );
        let unknown = line().resolve(&"20280203".parse().unwrap(), &rows);
        let Err(TargetError::Unknown { nearest, .. }) = unknown else {
            panic!("{unknown:?}");
        };
        assert_eq!(nearest[0], "20280202");
    }

    #[test]
    fn stored_parents_rule_over_files() {
        let h = history(&[("1", ""), ("2", ""), ("3", "")]);
        let rows = [row(1, "1", "", ""), row(2, "3", "1", "")];
        check(
            &h,
            &rows,
            &[
                ("3-1", "1"),
                ("2-1", "1"),
                ("1+1", "`1+1` is ambiguous: from 1 it leads to any of 2, 3"),
                ("2+1", "`2+1` goes past head"),
            ],
        );
    }

    #[test]
    fn a_cycle_of_stored_parents_ends() {
        let rows = [row(1, "7", "8", ""), row(2, "8", "7", "")];
        let past = "`7-99999999999999999999` goes past base";
        check(
            &history(&[]),
            &rows,
            &[("7-99999999999999999999", past), ("7+1", "8")],
        );
    }

    proptest! {
        #[test]
        fn any_target_resolves_or_says_why(
            text in "(head|base|current|add|left@head|20260|[a-z0-9 _]{1,4}|.{0,6})([+-][0-9]{1,3})?",
            parents in prop::collection::vec(0usize..6, 5),
        ) {
            let rows: Vec<_> = parents
                .iter()
                .enumerate()
                .map(|(at, parent)| row(at as i64, &(at + 1).to_string(), &parent.to_string(), ""))
                .collect();
            let Ok(target) = text.parse::<Target>() else {
                return Ok(());
            };
            for history in [line(), diamond(), history(&[])] {
                match history.resolve(&target, &rows) {
                    Ok(Resolved::Revisions(ids)) => prop_assert!(!ids.is_empty()),
                    Ok(_) => {}
                    Err(error) => prop_assert!(!error.to_string().is_empty()),
                }
            }
        }

        #[test]
        fn walking_a_line_counts_its_steps(from in 1i64..=9, offset in -12i64..=12) {
            let names: Vec<_> = (1..=9).map(|n| n.to_string()).collect();
            let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
            let h = testing::history(&pairs);
            let expected = match from + offset {
                ..0 => format!("`{from}{offset:+}` goes past base"),
                0 => "base".to_owned(),
                10.. => format!("`{from}{offset:+}` goes past head"),
                to => to.to_string(),
            };
            prop_assert_eq!(meaning(&h, &[], &format!("{from}{offset:+}")), expected);
        }
    }
}
