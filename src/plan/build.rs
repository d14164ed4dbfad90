//! Builds steps: splits scripts into statements, checks them and decides how they run.

mod resume;
mod savepoints;

use std::{ops::Range, sync::Arc};

use savepoints::Savepoints;

use super::{
    BatchPlace, Execution, PlanContext, PlanProblem, Source, SourceSpan, Step, Unit, UnitKind,
    batch,
    control::{self, Ahead},
    step::origin_of,
};
use crate::{
    revision::{Checksum, ForeignKeys, Headers, NewRow, Partial, Script, Subject, TransactionMode},
    sql::{self, Dialect, Expanded, Statement, StatementKind, TransactionControl},
};

/// Properties of a step that do not come from its script alone.
pub(super) struct Frame {
    pub subject: Subject,
    pub message: String,
    pub source: Source,
    pub expects: i64,
    pub row: Option<Arc<NewRow>>,
    pub replaces: bool,
    pub partial: Option<Partial>,
}

/// Splits and checks `script`.
///
/// # Errors
/// Returns every problem found in the script.
pub(super) fn build(
    context: &PlanContext<'_>,
    script: Script,
    frame: Frame,
) -> Result<Step, Vec<PlanProblem>> {
    let dialect = context.dialect;
    let expanded = expand(context, &script)?;
    let text = expanded.as_ref().map_or(&script.text, |it| &it.text);
    let mut statements = sql::split(dialect, text).map_err(|problems| {
        let sql_problem = |p: sql::SqlProblem| PlanProblem::Sql {
            source_span: SourceSpan::at(&script, origin_of(expanded.as_ref(), &p.span).start),
            kind: p.kind,
        };
        problems.into_iter().map(sql_problem).collect::<Vec<_>>()
    })?;
    if let Some(expanded) = &expanded {
        let origin = |at| expanded.origin(at).start;
        sql::place_in(&script.text, &mut statements, origin);
    }
    let mut problems = Vec::new();
    let checked = Checked {
        script: &script,
        text,
        expanded: expanded.as_ref(),
        dialect,
        statements: &statements,
    };
    let (execution, modes, foreign_keys) = match script.headers.transaction {
        TransactionMode::On => checked.in_transaction(&mut problems),
        TransactionMode::Off => {
            if context.one_transaction {
                problems.push(PlanProblem::OffInOneTransaction {
                    subject: frame.subject.clone(),
                    file: script.file.clone(),
                });
            }
            checked.in_units(&mut problems)
        }
    };
    checked.layout_pragmas(&mut problems);
    let resume = match &frame.partial {
        None => None,
        Some(partial) => {
            checked.resume(context, &frame.subject, partial, &execution, &mut problems)
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Step {
        subject: frame.subject,
        message: frame.message,
        source: frame.source,
        expects: frame.expects,
        row: frame.row,
        replaces: frame.replaces,
        resume: resume.map(Box::new),
        expanded,
        statements,
        execution,
        modes,
        foreign_keys,
        script,
    })
}

struct Checked<'a> {
    script: &'a Script,
    /// The SQL to run.
    text: &'a str,
    expanded: Option<&'a Expanded>,
    dialect: Dialect,
    statements: &'a [Statement],
}

impl Checked<'_> {
    fn in_transaction(&self, problems: &mut Vec<PlanProblem>) -> (Execution, String, bool) {
        let wrapper = sql::unwrap(self.dialect, self.text, self.statements);
        let foreign_keys = self.foreign_keys(wrapper.foreign_keys);
        let ahead = self.ahead();
        let mut savepoints = Savepoints::default();
        for index in wrapper.body.clone() {
            let statement = &self.statements[index];
            let source_span = self.source_span(statement);
            match &statement.kind {
                StatementKind::Transaction(TransactionControl::Begin(_))
                    if ahead.stays_open(index) =>
                {
                    problems.push(PlanProblem::OpenTransaction { source_span });
                }
                StatementKind::Transaction(control) => {
                    self.savepoint(control, &mut savepoints, source_span, problems);
                }
                StatementKind::OutsideTransaction(name) => {
                    problems.push(PlanProblem::OutsideTransaction { source_span, name });
                }
                StatementKind::Session if ahead.is_ignored_pragma(index, foreign_keys) => {
                    problems.push(PlanProblem::ForeignKeysPragma { source_span });
                }
                kind => refuse_copy_out(kind, source_span, problems),
            }
        }
        for (name, source_span) in savepoints.close() {
            problems.push(PlanProblem::OpenSavepoint { source_span, name });
        }
        (
            Execution::Transaction(wrapper.body),
            wrapper.modes,
            foreign_keys,
        )
    }

    fn in_units(&self, problems: &mut Vec<PlanProblem>) -> (Execution, String, bool) {
        let ahead = self.ahead();
        let initial = self.foreign_keys(None);
        let mut foreign_keys = initial;
        let mut units = Vec::new();
        let mut block: Option<(usize, String)> = None;
        let mut savepoints = Savepoints::default();
        let spans: Vec<_> = self.statements.iter().map(|one| self.span(one)).collect();
        let batches = batch::directives(self.script, &spans, problems);
        for (index, statement) in self.statements.iter().enumerate() {
            let source_span = self.source_span(statement);
            match batches.get(&index) {
                None => {}
                Some(directive) if block.is_some() => {
                    problems.push(batch::misplaced(
                        self.script,
                        directive,
                        BatchPlace::InBlock,
                    ));
                }
                Some(directive) => {
                    let sql = (&statement.kind, statement.text(self.text));
                    match batch::of(self.script, self.dialect, sql, &source_span, directive) {
                        Ok(batch) => {
                            let kind = UnitKind::Batch(batch);
                            units.push(self.unit(index..index + 1, kind, foreign_keys));
                            continue;
                        }
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            match (&statement.kind, &block) {
                (StatementKind::Transaction(TransactionControl::Begin(modes)), None) => {
                    block = Some((index + 1, modes.clone()));
                }
                (StatementKind::Transaction(TransactionControl::Commit), Some((first, modes))) => {
                    let kind = UnitKind::Shared(modes.clone());
                    units.push(self.unit(*first..index, kind, foreign_keys));
                    block = None;
                    for (name, source_span) in savepoints.close() {
                        problems.push(PlanProblem::OpenSavepoint { source_span, name });
                    }
                }
                (StatementKind::Transaction(control), Some(_)) => {
                    self.savepoint(control, &mut savepoints, source_span, problems);
                }
                (StatementKind::Transaction(control), None) => {
                    problems.push(PlanProblem::TransactionControl {
                        source_span,
                        statement: control::name(control),
                        off: true,
                    });
                }
                (StatementKind::OutsideTransaction(name), Some(_)) => {
                    problems.push(PlanProblem::OutsideTransaction { source_span, name });
                }
                (StatementKind::SessionObject(name), _) => {
                    problems.push(PlanProblem::SessionObject { source_span, name });
                }
                (kind, None) => {
                    refuse_copy_out(kind, source_span, problems);
                    let text = statement.text(self.text);
                    foreign_keys = self.dialect.foreign_keys(text).unwrap_or(foreign_keys);
                    units.push(self.unit(
                        index..index + 1,
                        unit_kind(self.dialect, kind, text),
                        foreign_keys,
                    ));
                }
                (StatementKind::Session, Some(_))
                    if ahead.is_ignored_pragma(index, foreign_keys) =>
                {
                    problems.push(PlanProblem::ForeignKeysPragma { source_span });
                }
                (kind, Some(_)) => refuse_copy_out(kind, source_span, problems),
            }
        }
        if let Some((first, _)) = block {
            let source_span = self.source_span(&self.statements[first - 1]);
            problems.push(PlanProblem::OpenTransaction { source_span });
        }
        (Execution::Units(units), String::new(), initial)
    }

    /// Reports settings that SQLite silently ignores because no VACUUM follows in the script.
    fn layout_pragmas(&self, problems: &mut Vec<PlanProblem>) {
        let is_vacuum = |one: &Statement| one.kind == StatementKind::OutsideTransaction("VACUUM");
        let last_vacuum = self.statements.iter().rposition(is_vacuum);
        for (index, statement) in self.statements.iter().enumerate() {
            let Some(pragma) = self.dialect.layout_pragma(statement.text(self.text)) else {
                continue;
            };
            if !(pragma.by_vacuum && last_vacuum.is_some_and(|vacuum| index < vacuum)) {
                let source_span = self.source_span(statement);
                problems.push(PlanProblem::LayoutPragma {
                    source_span,
                    pragma,
                });
            }
        }
    }

    fn first(&self, unit: &Unit) -> Option<&Statement> {
        self.statements.get(unit.statements.start)
    }

    fn ahead(&self) -> Ahead<'_> {
        Ahead::of(self.dialect, self.text, self.statements)
    }

    fn unit(&self, statements: Range<usize>, kind: UnitKind, foreign_keys: bool) -> Unit {
        let text = match &self.statements[statements.clone()] {
            [] => "",
            // The checksum covers the placeholders, not their values, which may differ when the
            // script resumes.
            [first, ..] => {
                let last = &self.statements[statements.end - 1];
                let range = first.span.start..end_of(last);
                &self.script.text[origin_of(self.expanded, &range)]
            }
        };
        let canonical = sql::canonicalize(self.dialect, text);
        // Without this, the canonical form would drop a lone BEGIN or PRAGMA as a wrapper.
        let headers = Headers {
            transaction: TransactionMode::Off,
            ..Headers::default()
        };
        let checksum = Checksum::of(&canonical, &headers);
        Unit {
            statements,
            kind,
            foreign_keys,
            checksum,
        }
    }

    /// Returns whether foreign keys are on. The header overrides the pragma; the default is off.
    fn foreign_keys(&self, pragma: Option<bool>) -> bool {
        match self.script.headers.foreign_keys {
            Some(header) => header == ForeignKeys::On,
            None => pragma.unwrap_or(false),
        }
    }

    fn savepoint(
        &self,
        control: &TransactionControl,
        open: &mut Savepoints,
        source_span: SourceSpan,
        problems: &mut Vec<PlanProblem>,
    ) {
        match control {
            TransactionControl::Savepoint(name) => open.push(name.clone(), source_span),
            TransactionControl::Release(name) | TransactionControl::RollbackTo(name) => {
                let Some(at) = open.find(name) else {
                    problems.push(PlanProblem::UnknownSavepoint {
                        source_span,
                        name: name.clone(),
                    });
                    return;
                };
                let released = matches!(control, TransactionControl::Release(_));
                open.truncate(if released { at } else { at + 1 });
            }
            other => problems.push(PlanProblem::TransactionControl {
                source_span,
                statement: control::name(other),
                off: false,
            }),
        }
    }

    fn source_span(&self, statement: &Statement) -> SourceSpan {
        SourceSpan::at(self.script, self.span(statement).start)
    }

    /// Returns the place of the statement in the script.
    fn span(&self, statement: &Statement) -> Range<usize> {
        origin_of(self.expanded, &statement.span)
    }
}

/// Replaces the placeholders in the script with their values, if it has the header `vars`.
fn expand(
    context: &PlanContext<'_>,
    script: &Script,
) -> Result<Option<Expanded>, Vec<PlanProblem>> {
    let Some(how) = script.headers.placeholders else {
        return Ok(None);
    };
    let expanded = sql::expand(context.dialect, &script.text, how, context.vars);
    expanded.map(Some).map_err(|faults| {
        let problem = |(fault, at): (_, Range<usize>)| PlanProblem::Placeholder {
            source_span: SourceSpan::at(script, at.start),
            fault,
        };
        faults.into_iter().map(problem).collect()
    })
}

fn end_of(statement: &Statement) -> usize {
    statement
        .copy_data
        .as_ref()
        .map_or(statement.span.end, |data| data.end)
}

fn unit_kind(dialect: Dialect, kind: &StatementKind, text: &str) -> UnitKind {
    match kind {
        StatementKind::OutsideTransaction(name) => match dialect.concurrent_index(text) {
            Some(index) => UnitKind::Index(index),
            None if dialect.leaves_indexes(name) => UnitKind::Reindex,
            None if dialect.is_repeatable(name) => UnitKind::Repeatable,
            None => UnitKind::Alone,
        },
        StatementKind::MayCommit => UnitKind::Alone,
        StatementKind::Session => UnitKind::Session,
        _ => UnitKind::Shared(String::new()),
    }
}

fn refuse_copy_out(kind: &StatementKind, source_span: SourceSpan, problems: &mut Vec<PlanProblem>) {
    if *kind == StatementKind::CopyOut {
        problems.push(PlanProblem::CopyOut { source_span });
    }
}
