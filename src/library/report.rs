use std::time::Duration;

use crate::{
    execute, ops, plan,
    plan::{Relation, Warning},
    revision::{Direction, History, RepeatableId, RevisionId, Subject},
};

/// A revision of the scripts or of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revision {
    /// The revision's id.
    pub id: RevisionId,
    /// The message of its script.
    pub message: String,
    /// The revisions that it revises.
    pub parents: Vec<RevisionId>,
    /// The revisions that it depends on without revising them.
    pub depends_on: Vec<RevisionId>,
    /// The file of the up script; `None` when the scripts do not have the revision.
    pub file: Option<String>,
}

/// A script that an operation has run and committed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The duration.
    pub elapsed: Duration,
}

/// The result of an upgrade or downgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunReport {
    /// The position of the database before the run: `base`, `20261122093000 (head)`.
    pub from: String,
    /// The position of the database after the run.
    pub to: String,
    /// The applied revisions that no applied revision revises; `None` when the database did not
    /// answer after the run.
    pub current: Option<Vec<RevisionId>>,
    /// The scripts that were applied or reverted, in order.
    pub done: Vec<Done>,
    /// The scripts that were planned and not run.
    pub not_run: Vec<Subject>,
    /// Whether a request to stop ended the run.
    pub interrupted: bool,
    /// The `transaction = off` revision that is partially applied after the run.
    pub partial: Option<RevisionId>,
    /// How long the run took, waiting included.
    pub elapsed: Duration,
    /// Notes about the plan for users.
    pub warnings: Vec<Warning>,
}

/// The state of the database, compared with the scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The applied revisions that no applied revision revises.
    pub current: Vec<Revision>,
    /// The heads of the scripts.
    pub heads: Vec<Revision>,
    /// The revisions that an upgrade to all heads would apply.
    pub pending: Vec<Revision>,
    /// The repeatable scripts that an upgrade to all heads would run.
    pub due: Vec<RepeatableId>,
    /// Every disagreement between scripts and database.
    pub drift: Drift,
}

/// The disagreements between scripts and database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// Applied revisions whose up script was edited since.
    pub edited_up: Vec<RevisionId>,
    /// Applied revisions whose down script was edited since.
    pub edited_down: Vec<RevisionId>,
    /// Applied revisions that the scripts do not have.
    pub unknown: Vec<RevisionId>,
    /// Whether the unknown revisions all come after those of the scripts, which means that a newer
    /// release of the program has migrated the database.
    pub is_ahead: bool,
    /// Revisions that are partially applied.
    pub partial: Vec<RevisionId>,
    /// Revisions that are not applied and sort before an applied one.
    pub out_of_order: Vec<RevisionId>,
}

impl Drift {
    /// Whether scripts and database agree.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The scripts that an upgrade or downgrade would run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The direction of the run.
    pub direction: Direction,
    /// The scripts, in order.
    pub steps: Vec<PlannedStep>,
    /// Notes about the plan for users.
    pub warnings: Vec<Warning>,
    /// Whether all steps share one transaction.
    pub one_transaction: bool,
}

/// A script that a plan would run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedStep {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The direction of the script.
    pub direction: Direction,
    /// The message of the script.
    pub message: String,
    /// The script's file.
    pub file: String,
    /// The statements of the script, with values instead of placeholders.
    pub statements: Vec<String>,
}

impl Revision {
    pub(super) fn of(line: ops::RevisionLine) -> Self {
        let ops::RevisionLine {
            id,
            message,
            parents,
            depends_on,
            file,
            marks: _,
            show_parents: _,
        } = line;
        Self {
            id,
            message,
            parents,
            depends_on,
            file,
        }
    }
}

pub(super) fn revisions(history: &History) -> Vec<Revision> {
    let revisions = history.by_id().map(|revision| Revision {
        id: revision.id.clone(),
        message: revision.message.clone(),
        parents: revision.parents.clone(),
        depends_on: revision.depends_on.clone(),
        file: Some(revision.up.file.clone()),
    });
    revisions.collect()
}

impl Done {
    pub(super) fn of(done: execute::Done) -> Self {
        Self {
            subject: done.subject,
            elapsed: done.elapsed,
        }
    }
}

/// The report without its failure, which the library returns as an error.
impl RunReport {
    pub(super) fn of(report: ops::RunReport) -> Self {
        Self {
            from: report.from,
            to: report.to,
            current: report.current,
            done: report.done.into_iter().map(Done::of).collect(),
            not_run: report.not_run,
            interrupted: report.interrupted,
            partial: report.partial,
            elapsed: report.elapsed,
            warnings: report.warnings,
        }
    }
}

impl Status {
    pub(super) fn of(report: ops::StatusReport) -> Self {
        let revisions =
            |lines: Vec<ops::RevisionLine>| lines.into_iter().map(Revision::of).collect();
        let due = report
            .repeatables
            .into_iter()
            .filter(|it| it.state.is_due());
        Self {
            current: revisions(report.current),
            heads: revisions(report.heads),
            pending: revisions(report.pending),
            due: due.map(|it| it.id).collect(),
            drift: Drift::of(report.drift),
        }
    }
}

impl Drift {
    pub(super) fn of(drift: plan::Drift) -> Self {
        Self {
            edited_up: drift.edited_up,
            edited_down: drift.edited_down,
            unknown: drift.unknown,
            is_ahead: drift.relation == Relation::Ahead,
            partial: drift.partial.into_iter().map(|(id, _)| id).collect(),
            out_of_order: drift.out_of_order,
        }
    }
}

impl Plan {
    pub(super) fn of(plan: plan::Plan) -> Self {
        Self {
            direction: plan.direction,
            steps: plan.steps.iter().map(PlannedStep::of).collect(),
            warnings: plan.warnings,
            one_transaction: plan.one_transaction,
        }
    }
}

impl PlannedStep {
    pub(super) fn of(step: &plan::Step) -> Self {
        let statements = step.statements.iter();
        Self {
            subject: step.subject.clone(),
            direction: step.direction(),
            message: step.message.clone(),
            file: step.script.file.clone(),
            statements: statements
                .map(|statement| statement.text(step.text()).to_owned())
                .collect(),
        }
    }
}
