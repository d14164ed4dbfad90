use std::collections::{HashMap, HashSet};

use crate::{
    arrange::Arrange as _,
    revision::{
        Direction, History, Observed, Revision, RevisionId, Script, ScriptPair, with_dependencies,
        with_parents,
    },
    sql::Dialect,
};

/// A request to rebase a revision.
#[derive(Clone, Copy, Debug)]
pub struct RebaseRequest<'a> {
    /// The directory.
    pub history: &'a History,
    /// The state of the database, if one was read.
    pub observed: Option<&'a Observed>,
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// The revision to move, with all its descendants.
    pub revision: &'a RevisionId,
    /// The head to move onto; `None` selects the only other head.
    pub onto: Option<&'a RevisionId>,
}

/// The new revision IDs, and the file changes that apply them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebase {
    /// The head that becomes the new parent.
    pub onto: RevisionId,
    /// The revisions to move, parents first.
    pub moved: Vec<Moved>,
    /// The file changes, grouped by revision.
    pub files: Vec<FileChange>,
    /// The heads after the rebase, by ID.
    pub heads: Vec<RevisionId>,
}

/// A revision that gets a new ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The old ID.
    pub from: RevisionId,
    /// The new ID.
    pub to: RevisionId,
    /// The message.
    pub message: String,
    /// The parents after the rebase.
    pub parents: Vec<RevisionId>,
}

/// A file whose name, text, or both change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The old name in the directory.
    pub from: String,
    /// The new name.
    pub to: String,
    /// The old text.
    pub before: String,
    /// The new text; `None` if the file is removed.
    pub after: Option<String>,
}

/// A reason why a revision cannot be moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RebaseProblem {
    /// The revisions are applied in the database.
    #[error("revisions that are applied cannot get new IDs: {}", join(.0))]
    Applied(Vec<RevisionId>),
    /// Several heads could be the target.
    #[error("there are {} heads to move onto: {}", .0.len(), join(.0))]
    SeveralHeads(Vec<RevisionId>),
    /// `--onto` names a revision that is itself moved.
    #[error("{onto} is above {revision} and moves with it")]
    OntoMoves {
        /// The target.
        onto: RevisionId,
        /// The revision to move.
        revision: RevisionId,
    },
    /// `--onto` names a revision that is not a head.
    #[error("{onto} is not a head: it is revised by {}", join(children))]
    OntoNoHead {
        /// The target.
        onto: RevisionId,
        /// The revisions that revise it and are not moved.
        children: Vec<RevisionId>,
    },
    /// The revision to move joins branches.
    #[error(
        "revision {revision} joins {}, so it cannot be moved onto a single head",
        join(parents)
    )]
    Merge {
        /// The revision.
        revision: RevisionId,
        /// The branches.
        parents: Vec<RevisionId>,
        /// The file of the script.
        file: String,
    },
    /// A moved revision joins the branch with one that would then be below it.
    #[error("revision {revision} joins the branch with {other}, which would then be below it")]
    Joined {
        /// The merge.
        revision: RevisionId,
        /// Its other parent.
        other: RevisionId,
        /// The file of the script.
        file: String,
    },
    /// The target depends on the revision to move.
    #[error("{onto} requires revision {revision}, which therefore cannot be moved onto it")]
    Needed {
        /// The target.
        onto: RevisionId,
        /// The revision to move.
        revision: RevisionId,
    },
    /// A revision without `revises` would get a different parent.
    #[error("revision {revision} does not name its parent, and would get a different one")]
    Reparented {
        /// The revision.
        revision: RevisionId,
        /// The file of the script.
        file: String,
    },
}

/// Plans `rebase REVISION`. `fresh` creates the given number of new IDs above a head. Returns
/// `None` if there is nothing to do.
///
/// # Errors
/// Returns every problem that prevents the rebase.
pub fn rebase(
    request: &RebaseRequest<'_>,
    fresh: impl Fn(&RevisionId, usize) -> Vec<RevisionId>,
) -> Result<Option<Rebase>, RebaseProblem> {
    let history = request.history;
    let Some(revision) = history.get(request.revision) else {
        return Ok(None);
    };
    let moving = above(history, revision);
    let Some(onto) = onto(request, revision, &moving)? else {
        return Ok(None);
    };
    if revision.parents == [onto.clone()] && revision.id > onto {
        return Ok(None);
    }
    refuse(request, revision, &moving, &onto)?;
    let moved: Vec<_> = history
        .in_order()
        .filter(|revision| moving.contains(&revision.id))
        .collect();
    let ids = fresh(&onto, moved.len());
    let renamed: HashMap<RevisionId, RevisionId> = moved
        .iter()
        .zip(ids)
        .map(|(revision, id)| (revision.id.clone(), id))
        .collect();
    let mover = Mover {
        request,
        onto: &onto,
        renamed,
    };
    let heads = mover.verify()?;
    Ok(Some(Rebase {
        moved: moved.into_iter().map(|r| mover.moved(r)).collect(),
        files: history.in_order().flat_map(|r| mover.files(r)).collect(),
        heads,
        onto,
    }))
}

/// Returns `revision` and all its descendants.
fn above<'a>(history: &'a History, revision: &'a Revision) -> HashSet<&'a RevisionId> {
    let mut reached = HashSet::from([&revision.id]);
    let mut waiting = vec![&revision.id];
    while let Some(id) = waiting.pop() {
        for child in history.children(id) {
            if reached.insert(&child.id) {
                waiting.push(&child.id);
            }
        }
    }
    reached
}

/// Returns the head to move onto; `None` if no other head remains.
fn onto(
    request: &RebaseRequest<'_>,
    revision: &Revision,
    moving: &HashSet<&RevisionId>,
) -> Result<Option<RevisionId>, RebaseProblem> {
    let history = request.history;
    let stays = |r: &&Revision| !moving.contains(&r.id);
    let staying_children = |id: &RevisionId| -> Vec<RevisionId> {
        let children = history.children(id).into_iter().filter(stays);
        children.map(|child| child.id.clone()).collect()
    };
    if let Some(onto) = request.onto {
        if moving.contains(onto) {
            return Err(RebaseProblem::OntoMoves {
                onto: onto.clone(),
                revision: revision.id.clone(),
            });
        }
        let children = staying_children(onto);
        if children.is_empty() {
            return Ok(Some(onto.clone()));
        }
        let onto = onto.clone();
        return Err(RebaseProblem::OntoNoHead { onto, children });
    }
    let heads = history.by_id().filter(stays).map(|r| &r.id);
    let heads: Vec<_> = heads.filter(|id| staying_children(id).is_empty()).collect();
    let others = heads.iter().filter(|id| !revision.parents.contains(id));
    let others: Vec<RevisionId> = others.map(|id| (*id).clone()).collect();
    match (others.as_slice(), heads.as_slice()) {
        ([other], _) => Ok(Some(other.clone())),
        // Only its own parents are left: the revision stays in place, but may need a new ID.
        ([], [own]) => Ok(Some((*own).clone())),
        ([], _) => Ok(None),
        _ => Err(RebaseProblem::SeveralHeads(others)),
    }
}

fn refuse(
    request: &RebaseRequest<'_>,
    revision: &Revision,
    moving: &HashSet<&RevisionId>,
    onto: &RevisionId,
) -> Result<(), RebaseProblem> {
    let history = request.history;
    let rows = request.observed.into_iter().flat_map(|seen| &seen.applied);
    let applied: Vec<_> = rows
        .map(|row| &row.revision)
        .filter(|id| moving.contains(id))
        .cloned()
        .collect();
    if !applied.is_empty() {
        return Err(RebaseProblem::Applied(applied));
    }
    if revision.parents.len() > 1 {
        return Err(RebaseProblem::Merge {
            revision: revision.id.clone(),
            parents: revision.parents.clone(),
            file: revision.up.file.clone(),
        });
    }
    let below = history.closure(std::slice::from_ref(onto));
    if let Some(needed) = below.iter().find(|r| moving.contains(&r.id)) {
        return Err(RebaseProblem::Needed {
            onto: onto.clone(),
            revision: needed.id.clone(),
        });
    }
    let below = ancestors(history, onto);
    for merge in history.in_order().filter(|r| moving.contains(&r.id)) {
        let mut others = merge.parents.iter();
        if merge.id != revision.id
            && let Some(other) = others.find(|parent| below.contains(parent))
        {
            return Err(RebaseProblem::Joined {
                revision: merge.id.clone(),
                other: other.clone(),
                file: merge.up.file.clone(),
            });
        }
    }
    Ok(())
}

/// Returns `id` and its ancestors.
fn ancestors<'a>(history: &'a History, id: &'a RevisionId) -> HashSet<&'a RevisionId> {
    let mut reached = HashSet::from([id]);
    let mut waiting = vec![id];
    while let Some(id) = waiting.pop() {
        for parent in history.get(id).into_iter().flat_map(|r| &r.parents) {
            if reached.insert(parent) {
                waiting.push(parent);
            }
        }
    }
    reached
}

struct Mover<'a> {
    request: &'a RebaseRequest<'a>,
    onto: &'a RevisionId,
    renamed: HashMap<RevisionId, RevisionId>,
}

impl Mover<'_> {
    fn new_id(&self, id: &RevisionId) -> RevisionId {
        self.renamed.get(id).unwrap_or(id).clone()
    }

    /// Returns the parents of `revision` after the rebase.
    fn parents(&self, revision: &Revision) -> Vec<RevisionId> {
        if revision.id == *self.request.revision {
            return vec![self.onto.clone()];
        }
        revision.parents.iter().map(|id| self.new_id(id)).collect()
    }

    fn moved(&self, revision: &Revision) -> Moved {
        Moved {
            from: revision.id.clone(),
            to: self.new_id(&revision.id),
            message: revision.message.clone(),
            parents: self.parents(revision),
        }
    }

    fn is_moved(&self, revision: &Revision) -> bool {
        self.renamed.contains_key(&revision.id)
    }

    /// Returns the text of the up script after the rebase.
    fn up(&self, revision: &Revision) -> String {
        let dialect = self.request.dialect;
        let text = with_dependencies(dialect, &revision.up.text, &self.renamed);
        if self.is_moved(revision) {
            with_parents(dialect, &text, &self.parents(revision))
        } else {
            text
        }
    }

    fn files(&self, revision: &Revision) -> Vec<FileChange> {
        let change = |script: &Script, after: String| {
            let (_, from) = script.file.rsplit_once('/').unwrap_or(("", &script.file));
            let to = if self.is_moved(revision) {
                let id = self.new_id(&revision.id);
                format!("{id}_{}.{}.sql", revision.slug, script.direction)
            } else {
                from.to_owned()
            };
            FileChange {
                from: from.to_owned(),
                to,
                before: script.text.to_string(),
                after: Some(after),
            }
        };
        let up = change(&revision.up, self.up(revision));
        let down = revision.down.as_ref();
        let down = down.map(|script| change(script, script.text.to_string()));
        let changes = [Some(up), down].into_iter().flatten();
        changes
            .filter(|change| {
                change.from != change.to || Some(&change.before) != change.after.as_ref()
            })
            .collect()
    }

    /// Returns the heads of the new history, after checking that every revision has its expected
    /// parents.
    fn verify(&self) -> Result<Vec<RevisionId>, RebaseProblem> {
        let history = self.request.history;
        let reparented = |revision: &Revision| RebaseProblem::Reparented {
            revision: revision.id.clone(),
            file: revision.up.file.clone(),
        };
        let mut ids: Vec<_> = history.by_id().map(|r| self.new_id(&r.id)).collect();
        ids.arrange();
        let mut implicit = history
            .by_id()
            .filter(|r| r.implicit_parent && !self.is_moved(r));
        if let Some(revision) = implicit.find(|revision| {
            let before = ids.iter().rev().find(|id| **id < revision.id);
            before != revision.parents.first()
        }) {
            return Err(reparented(revision));
        }
        let mut pairs = Vec::with_capacity(history.len());
        for revision in history.in_order() {
            let file = revision.up.file.clone();
            let up = Script::parse(self.request.dialect, Direction::Up, file, self.up(revision));
            pairs.push(ScriptPair {
                id: self.new_id(&revision.id),
                slug: revision.slug.clone(),
                up: up.map_err(|_| reparented(revision))?,
                down: revision.down.clone(),
            });
        }
        let after = History::new(pairs);
        for revision in history.in_order() {
            let found = after.as_ref().ok().and_then(|h| {
                let found = h.get(&self.new_id(&revision.id))?;
                Some(&found.parents)
            });
            if found != Some(&self.parents(revision)) {
                return Err(reparented(revision));
            }
        }
        let heads = after.iter().flat_map(History::heads);
        Ok(heads.map(|head| head.id.clone()).collect())
    }
}

fn join(ids: &[RevisionId]) -> String {
    let ids: Vec<_> = ids.iter().map(RevisionId::as_str).collect();
    ids.join(", ")
}

#[cfg(test)]
#[path = "rebase_tests.rs"]
mod rebase_tests;
