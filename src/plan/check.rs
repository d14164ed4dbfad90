use super::{
    Obstacle, PlanProblem, ScriptFault,
    compare::{self, Relation, highest},
    repeatable::repeatables,
    squash::squash,
};
use crate::{
    revision::{
        Direction, Downs, History, Observed, RepeatableId, Revision, RevisionId, Script, Subject,
    },
    sql::Dialect,
};

/// What is checked.
#[derive(Clone, Copy, Debug)]
pub struct CheckRequest<'a> {
    /// The directory.
    pub history: &'a History,
    /// The database, when one was asked.
    pub observed: Option<&'a Observed>,
    /// What of another tool stands in the way of a first upgrade of it.
    pub obstacles: &'a [Obstacle],
    /// The directory as it was in another commit.
    pub base: Option<&'a History>,
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// What is wrong with scripts as such.
    pub faults: &'a [ScriptFault],
    /// Whether revisions may be pending.
    pub pending_ok: bool,
    /// Whether late revisions without `revises` are fine.
    pub out_of_order_ok: bool,
    /// Whether revisions need down scripts.
    pub downs: Downs,
}

/// Something that a check finds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// Another tool's records, where there are none of ours.
    #[error(transparent)]
    Occupied(Obstacle),
    /// Scripts in directories below that nothing reads.
    #[error("{count} `.sql` {} in subdirectories {} not read, such as {first}", if *count == 1 { "file" } else { "files" }, if *count == 1 { "is" } else { "are" })]
    FilesBelow {
        /// The first, relative to the directory.
        first: String,
        /// How many there are.
        count: usize,
    },
    /// A script that can't run.
    #[error(transparent)]
    Script(PlanProblem),
    /// A script that runs nothing.
    #[error("the {}{} {subject} has no statement", direction.map_or(String::new(), |direction| format!("{direction} script of ")), subject.noun())]
    Empty {
        /// Whose script it is.
        subject: Subject,
        /// Which one; `None` for a repeatable script.
        direction: Option<Direction>,
        /// Its file.
        file: String,
    },
    /// More than one head; the file of the last one.
    #[error("there are {} heads: {}", heads.len(), join(heads))]
    SeveralHeads {
        /// By ID.
        heads: Vec<RevisionId>,
        /// Of the last one.
        file: String,
    },
    /// Neither a down script nor a word about that.
    #[error("revision {revision} has no down script and is not declared irreversible")]
    NoDown {
        /// The revision.
        revision: RevisionId,
        /// The up script.
        file: String,
    },
    /// The script is not the one that was applied.
    #[error("the {direction} script of revision {revision} was changed after it was applied")]
    Edited {
        /// The revision.
        revision: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// The file.
        file: String,
    },
    /// Applied, but not here.
    #[error("applied and {}: {}", if *ahead { "above all revisions of this directory" } else { "not in this directory" }, join(revisions))]
    Unknown {
        /// By sequence.
        revisions: Vec<RevisionId>,
        /// Whether they are above all heads of the directory.
        ahead: bool,
    },
    /// Here, but not applied.
    #[error("not applied yet: {}", join(revisions))]
    Pending {
        /// The revisions, in order.
        revisions: Vec<RevisionId>,
        /// Of the first.
        file: String,
    },
    /// Repeatable scripts that an upgrade would run.
    #[error("the next upgrade would run: {}", scripts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    RepeatablesDue {
        /// The scripts, by name.
        scripts: Vec<RepeatableId>,
        /// Of the first.
        file: String,
    },
    /// Stopped partway.
    #[error(
        "revision {revision} stopped in its {direction} script: {done} of {total} statements are done"
    )]
    Partial {
        /// The revision.
        revision: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// Statements done.
        done: usize,
        /// Statements in all.
        total: usize,
        /// Its file, where the directory has it.
        file: Option<String>,
    },
    /// Late, without `revises`.
    #[error(
        "revision {revision} sorts before {before}, which is applied, and does not name its parent"
    )]
    OutOfOrder {
        /// The revision.
        revision: RevisionId,
        /// The highest applied one.
        before: RevisionId,
        /// The file of the script.
        file: String,
    },
    /// A script of the base is another one now.
    #[error("the {direction} script of revision {revision} differs from the one in the base")]
    BaseEdited {
        /// The revision.
        revision: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// The file.
        file: String,
    },
    /// A revision of the base has other parents or dependencies now.
    #[error("revision {revision} {what} other revisions than in the base: {}", if now.is_empty() { "base".to_owned() } else { join(now) })]
    BaseMoved {
        /// The revision.
        revision: RevisionId,
        /// `revises` or `depends on`.
        what: &'static str,
        /// Which ones now.
        now: Vec<RevisionId>,
        /// The file of the script.
        file: String,
    },
    /// A script of the base is not here.
    #[error("{file} is in the base but not in this directory")]
    BaseGone {
        /// The file.
        file: String,
        /// What it is called now, as it seems.
        now: Option<String>,
    },
    /// A new revision revises something else than a head of the base.
    #[error(
        "revision {revision} is new and revises {parent}, which is not the head of the base ({})",
        join(heads)
    )]
    Below {
        /// The revision.
        revision: RevisionId,
        /// What it revises.
        parent: RevisionId,
        /// The heads of the base.
        heads: Vec<RevisionId>,
        /// The file of the script.
        file: String,
    },
    /// A new revision with an old id.
    #[error("revision {revision} is new and sorts before {head}, the head of the base")]
    Early {
        /// The revision.
        revision: RevisionId,
        /// The head of the base.
        head: RevisionId,
        /// The file of the script.
        file: String,
    },
}

impl From<ScriptFault> for Finding {
    fn from(fault: ScriptFault) -> Self {
        match fault {
            ScriptFault::Problem(problem) => Self::Script(problem),
            ScriptFault::Empty {
                subject,
                direction,
                file,
            } => Self::Empty {
                subject,
                direction,
                file,
            },
        }
    }
}

impl Finding {
    /// The file that the finding is about.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::SeveralHeads { file, .. }
            | Self::NoDown { file, .. }
            | Self::Empty { file, .. }
            | Self::Edited { file, .. }
            | Self::Pending { file, .. }
            | Self::RepeatablesDue { file, .. }
            | Self::OutOfOrder { file, .. }
            | Self::BaseEdited { file, .. }
            | Self::BaseMoved { file, .. }
            | Self::Below { file, .. }
            | Self::Early { file, .. } => Some(file),
            Self::Partial { file, .. } => file.as_deref(),
            _ => None,
        }
    }

    /// The place in a script where the wrong parent is named, and its length in bytes.
    pub fn parent_in(&self, history: &History) -> Option<(super::SourceSpan, usize)> {
        let Self::Below {
            revision, parent, ..
        } = self
        else {
            return None;
        };
        let script = &history.get(revision)?.up;
        let offset = script.names_parent_at(parent)?;
        Some((super::SourceSpan::at(script, offset), parent.as_str().len()))
    }
}

/// All that a check finds: of the directory, of the database, against the base.
pub fn check(request: &CheckRequest<'_>) -> Vec<Finding> {
    let mut findings = directory(request.history, request.downs);
    findings.extend(request.faults.iter().cloned().map(Finding::from));
    if let Some(observed) = request.observed {
        findings.extend(database(request, observed));
    }
    if let Some(base) = request.base {
        findings.extend(against(request, base));
    }
    findings
}

fn directory(history: &History, downs: Downs) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let [_, .., last] = history.heads().as_slice() {
        findings.push(Finding::SeveralHeads {
            heads: ids(&history.heads()),
            file: last.up.file.clone(),
        });
    }
    let silent = |r: &&Revision| {
        downs == Downs::Required && r.down.is_none() && r.up.headers.irreversible.is_none()
    };
    findings.extend(history.by_id().filter(silent).map(|r| Finding::NoDown {
        revision: r.id.clone(),
        file: r.up.file.clone(),
    }));
    findings
}

fn database(request: &CheckRequest<'_>, observed: &Observed) -> Vec<Finding> {
    let history = request.history;
    let drift = compare::compare(history, observed, request.dialect);
    let obstacles = request.obstacles.iter().cloned();
    let mut findings: Vec<_> = obstacles.map(Finding::Occupied).collect();
    let file = |id: &RevisionId| history.get(id).map(|r| r.up.file.clone());
    for (direction, edited) in [
        (Direction::Up, &drift.edited_up),
        (Direction::Down, &drift.edited_down),
    ] {
        let known = edited.iter().filter_map(|id| history.get(id));
        findings.extend(known.filter_map(|revision| {
            Some(Finding::Edited {
                revision: revision.id.clone(),
                direction,
                file: script(revision, direction)?.file.clone(),
            })
        }));
    }
    if !drift.unknown.is_empty() {
        findings.push(Finding::Unknown {
            revisions: drift.unknown.clone(),
            ahead: drift.relation == Relation::Ahead,
        });
    }
    for (id, partial) in &drift.partial {
        findings.push(Finding::Partial {
            revision: id.clone(),
            direction: partial.direction,
            done: partial.statements_done,
            total: partial.statements_total,
            file: file(id),
        });
    }
    if let Some(before) = highest(history, observed).filter(|_| !request.out_of_order_ok) {
        let late = drift.out_of_order.iter().map(|id| Finding::OutOfOrder {
            revision: id.clone(),
            before: before.clone(),
            file: file(id).unwrap_or_default(),
        });
        findings.extend(late);
    }
    let pending = compare::pending(history, observed);
    if let Some(first) = pending.first().filter(|_| !request.pending_ok) {
        findings.push(Finding::Pending {
            file: first.up.file.clone(),
            revisions: ids(&pending),
        });
    }
    findings.extend(
        due(request, observed)
            .into_iter()
            .filter(|_| !request.pending_ok),
    );
    findings
}

fn due(request: &CheckRequest<'_>, observed: &Observed) -> Option<Finding> {
    let mut due = repeatables(request.history, observed, request.dialect);
    due.retain(|one| one.state.is_due());
    Some(Finding::RepeatablesDue {
        file: due.first()?.file.clone()?,
        scripts: due.into_iter().map(|one| one.id).collect(),
    })
}

/// Nothing of the base may be edited, gone or overtaken.
fn against(request: &CheckRequest<'_>, base: &History) -> Vec<Finding> {
    let mut findings = Vec::new();
    for was in base.by_id() {
        match request.history.get(&was.id) {
            Some(now) if !now.replaces.is_empty() && now.replaces != was.replaces => {
                findings.extend(squashed(request, base, was, now));
            }
            Some(now) => findings.extend(changed(request, was, now)),
            // Its statements are in the baseline.
            None if is_replaced(request, base, was) => {}
            None => findings.extend(gone(request, was)),
        }
    }
    let heads = ids(&base.heads());
    let is_new = |id: &RevisionId| base.get(id).is_none();
    for new in request.history.by_id().filter(|r| is_new(&r.id)) {
        let fits = |parent: &&RevisionId| is_new(parent) || heads.contains(parent);
        let file = new.up.file.clone();
        if let Some(parent) = new.parents.iter().find(|parent| !fits(parent)) {
            findings.push(Finding::Below {
                revision: new.id.clone(),
                parent: parent.clone(),
                heads: heads.clone(),
                file,
            });
        } else if let Some(head) = heads.iter().find(|head| new.id < **head) {
            findings.push(Finding::Early {
                revision: new.id.clone(),
                head: head.clone(),
                file,
            });
        }
    }
    findings
}

/// Whether a baseline stands for a revision of the base, and the base has what it can be compared
/// with.
fn is_replaced(request: &CheckRequest<'_>, base: &History, was: &Revision) -> bool {
    let baseline = request.history.baseline_of(&was.id);
    baseline.is_some_and(|baseline| base.get(&baseline.id).is_some())
}

/// A baseline must hold what it replaces, statement by statement.
fn squashed(
    request: &CheckRequest<'_>,
    base: &History,
    was: &Revision,
    now: &Revision,
) -> Vec<Finding> {
    let dialect = request.dialect;
    let made = squash(base, dialect, was, &now.message, &now.slug);
    let made = made.map(|squash| squash.files).unwrap_or_default();
    let texts = made
        .into_iter()
        .filter_map(|file| Some((file.to, file.after?)));
    let texts: Vec<_> = texts.collect();
    let is_made = |script: &Script| {
        let own = texts.iter().filter(|(file, _)| file == name(script));
        let mut own = own.filter_map(|(file, text)| {
            Script::parse(dialect, script.direction, file.as_str(), text.as_str()).ok()
        });
        own.any(|made| {
            made.headers.replaces == script.headers.replaces
                && made.checksum(dialect) == script.checksum(dialect)
        })
    };
    let scripts = [Some(&now.up), now.down.as_ref()].into_iter().flatten();
    let others = scripts.filter(|script| !is_made(script));
    others
        .map(|script| Finding::BaseEdited {
            revision: now.id.clone(),
            direction: script.direction,
            file: script.file.clone(),
        })
        .collect()
}

/// What a revision of the base has become.
fn changed(request: &CheckRequest<'_>, was: &Revision, now: &Revision) -> Vec<Finding> {
    let mut findings = Vec::new();
    let dialect = request.dialect;
    for direction in [Direction::Up, Direction::Down] {
        let Some(before) = script(was, direction) else {
            continue;
        };
        let Some(after) = script(now, direction).filter(|_| was.slug == now.slug) else {
            findings.push(Finding::BaseGone {
                file: name(before).to_owned(),
                now: script(now, direction).map(|script| script.file.clone()),
            });
            continue;
        };
        if before.text != after.text && before.checksum(dialect) != after.checksum(dialect) {
            findings.push(Finding::BaseEdited {
                revision: now.id.clone(),
                direction,
                file: after.file.clone(),
            });
        }
    }
    for (what, before, after) in [
        ("revises", &was.parents, &now.parents),
        ("depends on", &was.depends_on, &now.depends_on),
    ] {
        let (mut one, mut other) = (before.clone(), after.clone());
        one.sort();
        other.sort();
        if one != other {
            findings.push(Finding::BaseMoved {
                revision: now.id.clone(),
                what,
                now: after.clone(),
                file: now.up.file.clone(),
            });
        }
    }
    findings
}

/// A revision of the base that is not here, perhaps under another id.
fn gone(request: &CheckRequest<'_>, was: &Revision) -> Vec<Finding> {
    let dialect = request.dialect;
    let checksum = was.up.checksum(dialect);
    let same = |r: &&Revision| r.slug == was.slug && r.up.checksum(dialect) == checksum;
    let now = request.history.by_id().find(same);
    let scripts = [Some(&was.up), was.down.as_ref()].into_iter().flatten();
    let gone = scripts.map(|before| Finding::BaseGone {
        file: name(before).to_owned(),
        now: now
            .and_then(|now| script(now, before.direction))
            .map(|script| script.file.clone()),
    });
    gone.collect()
}

fn script(revision: &Revision, direction: Direction) -> Option<&Script> {
    match direction {
        Direction::Up => Some(&revision.up),
        Direction::Down => revision.down.as_ref(),
    }
}

/// The file's name without its directory, or its commit.
fn name(script: &Script) -> &str {
    let file = script.file.as_str();
    file.rsplit_once(['/', ':']).map_or(file, |(_, name)| name)
}

fn ids(revisions: &[&Revision]) -> Vec<RevisionId> {
    revisions
        .iter()
        .map(|revision| revision.id.clone())
        .collect()
}

fn join(ids: &[RevisionId]) -> String {
    let ids: Vec<_> = ids.iter().map(RevisionId::as_str).collect();
    ids.join(", ")
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod check_tests;
