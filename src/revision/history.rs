use std::collections::{HashMap, HashSet};

use super::{
    Place, Problem, ProblemKind, Repeatable, RepeatableId, Replaced, RevisionId, Script,
    graph::{reach, reversed, topological_order},
    validate,
};
use crate::arrange::Arrange as _;

/// The scripts of one ID, as read from disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptPair {
    /// The ID of the file names.
    pub id: RevisionId,
    /// The part of the file names between ID and direction.
    pub slug: String,
    /// The up script.
    pub up: Script,
    /// The down script.
    pub down: Option<Script>,
}

/// A revision: one step in the history of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The ID.
    pub id: RevisionId,
    /// The slug of the file names.
    pub slug: String,
    /// The headers' message, or the slug with spaces.
    pub message: String,
    /// The parents, in the order written; empty for a root.
    pub parents: Vec<RevisionId>,
    /// Whether `revises` is absent, so that the parent is the previous revision by ID.
    pub implicit_parent: bool,
    /// Dependencies: revisions that must be applied first but are not parents.
    pub depends_on: Vec<RevisionId>,
    /// The revisions that it replaces, if it is a baseline.
    pub replaces: Vec<Replaced>,
    /// The label.
    pub label: Option<String>,
    /// The up script.
    pub up: Script,
    /// The down script.
    pub down: Option<Script>,
}

/// All revisions of a directory as a graph. A `History` is always valid: it has no duplicates,
/// missing parents or cycles.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The revisions by ID; the lists below hold indices into it.
    revisions: Vec<Revision>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    depends_on: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
    /// Topological order; ties are ordered by ID.
    order: Vec<usize>,
    /// The baselines, in order.
    baselines: Vec<usize>,
    /// Repeatable scripts by name; they are not part of the graph.
    repeatables: Vec<Repeatable>,
}

impl History {
    /// Builds the graph.
    ///
    /// # Errors
    /// Returns every problem of the graph, by file and offset.
    pub fn new(mut pairs: Vec<ScriptPair>) -> Result<Self, Vec<Problem>> {
        pairs.arrange_by(|a, b| a.id.cmp(&b.id).then_with(|| a.up.file.cmp(&b.up.file)));
        let mut problems = validate::check(&pairs);
        pairs.dedup_by(|second, first| second.id == first.id);
        let mut revisions = revisions(pairs);
        let baselines = baselines(&revisions);
        let names = replaced(&revisions, &baselines);
        let parents = link(&mut revisions, &names, |revision| &mut revision.parents);
        let depends_on = link(&mut revisions, &names, |revision| &mut revision.depends_on);
        let before: Vec<_> = parents
            .iter()
            .zip(&depends_on)
            .map(|(parents, depends_on)| union(parents, depends_on))
            .collect();
        match topological_order(&before) {
            Ok(order) if problems.is_empty() => Ok(Self {
                revisions,
                children: reversed(&parents),
                dependents: reversed(&depends_on),
                parents,
                depends_on,
                order,
                baselines,
                repeatables: Vec::new(),
            }),
            cycles => {
                for cycle in cycles.err().into_iter().flatten() {
                    let path: Vec<_> = cycle.iter().map(|at| &revisions[*at]).collect();
                    problems.push(validate::cycle(&path));
                }
                problems.arrange_by(|a, b| a.place.cmp(&b.place));
                Err(problems)
            }
        }
    }

    /// Adds the repeatable scripts of the directory.
    ///
    /// # Errors
    /// Returns a problem for each script with a duplicate name.
    pub fn with_repeatables(mut self, mut scripts: Vec<Repeatable>) -> Result<Self, Vec<Problem>> {
        scripts.arrange_by(|a, b| (&a.id, &a.script.file).cmp(&(&b.id, &b.script.file)));
        let same = scripts.chunk_by(|a, b| a.id == b.id);
        let problems: Vec<_> = same
            .flat_map(|same| same[1..].iter().map(|again| (again, &same[0])))
            .map(|(again, first)| Problem {
                place: Place {
                    file: again.script.file.clone(),
                    offset: None,
                },
                kind: ProblemKind::DuplicateRepeatable {
                    id: again.id.clone(),
                    other: first.script.file.clone(),
                },
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        self.repeatables = scripts;
        Ok(self)
    }

    /// Adds down scripts that were read later. Those of other revisions are ignored.
    ///
    /// # Errors
    /// Returns a problem for each down script of a revision declared irreversible.
    pub fn with_downs(
        mut self,
        downs: impl IntoIterator<Item = (RevisionId, Script)>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        for (id, script) in downs {
            let Some(at) = self.index(&id) else {
                continue;
            };
            let revision = &mut self.revisions[at];
            revision.down = Some(script);
            problems.extend(validate::irreversible(&revision.id, &revision.up, true));
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems)
        }
    }

    /// Returns the baselines, by ID.
    pub fn baselines(&self) -> impl Iterator<Item = &Revision> {
        self.baselines.iter().map(|at| &self.revisions[*at])
    }

    /// Returns the baseline that replaces the revision `id`, which no longer has a file.
    pub fn baseline_of(&self, id: &RevisionId) -> Option<&Revision> {
        let mut baselines = self.baselines();
        baselines.find(|one| one.replaces.iter().any(|replaced| replaced.id == *id))
    }

    /// Returns the repeatable scripts, in the order in which they run.
    pub fn repeatables(&self) -> &[Repeatable] {
        &self.repeatables
    }

    /// Returns the history of `ids` and what they require alone, with all repeatable scripts.
    pub fn up_to(&self, ids: &[RevisionId]) -> Self {
        let needed = self.closure(ids).into_iter();
        let pairs = needed.map(|revision| ScriptPair {
            id: revision.id.clone(),
            slug: revision.slug.clone(),
            up: revision.up.clone(),
            down: revision.down.clone(),
        });
        // A part of a valid history that has everything it requires is valid.
        let part = Self::new(pairs.collect()).unwrap_or_else(|_| self.clone());
        Self {
            repeatables: self.repeatables.clone(),
            ..part
        }
    }

    /// Returns the history without these repeatable scripts.
    pub fn without_repeatables(mut self, ids: &[RepeatableId]) -> Self {
        self.repeatables.retain(|one| !ids.contains(&one.id));
        self
    }

    /// Returns the repeatable script with that name.
    pub fn repeatable(&self, id: &RepeatableId) -> Option<&Repeatable> {
        let found = self.repeatables.binary_search_by(|one| one.id.cmp(id));
        found.ok().map(|at| &self.repeatables[at])
    }

    /// Returns the revision with that ID.
    pub fn get(&self, id: &RevisionId) -> Option<&Revision> {
        self.index(id).map(|at| &self.revisions[at])
    }

    /// Returns all revisions, each after its parents and dependencies; ties are ordered by ID.
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = &Revision> {
        self.order.iter().map(|at| &self.revisions[*at])
    }

    /// Returns the revision without `revises` whose parent would become `id` if `id` were new.
    pub fn implicit_child(&self, id: &RevisionId) -> Option<&Revision> {
        let at = self.revisions.partition_point(|one| one.id <= *id);
        self.revisions.get(at).filter(|one| one.implicit_parent)
    }

    /// Returns all revisions, by ID.
    pub fn by_id(&self) -> impl DoubleEndedIterator<Item = &Revision> {
        self.revisions.iter()
    }

    /// Returns the number of revisions.
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Returns whether there is no revision.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the revisions that no revision revises, by ID. (`depends-on` does not count.)
    pub fn heads(&self) -> Vec<&Revision> {
        self.where_count(&self.children, |count| count == 0)
    }

    /// Returns the revisions without parents, by ID.
    pub fn roots(&self) -> Vec<&Revision> {
        self.where_count(&self.parents, |count| count == 0)
    }

    /// Returns the revisions that several others revise, by ID.
    pub fn branch_points(&self) -> Vec<&Revision> {
        self.where_count(&self.children, |count| count > 1)
    }

    /// Returns the revisions that revise `id` directly, by ID.
    pub fn children(&self, id: &RevisionId) -> Vec<&Revision> {
        self.index(id).map_or_else(Vec::new, |at| {
            let children = self.children[at].iter();
            children.map(|child| &self.revisions[*child]).collect()
        })
    }

    /// Returns `ids` with all their ancestors and dependencies, transitively, in the order of
    /// [`Self::in_order`]. IDs that are not in the history are ignored.
    pub fn closure(&self, ids: &[RevisionId]) -> Vec<&Revision> {
        let reached = reach(self.len(), self.indices(ids), |at| {
            [&self.parents[at], &self.depends_on[at]]
        });
        self.ordered(&reached)
    }

    /// Returns all revisions that revise `ids` or depend on them, transitively, without `ids`
    /// themselves, in the order of [`Self::in_order`]. IDs that are not in the history are ignored.
    pub fn descendants(&self, ids: &[RevisionId]) -> Vec<&Revision> {
        let mut reached = reach(self.len(), self.indices(ids), |at| {
            [&self.children[at], &self.dependents[at]]
        });
        for at in self.indices(ids) {
            reached[at] = false;
        }
        self.ordered(&reached)
    }

    /// Returns the heads of the branch that `id` is on, by ID: the heads that revise it,
    /// transitively, or `id` itself if it is a head.
    pub fn heads_above(&self, id: &RevisionId) -> Vec<&Revision> {
        // A set is cheaper than a list of all revisions: with thousands of roots, each call visits
        // few.
        let (mut reached, mut heads) = (HashSet::new(), Vec::new());
        let mut waiting: Vec<usize> = self.index(id).into_iter().collect();
        while let Some(at) = waiting.pop() {
            if !reached.insert(at) {
                continue;
            }
            match self.children[at].as_slice() {
                [] => heads.push(at),
                children => waiting.extend(children),
            }
        }
        heads.sort_unstable();
        heads.into_iter().map(|at| &self.revisions[at]).collect()
    }

    /// Returns every name that a target may use for a revision.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let revisions = self.revisions.iter();
        ["head", "heads", "base", "current"]
            .into_iter()
            .chain(revisions.flat_map(|revision| [revision.id.as_str(), revision.slug.as_str()]))
    }

    fn index(&self, id: &RevisionId) -> Option<usize> {
        index(&self.revisions, id)
    }

    fn indices(&self, ids: &[RevisionId]) -> impl Iterator<Item = usize> {
        ids.iter().filter_map(|id| self.index(id))
    }

    fn ordered(&self, wanted: &[bool]) -> Vec<&Revision> {
        let order = self.order.iter().filter(|at| wanted[**at]);
        order.map(|at| &self.revisions[*at]).collect()
    }

    fn where_count(&self, edges: &[Vec<usize>], test: impl Fn(usize) -> bool) -> Vec<&Revision> {
        let pairs = self.revisions.iter().zip(edges);
        pairs
            .filter(|(_, edges)| test(edges.len()))
            .map(|(revision, _)| revision)
            .collect()
    }
}

/// Creates the revisions of `pairs`, which must be sorted by ID.
fn revisions(pairs: Vec<ScriptPair>) -> Vec<Revision> {
    let mut previous: Option<RevisionId> = None;
    let mut revisions = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let headers = &pair.up.headers;
        let implicit = previous.replace(pair.id.clone());
        revisions.push(Revision {
            message: headers
                .message
                .clone()
                .unwrap_or_else(|| pair.slug.replace('_', " ")),
            implicit_parent: headers.revises.is_none(),
            parents: match &headers.revises {
                Some(parents) => parents.clone(),
                None => implicit.into_iter().collect(),
            },
            depends_on: headers.depends_on.clone(),
            replaces: headers.replaces.clone(),
            label: headers.label.clone(),
            id: pair.id,
            slug: pair.slug,
            up: pair.up,
            down: pair.down,
        });
    }
    revisions
}

/// Returns the indices of the IDs in one of the lists of each revision, in ascending order, without
/// missing IDs and the revision itself. Also rewrites the IDs as spelled in their own files.
fn link(
    revisions: &mut [Revision],
    replaced: &HashMap<RevisionId, RevisionId>,
    list: impl Fn(&mut Revision) -> &mut Vec<RevisionId>,
) -> Vec<Vec<usize>> {
    (0..revisions.len())
        .map(|at| {
            let mut ids = std::mem::take(list(&mut revisions[at]));
            let mut indices = Vec::with_capacity(ids.len());
            for id in &mut ids {
                if let Some(baseline) = replaced.get(id) {
                    *id = baseline.clone();
                }
                if let Some(found) = index(revisions, id) {
                    *id = revisions[found].id.clone();
                    if found != at {
                        indices.push(found);
                    }
                }
            }
            // Several parents may be replaced by the same baseline.
            let mut named = Vec::with_capacity(ids.len());
            for id in ids {
                if replaced.is_empty() || !named.contains(&id) {
                    named.push(id);
                }
            }
            *list(&mut revisions[at]) = named;
            indices.sort_unstable();
            indices.dedup();
            indices
        })
        .collect()
}

fn baselines(revisions: &[Revision]) -> Vec<usize> {
    let all = 0..revisions.len();
    all.filter(|at| !revisions[*at].replaces.is_empty())
        .collect()
}

/// Maps replaced revisions to their baselines.
fn replaced(revisions: &[Revision], baselines: &[usize]) -> HashMap<RevisionId, RevisionId> {
    let baselines = baselines.iter().map(|at| &revisions[*at]);
    let names = baselines.flat_map(|one| {
        let replaced = one.replaces.iter();
        replaced.map(|replaced| (replaced.id.clone(), one.id.clone()))
    });
    names.collect()
}

fn index(revisions: &[Revision], id: &RevisionId) -> Option<usize> {
    revisions
        .binary_search_by(|revision| revision.id.cmp(id))
        .ok()
}

fn union(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut union = [a, b].concat();
    union.sort_unstable();
    union.dedup();
    union
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nearest::nearest;
    use crate::revision::{
        ProblemKind,
        testing::{history, ids, pair, with_down},
    };

    fn shown<'a>(revisions: impl IntoIterator<Item = &'a Revision>) -> String {
        let ids: Vec<_> = revisions.into_iter().map(|r| r.id.to_string()).collect();
        ids.join(" ")
    }

    /// 1 - 2 - 4 and 1 - 3, joined by 5; 6 is a second root and depends on 3.
    fn diamond() -> History {
        history(&[
            ("6", "revises = base; depends-on = 3"),
            ("5", "revises = 4, 3"),
            ("4", "revises = 2"),
            ("3", "revises = 1"),
            ("2", "revises = 1"),
            ("1", ""),
        ])
    }

    #[test]
    fn the_graph_is_walked_both_ways() {
        let h = diamond();
        let check = |found: Vec<&Revision>, expected: &str| assert_eq!(shown(found), expected);
        assert_eq!(h.len(), 6);
        check(h.in_order().collect(), "1 2 3 4 5 6");
        check(h.heads(), "5 6");
        check(h.roots(), "1 6");
        check(h.branch_points(), "1");
        check(h.children(&ids("001")[0]), "2 3");
        check(h.children(&ids("3")[0]), "5");
        check(h.children(&ids("77")[0]), "");
        check(h.closure(&ids("4 77")), "1 2 4");
        check(h.closure(&ids("6")), "1 3 6");
        check(h.closure(&ids("5")), "1 2 3 4 5");
        check(h.closure(&[]), "");
        check(h.descendants(&ids("3")), "5 6");
        check(h.descendants(&ids("1 2")), "3 4 5 6");
        check(h.descendants(&ids("5 77")), "");
        check(h.heads_above(&ids("1")[0]), "5");
        check(h.heads_above(&ids("5")[0]), "5");
        check(h.heads_above(&ids("77")[0]), "");
        assert_eq!(h.get(&ids("05")[0]).unwrap().parents, ids("4 3"));
        assert!(h.get(&ids("77")[0]).is_none());
        assert!(History::new(vec![]).unwrap().is_empty());
    }

    #[test]
    fn an_implicit_parent_is_the_revision_before_by_value() {
        let h = history(&[("10", ""), ("9", ""), ("0008", ""), ("11", "revises = 8")]);
        let check = |id: &str, parents: &str, implicit| {
            let revision = h.get(&ids(id)[0]).unwrap();
            let written: Vec<_> = revision.parents.iter().map(RevisionId::as_str).collect();
            assert_eq!(written.join(" "), parents, "{id}");
            assert_eq!(revision.implicit_parent, implicit, "{id}");
        };
        check("8", "", true);
        check("9", "0008", true);
        check("10", "9", true);
        check("11", "0008", false);
    }

    #[test]
    fn order_is_topological_before_it_is_by_id() {
        let h = history(&[
            ("1", "revises = base; depends-on = 4"),
            ("2", "revises = base"),
            ("3", "revises = 1"),
            ("4", "revises = base"),
        ]);
        assert_eq!(shown(h.in_order()), "2 4 1 3");
        assert_eq!(shown(h.by_id()), "1 2 3 4");
    }

    #[test]
    fn the_message_is_the_headers_or_the_slug_with_spaces() {
        let mut first = pair("1_add_users", "");
        let second = pair("2_add_users", "");
        std::sync::Arc::make_mut(&mut first.up.headers).message = Some("Add them".to_owned());
        let h = History::new(vec![first, second]).unwrap();
        let messages: Vec<_> = h.by_id().map(|r| r.message.as_str()).collect();
        assert_eq!(messages, ["Add them", "add users"]);
    }

    /// Problems as `file@what the offset points to: kind`, one a line.
    fn check_problems(pairs: Vec<ScriptPair>, expected: &[(&str, &str, ProblemKind)]) {
        let texts: Vec<_> = pairs.iter().map(|p| p.up.clone()).collect();
        let problems = History::new(pairs).unwrap_err();
        let found: Vec<_> = problems
            .iter()
            .map(|problem| {
                let file = problem.place.file.as_str();
                let script = texts.iter().find(|script| script.file == file).unwrap();
                let at = problem.place.offset.map_or("", |at| &script.text[at..]);
                (file, at.trim_end(), problem.kind.clone())
            })
            .collect();
        assert_eq!(found, expected);
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<ScriptPair> {
        list.iter()
            .map(|(name, headers)| pair(name, headers))
            .collect()
    }

    #[test]
    fn duplicates_by_value() {
        let duplicate = |id: &str, other: &str| ProblemKind::DuplicateId {
            id: ids(id)[0].clone(),
            other: other.to_owned(),
        };
        check_problems(
            pairs(&[("7_b", ""), ("07_a", ""), ("7_c", ""), ("8", "")]),
            &[
                ("7_b.up.sql", "", duplicate("7", "07_a.up.sql")),
                ("7_c.up.sql", "", duplicate("7", "07_a.up.sql")),
            ],
        );
    }

    #[test]
    fn missing_and_repeated_references() {
        let missing = |key, id: &str, nearest: Option<&str>| ProblemKind::MissingParent {
            key,
            id: ids(id)[0].clone(),
            nearest: nearest.map(|id| ids(id)[0].clone()),
        };
        let repeated = |key, id: &str| ProblemKind::RepeatedParent {
            key,
            id: ids(id)[0].clone(),
        };
        check_problems(
            pairs(&[
                ("20260101", ""),
                ("20260202", "revises = 20260101, 20260102; depends-on = 5"),
                ("20260303", "revises = 20260101, 020260101"),
                ("20260404", "revises = 9, 9"),
                ("20260505", "revises = 20260505; depends-on = 20260505"),
            ]),
            &[
                (
                    "20260202_x.up.sql",
                    "20260102\n-- migrator: depends-on = 5",
                    missing("revises", "20260102", Some("20260101")),
                ),
                ("20260202_x.up.sql", "5", missing("depends-on", "5", None)),
                (
                    "20260303_x.up.sql",
                    "020260101",
                    repeated("revises", "20260101"),
                ),
                ("20260404_x.up.sql", "9", missing("revises", "9", None)),
                ("20260404_x.up.sql", "9", repeated("revises", "9")),
                (
                    "20260505_x.up.sql",
                    "20260505\n-- migrator: depends-on = 20260505",
                    repeated("revises", "20260505"),
                ),
                (
                    "20260505_x.up.sql",
                    "20260505",
                    repeated("depends-on", "20260505"),
                ),
            ],
        );
    }

    #[test]
    fn cycles_over_parents_and_dependencies() {
        let cycle = |path: &str| ProblemKind::Cycle { path: ids(path) };
        check_problems(
            pairs(&[
                ("1", "revises = 2"),
                ("2", ""),
                ("3", "revises = base; depends-on = 5"),
                ("4", "revises = 3"),
                ("5", "revises = 4"),
                ("6", ""),
            ]),
            &[
                ("1_x.up.sql", "2", cycle("1 2 1")),
                ("3_x.up.sql", "5", cycle("3 5 4 3")),
            ],
        );
    }

    #[test]
    fn labels_and_irreversible_ones() {
        check_problems(
            vec![
                pair("1", "label = a"),
                pair("2", "label = b"),
                pair("3", "label = a"),
                with_down(pair("4", "irreversible = no way back")),
                with_down(pair("5", "")),
            ],
            &[
                (
                    "3_x.up.sql",
                    "a",
                    ProblemKind::DuplicateLabel {
                        label: "a".to_owned(),
                        other: ids("1")[0].clone(),
                    },
                ),
                (
                    "4_x.up.sql",
                    "no way back",
                    ProblemKind::IrreversibleWithDown {
                        id: ids("4")[0].clone(),
                    },
                ),
            ],
        );
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let problems = History::new(vec![
            pair("1", "revises = 2"),
            pair("2", "label = a"),
            pair("02_y", "label = a"),
            pair("3", "depends-on = 77"),
        ])
        .unwrap_err();
        let kinds: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            kinds,
            [
                "1_x.up.sql: these revisions form a dependency cycle: 1 -> 02 -> 1",
                "2_x.up.sql: revision 2 exists twice; the other file is 02_y.up.sql",
                "2_x.up.sql: the label `a` is also on revision 02",
                "3_x.up.sql: `depends-on = 77` names a revision that does not exist",
            ]
        );
    }

    #[test]
    fn names_that_look_alike() {
        let h = history(&[("20260101_add_users", ""), ("20260202_drop_it", "")]);
        assert_eq!(nearest("add-user", h.names(), 3), ["add_users"]);
        assert_eq!(nearest("20260203", h.names(), 3), ["20260202", "20260101"]);
        assert_eq!(nearest("curent", h.names(), 3), ["current"]);
        assert_eq!(nearest("zzz", h.names(), 3), [""; 0]);
    }

    /// Random graphs without cycles: IDs in random order, edges from later to earlier ones.
    fn histories() -> impl Strategy<Value = History> {
        let nodes = prop::collection::btree_set(0u32..1000, 1..20);
        nodes
            .prop_map(|ids| ids.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
            .prop_flat_map(|ids| {
                let edges = |len| {
                    let before = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
                    prop::collection::vec(before, len)
                };
                (Just(ids.clone()), edges(ids.len()), edges(ids.len()))
            })
            .prop_map(|(ids, parents, depends_on)| {
                let list = |at: usize, picks: &[prop::sample::Index]| {
                    let mut picked: Vec<_> = picks
                        .iter()
                        .filter(|_| at > 0)
                        .map(|pick| ids[pick.index(at)].to_string())
                        .collect();
                    picked.sort();
                    picked.dedup();
                    picked.join(",")
                };
                let pairs = (0..ids.len()).map(|at| {
                    let parents = Some(list(at, &parents[at])).filter(|l| !l.is_empty());
                    let mut headers = format!("revises = {}", parents.as_deref().unwrap_or("base"));
                    let depends_on = list(at, &depends_on[at]);
                    if !depends_on.is_empty() {
                        headers += &format!("; depends-on = {depends_on}");
                    }
                    pair(&ids[at].to_string(), &headers)
                });
                History::new(pairs.collect()).unwrap()
            })
    }

    proptest! {
        #[test]
        fn order_respects_every_edge(h in histories()) {
            let order: Vec<_> = h.in_order().collect();
            prop_assert_eq!(order.len(), h.len());
            for (at, revision) in order.iter().enumerate() {
                for before in revision.parents.iter().chain(&revision.depends_on) {
                    prop_assert!(order[..at].iter().any(|r| r.id == *before));
                }
            }
        }

        #[test]
        fn heads_are_those_without_children(h in histories()) {
            let heads = h.heads();
            prop_assert!(!heads.is_empty());
            for revision in h.by_id() {
                let revised = h.by_id().any(|r| r.parents.contains(&revision.id));
                prop_assert_eq!(heads.contains(&revision), !revised);
                prop_assert_eq!(h.children(&revision.id).is_empty(), !revised);
                prop_assert_eq!(h.roots().contains(&revision), revision.parents.is_empty());
            }
        }

        #[test]
        fn closures_are_closed_and_minimal(
            h in histories(),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        ) {
            let all: Vec<_> = h.by_id().collect();
            let wanted: Vec<_> = picks.iter().map(|p| p.get(&all).id.clone()).collect();
            let closure = h.closure(&wanted);
            for revision in &all {
                let needed = wanted.contains(&revision.id)
                    || closure.iter().any(|r| r.parents.contains(&revision.id) || r.depends_on.contains(&revision.id));
                prop_assert_eq!(closure.contains(revision), needed);
                // Both directions must agree.
                let above = h.descendants(std::slice::from_ref(&revision.id));
                let reaches = wanted.contains(&revision.id) || above.iter().any(|r| wanted.contains(&r.id));
                prop_assert_eq!(closure.contains(revision), reaches);
            }
            let order: Vec<_> = h.in_order().filter(|r| closure.contains(r)).collect();
            prop_assert_eq!(closure, order);
        }
    }
}
