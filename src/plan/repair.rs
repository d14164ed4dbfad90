use std::time::Duration;

use super::{
    Execution, PlanContext, PlanError, PlanProblem, Source,
    build::{self, Frame},
    repeatable, squashed,
};
use crate::revision::{
    AppliedRevision, Checksum, Direction, Ending, Interruption, LogEntry, LogEvent, Partial,
    RecordChange, Revision, RevisionId, Script, ScriptChange, State, Subject,
};

/// A request to repair records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairRequest {
    /// Accept the current scripts of these revisions, or of all edited ones if the list is empty.
    /// In the latter case, records of repeatable scripts without a file are removed.
    Accept(Vec<RevisionId>),
    /// Record the outcome of the statement in doubt.
    Statement {
        /// The number of the statement, from 1.
        number: usize,
        /// Whether it took effect.
        done: bool,
    },
    /// Record the outcome of the whole partially applied revision.
    Mark {
        /// Whether the revision is recorded as applied or as unapplied.
        applied: bool,
    },
}

/// A repair, with the state before and after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// The subject of the record.
    pub subject: Subject,
    /// The message.
    pub message: String,
    /// The kind of repair.
    pub kind: RepairKind,
    /// Changes to the row.
    pub changes: Vec<RecordChange>,
}

/// A kind of repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairKind {
    /// The recorded up script is replaced by the file.
    Up {
        /// The recorded checksum.
        before: Checksum,
        /// The checksum of the file.
        now: Checksum,
        /// What was changed, if the text that was applied has been read.
        change: Option<ScriptChange>,
    },
    /// The stored down script is replaced by the file.
    Down {
        /// The stored script; `None` if there was none.
        before: Option<String>,
        /// The text of the file.
        now: String,
        /// The file.
        file: String,
    },
    /// The outcome of a statement in doubt is recorded.
    Statement {
        /// The number of the statement, from 1.
        number: usize,
        /// The SQL of the statement.
        text: String,
        /// Whether it took effect.
        done: bool,
    },
    /// The record of a repeatable script without a file is removed.
    Gone,
    /// The outcome of a partially applied revision is recorded.
    Mark {
        /// The direction of the script that stopped.
        direction: Direction,
        /// Number of statements done, and in total.
        progress: (usize, usize),
        /// Whether the revision is recorded as applied.
        applied: bool,
    },
}

impl Repair {
    /// Returns the log entry for the repair.
    pub fn log_entry(&self) -> LogEntry {
        let detail = match &self.kind {
            RepairKind::Up { before, now, .. } => {
                format!("up script accepted: {before} -> {now}")
            }
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

/// Returns the changes to the records that `request` requires; the schema never changes. The list
/// is empty if there is nothing to repair.
///
/// # Errors
/// Returns an error if a revision or a statement in doubt does not exist.
pub fn repair(
    context: &PlanContext<'_>,
    request: &RepairRequest,
) -> Result<Vec<Repair>, PlanError> {
    // A partly applied baseline may be the reason for the repair.
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
            change: None,
        });
    }
    if let Some(down) = &revision.down
        && row.down_checksum.as_ref() != Some(&down.checksum(context.dialect))
    {
        let (before, now) = (row.down_script.clone(), down.alone().to_string());
        let file = down.file.clone();
        kinds.push(RepairKind::Down { before, now, file });
    }
    let repair = |kind| Repair {
        subject: row.revision.clone().into(),
        message: row.message.clone(),
        kind,
        changes: vec![accepted(context, row, revision)],
    };
    kinds.into_iter().map(repair).collect()
}

/// Updates the row to the directory's scripts. A down script without a file stays as stored.
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
        up_script: revision.up.stored_up(),
    }
}

type Middle<'a> = (&'a AppliedRevision, &'a Partial);

/// Returns the revision that stopped partway.
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
    // Rows that a repeated statement has committed are no longer counted.
    to.batch = None;
    if done {
        to.statements_done += 1;
        to.statements_digest = partial.statements_digest.then(&checksum);
        to.interruption = None;
    } else {
        // The next attempt needs the indexes that existed before.
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

/// Returns the checksum and SQL of a unit of the stored script.
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
        // An upgrade is recorded with the current script; a downgrade keeps the recorded one.
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
