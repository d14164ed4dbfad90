use crate::{
    lint::{self, Act, Finding, Headers, Known, Settings, Suppressed, text},
    ops::{Error, Project},
    plan::{self, Execution, Step, UnitKind},
    revision::{History, Observed, Revision},
    schema::ObjectId,
    sql::Dialect,
};

/// An up script whose statements were read.
pub(in crate::ops) struct Text {
    step: Step,
    headers: Headers,
    acts: Vec<Vec<Act>>,
}

impl Text {
    /// Reads the up script of a revision.
    pub fn of(
        project: &Project,
        history: &History,
        revision: &Revision,
        dialect: Dialect,
    ) -> Result<Self, Error> {
        let nothing = Observed::default();
        let step = plan::up_step(&project.plan_context(history, &nothing, dialect), revision)?;
        Ok(Self::new(step, dialect))
    }

    /// Reads the script of a step.
    pub fn new(step: Step, dialect: Dialect) -> Self {
        Self {
            headers: Headers::from(&*step.script.headers),
            acts: text::acts(dialect, step.text(), &step.statements),
            step,
        }
    }

    /// The tables and views that the script makes after what is `known`.
    pub fn made(&self, known: &mut Known) -> Vec<ObjectId> {
        let made = self
            .acts
            .iter()
            .flat_map(|acts| known.effects(acts).created);
        made.filter(|id| id.kind.has_parts()).collect()
    }

    /// Predicts the effects of the statements after what is `known`.
    pub fn predicted(self, known: &mut Known) -> Read {
        let Self {
            step,
            headers,
            acts,
        } = self;
        let mut script = text::statements(step.text(), &step.statements, acts, headers, known);
        if let Execution::Units(units) = &step.execution {
            for unit in units {
                let is_batch = matches!(unit.kind, UnitKind::Batch(_));
                for statement in &mut script.statements[unit.statements.clone()] {
                    statement.is_batched = is_batch;
                }
            }
        }
        Read { script, step }
    }
}

/// An up script with what is known of its statements.
pub(in crate::ops) struct Read {
    pub script: lint::Script,
    step: Step,
}

impl Read {
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
