use std::{ops::Range, time::Duration};

use super::{PlanProblem, Situation, Spot};
use crate::{
    revision::{
        Checksum, Direction, ForeignKeys, Headers, NewRow, RevisionId, Script, TransactionMode,
    },
    sql::{self, Dialect, Statement, StatementKind, TransactionControl},
};

/// The ordered steps between two states: plain data, printable, executable.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which way all of its steps go.
    pub direction: Direction,
    /// What runs, in order.
    pub steps: Vec<Step>,
    /// What people should know before it runs.
    pub warnings: Vec<Warning>,
    /// Whether all steps share one transaction.
    pub one_transaction: bool,
}

/// One revision going up or down.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The revision.
    pub revision: RevisionId,
    /// Its message.
    pub message: String,
    /// The script that runs.
    pub script: Script,
    /// Where the script is from.
    pub source: Source,
    /// All statements of the script, the wrapper's included.
    pub statements: Vec<Statement>,
    /// How they run.
    pub execution: Execution,
    /// Modes for BEGIN, as the script's own BEGIN had them.
    pub modes: String,
    /// SQLite: whether foreign keys are enforced while it runs.
    pub foreign_keys: bool,
    /// The highest sequence of the version table before the step.
    pub expects: i64,
    /// The row to write: for an upgrade, and nothing for a downgrade.
    pub row: Option<NewRow>,
}

impl Step {
    /// The direction of its script.
    pub fn direction(&self) -> Direction {
        self.script.direction
    }

    /// The script's own `lock-timeout`.
    pub fn lock_timeout(&self) -> Option<Duration> {
        self.script.headers.lock_timeout
    }

    /// The script's own `statement-timeout`.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.script.headers.statement_timeout
    }
}

/// Where a step's script is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The directory.
    File,
    /// The version table, since the file is gone.
    Stored,
}

/// How a step's statements run.
#[derive(Clone, Debug, PartialEq)]
pub enum Execution {
    /// These statements in one transaction with the record.
    Transaction(Range<usize>),
    /// Unit by unit, each with its progress.
    Units(Vec<Unit>),
}

/// What a `transaction = off` script does at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Indexes into [`Step::statements`], without BEGIN and COMMIT.
    pub statements: Range<usize>,
    /// How it can be run.
    pub kind: UnitKind,
    /// SQLite: whether foreign keys are enforced while it runs.
    pub foreign_keys: bool,
    /// Of its text, in canonical form.
    pub checksum: Checksum,
}

/// How a unit can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// In a transaction with its progress; with the modes of its BEGIN.
    Shared(String),
    /// Outside of any transaction, so that a crash leaves it in doubt.
    Alone,
    /// Outside of any transaction, but running it again does no harm.
    Session,
}

/// Something people should know about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The down script is not the one that was there when its revision was applied.
    EditedDown {
        /// The revision.
        revision: RevisionId,
        /// The file.
        file: String,
    },
    /// The stored script runs, since the file is gone.
    StoredDown {
        /// The revision.
        revision: RevisionId,
    },
    /// Late revisions that are applied all the same.
    OutOfOrder {
        /// They.
        revisions: Vec<RevisionId>,
        /// The applied revision that they sort before.
        before: RevisionId,
    },
    /// The database knows revisions above all of ours.
    Ahead {
        /// They.
        unknown: Vec<RevisionId>,
    },
}

/// What of a step depends on more than its script.
pub(super) struct Frame {
    pub revision: RevisionId,
    pub message: String,
    pub source: Source,
    pub expects: i64,
    pub row: Option<NewRow>,
}

/// Splits and checks `script`.
///
/// # Errors
/// Everything it has to be refused for.
pub(super) fn build(
    situation: &Situation<'_>,
    script: Script,
    frame: Frame,
) -> Result<Step, Vec<PlanProblem>> {
    let dialect = situation.dialect;
    let statements = sql::split(dialect, &script.text).map_err(|problems| {
        let sql_problem = |p: sql::SqlProblem| PlanProblem::Sql {
            spot: Spot::at(&script, p.span.start),
            kind: p.kind,
        };
        problems.into_iter().map(sql_problem).collect::<Vec<_>>()
    })?;
    let mut problems = Vec::new();
    let checked = Checked {
        script: &script,
        dialect,
        statements: &statements,
    };
    let (execution, modes, foreign_keys) = match script.headers.transaction {
        TransactionMode::On => checked.in_transaction(&mut problems),
        TransactionMode::Off => {
            if situation.one_transaction {
                problems.push(PlanProblem::OffInOneTransaction {
                    revision: frame.revision.clone(),
                    file: script.file.clone(),
                });
            }
            checked.in_units(&mut problems)
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let Frame {
        revision,
        message,
        source,
        expects,
        row,
    } = frame;
    Ok(Step {
        revision,
        message,
        source,
        expects,
        row,
        statements,
        execution,
        modes,
        foreign_keys,
        script,
    })
}

struct Checked<'a> {
    script: &'a Script,
    dialect: Dialect,
    statements: &'a [Statement],
}

impl Checked<'_> {
    fn in_transaction(&self, problems: &mut Vec<PlanProblem>) -> (Execution, String, bool) {
        let wrapper = sql::unwrap(&self.script.text, self.statements);
        let foreign_keys = self.foreign_keys(wrapper.foreign_keys);
        let mut savepoints = Vec::new();
        for statement in &self.statements[wrapper.body.clone()] {
            let spot = self.spot(statement);
            match &statement.kind {
                StatementKind::Transaction(control) => {
                    self.savepoint(control, &mut savepoints, spot, problems);
                }
                StatementKind::OutsideTransaction(name) => {
                    problems.push(PlanProblem::OutsideTransaction { spot, name });
                }
                StatementKind::Session => {
                    let text = statement.text(&self.script.text);
                    let asked = sql::foreign_keys_pragma(text);
                    if asked.is_some_and(|asked| asked != foreign_keys) {
                        problems.push(PlanProblem::ForeignKeysPragma { spot });
                    }
                }
                kind => refuse_copy_out(kind, spot, problems),
            }
        }
        for (name, spot) in savepoints {
            problems.push(PlanProblem::OpenSavepoint { spot, name });
        }
        (
            Execution::Transaction(wrapper.body),
            wrapper.modes,
            foreign_keys,
        )
    }

    fn in_units(&self, problems: &mut Vec<PlanProblem>) -> (Execution, String, bool) {
        let initial = self.foreign_keys(None);
        let mut foreign_keys = initial;
        let mut units = Vec::new();
        let mut block: Option<(usize, String)> = None;
        let mut savepoints = Vec::new();
        for (index, statement) in self.statements.iter().enumerate() {
            let spot = self.spot(statement);
            match (&statement.kind, &block) {
                (StatementKind::Transaction(TransactionControl::Begin(modes)), None) => {
                    block = Some((index + 1, modes.clone()));
                }
                (StatementKind::Transaction(TransactionControl::Commit), Some((first, modes))) => {
                    let kind = UnitKind::Shared(modes.clone());
                    units.push(self.unit(*first..index, kind, foreign_keys));
                    block = None;
                    for (name, spot) in savepoints.drain(..) {
                        problems.push(PlanProblem::OpenSavepoint { spot, name });
                    }
                }
                (StatementKind::Transaction(control), Some(_)) => {
                    self.savepoint(control, &mut savepoints, spot, problems);
                }
                (StatementKind::Transaction(control), None) => {
                    problems.push(PlanProblem::TransactionControl {
                        spot,
                        statement: control_name(control),
                        off: true,
                    });
                }
                (StatementKind::OutsideTransaction(name), Some(_)) => {
                    problems.push(PlanProblem::OutsideTransaction { spot, name });
                }
                (StatementKind::SessionObject(name), _) => {
                    problems.push(PlanProblem::SessionObject { spot, name });
                }
                (kind, None) => {
                    refuse_copy_out(kind, spot, problems);
                    let text = statement.text(&self.script.text);
                    foreign_keys = sql::foreign_keys_pragma(text).unwrap_or(foreign_keys);
                    units.push(self.unit(index..index + 1, unit_kind(kind), foreign_keys));
                }
                (kind, Some(_)) => refuse_copy_out(kind, spot, problems),
            }
        }
        if let Some((first, _)) = block {
            let spot = self.spot(&self.statements[first - 1]);
            problems.push(PlanProblem::OpenTransaction { spot });
        }
        (Execution::Units(units), String::new(), initial)
    }

    fn unit(&self, statements: Range<usize>, kind: UnitKind, foreign_keys: bool) -> Unit {
        let text = match &self.statements[statements.clone()] {
            [] => "",
            [first, .., last] => &self.script.text[first.span.start..end_of(last)],
            [only] => &self.script.text[only.span.start..end_of(only)],
        };
        let canonical = sql::canonicalize(self.dialect, text);
        let checksum = Checksum::of(&canonical, &Headers::default());
        Unit {
            statements,
            kind,
            foreign_keys,
            checksum,
        }
    }

    /// The header wins over the pragma, and off is the default.
    fn foreign_keys(&self, pragma: Option<bool>) -> bool {
        match self.script.headers.foreign_keys {
            Some(header) => header == ForeignKeys::On,
            None => pragma.unwrap_or(false),
        }
    }

    fn savepoint(
        &self,
        control: &TransactionControl,
        open: &mut Vec<(String, Spot)>,
        spot: Spot,
        problems: &mut Vec<PlanProblem>,
    ) {
        match control {
            TransactionControl::Savepoint(name) => open.push((name.clone(), spot)),
            TransactionControl::Release(name) | TransactionControl::RollbackTo(name) => {
                let Some(at) = open.iter().rposition(|(known, _)| known == name) else {
                    problems.push(PlanProblem::UnknownSavepoint {
                        spot,
                        name: name.clone(),
                    });
                    return;
                };
                let released = matches!(control, TransactionControl::Release(_));
                open.truncate(if released { at } else { at + 1 });
            }
            other => problems.push(PlanProblem::TransactionControl {
                spot,
                statement: control_name(other),
                off: false,
            }),
        }
    }

    fn spot(&self, statement: &Statement) -> Spot {
        Spot::at(self.script, statement.span.start)
    }
}

fn end_of(statement: &Statement) -> usize {
    statement
        .copy_data
        .as_ref()
        .map_or(statement.span.end, |data| data.end)
}

fn unit_kind(kind: &StatementKind) -> UnitKind {
    match kind {
        StatementKind::OutsideTransaction(_) | StatementKind::MayCommit => UnitKind::Alone,
        StatementKind::Session => UnitKind::Session,
        _ => UnitKind::Shared(String::new()),
    }
}

fn refuse_copy_out(kind: &StatementKind, spot: Spot, problems: &mut Vec<PlanProblem>) {
    if *kind == StatementKind::CopyOut {
        problems.push(PlanProblem::CopyOut { spot });
    }
}

fn control_name(control: &TransactionControl) -> &'static str {
    match control {
        TransactionControl::Begin(_) => "BEGIN",
        TransactionControl::Commit => "COMMIT",
        TransactionControl::Rollback => "ROLLBACK",
        TransactionControl::Chain => "AND CHAIN",
        TransactionControl::Savepoint(_) => "SAVEPOINT",
        TransactionControl::Release(_) => "RELEASE",
        TransactionControl::RollbackTo(_) => "ROLLBACK TO",
        TransactionControl::TwoPhase => "two-phase commit",
    }
}
