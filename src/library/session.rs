use std::fmt;

use super::{Error, Migrator};
use crate::{
    database::{self, Access, Database, Detail, Location},
    execute::{self, Aborted, Done, Finish, Manner, Migrated},
    plan::{self, Drift, Plan, RepeatableStatus, Situation, Warning},
    revision::{self, Direction, History, Observed, RevisionId, Subject, Target},
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
    planner: Planner,
    /// Taken out while it is used, so that a dropped future takes it along.
    database: Option<Box<dyn Database>>,
}

/// All of a session but its connection.
struct Planner {
    migrator: Migrator,
    location: Location,
    history: History,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was applied or reverted, in order.
    pub done: Vec<Done>,
    /// What was left when [`crate::execute::Stop`] ended the run; else nothing.
    pub not_run: Vec<Subject>,
    /// Whether it ended that way.
    pub stopped: bool,
    /// The `transaction = off` revision that it ended in the middle of.
    pub partial: Option<RevisionId>,
    /// What is applied now and nothing applied revises; `None` when the database did not answer
    /// any more.
    pub current: Option<Vec<RevisionId>>,
    /// What people should know.
    pub warnings: Vec<Warning>,
}

/// Where the database stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What is applied and nothing applied revises.
    pub current: Vec<RevisionId>,
    /// The heads of the scripts.
    pub heads: Vec<RevisionId>,
    /// Revisions that are not applied, in order.
    pub pending: Vec<RevisionId>,
    /// Where each repeatable script stands.
    pub repeatables: Vec<RepeatableStatus>,
    /// Where scripts and database disagree.
    pub drift: Drift,
}

impl Session {
    pub(super) async fn open(
        migrator: Migrator,
        location: Location,
        history: History,
    ) -> Result<Self, Error> {
        let planner = Planner {
            migrator,
            location,
            history,
        };
        let mut session = Self {
            planner,
            database: None,
        };
        session.database = Some(session.take().await?);
        Ok(session)
    }

    /// The scripts as a history.
    pub fn history(&self) -> &History {
        &self.planner.history
    }

    /// What is applied and nothing applied revises; nothing at the base.
    ///
    /// # Errors
    /// [`Error::Database`]
    pub async fn current(&mut self) -> Result<Vec<RevisionId>, Error> {
        let observed = self.observe(Detail::Brief).await?;
        Ok(current(&observed))
    }

    /// Where the database stands, compared with the scripts.
    ///
    /// # Errors
    /// [`Error::Database`]
    pub async fn status(&mut self) -> Result<Status, Error> {
        let observed = self.observe(Detail::Brief).await?;
        let dialect = self.planner.location.dialect();
        let observed = plan::seen(&self.planner.history, observed, dialect);
        let heads = self.planner.history.heads().into_iter();
        let pending = plan::pending(&self.planner.history, &observed).into_iter();
        Ok(Status {
            current: current(&observed),
            heads: heads.map(|head| head.id.clone()).collect(),
            pending: pending.map(|revision| revision.id.clone()).collect(),
            repeatables: plan::repeatables(&self.planner.history, &observed, dialect),
            drift: plan::compare(&self.planner.history, &observed, dialect),
        })
    }

    /// What an upgrade or a downgrade would run, as plain data. Nothing is changed or locked.
    ///
    /// # Errors
    /// [`Error::Target`], [`Error::Plan`], [`Error::Database`]
    pub async fn plan(&mut self, direction: Direction, target: &str) -> Result<Plan, Error> {
        let target = target.parse()?;
        let observed = self.observe(Detail::WithScripts).await?;
        self.planner.plan(direction, &target, &observed)
    }

    /// Applies what `target` (`head`, a revision, `+1`, …) needs, with the lock held.
    ///
    /// # Errors
    /// Any [`Error`] but those of [`Migrator::connect`].
    pub async fn upgrade(&mut self, target: &str) -> Result<Report, Error> {
        self.migrate(Direction::Up, target).await
    }

    /// Reverts what is applied above `target` (a revision, `base`, `-1`, …), with the lock held.
    ///
    /// # Errors
    /// Any [`Error`] but those of [`Migrator::connect`].
    pub async fn downgrade(&mut self, target: &str) -> Result<Report, Error> {
        self.migrate(Direction::Down, target).await
    }

    /// Leaves in good order.
    ///
    /// # Errors
    /// [`Error::Database`], after which the session is as gone as without.
    pub async fn close(mut self) -> Result<(), Error> {
        match self.database.take() {
            Some(database) => Ok(database.close().await?),
            None => Ok(()),
        }
    }

    async fn migrate(&mut self, direction: Direction, target: &str) -> Result<Report, Error> {
        let target: Target = target.parse()?;
        let mut database = self.take().await?;
        let manner = Manner {
            direction,
            lock_wait: self.planner.migrator.lock_wait,
            options: self.planner.migrator.options,
        };
        let planner = &self.planner;
        let mut warnings = Vec::new();
        let plan = |observed: &Observed| {
            let plan = planner.plan(direction, &target, observed)?;
            warnings.clone_from(&plan.warnings);
            Ok(plan)
        };
        let Migrator { stop, sink, .. } = &planner.migrator;
        let result = execute::migrate(database.as_mut(), manner, plan, stop, sink).await;
        // What is done is done; a lock that can't be given back ends with its session.
        if database.unlock().await.is_ok() {
            self.database = Some(database);
        }
        report(result, warnings)
    }

    async fn observe(&mut self, detail: Detail) -> Result<Observed, Error> {
        let mut database = self.take().await?;
        let observed = database.observe(detail).await;
        self.database = Some(database);
        Ok(observed?)
    }

    /// The connection; another one when a dropped future has taken it along.
    async fn take(&mut self) -> Result<Box<dyn Database>, Error> {
        match self.database.take() {
            Some(database) => Ok(database),
            None => {
                let settings = self.planner.migrator.settings.clone();
                Ok(database::connect(&self.planner.location, Access::Create, settings).await?)
            }
        }
    }
}

impl Planner {
    fn plan(
        &self,
        direction: Direction,
        target: &Target,
        observed: &Observed,
    ) -> Result<Plan, Error> {
        let situation = Situation {
            history: &self.history,
            observed,
            dialect: self.location.dialect(),
            vars: &self.migrator.vars,
            out_of_order: self.migrator.out_of_order,
            ahead: self.migrator.ahead,
            one_transaction: self.migrator.one_transaction,
        };
        Ok(match direction {
            Direction::Up => plan::upgrade(&situation, target),
            Direction::Down => plan::downgrade(&situation, target),
        }?)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("database", &self.planner.location.to_string())
            .field("revisions", &self.planner.history.len())
            .finish_non_exhaustive()
    }
}

fn current(observed: &Observed) -> Vec<RevisionId> {
    let heads = revision::applied_heads(&observed.applied);
    heads.into_iter().map(|row| row.revision.clone()).collect()
}

fn report(
    result: Result<Migrated, Aborted<Error>>,
    warnings: Vec<Warning>,
) -> Result<Report, Error> {
    let Migrated {
        done,
        not_run,
        finish,
        now,
    } = match result {
        Ok(migrated) => migrated,
        Err(Aborted { done, error }) if done.is_empty() => return Err(error),
        Err(Aborted { done, error }) => {
            let error = Box::new(error);
            return Err(Error::Partway { done, error });
        }
    };
    let (stopped, partial) = match finish {
        Finish::Complete => (false, None),
        Finish::Stopped { partial } => (true, partial),
        Finish::Failed(failure) => return Err(Error::Failed(Box::new(failure))),
    };
    Ok(Report {
        done,
        not_run,
        stopped,
        partial,
        current: now.as_ref().map(current),
        warnings,
    })
}
