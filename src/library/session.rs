use std::{fmt, sync::Arc};

use crate::{
    ops::{self, Error, MigrateArgs, Project, RunReport, StatusReport},
    plan::Plan,
    revision::{Direction, History, RevisionId},
};

/// Scripts and a database, over one connection of its own.
///
/// # When a future is dropped
///
/// Dropping the future of [`Self::upgrade`] or [`Self::downgrade`] drops the connection it works
/// on, and with it its lock. What was committed stays; what was not is rolled back, so that the
/// database is at a revision boundary, or in the middle of a `transaction = off` script whose row
/// says so. PostgreSQL is asked to cancel the statement that runs; a step that it has received
/// whole may still come to its end, together with its record, and until then the lock is held. The
/// next call connects anew.
///
/// # SQLite and the runtime
///
/// SQLite works on the thread that polls the future. In a runtime of several threads the others
/// take over its tasks meanwhile; in one of a single thread they wait. Such a future can be dropped
/// between two steps only.
pub struct Session {
    project: Project,
    history: Arc<History>,
    session: ops::Session,
}

impl Session {
    pub(super) fn new(project: Project, history: Arc<History>, session: ops::Session) -> Self {
        Self {
            project,
            history,
            session,
        }
    }

    /// The scripts as a history.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The applied revisions that no applied revision revises; none at the base.
    ///
    /// # Errors
    /// [`Error::Database`]
    pub async fn current(&mut self) -> Result<Vec<RevisionId>, Error> {
        let report = ops::current(&self.project, &mut self.session).await?;
        Ok(report.lines.into_iter().map(|line| line.id).collect())
    }

    /// Where the database is, compared with the scripts.
    ///
    /// # Errors
    /// [`Error::Database`]
    pub async fn status(&mut self) -> Result<StatusReport, Error> {
        ops::status(&self.project, &mut self.session).await
    }

    /// What an upgrade or a downgrade would run, as plain data. Nothing is changed or locked.
    ///
    /// # Errors
    /// [`Error::TargetSyntax`], [`Error::Plan`], [`Error::Database`]
    pub async fn plan(&mut self, direction: Direction, target: &str) -> Result<Plan, Error> {
        let args = MigrateArgs::to(target.parse()?);
        let (project, session) = (&self.project, &mut self.session);
        let report = match direction {
            Direction::Up => ops::plan_upgrade(project, session, &args).await,
            Direction::Down => ops::plan_downgrade(project, session, &args).await,
        };
        Ok(report?.plan)
    }

    /// Applies what `target` (`head`, a revision, `+1`, …) needs, with the lock held.
    ///
    /// # Errors
    /// Any [`Error`] but those of [`Migrator::connect`].
    ///
    /// [`Migrator::connect`]: super::Migrator::connect
    pub async fn upgrade(&mut self, target: &str) -> Result<RunReport, Error> {
        let args = MigrateArgs::to(target.parse()?);
        succeeded(ops::upgrade(&self.project, &mut self.session, &args).await?)
    }

    /// Reverts what is applied above `target` (a revision, `base`, `-1`, …), with the lock held.
    ///
    /// # Errors
    /// Any [`Error`] but those of [`Migrator::connect`].
    ///
    /// [`Migrator::connect`]: super::Migrator::connect
    pub async fn downgrade(&mut self, target: &str) -> Result<RunReport, Error> {
        let args = MigrateArgs::to(target.parse()?);
        succeeded(ops::downgrade(&self.project, &mut self.session, &args).await?)
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// [`Error::Database`]; the session is gone all the same.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.session.close().await?)
    }
}

fn succeeded(mut report: RunReport) -> Result<RunReport, Error> {
    match report.failure.take() {
        None => Ok(report),
        Some(failure) => Err(Error::Failed(failure)),
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("database", &self.session.place())
            .field("revisions", &self.history.len())
            .finish_non_exhaustive()
    }
}
