use super::{
    Obstacle, PlanProblem, ScriptFault,
    compare::{self, Relation, highest},
    repeatable::repeatables,
    squash::squash,
};
use crate::{
    arrange::Arrange as _,
    revision::{
        Direction, Downs, History, Observed, Phase, RepeatableId, Revision, RevisionId, Script,
        ScriptChange, Subject,
    },
    sql::Dialect,
};

/// A request to check a directory.
#[derive(Clone, Copy, Debug)]
pub struct CheckRequest<'a> {
    /// The directory.
    pub history: &'a History,
    /// The state of the database, if one was read.
    pub observed: Option<&'a Observed>,
    /// Records of other tools that prevent a first upgrade.
    pub obstacles: &'a [Obstacle],
    /// The directory at another commit.
    pub base: Option<&'a History>,
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// Problems found in scripts.
    pub faults: &'a [ScriptFault],
    /// Whether revisions may be pending.
    pub pending_ok: bool,
    /// Whether out-of-order revisions without `revises` are allowed.
    pub out_of_order_ok: bool,
    /// Whether revisions need down scripts.
    pub downs: Downs,
}

/// A problem found by a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// Another tool has records, and migrator has none.
    #[error(transparent)]
    Occupied(Obstacle),
    /// Subdirectories contain scripts that are not read.
    #[error("{count} `.sql` {} in subdirectories {} not read, such as {first}", if *count == 1 { "file" } else { "files" }, if *count == 1 { "is" } else { "are" })]
    FilesBelow {
        /// The first file, relative to the directory.
        first: String,
        /// Number of files.
        count: usize,
    },
    /// A script cannot run.
    #[error(transparent)]
    Script(PlanProblem),
    /// A script has no statement.
    #[error("the {}{} {subject} has no statement", direction.map_or(String::new(), |direction| format!("{direction} script of ")), subject.noun())]
    Empty {
        /// The subject of the script.
        subject: Subject,
        /// The direction of the script; `None` for a repeatable script.
        direction: Option<Direction>,
        /// The script file.
        file: String,
    },
    /// The history has more than one head.
    #[error("there are {} heads: {}", heads.len(), join(heads))]
    SeveralHeads {
        /// The heads, by ID.
        heads: Vec<RevisionId>,
        /// The file of the last head.
        file: String,
    },
    /// A revision has neither a down script nor the header `irreversible`.
    #[error("revision {revision} has no down script and is not declared irreversible")]
    NoDown {
        /// The revision.
        revision: RevisionId,
        /// The file of the up script.
        file: String,
    },
    /// A script was changed after it was applied.
    #[error("the {direction} script of revision {revision} was changed after it was applied")]
    Edited {
        /// The revision.
        revision: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// The file.
        file: String,
        /// What was changed, if the text that was applied has been read.
        change: Option<ScriptChange>,
    },
    /// Applied revisions are not in the directory.
    #[error("applied and {}: {}", if *ahead { "above all revisions of this directory" } else { "not in this directory" }, join(revisions))]
    Unknown {
        /// The revisions, by sequence.
        revisions: Vec<RevisionId>,
        /// Whether they are above all heads of the directory.
        ahead: bool,
    },
    /// Revisions are not applied.
    #[error("not applied yet: {}", with_phase(revisions, contract))]
    Pending {
        /// The revisions, in order.
        revisions: Vec<RevisionId>,
        /// Those of the contract phase.
        contract: Vec<RevisionId>,
        /// The file of the first revision.
        file: String,
    },
    /// An upgrade would run repeatable scripts.
    #[error("the next upgrade would run: {}", scripts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    RepeatablesDue {
        /// The scripts, by name.
        scripts: Vec<RepeatableId>,
        /// The file of the first script.
        file: String,
    },
    /// A revision stopped partway.
    #[error(
        "revision {revision} stopped in its {direction} script: {done} of {total} statements are done"
    )]
    Partial {
        /// The revision.
        revision: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// Number of statements done.
        done: usize,
        /// Total number of statements.
        total: usize,
        /// The script file, if the directory has it.
        file: Option<String>,
    },
    /// A revision without `revises` is out of order.
    #[error(
        "revision {revision} sorts before {before}, which is applied, and does not name its parent"
    )]
    OutOfOrder {
        /// The revision.
        revision: RevisionId,
        /// The highest applied revision.
        before: RevisionId,
        /// The file of the script.
        file: String,
    },
    /// A script differs from the one in the base.
    #[error("the {direction} script of revision {revision} differs from the one in the base")]
    BaseEdited {
        /// The revision.
        revision: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// The file.
        file: String,
    },
    /// A revision has other parents or dependencies than in the base.
    #[error("revision {revision} {what} other revisions than in the base: {}", if now.is_empty() { "base".to_owned() } else { join(now) })]
    BaseMoved {
        /// The revision.
        revision: RevisionId,
        /// `revises` or `depends on`.
        what: &'static str,
        /// The current parents or dependencies.
        now: Vec<RevisionId>,
        /// The file of the script.
        file: String,
    },
    /// A script of the base is not in the directory.
    #[error("{file} is in the base but not in this directory")]
    BaseGone {
        /// The file in the base.
        file: String,
        /// The current name, if the file seems to have been renamed.
        now: Option<String>,
    },
    /// A new revision does not revise a head of the base.
    #[error(
        "revision {revision} is new and revises {parent}, which is not the head of the base ({})",
        join(heads)
    )]
    Below {
        /// The revision.
        revision: RevisionId,
        /// The parent that it names.
        parent: RevisionId,
        /// The heads of the base.
        heads: Vec<RevisionId>,
        /// The file of the script.
        file: String,
    },
    /// A new revision sorts before the head of the base.
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
    /// Returns the file that the finding is about.
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

    /// Returns the place in a script where the wrong parent is named, and its length in bytes.
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

/// Returns all findings on the directory, the database and the base.
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
                change: None,
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
        let mut contract = pending.clone();
        contract.retain(|it| it.up.headers.phase == Some(Phase::Contract));
        findings.push(Finding::Pending {
            file: first.up.file.clone(),
            contract: ids(&contract),
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

/// Reports revisions of the base that were edited or removed, and new revisions below its heads.
fn against(request: &CheckRequest<'_>, base: &History) -> Vec<Finding> {
    let mut findings = Vec::new();
    for was in base.by_id() {
        match request.history.get(&was.id) {
            Some(now) if !now.replaces.is_empty() && now.replaces != was.replaces => {
                findings.extend(squashed(request, base, was, now));
            }
            Some(now) => findings.extend(changed(request, was, now)),
            // The baseline holds its statements.
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

/// Returns whether a baseline replaces a revision of the base, and the base can be compared with
/// it.
fn is_replaced(request: &CheckRequest<'_>, base: &History, was: &Revision) -> bool {
    let baseline = request.history.baseline_of(&was.id);
    baseline.is_some_and(|baseline| base.get(&baseline.id).is_some())
}

/// Checks that a baseline holds the statements of the revisions it replaces.
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

/// Compares a revision of the base with its current form.
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
        one.arrange();
        other.arrange();
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

/// Reports a revision of the base that is missing, and its possible new ID.
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

/// Returns the script's file name without its directory or commit.
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

/// The revisions, and which of them are of the contract phase.
fn with_phase(ids: &[RevisionId], contract: &[RevisionId]) -> String {
    let shown = |id: &RevisionId| match contract.contains(id) {
        true => format!("{id} (contract)"),
        false => id.to_string(),
    };
    let ids: Vec<String> = ids.iter().map(shown).collect();
    ids.join(", ")
}

fn join(ids: &[RevisionId]) -> String {
    let ids: Vec<_> = ids.iter().map(RevisionId::as_str).collect();
    ids.join(", ")
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod check_tests;
