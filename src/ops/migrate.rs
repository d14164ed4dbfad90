//! Code shared by `upgrade` and `downgrade`.

#[cfg(feature = "cli")]
use std::sync::OnceLock;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Error, Project, Session, edited,
    line::{applied_heads, position, position_if_known},
    slow::SlowStatements,
};
use crate::{
    database::Detail,
    execute::{
        self, Aborted, Done, EventKind, Finish, Known, MigrateOptions, Migrated, PartialFailure,
        Sink, SlowStatement,
    },
    layout::Surroundings,
    plan::{self, Accepted, Plan, PlanContext, Warning},
    revision::{Direction, History, Observed, RevisionId, Subject, Target, TransactionScope},
    sql::Dialect,
};

/// Arguments of `upgrade` and `downgrade`.
#[derive(Clone, Debug)]
pub struct MigrateArgs {
    /// The target.
    pub target: Target,
    /// Overrides [`Project::transaction`].
    pub transaction: Option<TransactionScope>,
    /// Whether a database without a version table may contain tables; [`Project::accepted`] may
    /// allow this as well.
    pub allow_nonempty: bool,
    /// Whether revisions of the contract phase, and those that need them, stay pending.
    pub expand_only: bool,
    /// The backup to create before the first step, if any.
    #[cfg(feature = "cli")]
    pub backup: Option<super::BackupArgs>,
}

impl MigrateArgs {
    /// Arguments for `target`, with the project's settings.
    pub fn to(target: Target) -> Self {
        Self {
            target,
            transaction: None,
            allow_nonempty: false,
            expand_only: false,
            #[cfg(feature = "cli")]
            backup: None,
        }
    }

    /// What is accepted in a database without records.
    pub(super) fn accepted(&self, project: &Project) -> Accepted {
        Accepted {
            tables: self.allow_nonempty || project.accepted.tables,
            ..project.accepted
        }
    }
}

/// A plan of `upgrade` or `downgrade`.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanReport {
    /// The database.
    pub database: String,
    /// The schema of the version table, if the database has schemas.
    pub schema: Option<String>,
    /// The current position of the database.
    pub from: String,
    /// The plan.
    pub plan: Plan,
}

/// The result of `upgrade` or `downgrade`, successful or not.
#[derive(Debug)]
pub struct RunReport {
    /// The database.
    pub database: String,
    /// The schema of the version table, if the database has schemas.
    pub schema: Option<String>,
    /// The direction.
    pub direction: Direction,
    /// The position before the run.
    pub from: String,
    /// The position after the run.
    pub to: String,
    /// The applied revisions that no applied revision revises; `None` if the database did not
    /// answer.
    pub current: Option<Vec<RevisionId>>,
    /// The steps that were applied or reverted, in order.
    pub done: Vec<Done>,
    /// The steps that were planned and not run.
    pub not_run: Vec<Subject>,
    /// Whether a request to stop ended the run.
    pub interrupted: bool,
    /// The `transaction = off` revision that is partially applied.
    pub partial: Option<RevisionId>,
    /// The slow statements, in the order of their ends.
    pub slow: Vec<SlowStatement>,
    /// The backup created before the first step.
    pub backup: Option<String>,
    /// Older backups that were removed after that.
    pub backups_removed: Vec<String>,
    /// The duration of the run, including the wait for the lock.
    pub elapsed: Duration,
    /// The notes of the plan.
    pub warnings: Vec<Warning>,
    /// The step that failed and ended the run.
    pub failure: Option<Box<PartialFailure>>,
}

/// Creates a plan without locking or changing anything.
pub(super) async fn plan_only(
    project: &Project,
    session: &mut Session,
    direction: Direction,
    args: &MigrateArgs,
) -> Result<PlanReport, Error> {
    let dialect = session.dialect();
    project.history(dialect)?;
    let observed = session.observe_or_empty(Detail::WithScripts).await?;
    let mut beside = None;
    if direction == Direction::Up {
        beside = session.survey(&observed).await?;
        project.admit(&observed, beside.as_ref(), args.accepted(project), dialect)?;
    }
    let migration = Migration::new(project, session, direction, args);
    let plan = match migration.plan(&observed, beside.as_ref(), session.events()) {
        Ok(plan) => plan,
        Err(error) => return Err(session.explained(error, &*migration.history()?).await),
    };
    Ok(PlanReport {
        database: session.place().to_owned(),
        schema: session.home_schema(),
        from: position(&*migration.history()?, &observed),
        plan,
    })
}

/// Runs `upgrade` or `downgrade`.
pub(super) async fn run(
    project: &Project,
    session: &mut Session,
    direction: Direction,
    args: &MigrateArgs,
) -> Result<RunReport, Error> {
    let begin = Instant::now();
    let known = match direction {
        Direction::Up => read_while_connecting(project, session)
            .await?
            .map(Known::State),
        Direction::Down => {
            let history = project.history(session.dialect())?;
            session.allow_missing(history.is_empty());
            None
        }
    };
    let migration = Migration::new(project, session, direction, args);
    migration.watched(session, known, begin).await
}

/// Runs `upgrade` with the plan for a state that was seen while the session held the lock. The report does
/// not tell the position before it, and that after it only with `tells_state` or if the plan was outdated.
#[cfg(feature = "cli")]
pub(super) async fn upgrade_planned(
    project: &Project,
    session: &mut Session,
    args: &MigrateArgs,
    plan: Plan,
    tells_state: bool,
) -> Result<RunReport, Error> {
    let begin = Instant::now();
    let migration = Migration {
        tells_state,
        ..Migration::new(project, session, Direction::Up, args)
    };
    let known = Some(Known::Plan(plan));
    migration.watched(session, known, begin).await
}

/// Reads the scripts on another thread while this one connects and reads the state. With 1,000
/// revisions and nothing to do, reading one after the other takes a third longer. Problems of the
/// directory are reported first and drop the connection.
///
/// Returns the state, with the lock held, unless another session holds the lock.
async fn read_while_connecting(
    project: &Project,
    session: &mut Session,
) -> Result<Option<Observed>, Error> {
    let dialect = session.dialect();
    // A database that does not exist yet needs all revisions.
    let downs = session.is_missing();
    let Some(reader) = project.reader(dialect, downs) else {
        return Ok(None);
    };
    let reading = tokio::task::spawn_blocking(reader);
    let (read, looked) = tokio::join!(reading, session.look_early());
    let read = read.map_err(|error| Error::System {
        doing: "reading the directory failed",
        error: error.into(),
    })?;
    match read {
        Ok(scripts) => project.keep(dialect, downs, scripts),
        Err(problems) => {
            session.abandon().await;
            return Err(problems);
        }
    };
    Ok(looked?)
}

pub(super) struct Migration<'a> {
    project: &'a Project,
    direction: Direction,
    args: &'a MigrateArgs,
    dialect: Dialect,
    /// Whether the state after all steps is read for the report.
    tells_state: bool,
}

impl<'a> Migration<'a> {
    pub(super) fn new(
        project: &'a Project,
        session: &Session,
        direction: Direction,
        args: &'a MigrateArgs,
    ) -> Self {
        Self::of(project, session.dialect(), direction, args)
    }

    /// The same for a database that no session is for.
    pub(super) fn of(
        project: &'a Project,
        dialect: Dialect,
        direction: Direction,
        args: &'a MigrateArgs,
    ) -> Self {
        Self {
            project,
            direction,
            args,
            dialect,
            tells_state: true,
        }
    }

    /// Runs, with an account of slow statements and the time since `begin`.
    async fn watched(
        &self,
        session: &mut Session,
        known: Option<Known>,
        begin: Instant,
    ) -> Result<RunReport, Error> {
        let slow = SlowStatements::default();
        let before = session.replace_events(slow.watch(session.events()));
        let result = self.run(session, known).await;
        session.replace_events(before);
        let mut report = result?;
        report.slow = slow.take();
        report.elapsed = begin.elapsed();
        Ok(report)
    }

    async fn run(&self, session: &mut Session, known: Option<Known>) -> Result<RunReport, Error> {
        let (lock_wait, run) = session.patience();
        let options = MigrateOptions {
            detail: match self.direction {
                Direction::Up => Detail::Brief,
                Direction::Down => Detail::WithScripts,
            },
            lock_wait,
            run,
            replan_midway: true,
            survey: self.direction == Direction::Up,
            tells_state: self.tells_state,
            alone: false,
        };
        let (stop, events) = (session.stop_signal().clone(), session.events().clone());
        let mut from = None;
        let mut warnings = match &known {
            Some(Known::Plan(plan)) => plan.warnings.clone(),
            _ => Vec::new(),
        };
        let plan = |observed: &Observed, beside: Option<&Surroundings>| -> Result<Plan, Error> {
            let accepted = self.args.accepted(self.project);
            self.project
                .admit(observed, beside, accepted, self.dialect)?;
            let plan = self.plan(observed, beside, &events)?;
            let history = self.project.ups(self.dialect)?;
            from.get_or_insert_with(|| position(&history, observed));
            warnings.clone_from(&plan.warnings);
            Ok(plan)
        };
        #[cfg(feature = "cli")]
        let (subject, backup) = (session.subject(), OnceLock::new());
        #[cfg(feature = "cli")]
        let before = |_: &Plan| {
            let wanted = self.args.backup.as_ref();
            super::backup::before_run(&subject, wanted, &events, &backup)
        };
        #[cfg(not(feature = "cli"))]
        let before = |_: &Plan| std::future::ready(Ok(()));
        let mut database = session.exclusive().await?;
        let parts = (plan, before);
        let mut migrated =
            execute::migrate(database.as_mut(), options, known, parts, &stop, &events).await;
        if let (Err(aborted), Ok(history)) = (&mut migrated, self.history()) {
            edited::explain(&mut aborted.error, database.as_mut(), &history).await;
        }
        session.release(database).await;
        let migrated = migrated.map_err(partway)?;
        let report = RunReport {
            schema: session.home_schema(),
            warnings,
            ..self.report(session.place(), from, migrated)?
        };
        #[cfg(feature = "cli")]
        let report = RunReport {
            backup: backup
                .get()
                .map(|made: &crate::backup::Made| self.project.show(&made.backup.file)),
            backups_removed: backup.get().map_or_else(Vec::new, |made| {
                let removed = made.pruned.removed.iter();
                removed.map(|file| self.project.show(file)).collect()
            }),
            ..report
        };
        Ok(report)
    }

    fn report(
        &self,
        place: &str,
        from: Option<String>,
        migrated: Migrated,
    ) -> Result<RunReport, Error> {
        let Migrated {
            done,
            not_run,
            finish,
            now,
        } = migrated;
        let (interrupted, partial, failure) = match finish {
            Finish::Complete => (false, None, None),
            Finish::Stopped { partial } => (true, partial, None),
            Finish::Failed(failure) => (false, None, Some(Box::new(failure))),
            Finish::Outdated(error) => {
                return Err(partway(Aborted {
                    done,
                    error: error.into(),
                }));
            }
        };
        let history = self.project.ups(self.dialect)?;
        Ok(RunReport {
            database: place.to_owned(),
            schema: None,
            direction: self.direction,
            from: from.unwrap_or_default(),
            to: position_if_known(&history, now.as_ref()),
            current: now.as_ref().map(applied_heads),
            done,
            not_run,
            interrupted,
            partial,
            slow: Vec::new(),
            backup: None,
            backups_removed: Vec::new(),
            elapsed: Duration::ZERO,
            warnings: Vec::new(),
            failure,
        })
    }

    fn history(&self) -> Result<Arc<History>, Error> {
        self.project.ups(self.dialect)
    }

    /// Creates a plan. Down scripts are read only if there are steps.
    /// `beside` is what is in the database beside a version table that is new.
    pub(super) fn plan(
        &self,
        observed: &Observed,
        beside: Option<&Surroundings>,
        events: &Sink,
    ) -> Result<Plan, Error> {
        // Records contain both directions, and problems of the directory are reported first.
        if observed.applied.is_empty() {
            self.project.history(self.dialect)?;
        }
        let is_complete = self.project.has_downs(self.dialect);
        let mut plan = self.plan_of(observed);
        let nothing_to_do = |plan: &Plan| plan.steps.is_empty() && plan.exchanges.is_empty();
        if !is_complete && !plan.as_ref().is_ok_and(nothing_to_do) {
            drop(plan);
            self.project.history(self.dialect)?;
            plan = self.plan_of(observed);
        }
        let mut plan = plan?;
        if self.direction == Direction::Up
            && let Some(below) = self.project.unread(self.dialect)?
        {
            plan.warnings.push(Warning::FilesBelow {
                first: below.first,
                count: below.count,
            });
        }
        if let Some(beside) = beside
            && !beside.publications.is_empty()
            && !plan.steps.is_empty()
        {
            plan.warnings.push(Warning::Replicated {
                publications: beside.publications.clone(),
            });
        }
        events.tell(EventKind::Planned {
            steps: plan.steps.len(),
            warnings: plan.warnings.clone(),
        });
        Ok(plan)
    }

    fn plan_of(&self, observed: &Observed) -> Result<Plan, Error> {
        let history = self.history()?;
        let transaction = self.args.transaction;
        let context = (self.project).run_context(&history, observed, self.dialect, transaction);
        let context = PlanContext {
            expand_only: self.args.expand_only,
            ..context
        };
        let plan = match self.direction {
            Direction::Up => plan::upgrade(&context, &self.args.target),
            Direction::Down => plan::downgrade(&context, &self.args.target),
        };
        Ok(plan?)
    }
}

/// The error after some steps were committed must not claim that nothing was changed.
fn partway(aborted: Aborted<Error>) -> Error {
    let Aborted { done, error } = aborted;
    if done.is_empty() {
        return error;
    }
    Error::Partway {
        done,
        error: Box::new(error),
    }
}
