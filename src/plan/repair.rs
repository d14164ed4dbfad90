use std::time::Duration;

use super::{
    Execution, PlanContext, PlanError, PlanProblem, Source,
    build::{self, Frame},
    repeatable, squashed,
};
use crate::revision::{
    AppliedRevision, Checksum, Direction, Ending, Interruption, LogEntry, LogEvent, Partial,
    RecordChange, Revision, RevisionId, Script, State, Subject,
};

/// What `repair` was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairRequest {
    /// Take the scripts as they are now: of these revisions, or of all that were edited. With all,
    /// repeatable scripts whose file is gone are forgotten.
    Accept(Vec<RevisionId>),
    /// Record the outcome of the statement in doubt, counted from 1.
    Statement {
        /// The number of the statement.
        number: usize,
        /// Whether it took effect.
        done: bool,
    },
    /// Record the state of the whole partially applied revision.
    Mark {
        /// Whether it is applied, or as if it had never begun.
        applied: bool,
    },
}

/// One thing that is repaired: how it was and how it will be.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// Whose record it is.
    pub subject: Subject,
    /// The message.
    pub message: String,
    /// What is repaired.
    pub kind: RepairKind,
    /// How the row is changed.
    pub changes: Vec<RecordChange>,
}

/// What is repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairKind {
    /// The checksum of the up script: before and now. Its text was not stored.
    Up {
        /// As recorded.
        before: Checksum,
        /// The checksum of the file.
        now: Checksum,
    },
    /// The down script: as stored, and the file.
    Down {
        /// As stored; `None` when there was none.
        before: Option<String>,
        /// The file.
        now: String,
    },
    /// A statement in doubt.
    Statement {
        /// Counted from 1.
        number: usize,
        /// Its SQL.
        text: String,
        /// Whether it took effect.
        done: bool,
    },
    /// A repeatable script whose file is gone; its record goes as well.
    Gone,
    /// A partially applied revision.
    Mark {
        /// Which script was running.
        direction: Direction,
        /// Statements of it that are done, and in all.
        progress: (usize, usize),
        /// Whether it counts as applied now.
        applied: bool,
    },
}

impl Repair {
    /// The log's row about it.
    pub fn log_entry(&self) -> LogEntry {
        let detail = match &self.kind {
            RepairKind::Up { before, now } => format!("up script accepted: {before} -> {now}"),
            RepairKind::Down { .. } => "down script accepted".to_owned(),
            RepairKind::Gone => "record removed; its file is gone".to_owned(),
            RepairKind::Statement { number, done, .. } => {
                format!(
                    "statement {number} recorded as {}",
                    if *done { "done" } else { "undone" }
                )
            }
            RepairKind::Mark {
                progress: (done, total),
                applied,
                ..
            } => format!(
                "marked {} at {done} of {total} statements",
                if *applied { "applied" } else { "unapplied" }
            ),
        };
        LogEntry {
            elapsed: Duration::ZERO,
            event: LogEvent::Repair,
            subject: Some(self.subject.clone()),
            message: Some(self.message.clone()),
            error: None,
            detail: Some(detail),
        }
    }
}

/// What `request` changes in the records; never the schema. Nothing to repair is an empty list.
///
/// # Errors
/// When there is no such revision or no statement in doubt.
pub fn repair(
    context: &PlanContext<'_>,
    request: &RepairRequest,
) -> Result<Vec<Repair>, PlanError> {
    // What is in the middle may be the reason for a repair.
    let settled = squashed::settle(context.history, context.observed, context.dialect);
    let context = &PlanContext {
        observed: &settled.observed,
        ..*context
    };
    let found = match request {
        RepairRequest::Accept(ids) => accept(context, ids),
        RepairRequest::Statement { number, done } => {
            middle(context).and_then(|found| statement(context, found, *number, *done))
        }
        RepairRequest::Mark { applied } => {
            middle(context).map(|found| vec![mark(context, found, *applied)])
        }
    };
    found.map_err(|problem| PlanError(vec![problem]))
}

fn accept(context: &PlanContext<'_>, ids: &[RevisionId]) -> Result<Vec<Repair>, PlanProblem> {
    let row_of = |id: &RevisionId| {
        context
            .observed
            .applied
            .iter()
            .find(|row| row.revision == *id)
    };
    if let Some(id) = ids.iter().find(|id| row_of(id).is_none()) {
        return Err(PlanProblem::NotApplied {
            revision: id.clone(),
        });
    }
    let rows = context
        .observed
        .applied
        .iter()
        .filter(|row| ids.is_empty() || ids.contains(&row.revision))
        .filter(|row| row.state == State::Applied);
    let known = |row: &'_ AppliedRevision| context.history.get(&row.revision);
    let edited = rows
        .filter_map(|row| Some((row, known(row)?)))
        .flat_map(|(row, revision)| edited(context, row, revision));
    let gone = repeatable::gone(context.history, context.observed);
    let gone = gone.filter(|_| ids.is_empty()).map(|row| Repair {
        subject: row.id.clone().into(),
        message: row.message.clone(),
        kind: RepairKind::Gone,
        changes: vec![RecordChange::Delete(row.id.clone().into())],
    });
    Ok(edited.chain(gone).collect())
}

fn edited(context: &PlanContext<'_>, row: &AppliedRevision, revision: &Revision) -> Vec<Repair> {
    let mut kinds = Vec::new();
    let up = revision.up.checksum(context.dialect);
    if up != row.up_checksum {
        kinds.push(RepairKind::Up {
            before: row.up_checksum.clone(),
            now: up,
        });
    }
    if let Some(down) = &revision.down
        && row.down_checksum.as_ref() != Some(&down.checksum(context.dialect))
    {
        let (before, now) = (row.down_script.clone(), down.alone().to_string());
        kinds.push(RepairKind::Down { before, now });
    }
    let repair = |kind| Repair {
        subject: row.revision.clone().into(),
        message: row.message.clone(),
        kind,
        changes: vec![accepted(context, row, revision)],
    };
    kinds.into_iter().map(repair).collect()
}

/// The row takes the directory's scripts; a down script whose file is gone stays as stored.
fn accepted(context: &PlanContext<'_>, row: &AppliedRevision, revision: &Revision) -> RecordChange {
    let down = revision.down.as_ref();
    RecordChange::Accept {
        subject: row.revision.clone().into(),
        up_checksum: revision.up.checksum(context.dialect),
        down_checksum: down
            .map(|down| down.checksum(context.dialect))
            .or_else(|| row.down_checksum.clone()),
        down_script: down
            .map(|down| down.alone().to_string())
            .or_else(|| row.down_script.clone()),
    }
}

type Middle<'a> = (&'a AppliedRevision, &'a Partial);

/// The revision that stopped partway.
fn middle<'a>(context: &PlanContext<'a>) -> Result<Middle<'a>, PlanProblem> {
    let mut rows = context.observed.applied.iter().rev();
    let found = rows.find_map(|row| match &row.state {
        State::Partial(partial) => Some((row, &**partial)),
        State::Applied => None,
    });
    found.ok_or(PlanProblem::NothingPartial)
}

fn statement(
    context: &PlanContext<'_>,
    (row, partial): Middle<'_>,
    number: usize,
    done: bool,
) -> Result<Vec<Repair>, PlanProblem> {
    let next = partial.statements_done + 1;
    if number != next || next > partial.statements_total {
        return Err(PlanProblem::NotInDoubt {
            statement: number,
            next,
        });
    }
    let (checksum, text) = unit(context, (row, partial), partial.statements_done)?;
    let mut to = partial.clone();
    // Of a statement that is repeated: what it has committed is no longer counted.
    to.batch = None;
    if done {
        to.statements_done += 1;
        to.statements_digest = partial.statements_digest.then(&checksum);
        to.interruption = None;
    } else {
        // The indexes that were there before stay known: the next attempt needs them.
        let ending = Ending::Failed("settled as undone".to_owned());
        let interruption = partial.interruption.clone();
        let indexes_before = interruption.and_then(|known| known.indexes_before);
        to.interruption = Some(Interruption {
            ending,
            indexes_before,
        });
    }
    let change = RecordChange::Enter {
        subject: row.revision.clone().into(),
        from: Some(partial.statements_done),
        to,
    };
    Ok(vec![Repair {
        subject: row.revision.clone().into(),
        message: row.message.clone(),
        kind: RepairKind::Statement { number, text, done },
        changes: vec![change],
    }])
}

/// Checksum and SQL of a unit of the script that ran, which is stored in the row.
fn unit(
    context: &PlanContext<'_>,
    (row, partial): Middle<'_>,
    index: usize,
) -> Result<(Checksum, String), PlanProblem> {
    let unreadable = |reason: String| PlanProblem::StoredScript {
        revision: row.revision.clone(),
        reason,
    };
    let file = format!("{} ({} script that ran)", row.revision, partial.direction);
    let script = Script::parse(
        context.dialect,
        partial.direction,
        file,
        partial.script.as_str(),
    )
    .map_err(|found| unreadable(format!("{} problems", found.len())))?;
    let frame = Frame {
        subject: row.revision.clone().into(),
        message: row.message.clone(),
        source: Source::Stored,
        expects: 0,
        row: None,
        replaces: false,
        partial: None,
    };
    let step = build::build(context, script, frame)
        .map_err(|found| unreadable(format!("{} problems", found.len())))?;
    let Execution::Units(units) = &step.execution else {
        return Err(unreadable("it has no `transaction = off`".to_owned()));
    };
    let unit = units
        .get(index)
        .ok_or_else(|| unreadable(format!("it has {} statements", units.len())))?;
    let texts = step.statements[unit.statements.clone()].iter();
    let texts: Vec<_> = texts.map(|statement| step.written(statement)).collect();
    Ok((unit.checksum.clone(), texts.join(";\n")))
}

fn mark(context: &PlanContext<'_>, (row, partial): Middle<'_>, applied: bool) -> Repair {
    let id = || row.revision.clone();
    let mut changes = Vec::new();
    if applied {
        // Going up, what was applied is the script as it is now; going down, it is as it was.
        if partial.direction == Direction::Up
            && let Some(revision) = context.history.get(&row.revision)
        {
            changes.push(accepted(context, row, revision));
        }
        changes.push(RecordChange::Finish {
            whole: false,
            subject: id().into(),
            from: partial.statements_done,
        });
    } else {
        changes.push(RecordChange::Delete(id().into()));
    }
    Repair {
        subject: id().into(),
        message: row.message.clone(),
        kind: RepairKind::Mark {
            direction: partial.direction,
            progress: (partial.statements_done, partial.statements_total),
            applied,
        },
        changes,
    }
}
