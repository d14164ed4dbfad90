use std::{collections::HashSet, sync::Arc};

use crate::{
    database::Trace,
    execute::PartialFailure,
    lint::{Level, Script},
    ops::{
        Error,
        schema::Reader,
        verify::{attempt::is_lacking, lab::Lab},
    },
    revision::{Revision, RevisionId},
    schema::Schema,
};

/// A scratch database in which revisions are applied while their statements are observed.
pub(super) struct Measuring {
    lab: Lab,
    /// The schema, unless something ran since it was read.
    schema: Option<Arc<Schema>>,
    /// The revisions that could not be applied.
    blocked: HashSet<RevisionId>,
}

impl Measuring {
    /// Creates the database, which is empty.
    pub async fn open(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            lab: Lab::open(reader, false).await?,
            schema: None,
            blocked: HashSet::new(),
        })
    }

    /// The present schema, if it is known.
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_deref()
    }

    /// Drops the database.
    pub async fn leave(self) -> Result<(), Error> {
        self.lab.leave().await
    }

    /// Applies a revision that is not looked at.
    pub async fn advance(&mut self, revision: &Revision) -> Result<(), Error> {
        self.schema = None;
        if self.refusal(revision).await?.is_some() {
            return Ok(());
        }
        self.lab.advance(&revision.id).await
    }

    /// Applies a revision, and replaces the predicted effects of its statements by what they did. If
    /// the revision `begins` a run, all relations are older than it. Returns why it was not applied.
    pub async fn measure(
        &mut self,
        revision: &Revision,
        script: &mut Script,
        begins: bool,
    ) -> Result<Option<String>, Error> {
        if let Some(reason) = self.refusal(revision).await? {
            return Ok(Some(reason));
        }
        let before = match self.schema.take() {
            Some(schema) => schema,
            None => self.lab.schema().await?,
        };
        if begins {
            self.lab.session().begin_tracing().await?;
        }
        script.server = self.lab.session().server_major();
        let failure = self.lab.up(&revision.id).await?;
        if let Some(traces) = self.lab.session().take_traces() {
            observe(script, traces);
        }
        let reason = match failure {
            None => {
                self.lab.applied(&revision.id);
                let after = self.lab.schema().await?;
                script.after = Some(Arc::clone(&after));
                self.schema = Some(after);
                None
            }
            Some(failure) if is_lacking(&failure) => {
                self.lab.stamp(&revision.id).await?;
                Some(failure.failure.error.to_string())
            }
            Some(failure) => {
                self.blocked.insert(revision.id.clone());
                fail(script, &failure);
                None
            }
        };
        script.before = Some(before);
        Ok(reason)
    }

    /// Notes that a revision cannot be applied.
    pub fn block(&mut self, revision: &Revision) {
        self.blocked.insert(revision.id.clone());
    }

    /// Why a revision cannot be applied.
    async fn refusal(&mut self, revision: &Revision) -> Result<Option<String>, Error> {
        let mut needed = revision.parents.iter().chain(&revision.depends_on);
        if let Some(needed) = needed.find(|id| self.blocked.contains(*id)) {
            let reason = format!("it needs {needed}, which could not be applied");
            self.blocked.insert(revision.id.clone());
            return Ok(Some(reason));
        }
        if let Some(outside) = self.lab.refuses_up(revision) {
            self.lab.stamp(&revision.id).await?;
            let does = outside.does;
            return Ok(Some(format!(
                "{does} would change more than a scratch database"
            )));
        }
        Ok(None)
    }
}

/// Replaces predictions by what was observed.
fn observe(script: &mut Script, traces: Vec<Trace>) {
    let mut traces = traces.into_iter().peekable();
    for statement in &mut script.statements {
        let is_it = |trace: &Trace| trace.offset == statement.span.start;
        // A statement that is repeated is observed each time.
        let Some(mut trace) = traces.next_if(is_it) else {
            continue;
        };
        while let Some(again) = traces.next_if(is_it) {
            trace.effects.works.extend(again.effects.works);
        }
        statement.measured(trace.effects, trace.in_transaction);
        debug_assert_eq!(statement.effects.level, Level::Measured);
    }
}

/// Notes the error of the statement that failed.
fn fail(script: &mut Script, failure: &PartialFailure) {
    let failure = &failure.failure;
    let failed = failure
        .statement
        .and_then(|at| failure.step.statements.get(at));
    let Some(failed) = failed else { return };
    let mut statements = script.statements.iter_mut();
    if let Some(statement) = statements.find(|it| it.span.start == failed.span.start) {
        statement.error = Some(failure.error.to_string());
    }
}
