//! Treats a database that has applied everything a baseline replaces as having applied the
//! baseline.

use std::time::Duration;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{Plan, PlanContext, PlanError, PlanProblem, Warning, upgrade::new_row};
use crate::{
    revision::{
        AppliedRevision, History, LogEntry, LogEvent, NewRow, Observed, Past, RecordChange,
        Replaced, Revision, RevisionId, State, Subject,
    },
    sql::Dialect,
};

/// The rows of replaced revisions, and the row of their baseline, which keeps the sequence and time
/// of the last of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowExchange {
    /// Rows to delete.
    pub replaced: Vec<RevisionId>,
    /// The row to insert.
    pub row: NewRow,
    /// The time and duration that the new row keeps.
    pub past: Past,
}

impl RowExchange {
    /// Returns the changes to the records.
    pub fn changes(&self) -> Vec<RecordChange> {
        let gone = self.replaced.iter().cloned();
        let gone = gone.map(|id| RecordChange::Delete(id.into()));
        let comes = RecordChange::Adopt(self.row.clone().into(), self.past);
        gone.chain([comes]).collect()
    }

    /// Returns the log entries: one for each deleted row and one for the baseline.
    pub fn log_entries(&self) -> Vec<LogEntry> {
        let entry = |subject: Subject, message: Option<String>, detail: String| LogEntry {
            elapsed: Duration::ZERO,
            event: LogEvent::Squash,
            subject: Some(subject),
            message,
            error: None,
            detail: Some(detail),
        };
        let into = |id: &RevisionId| {
            let detail = format!("replaced by {}", self.row.subject);
            entry(id.clone().into(), None, detail)
        };
        let own = self.row.subject.revision();
        let gone = self.replaced.iter().filter(|id| Some(*id) != own);
        let comes = entry(
            self.row.subject.clone(),
            Some(self.row.message.clone()),
            format!("recorded in the place of {} rows", self.replaced.len()),
        );
        gone.map(into).chain([comes]).collect()
    }
}

/// A database that has applied only some of the revisions that a baseline replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halfway {
    /// The baseline.
    pub baseline: RevisionId,
    /// The file of its up script.
    pub file: String,
    /// The replaced revisions that are applied, by sequence.
    pub applied: Vec<RevisionId>,
    /// The replaced revisions that are missing or partially applied, in header order.
    pub missing: Vec<RevisionId>,
}

/// A database state in terms of the history's baselines.
#[derive(Clone, Debug)]
pub(super) struct Settled<'a> {
    /// The state with the rows of baselines.
    pub observed: Cow<'a, Observed>,
    /// The row exchanges that this state requires in the database.
    pub exchanges: Vec<RowExchange>,
    /// Incomplete sets of replaced revisions, which stay unchanged.
    pub halfway: Vec<Halfway>,
}

/// Returns `observed` with the row of a baseline wherever everything that the baseline replaces is
/// applied. An incomplete set of replaced revisions stays unchanged.
pub fn seen(history: &History, observed: Observed, dialect: Dialect) -> Observed {
    let settled = settle(history, &observed, dialect);
    match settled.observed {
        Cow::Owned(settled) => settled,
        Cow::Borrowed(_) => observed,
    }
}

/// Returns the row exchanges that turn the database's rows into those of [`seen`].
pub fn exchanges(history: &History, observed: &Observed, dialect: Dialect) -> Vec<RowExchange> {
    settle(history, observed, dialect).exchanges
}

/// Returns the baselines of which only some replaced revisions are applied.
pub fn halfway(history: &History, observed: &Observed, dialect: Dialect) -> Vec<Halfway> {
    settle(history, observed, dialect).halfway
}

impl Plan {
    /// Adds the exchanges to record before the plan.
    pub(super) fn after(mut self, exchanges: Vec<RowExchange>) -> Self {
        let told = exchanges.iter().filter_map(|exchange| {
            Some(Warning::Squashes {
                baseline: exchange.row.subject.revision()?.clone(),
                rows: exchange.replaced.len(),
            })
        });
        self.warnings.splice(0..0, told);
        self.exchanges = exchanges;
        self
    }
}

/// Creates a plan with the state in terms of the history's baselines, and returns it with the
/// exchanges to record first.
///
/// # Errors
/// Returns an error if only some of the revisions that a baseline replaces are applied, or if
/// `plan` fails.
pub(super) fn planned<T>(
    context: &PlanContext<'_>,
    plan: impl FnOnce(&PlanContext<'_>) -> Result<T, PlanError>,
) -> Result<(T, Vec<RowExchange>), PlanError> {
    let PlanContext {
        history,
        observed,
        dialect,
        ..
    } = *context;
    let settled = settle(history, observed, dialect);
    if !settled.halfway.is_empty() {
        let problems = settled.halfway.into_iter().map(PlanProblem::Halfway);
        return Err(PlanError(problems.collect()));
    }
    let planned = plan(&PlanContext {
        observed: &settled.observed,
        ..*context
    })?;
    Ok((planned, settled.exchanges))
}

pub(super) fn settle<'a>(
    history: &History,
    observed: &'a Observed,
    dialect: Dialect,
) -> Settled<'a> {
    let mut settled = Settled {
        observed: Cow::Borrowed(observed),
        exchanges: Vec::new(),
        halfway: Vec::new(),
    };
    let mut baselines = history.baselines().peekable();
    if baselines.peek().is_none() {
        return settled;
    }
    let rows = observed.applied.iter();
    let rows: HashMap<_, _> = rows.map(|row| (&row.revision, row)).collect();
    for baseline in baselines {
        let replaced: HashSet<_> = baseline.replaces.iter().map(|one| &one.id).collect();
        let knows = |id: &RevisionId| replaced.contains(id);
        let applied = observed.applied.iter();
        let applied: Vec<_> = applied.filter(|row| knows(&row.revision)).collect();
        if !applied.is_empty() {
            match last(baseline, &rows) {
                Ok(last) => {
                    let exchange = exchange(baseline, &applied, last, dialect);
                    apply(settled.observed.to_mut(), &exchange, last);
                    settled.exchanges.push(exchange);
                }
                Err(missing) => settled.halfway.push(Halfway {
                    baseline: baseline.id.clone(),
                    file: baseline.up.file.clone(),
                    applied: applied.iter().map(|row| row.revision.clone()).collect(),
                    missing,
                }),
            }
        }
        let names_one = observed.applied.iter().any(|row| {
            let mut edges = row.parents.iter().chain(&row.depends_on);
            !knows(&row.revision) && edges.any(knows)
        });
        let upon_one = observed
            .repeatables
            .iter()
            .any(|row| row.upon.iter().any(knows));
        if (names_one || upon_one) && settled.halfway.is_empty() {
            rename(settled.observed.to_mut(), &baseline.id, knows);
        }
    }
    settled
}

/// Returns the row of the last revision that `baseline` replaces, which has its ID.
///
/// # Errors
/// Returns the missing revisions.
fn last<'a>(
    baseline: &Revision,
    rows: &HashMap<&RevisionId, &'a AppliedRevision>,
) -> Result<&'a AppliedRevision, Vec<RevisionId>> {
    let is_applied = |id: &RevisionId| {
        let row = rows.get(id);
        row.is_some_and(|row| row.state == State::Applied)
    };
    let replaces = &baseline.replaces;
    // If an earlier baseline is known, all revisions that it replaced may be absent.
    let gone = |by: &RevisionId| {
        let group = replaces.iter().filter(|one| one.by.as_ref() == Some(by));
        is_known(replaces, by, &is_applied)
            && !group.into_iter().any(|one| rows.contains_key(&one.id))
    };
    let missing = replaces
        .iter()
        .filter(|one| !is_applied(&one.id) && !one.by.as_ref().is_some_and(gone));
    let mut missing: Vec<_> = missing.map(|one| one.id.clone()).collect();
    match rows.get(&baseline.id) {
        Some(row) if missing.is_empty() && row.state == State::Applied => Ok(row),
        Some(row) if row.state == State::Applied => Err(missing),
        _ => {
            missing.push(baseline.id.clone());
            Err(missing)
        }
    }
}

/// Returns whether an earlier baseline is applied, or was replaced by one that is.
fn is_known(
    replaces: &[Replaced],
    id: &RevisionId,
    is_applied: &impl Fn(&RevisionId) -> bool,
) -> bool {
    let own = replaces.iter().find(|one| one.id == *id);
    let by = own.and_then(|one| one.by.as_ref());
    is_applied(id) || by.is_some_and(|by| is_known(replaces, by, is_applied))
}

fn exchange(
    baseline: &Revision,
    applied: &[&AppliedRevision],
    last: &AppliedRevision,
    dialect: Dialect,
) -> RowExchange {
    let rows = || applied.iter().copied().chain([last]);
    let sequence = rows().map(|row| row.sequence).max();
    RowExchange {
        replaced: rows().map(|row| row.revision.clone()).collect(),
        row: new_row(dialect, baseline, sequence.unwrap_or(last.sequence)),
        past: Past {
            applied_at: last.applied_at,
            duration_ms: last.duration_ms,
        },
    }
}

/// Applies the exchange to the state.
fn apply(observed: &mut Observed, exchange: &RowExchange, last: &AppliedRevision) {
    let NewRow {
        sequence,
        message,
        parents,
        depends_on,
        up_checksum,
        down_checksum,
        down_script,
        ..
    } = exchange.row.clone();
    let row = AppliedRevision {
        sequence,
        message,
        parents,
        depends_on,
        up_checksum,
        down_checksum,
        down_script,
        ..last.clone()
    };
    let replaced: HashSet<_> = exchange.replaced.iter().collect();
    observed
        .applied
        .retain(|row| !replaced.contains(&row.revision));
    let at = observed
        .applied
        .partition_point(|other| other.sequence < sequence);
    observed.applied.insert(at, row);
}

/// Renames references to replaced revisions to their baseline.
fn rename(observed: &mut Observed, baseline: &RevisionId, knows: impl Fn(&RevisionId) -> bool) {
    let renamed = |ids: &mut Vec<RevisionId>| {
        let mut named = Vec::with_capacity(ids.len());
        for id in ids.drain(..) {
            let id = if knows(&id) { baseline.clone() } else { id };
            if !named.contains(&id) {
                named.push(id);
            }
        }
        *ids = named;
    };
    for row in &mut observed.applied {
        renamed(&mut row.parents);
        renamed(&mut row.depends_on);
    }
    for row in &mut observed.repeatables {
        renamed(&mut row.upon);
    }
}
