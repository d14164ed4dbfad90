//! Where a `transaction = off` script goes on that stopped in its middle.

use super::Checked;
use crate::{
    plan::{Execution, PlanProblem, Resume, Spot, UnitKind},
    revision::{Ending, Partial, Subject},
    sql::StatementKind,
};

impl Checked<'_> {
    /// Compares what is done with what the script says now.
    pub(super) fn resume(
        &self,
        subject: &Subject,
        partial: &Partial,
        execution: &Execution,
        problems: &mut Vec<PlanProblem>,
    ) -> Option<Resume> {
        let changed = |statement, spot| PlanProblem::DoneChanged {
            subject: subject.clone(),
            statement,
            spot,
        };
        let done = partial.statements_done;
        let Execution::Units(units) = execution else {
            problems.push(changed(1, Spot::at(self.script, 0)));
            return None;
        };
        for (index, known) in partial.statement_checksums.iter().enumerate() {
            if units.get(index).is_none_or(|unit| unit.checksum != *known) {
                let statement = units.get(index).and_then(|unit| self.first(unit));
                let spot = statement.map_or(Spot::at(self.script, 0), |first| self.spot(first));
                problems.push(changed(index + 1, spot));
                return None;
            }
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
                spot: self.spot(first),
            });
        }
        let replayed = units[..done]
            .iter()
            .flat_map(|unit| unit.statements.clone());
        let sets = |index: &usize| self.statements[*index].kind == StatementKind::Session;
        let replay = replayed.filter(sets).collect();
        // A statement that was mended begins anew, with what it has committed behind it.
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
}
