use std::{sync::Arc, time::Instant};

use super::migrate::Scope;
use crate::{
    cli::{
        args::Vars,
        codes,
        context::{Context, Role},
        describe,
        error::{Error, Exit},
        log_file,
        output::SlowList,
    },
    database::{Database, DatabaseError, Detail, Location, StepStage},
    execute::{self, Done, Event, Outcome, PartialFailure, Sink, Stop},
    plan::{self, Plan, Situation},
    report::{RedoPlanView, RedoView, View},
    revision::{Direction, History, Observed, RevisionId, Subject, Target},
};
use anyhow::Context as _;

/// Revert the last revision and apply it again
///
/// With a TARGET everything above it. Both ways are checked before the first
/// statement runs. Nothing is reverted that can't be applied again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Down to where: base, a revision that is applied, -N for the N latest applied
    #[arg(default_value = "-1", allow_negative_numbers = true)]
    target: String,

    /// Show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// One transaction each way and revision, or one for the whole run
    #[arg(long, value_name = "SCOPE")]
    transaction: Option<Scope>,

    #[command(flatten)]
    log: log_file::LogArgs,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let target: Target = args.target.parse()?;
    let location = context.location()?;
    if !args.dry_run {
        context.confirm("redo")?;
    }
    let history = context.history(location.dialect())?;
    let redo = Redo {
        context,
        place: context.place(&location),
        history,
        target,
        one_transaction: match args.transaction {
            Some(scope) => scope == Scope::All,
            None => context.one_transaction(),
        },
        slow: SlowList::default(),
        begin: Instant::now(),
    };
    if args.dry_run {
        let observed = context.observe_or_empty("plan").await?;
        context.output.result(&RedoPlanView {
            database: redo.place.clone(),
            from: describe::standing(&redo.history, &observed),
            plan: redo.plan(&observed)?,
        });
        return Ok(Exit::Done);
    }
    context.open_log(args.log.log_file.as_deref(), "redo", &redo.place)?;
    let result = redo.run(&location).await;
    context.end_log(&result);
    result
}

struct Redo<'a> {
    context: &'a Context,
    /// The database, for people.
    place: String,
    history: History,
    target: Target,
    one_transaction: bool,
    slow: SlowList,
    begin: Instant,
}

impl Redo<'_> {
    fn plan(&self, observed: &Observed) -> Result<Plan, Error> {
        let situation = Situation {
            one_transaction: self.one_transaction,
            ..self.context.situation(&self.history, observed)?
        };
        let plan = plan::redo(&situation, &self.target)?;
        self.context.warn_of(&plan);
        Ok(plan)
    }

    async fn run(&self, location: &Location) -> Result<Exit, Error> {
        let mut database = self.context.connect(location, Role::Reader("redo")).await?;
        let result = self.locked(database.as_mut()).await;
        let released = execute::release(database).await;
        let exit = result?;
        // The work is committed; an unlock that fails ends with the session anyhow.
        if let Err(error) = released {
            self.context.warn(error.into());
        }
        Ok(exit)
    }

    async fn locked(&self, database: &mut dyn Database) -> Result<Exit, Error> {
        let (progress, sink) = self.context.output.progress();
        let sink = self.context.logged(self.slow.keep(sink));
        let stop = Stop::default();
        execute::watch(stop.clone(), database.canceller(), Sink::clone(&sink))
            .context("can't start")?;
        let result = self.attempts(database, &stop, &sink).await;
        if let Some(progress) = progress {
            progress.finish(result.is_err());
        }
        let view = result?;
        self.context.output.result(&view);
        Ok(if view.interrupted {
            Exit::Interrupted
        } else {
            Exit::Done
        })
    }

    /// Plans again as long as the state changes under the plan before anything is done.
    async fn attempts(
        &self,
        database: &mut dyn Database,
        stop: &Stop,
        sink: &Sink,
    ) -> Result<RedoView, Error> {
        let mut attempts = 0;
        while attempts < execute::ATTEMPTS {
            execute::lock(database, self.context.config.lock_wait, stop, sink).await?;
            let observed = database.observe(Detail::WithScripts).await?;
            let plan = self.plan(&observed)?;
            execute::exchange(database, &plan.exchanges).await?;
            let downs = plan.downs();
            let options = self.context.options();
            let sink = titled(sink, downs);
            let outcome = execute::run(database, plan, options, stop, &sink).await;
            let (done, interrupted, partial) = match outcome {
                Ok(Outcome::Complete(done)) => (done, false, None),
                Ok(Outcome::Stopped { done, partial, .. }) => (done, true, partial),
                Ok(Outcome::PlanOutdated { done, reason }) if done.is_empty() => {
                    // Whoever has taken the lock is getting on, so that this comes to an end.
                    attempts += usize::from(reason != DatabaseError::LockLost);
                    continue;
                }
                Ok(Outcome::PlanOutdated { done, reason }) => {
                    let view = self.view(database, &done, downs).await;
                    return Err(partway(reason.into(), &view));
                }
                Err(failure) => {
                    let view = self.view(database, &failure.done, downs).await;
                    return Err(failed(failure, &view));
                }
            };
            let view = self.view(database, &done, downs).await;
            return Ok(RedoView {
                interrupted,
                partial,
                ..view
            });
        }
        Err(Error::from(DatabaseError::StateChanged {
            reason: format!("the plan was outdated {} times", execute::ATTEMPTS),
        }))
    }

    async fn view(&self, database: &mut dyn Database, done: &[Done], downs: usize) -> RedoView {
        let now = execute::standing(database).await;
        let (reverted, applied) = done.split_at(downs.min(done.len()));
        let reverted = reverted.iter();
        let reverted: Vec<RevisionId> = reverted
            .filter_map(|done| done.subject.revision().cloned())
            .collect();
        let applied: Vec<Subject> = applied.iter().map(|done| done.subject.clone()).collect();
        let comes_back = |id: &RevisionId| applied.iter().any(|subject| *subject == *id);
        let missing: Vec<_> = reverted
            .iter()
            .filter(|id| !comes_back(id))
            .cloned()
            .collect();
        RedoView {
            database: self.place.clone(),
            to: now.as_ref().map_or_else(
                || "unknown".to_owned(),
                |now| describe::standing(&self.history, now),
            ),
            current: now
                .as_ref()
                .map(describe::applied_heads)
                .unwrap_or_default(),
            missing,
            reverted,
            applied,
            interrupted: false,
            partial: None,
            slow: self.slow.take(),
            elapsed: self.begin.elapsed(),
        }
    }
}

/// Says of each step which way it goes: every revision has two.
fn titled(sink: &Sink, downs: usize) -> Sink {
    let sink = Arc::clone(sink);
    Arc::new(move |mut event| {
        if let Event::StepStarted { index, message, .. } = &mut event {
            let way = if *index < downs { "revert" } else { "apply" };
            message.insert_str(0, &format!("{way}: "));
        }
        sink(event);
    })
}

/// The same command again would revert other revisions, once some are.
fn failed(mut failure: PartialFailure, view: &RedoView) -> Error {
    // Each revision stands in it twice; what matters is what is not applied again.
    failure.not_run.clear();
    let inside = failure.failure.units.is_some_and(|(done, _)| {
        done > 0
            || matches!(
                failure.failure.stage,
                StepStage::Statement(_) | StepStage::Verify
            )
    });
    let way = failure.failure.step.direction();
    let error = Error::from(failure);
    match (way, view.reverted.is_empty()) {
        (Direction::Down, true) => Error {
            result: Some(view.json()),
            ..error
        },
        (Direction::Down, false) if inside => partway(error, view).hint(
            "mend the cause and finish it with `migrator downgrade -1`; `migrator upgrade` then \
             applies all of them",
        ),
        // Rolled back completely, both halves of it.
        (Direction::Up, true) if !inside => Error {
            result: Some(view.json()),
            ..error
        },
        _ => partway(error, view),
    }
}

/// Names what is left reverted, and the way on.
fn partway(mut error: Error, view: &RedoView) -> Error {
    if let Some(diagnostic) = error.diagnostics.last_mut() {
        if !view.missing.is_empty() {
            let missing: Vec<_> = view.missing.iter().map(ToString::to_string).collect();
            let missing = missing.join(", ");
            diagnostic
                .notes
                .push(format!("reverted and not applied again: {missing}"));
        }
        if diagnostic.code != codes::M608.id {
            let hint = "mend the cause; then `migrator upgrade` applies what was reverted";
            diagnostic.hint = Some(hint.to_owned());
        }
    }
    error.exit = Exit::Partway;
    error.result = Some(view.json());
    error
}
