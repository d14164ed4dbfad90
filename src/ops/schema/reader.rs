use std::sync::Arc;

use super::{
    SchemaSource, SourceError,
    load::{Sandbox, Sandboxes, sql_files, targets},
};
use crate::{
    database::{Access, DatabaseError, Location},
    ops::{Error, Project, Session},
    revision::{RepeatableId, RevisionId, Target},
    schema::{Name, Schema, Scope},
};

/// Arguments of everything that reads schemas.
#[derive(Clone, Default)]
pub struct SchemaArgs {
    /// The objects that are read.
    pub scope: Scope,
    /// `scratch-url`: the server for scratch databases.
    pub scratch_url: Option<Location>,
    /// Receives progress: what is done, how much of it, and the total, which is 0 if unknown.
    pub progress: Option<Progress>,
}

/// Receives progress.
pub type Progress = Arc<dyn Fn(&str, u64, u64) + Send + Sync>;

impl SchemaArgs {
    pub(in crate::ops) fn tell(&self, what: &str) {
        if let Some(progress) = &self.progress {
            progress(what, 0, 0);
        }
    }
}

/// The progress while a scratch database is created.
pub(in crate::ops) const CREATING: &str = "creating a scratch database";

const READING: &str = "reading the schema";

/// Reads schemas for one operation.
pub(in crate::ops) struct Reader<'a> {
    pub project: &'a Project,
    pub session: &'a mut Session,
    pub args: &'a SchemaArgs,
}

impl Reader<'_> {
    /// Reads the schema of a source.
    ///
    /// # Errors
    /// Fails when the source cannot be read, or its scripts cannot be run in a scratch database.
    pub async fn read(&mut self, source: &SchemaSource) -> Result<Schema, Error> {
        match source {
            SchemaSource::Live => {
                self.args.tell(READING);
                Ok(self.session.inspect(&self.args.scope).await?)
            }
            SchemaSource::Revision(target) => {
                let target = self.resolved(target).await?;
                let project = self.project;
                self.in_sandbox(async |sandbox| sandbox.apply(project, &target).await)
                    .await
            }
            SchemaSource::Files { path, shown } => {
                let project = self.project;
                let texts = sql_files(path, shown)?;
                self.in_sandbox(async |sandbox| sandbox.run_texts(&texts, project).await)
                    .await
            }
            SchemaSource::Database(location) => self.other(location).await,
        }
    }

    /// Reads the schema that the scripts make of an empty database, up to all of `heads` and without
    /// the repeatable scripts `left_out`.
    pub async fn made_by(
        &mut self,
        heads: &[RevisionId],
        left_out: &[RepeatableId],
    ) -> Result<Schema, Error> {
        let dialect = self.session.dialect();
        // Repeatable scripts run when nothing is pending.
        let history = self.project.history(dialect)?.up_to(heads);
        let history = history.without_repeatables(left_out);
        let project = self.project.with_history(dialect, history);
        self.in_sandbox(async |sandbox| sandbox.apply(&project, &[Target::Heads]).await)
            .await
    }

    /// Runs `work` in a scratch database and reads the schema there.
    pub async fn in_sandbox(
        &mut self,
        work: impl AsyncFnOnce(&mut Sandbox) -> Result<(), Error>,
    ) -> Result<Schema, Error> {
        let args = self.args;
        self.within(async |sandbox| {
            work(sandbox).await?;
            args.tell(READING);
            Ok(sandbox.session.inspect(&args.scope).await?)
        })
        .await
    }

    /// Runs `work` in a scratch database. A request to stop ends the work at once.
    pub async fn within<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Sandbox) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.args.tell(CREATING);
        let sandboxes = self.sandboxes().await?;
        sandboxes.within(self.args.progress.clone(), work).await
    }

    /// Creates a scratch database that resembles the configured one. `progress` counts the scripts
    /// that run there.
    #[cfg(feature = "cli")]
    pub async fn sandbox(&mut self, progress: Option<Progress>) -> Result<Sandbox, Error> {
        self.args.tell(CREATING);
        self.sandboxes().await?.create(progress).await
    }

    /// What creates scratch databases that resemble the configured one.
    pub async fn sandboxes(&mut self) -> Result<Sandboxes, Error> {
        Ok(Sandboxes {
            schema: self.home_schema().await?,
            like: self.session.location().clone(),
            url: self.args.scratch_url.clone(),
            settings: self.session.settings().clone(),
            stop: self.session.stop_signal().clone(),
        })
    }

    /// The schema of the version table, which existed before the first revision. It is known once the
    /// session is connected; a database that does not exist yet has only the configured one.
    pub async fn home_schema(&mut self) -> Result<Option<String>, Error> {
        if self.session.location().file().is_some() {
            return Ok(None);
        }
        match self.session.connect().await {
            Ok(()) | Err(DatabaseError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let table: Option<Name> = self.session.shown_table().parse().ok();
        let schema = table.map(|table| table.schema);
        Ok(schema.filter(|schema| !schema.is_empty()))
    }

    /// The target relative to the empty scratch database. `current` and relative targets are
    /// relative to the configured database.
    pub async fn resolved(&mut self, target: &Target) -> Result<Vec<Target>, Error> {
        let history = self.project.history(self.session.dialect())?;
        let rows = match target {
            Target::Current(_) | Target::Relative(_) => {
                let detail = crate::database::Detail::Brief;
                self.session.observe_or_empty(detail).await?.applied
            }
            _ => Vec::new(),
        };
        Ok(match history.resolve(target, &rows)? {
            crate::revision::Resolved::Base => Vec::new(),
            crate::revision::Resolved::Revisions(ids) => targets(ids.iter()),
            _ => vec![target.clone()],
        })
    }

    /// Reads the schema of another database.
    async fn other(&self, location: &Location) -> Result<Schema, Error> {
        if location.dialect() != self.session.dialect() {
            return Err(SourceError::OtherDialect(location.to_string()).into());
        }
        let settings = self.session.settings().clone();
        let mut session = Session::new(location.clone(), settings).access(Access::Existing);
        let found = session.inspect(&self.args.scope).await;
        // The facts are complete, whatever the end of the session says.
        let _ = session.close().await;
        Ok(found?)
    }
}
