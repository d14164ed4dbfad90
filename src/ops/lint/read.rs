use crate::{
    lint::{self, Finding, Headers, Known, Settings, Suppressed, text},
    ops::{Error, Project},
    plan::{self, Execution, Step, UnitKind},
    revision::{History, Observed, Revision, TransactionMode},
};

/// An up script as it was read.
pub(super) struct Read {
    pub script: lint::Script,
    step: Step,
}

impl Read {
    /// Reads the up script of a revision after what is `known`.
    pub fn of(
        project: &Project,
        history: &History,
        revision: &Revision,
        known: &mut Known,
    ) -> Result<Self, Error> {
        let dialect = known.dialect();
        let nothing = Observed::default();
        let step = plan::up_step(&project.plan_context(history, &nothing, dialect), revision)?;
        let headers = &revision.up.headers;
        let headers = Headers {
            transaction_off: headers.transaction == TransactionMode::Off,
            phase: headers.phase,
            lock_timeout: headers.lock_timeout,
            foreign_keys: headers.foreign_keys,
        };
        let mut script = text::statements(dialect, step.text(), &step.statements, headers, known);
        if let Execution::Units(units) = &step.execution {
            for unit in units {
                let is_batch = matches!(unit.kind, UnitKind::Batch(_));
                for statement in &mut script.statements[unit.statements.clone()] {
                    statement.is_batched = is_batch;
                }
            }
        }
        Ok(Self { script, step })
    }

    /// The statements with their places in the file.
    pub fn into_statements(self) -> Vec<lint::Statement> {
        let mut statements = self.script.statements;
        for (statement, planned) in statements.iter_mut().zip(&self.step.statements) {
            statement.span = self.step.span(planned);
        }
        statements
    }

    /// Takes out the findings that the script suppresses, and gives the others their places in the file.
    pub fn suppress(&self, settings: &Settings, findings: Vec<Finding>) -> Suppressed {
        let mut suppressed = lint::suppress(self.step.text(), &self.script, settings, findings);
        for finding in &mut suppressed.findings {
            if let Some(statement) = self.step.statements.get(finding.statement) {
                finding.span = self.step.span(statement);
                (finding.line, finding.column) = (statement.line, statement.column);
            }
        }
        for problem in &mut suppressed.problems {
            problem.offset = self.step.origin(problem.offset).start;
        }
        suppressed
    }
}
