//! Validates revisions against each other.

use std::collections::HashMap;

use super::{
    Place, Problem, ProblemKind, Revision, RevisionId, Script, ScriptPair,
    header::{DEPENDS_ON, IRREVERSIBLE, LABEL, REPLACES, REVISES},
    header_line::{locate, locate_all},
};
use crate::nearest::nearest;

/// The maximum number of hints; each one compares against every ID.
const HINTS: usize = 20;

/// Returns all problems of `pairs` except cycles. `pairs` must be sorted by ID.
pub(super) fn check(pairs: &[ScriptPair]) -> Vec<Problem> {
    let mut checker = Checker {
        pairs,
        labels: HashMap::new(),
        replaced: HashMap::new(),
        hints: 0,
        problems: Vec::new(),
    };
    checker.replaced();
    checker.duplicates();
    for pair in pairs {
        checker.references(pair, REVISES, pair.up.headers.revises.as_deref());
        checker.references(pair, DEPENDS_ON, Some(&pair.up.headers.depends_on));
        checker.label(pair);
        let one_way = irreversible(&pair.id, &pair.up, pair.down.is_some());
        checker.problems.extend(one_way);
    }
    checker.problems
}

/// Returns the problem of a cycle, given as the revisions of its path.
pub(super) fn cycle(path: &[&Revision]) -> Problem {
    let (first, next) = (path[0], path[1 % path.len()]);
    let text = &first.up.text;
    let offset =
        locate(text, REVISES, Some(&next.id)).or_else(|| locate(text, DEPENDS_ON, Some(&next.id)));
    let ids = path.iter().chain([&first]).map(|r| r.id.clone());
    Problem {
        place: Place {
            file: first.up.file.clone(),
            offset,
        },
        kind: ProblemKind::Cycle {
            path: ids.collect(),
        },
    }
}

struct Checker<'a> {
    pairs: &'a [ScriptPair],
    labels: HashMap<&'a str, &'a RevisionId>,
    /// Replaced revisions and their baselines.
    replaced: HashMap<&'a RevisionId, &'a RevisionId>,
    hints: usize,
    problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    fn push(&mut self, pair: &ScriptPair, offset: Option<usize>, kind: ProblemKind) {
        let file = pair.up.file.clone();
        let place = Place { file, offset };
        self.problems.push(Problem { place, kind });
    }

    fn duplicates(&mut self) {
        for same in self.pairs.chunk_by(|a, b| a.id == b.id) {
            for pair in &same[1..] {
                let kind = ProblemKind::DuplicateId {
                    id: pair.id.clone(),
                    other: same[0].up.file.clone(),
                };
                self.push(pair, None, kind);
            }
        }
    }

    fn references(&mut self, pair: &ScriptPair, key: &'static str, ids: Option<&[RevisionId]>) {
        let ids = ids.unwrap_or_default();
        let mut times: HashMap<&RevisionId, usize> = HashMap::new();
        let mut places = None;
        for id in ids {
            let count = match ids {
                // Most revisions have one parent, which needs no map.
                [_] => 1,
                _ => *times.entry(id).and_modify(|count| *count += 1).or_insert(1),
            };
            let kind = if count == 2 || (count == 1 && *id == pair.id) {
                ProblemKind::RepeatedParent {
                    key,
                    id: id.clone(),
                }
            } else if count == 1 && !self.exists(id) {
                ProblemKind::MissingParent {
                    key,
                    id: id.clone(),
                    nearest: self.nearest(id, &pair.id),
                }
            } else {
                continue;
            };
            let places = places.get_or_insert_with(|| locate_all(&pair.up.text, key));
            self.push(pair, places.get(id).copied(), kind);
        }
    }

    /// Checks that replaced revisions do not exist, and that only one baseline replaces each.
    fn replaced(&mut self) {
        for pair in self.pairs {
            let mut place = None;
            for replaced in &pair.up.headers.replaces {
                let id = &replaced.id;
                let kind = if self.is_there(id) {
                    ProblemKind::ReplacedExists { id: id.clone() }
                } else if let Some(other) = self.replaced.insert(id, &pair.id) {
                    ProblemKind::ReplacedTwice {
                        id: id.clone(),
                        other: other.clone(),
                    }
                } else {
                    continue;
                };
                let offset = *place.get_or_insert_with(|| locate(&pair.up.text, REPLACES, None));
                self.push(pair, offset, kind);
            }
        }
    }

    fn exists(&self, id: &RevisionId) -> bool {
        self.is_there(id) || self.replaced.contains_key(id)
    }

    fn is_there(&self, id: &RevisionId) -> bool {
        self.pairs.binary_search_by(|pair| pair.id.cmp(id)).is_ok()
    }

    /// Returns the ID most similar to the missing `id`, except `own`, which names it.
    fn nearest(&mut self, id: &RevisionId, own: &RevisionId) -> Option<RevisionId> {
        self.hints += 1;
        if self.hints > HINTS {
            return None;
        }
        let others = self.pairs.iter().filter(|pair| pair.id != *own);
        let ids = others.map(|pair| pair.id.as_str());
        nearest(id.as_str(), ids, 1).first()?.parse().ok()
    }

    fn label(&mut self, pair: &'a ScriptPair) {
        let Some(label) = &pair.up.headers.label else {
            return;
        };
        match self.labels.get(label.as_str()) {
            None => {
                self.labels.insert(label, &pair.id);
            }
            Some(other) => {
                let kind = ProblemKind::DuplicateLabel {
                    label: label.clone(),
                    other: (*other).clone(),
                };
                let offset = locate(&pair.up.text, LABEL, None);
                self.push(pair, offset, kind);
            }
        }
    }
}

/// Returns the problem of a revision that is declared irreversible but has a down script.
pub(super) fn irreversible(id: &RevisionId, up: &Script, has_down: bool) -> Option<Problem> {
    (has_down && up.headers.irreversible.is_some()).then(|| Problem {
        place: Place {
            file: up.file.clone(),
            offset: locate(&up.text, IRREVERSIBLE, None),
        },
        kind: ProblemKind::IrreversibleWithDown { id: id.clone() },
    })
}
