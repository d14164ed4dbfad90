//! Finds the unit where a partially applied `transaction = off` script resumes.

use super::{Checked, Frame, build};
use crate::{
    plan::{Execution, PlanContext, PlanProblem, Resume, Source, SourceSpan, Unit, UnitKind},
    revision::{Ending, Partial, Script, StatementsDigest, Subject},
    sql::StatementKind,
};

impl Checked<'_> {
    /// Compares the units that are done with those that the script has now.
    pub(super) fn resume(
        &self,
        context: &PlanContext<'_>,
        subject: &Subject,
        partial: &Partial,
        execution: &Execution,
        problems: &mut Vec<PlanProblem>,
    ) -> Option<Resume> {
        let done = partial.statements_done;
        let Execution::Units(units) = execution else {
            problems.push(PlanProblem::OffRemoved {
                subject: subject.clone(),
                done,
                source_span: SourceSpan::at(self.script, 0),
            });
            return None;
        };
        if units.len() < done || digest(&units[..done]) != partial.statements_digest {
            problems.push(self.changed(context, subject, partial, units));
            return None;
        }
        let interruption = partial.interruption.clone();
        let unknown = interruption
            .as_ref()
            .is_some_and(|i| i.ending == Ending::Unknown);
        if let Some(unit) = units.get(done)
            && unknown
            && unit.kind == UnitKind::Alone
            && let Some(first) = self.first(unit)
        {
            problems.push(PlanProblem::Doubt {
                subject: subject.clone(),
                statement: done + 1,
                source_span: self.source_span(first),
            });
        }
        let replayed = units[..done]
            .iter()
            .flat_map(|unit| unit.statements.clone());
        let sets = |index: &usize| self.statements[*index].kind == StatementKind::Session;
        let replay = replayed.filter(sets).collect();
        // A statement that was fixed starts from the beginning; rows it already changed stay
        // committed.
        let batch = partial.batch.as_deref().cloned().filter(|batch| {
            units.get(done).is_some_and(|unit| {
                matches!(unit.kind, UnitKind::Batch(_)) && unit.checksum == batch.statement
            })
        });
        Some(Resume {
            done,
            interruption,
            batch,
            replay,
        })
    }

    /// Returns the problem of a script whose first units are not those that are done. The stored
    /// text identifies the changed statement; its digest shows whether the text still splits into
    /// the same units.
    fn changed(
        &self,
        context: &PlanContext<'_>,
        subject: &Subject,
        partial: &Partial,
        units: &[Unit],
    ) -> PlanProblem {
        let done = partial.statements_done;
        let ran = units_that_ran(context, subject, partial).unwrap_or_default();
        let is_known = ran.len() >= done && digest(&ran[..done]) == partial.statements_digest;
        let statement = is_known
            .then(|| first_difference(&ran[..done], units))
            .flatten();
        let unit = statement.and_then(|index| units.get(index));
        let first = unit.and_then(|unit| self.first(unit));
        PlanProblem::DoneChanged {
            subject: subject.clone(),
            statement: statement.map(|index| index + 1),
            done,
            source_span: first.map_or(SourceSpan::at(self.script, 0), |first| {
                self.source_span(first)
            }),
        }
    }
}

fn digest(units: &[Unit]) -> StatementsDigest {
    StatementsDigest::of(units.iter().map(|unit| &unit.checksum))
}

/// Returns the units of the stored script, if it can still be parsed.
fn units_that_ran(
    context: &PlanContext<'_>,
    subject: &Subject,
    partial: &Partial,
) -> Option<Vec<Unit>> {
    let text = partial.script.as_str();
    let script = Script::parse(
        context.dialect,
        partial.direction,
        subject.to_string(),
        text,
    );
    let frame = Frame {
        subject: subject.clone(),
        message: String::new(),
        source: Source::Stored,
        expects: 0,
        row: None,
        replaces: false,
        partial: None,
    };
    match build(context, script.ok()?, frame).ok()?.execution {
        Execution::Units(units) => Some(units),
        Execution::Transaction(_) => None,
    }
}

/// Returns the index of the first unit that ran and is now different or missing.
fn first_difference(ran: &[Unit], now: &[Unit]) -> Option<usize> {
    let is_same = |(index, unit): (usize, &Unit)| {
        now.get(index)
            .is_some_and(|now| now.checksum == unit.checksum)
    };
    ran.iter().enumerate().position(|pair| !is_same(pair))
}
