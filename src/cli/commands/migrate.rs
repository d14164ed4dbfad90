//! What `upgrade` and `downgrade` share.

use std::time::Instant;

use clap::ValueEnum;

use crate::{
    cli::{
        context::{Context, Role},
        describe,
        error::{Error, Exit},
    },
    database::{Database, DatabaseError, Detail},
    execute::{self, Done, Outcome, Sink, Stop},
    plan::{self, Plan, Situation},
    report::{PlanView, RunView, View},
    revision::{Direction, History, Observed, RevisionId, Target},
};

/// How much one transaction holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// One transaction a revision
    Revision,
    /// One transaction for the whole run
    All,
}

/// What was asked for.
pub struct Request {
    pub direction: Direction,
    pub target: Target,
    pub dry_run: bool,
    pub transaction: Option<Scope>,
}

/// A plan is made anew this often when its state changes under it.
const ATTEMPTS: usize = 5;

pub async fn run(context: &Context, request: Request) -> Result<Exit, Error> {
    let begin = Instant::now();
    let location = context.location()?;
    let history = context.history(location.dialect())?;
    let migration = Migration {
        context,
        place: context.place(&location),
        history,
        request,
    };
    if migration.request.dry_run {
        return migration.dry_run().await;
    }
    let role = match migration.request.direction {
        Direction::Up => Role::Creator("upgrade"),
        Direction::Down => Role::reader("downgrade", &migration.history),
    };
    let mut database = context.connect(&location, role).await?;
    let result = migration.locked(database.as_mut(), begin).await;
    let released = database.unlock().await;
    let closed = database.close().await;
    let exit = result?;
    // The work is committed; an unlock that fails ends with the session anyhow.
    if let Err(error) = released.and(closed) {
        context.warn(error.into());
    }
    Ok(exit)
}

struct Migration<'a> {
    context: &'a Context,
    /// The database, for people.
    place: String,
    history: History,
    request: Request,
}

impl Migration<'_> {
    async fn dry_run(&self) -> Result<Exit, Error> {
        let observed = self.context.observe_or_empty("plan").await?;
        let plan = self.plan(&observed)?;
        let view = PlanView {
            database: self.place.clone(),
            from: describe::standing(&self.history, &observed),
            plan,
        };
        self.context.output.result(&view);
        Ok(Exit::Done)
    }

    async fn locked(&self, database: &mut dyn Database, begin: Instant) -> Result<Exit, Error> {
        let (progress, sink) = self.context.output.progress();
        let stop = Stop::default();
        execute::watch(stop.clone(), database.canceller(), Sink::clone(&sink))
            .map_err(Error::runtime)?;
        let result = self.run(database, &stop, &sink, begin).await;
        if let Some(progress) = progress {
            progress.finish(!matches!(result, Ok((_, None))));
        }
        let (view, error) = result?;
        match error {
            None => {
                self.context.output.result(&view);
                Ok(if view.interrupted {
                    Exit::Interrupted
                } else {
                    Exit::Done
                })
            }
            Some(mut error) => {
                error.result = Some(view.json());
                Err(error)
            }
        }
    }

    /// Locks, plans, runs. An error after steps that are done is no failure that changed nothing.
    async fn run(
        &self,
        database: &mut dyn Database,
        stop: &Stop,
        sink: &Sink,
        begin: Instant,
    ) -> Result<(RunView, Option<Error>), Error> {
        let mut all = Vec::new();
        let result = self.attempts(database, stop, sink, begin, &mut all).await;
        result.map_err(|error| match error.exit {
            Exit::Failed | Exit::Busy if !all.is_empty() => Error {
                exit: Exit::Partway,
                ..error
            },
            _ => error,
        })
    }

    /// Plans again when the state changed under the plan.
    async fn attempts(
        &self,
        database: &mut dyn Database,
        stop: &Stop,
        sink: &Sink,
        begin: Instant,
        all: &mut Vec<Done>,
    ) -> Result<(RunView, Option<Error>), Error> {
        let mut first = None;
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            execute::lock(database, self.context.config.lock_wait, stop, sink).await?;
            let observed = database.observe(self.detail()).await?;
            let plan = self.plan(&observed)?;
            let standing = || describe::standing(&self.history, &observed);
            let from = first.get_or_insert_with(standing).clone();
            let report = Report {
                migration: self,
                from,
                begin,
            };
            let options = execute::Options {
                attempts: self.context.config.lock_attempts,
                ..execute::Options::default()
            };
            let outcome = match execute::run(database, plan, options, stop, sink).await {
                Ok(outcome) => outcome,
                Err(mut failure) => {
                    all.append(&mut failure.done);
                    failure.done = all.clone();
                    let not_run = failure.not_run.clone();
                    let now = standing_now(database).await;
                    let view = report.view(all.clone(), not_run, now.as_ref());
                    return Ok((view, Some(failure.into())));
                }
            };
            match outcome {
                Outcome::Complete(done) => {
                    let ran = !done.is_empty();
                    all.extend(done);
                    let now = if ran {
                        standing_now(database).await
                    } else {
                        Some(observed)
                    };
                    let view = report.view(all.clone(), Vec::new(), now.as_ref());
                    return Ok((view, None));
                }
                Outcome::Stopped {
                    done,
                    not_run,
                    partial,
                } => {
                    all.extend(done);
                    let now = standing_now(database).await;
                    let view = report.view(all.clone(), not_run, now.as_ref());
                    return Ok((
                        RunView {
                            interrupted: true,
                            partial,
                            ..view
                        },
                        None,
                    ));
                }
                Outcome::PlanOutdated { done, reason } => {
                    all.extend(done);
                    // Whoever has taken the lock is getting on, so that this comes to an end.
                    attempts += usize::from(reason != DatabaseError::LockLost);
                }
            }
        }
        Err(Error::from(DatabaseError::StateChanged {
            reason: format!("the plan was outdated {ATTEMPTS} times"),
        }))
    }

    /// Stored scripts are read where they may be needed.
    fn detail(&self) -> Detail {
        match self.request.direction {
            Direction::Up => Detail::Brief,
            Direction::Down => Detail::WithScripts,
        }
    }

    fn plan(&self, observed: &Observed) -> Result<Plan, Error> {
        let situation = Situation {
            one_transaction: match self.request.transaction {
                Some(scope) => scope == Scope::All,
                None => self.context.one_transaction(),
            },
            ..self.context.situation(&self.history, observed)?
        };
        let plan = match self.request.direction {
            Direction::Up => plan::upgrade(&situation, &self.request.target),
            Direction::Down => plan::downgrade(&situation, &self.request.target),
        }?;
        for warning in &plan.warnings {
            self.context.output.warn(&describe::warning(warning));
        }
        Ok(plan)
    }
}

/// The state after a run, for the report. The run is over, so that no answer is no failure; a
/// connection that was lost meanwhile is made anew.
async fn standing_now(database: &mut dyn Database) -> Option<Observed> {
    match database.observe(Detail::Brief).await {
        Err(DatabaseError::ConnectionLost(_)) => database.observe(Detail::Brief).await.ok(),
        observed => observed.ok(),
    }
}

/// What a report needs beside the outcome.
struct Report<'a> {
    migration: &'a Migration<'a>,
    /// What was applied before the first attempt.
    from: String,
    begin: Instant,
}

impl Report<'_> {
    fn view(&self, done: Vec<Done>, not_run: Vec<RevisionId>, now: Option<&Observed>) -> RunView {
        let history = &self.migration.history;
        RunView {
            database: self.migration.place.clone(),
            direction: self.migration.request.direction,
            from: self.from.clone(),
            to: now.map_or_else(
                || "unknown".to_owned(),
                |now| describe::standing(history, now),
            ),
            current: now.map(describe::applied_heads).unwrap_or_default(),
            done,
            not_run,
            interrupted: false,
            partial: None,
            elapsed: self.begin.elapsed(),
        }
    }
}
