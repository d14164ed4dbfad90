//! `fleet status`.

use std::sync::Arc;

use super::{
    super::{Error, Project, line::applied_heads, line::position},
    Fleet, FleetSelection, FleetStop, Voice,
    migrate::look,
    read::Seen,
    states::States,
};
use crate::{
    arrange::Arrange as _,
    fleet::{Outcome, Tally, TargetLine},
    plan::{self, Relation},
    revision::{Observed, RevisionId, State},
    sql::Dialect,
};

/// The state of some targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSummary {
    /// The position: `base`, `2026… (head)`.
    pub position: String,
    /// The applied revisions that no applied revision revises.
    pub current: Vec<RevisionId>,
    /// The number of applied revisions, without partially applied ones.
    pub applied: usize,
    /// The number of revisions that an upgrade to all heads would apply.
    pub pending: usize,
    /// The revisions that are partially applied.
    pub partial: Vec<RevisionId>,
    /// The revisions whose scripts were changed after they were applied.
    pub edited: Vec<RevisionId>,
    /// The applied revisions that the directory does not have.
    pub unknown: Vec<RevisionId>,
    /// Whether they are above all revisions of the directory.
    pub is_ahead: bool,
    /// Whether there is a version table.
    pub has_table: bool,
}

impl StateSummary {
    fn of(project: &Project, dialect: Dialect, observed: &Observed) -> Result<Self, Error> {
        let history = project.history(dialect)?;
        let has_table = observed.layout.is_some();
        let observed = plan::seen(&history, observed.clone(), dialect);
        let drift = plan::compare(&history, &observed, dialect);
        let mut edited = drift.edited_up;
        for revision in drift.edited_down {
            if !edited.contains(&revision) {
                edited.push(revision);
            }
        }
        let rows = observed.applied.iter();
        Ok(Self {
            position: position(&history, &observed),
            current: applied_heads(&observed),
            applied: rows.filter(|row| row.state == State::Applied).count(),
            pending: plan::pending(&history, &observed).len(),
            partial: drift
                .partial
                .into_iter()
                .map(|(revision, _)| revision)
                .collect(),
            edited,
            unknown: drift.unknown,
            is_ahead: drift.relation == Relation::Ahead,
            has_table,
        })
    }

    /// Whether scripts and database disagree in more than what is pending.
    pub fn is_drifted(&self) -> bool {
        !self.edited.is_empty() || !self.unknown.is_empty()
    }
}

/// The result of `fleet status`.
#[derive(Debug)]
pub struct FleetStatusReport {
    /// The environment.
    pub environment: String,
    /// The directory.
    pub directory: String,
    /// The number of revisions in the directory.
    pub revisions: usize,
    /// The number of selected targets.
    pub targets: usize,
    /// The states, the most pending revisions first, with the indices of their targets.
    pub states: Vec<(StateSummary, Vec<usize>)>,
    /// Targets that do not exist or cannot be read.
    pub tally: Tally,
}

/// Tells how many targets are in which state. Locks and changes nothing.
///
/// # Errors
/// Fails when the scripts are invalid or the selection does not fit the targets. Targets that cannot be
/// read are in the report.
pub fn fleet_status(
    fleet: &Fleet,
    project: &Project,
    wanted: &FleetSelection,
    stop: &FleetStop,
    voice: &Voice<'_>,
) -> Result<FleetStatusReport, Error> {
    let history = project.history(fleet.dialect)?;
    let selected = fleet.select(wanted)?;
    let dialect = fleet.dialect;
    let states = States::new(|observed| StateSummary::of(project, dialect, observed).ok());
    let found = look(fleet, &states, stop, &selected, voice)?;
    let mut report = FleetStatusReport {
        environment: fleet.config.environment.clone(),
        directory: project.directory().1.to_owned(),
        revisions: history.len(),
        targets: selected.len(),
        states: Vec::new(),
        tally: Tally::default(),
    };
    let mut by_judgement: Vec<(Arc<Option<StateSummary>>, Vec<usize>)> = Vec::new();
    for (index, seen) in found {
        match seen {
            Seen::State(summary) => {
                match by_judgement
                    .iter_mut()
                    .find(|(known, _)| Arc::ptr_eq(known, &summary))
                {
                    Some((_, targets)) => targets.push(index),
                    None => by_judgement.push((summary, vec![index])),
                }
            }
            Seen::Missing(error) => {
                report
                    .tally
                    .add(&unread(voice, index, error.into(), Outcome::Skipped))
            }
            Seen::Failed(error) => report
                .tally
                .add(&unread(voice, index, error, Outcome::Failed)),
            Seen::Doubtful => {}
        }
    }
    report.states = merged(by_judgement);
    Ok(report)
}

/// The line of a target that cannot be read.
pub(super) fn unread(
    voice: &Voice<'_>,
    index: usize,
    error: Error,
    outcome: Outcome,
) -> TargetLine {
    TargetLine {
        outcome,
        reason: Some((voice.explain)(error)),
        ..TargetLine::not_started(index)
    }
}

/// One entry a summary: states that differ in nothing that is shown are one.
fn merged(found: Vec<(Arc<Option<StateSummary>>, Vec<usize>)>) -> Vec<(StateSummary, Vec<usize>)> {
    let mut states: Vec<(StateSummary, Vec<usize>)> = Vec::new();
    for (summary, targets) in found {
        let Some(summary) = summary.as_ref() else {
            continue;
        };
        match states.iter_mut().find(|(known, _)| known == summary) {
            Some((_, known)) => known.extend(targets),
            None => states.push((summary.clone(), targets)),
        }
    }
    for (_, targets) in &mut states {
        targets.sort_unstable();
    }
    states.arrange_by(|(a, of_a), (b, of_b)| {
        let order = b.pending.cmp(&a.pending);
        order.then_with(|| of_a.first().cmp(&of_b.first()))
    });
    states
}
