use std::{fmt, sync::Arc};

use super::{Error, Plan, Revision, RunReport, Status, report};
use crate::{
    ops::{self, MigrateArgs, Project},
    revision::{Direction, History, RevisionId, Target},
};

/// Scripts and a database, over one dedicated connection.
///
/// # When a future is dropped
///
/// Dropping the future of [`Self::upgrade`] or [`Self::downgrade`] drops its connection, and with
/// it the lock. Committed work is kept and other work is rolled back, so the database is at a
/// revision boundary, or in the middle of a `transaction = off` script whose row says so.
/// PostgreSQL is asked to cancel the running statement; a step that the server has received
/// completely may still finish, together with its record, and the lock is held until then. The next
/// call reconnects.
///
/// # SQLite and the runtime
///
/// SQLite works on the thread that polls the future. A multi-threaded runtime moves other tasks to
/// other threads meanwhile; in a single-threaded one they wait. Such a future can be dropped only
/// between two steps.
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

    /// Returns the revisions of the scripts, by ID.
    pub fn revisions(&self) -> Vec<Revision> {
        report::revisions(&self.history)
    }

    /// Returns the applied revisions that no applied revision revises; empty at the base.
    ///
    /// # Errors
    /// [`Error::Database`]
    pub async fn current(&mut self) -> Result<Vec<RevisionId>, Error> {
        let report = ops::current(&self.project, &mut self.session).await;
        let report = report.map_err(Error::of)?;
        Ok(report.lines.into_iter().map(|line| line.id).collect())
    }

    /// Returns the state of the database compared with the scripts.
    ///
    /// # Errors
    /// [`Error::Database`]
    pub async fn status(&mut self) -> Result<Status, Error> {
        let report = ops::status(&self.project, &mut self.session).await;
        report.map(Status::of).map_err(Error::of)
    }

    /// Returns the plan of an upgrade or a downgrade as plain data. Nothing is changed or locked.
    ///
    /// # Errors
    /// [`Error::Target`], [`Error::Plan`], [`Error::Database`]
    pub async fn plan(&mut self, direction: Direction, target: &str) -> Result<Plan, Error> {
        let args = MigrateArgs::to(parsed(target)?);
        let (project, session) = (&self.project, &mut self.session);
        let report = match direction {
            Direction::Up => ops::plan_upgrade(project, session, &args).await,
            Direction::Down => ops::plan_downgrade(project, session, &args).await,
        };
        match report {
            Ok(report) => Ok(Plan::of(report.plan)),
            Err(error) => Err(Error::of(error)),
        }
    }

    /// Applies the revisions that `target` (`head`, a revision, `+1`, …) needs, with the lock held.
    ///
    /// # Errors
    /// Any [`Error`] except those of [`Migrator::connect`].
    ///
    /// [`Migrator::connect`]: super::Migrator::connect
    pub async fn upgrade(&mut self, target: &str) -> Result<RunReport, Error> {
        let args = MigrateArgs::to(parsed(target)?);
        succeeded(ops::upgrade(&self.project, &mut self.session, &args).await)
    }

    /// Reverts the revisions applied above `target` (a revision, `base`, `-1`, …), with the lock
    /// held.
    ///
    /// # Errors
    /// Any [`Error`] except those of [`Migrator::connect`].
    ///
    /// [`Migrator::connect`]: super::Migrator::connect
    pub async fn downgrade(&mut self, target: &str) -> Result<RunReport, Error> {
        let args = MigrateArgs::to(parsed(target)?);
        succeeded(ops::downgrade(&self.project, &mut self.session, &args).await)
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// [`Error::Database`]; the session is closed in any case.
    pub async fn close(self) -> Result<(), Error> {
        let closed = self.session.close().await;
        closed.map_err(Error::of)
    }
}

fn parsed(target: &str) -> Result<Target, Error> {
    target.parse().map_err(Error::of)
}

fn succeeded(result: Result<ops::RunReport, ops::Error>) -> Result<RunReport, Error> {
    let mut report = result.map_err(Error::of)?;
    match report.failure.take() {
        None => Ok(RunReport::of(report)),
        Some(failure) => Err(Error::of(ops::Error::Failed(failure))),
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
