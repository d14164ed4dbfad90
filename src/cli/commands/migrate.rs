//! What `upgrade` and `downgrade` share.

use std::{cell::RefCell, path::PathBuf, rc::Rc, time::Instant};

use anyhow::Context as _;
use clap::ValueEnum;

use super::sql::Start;
use crate::{
    backup::Store,
    cli::{
        backup::{self, Work},
        context::{Context, Role},
        describe,
        error::{Error, Exit},
        memory,
        output::SlowList,
    },
    database::{Database, Location},
    execute::{self, Aborted, Finish, Manner, Migrated, Sink, Stop},
    plan::{self, Plan, Situation},
    report::{PlanView, RunView, View, bytes, duration},
    revision::{Direction, History, Observed, Target},
};

/// Steps, from which on their memory is worth a millisecond.
const MANY: usize = 2000;

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
    /// Where a script starts from.
    pub start: Start,
    pub dry_run: bool,
    /// Print a script.
    pub sql: bool,
    pub transaction: Option<Scope>,
    pub log_file: Option<PathBuf>,
    /// Make a backup before the first step.
    pub backup: bool,
}

/// Whether a backup is made first.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct BackupFirst {
    /// Make a backup before anything runs, if there is something to do
    #[arg(long)]
    backup: bool,

    /// Make none, whatever `[backup] before` says
    #[arg(long, conflicts_with = "backup")]
    no_backup: bool,
}

impl BackupFirst {
    /// What is asked for, or else configured.
    pub fn is_wanted(self, configured: bool) -> bool {
        self.backup || configured && !self.no_backup
    }
}

pub async fn run(context: &Context, request: Request) -> Result<Exit, Error> {
    let begin = Instant::now();
    let location = context.location()?;
    let is_run = !request.dry_run && !request.sql;
    // A log begins before there is a connection, and a directory that is wrong begins none.
    let is_logged = context.is_logged(request.log_file.as_deref());
    // What is not there yet has everything to do.
    let downs = is_missing(&location);
    let (history, opened) = if is_run && !is_logged && request.direction == Direction::Up {
        let role = Role::Creator("upgrade");
        let (history, opened) = context.history_and_state(&location, role, downs).await?;
        (history, Some(opened))
    } else {
        (context.history(location.dialect())?, None)
    };
    let migration = Migration {
        context,
        place: context.place(&location),
        location,
        directory: RefCell::new(Directory {
            history: Rc::new(history),
            has_downs: downs || opened.is_none(),
        }),
        request,
    };
    if let Some((database, known)) = opened {
        let result = migration.run_now(database, known, begin).await;
        // The process ends. Giving thousands of scripts back one by one takes a twentieth of a run
        // that has nothing to do.
        std::mem::forget(migration.directory);
        return result;
    }
    if migration.request.dry_run {
        return migration.dry_run().await;
    }
    if migration.request.sql {
        return migration.sql().await;
    }
    let role = match migration.request.direction {
        Direction::Up => Role::Creator("upgrade"),
        Direction::Down => Role::reader("downgrade", &migration.history()),
    };
    let (Role::Creator(command) | Role::Reader(command)) = role;
    let file = migration.request.log_file.as_deref();
    context.open_log(file, command, &migration.place)?;
    let result = async {
        let database = context.connect(&migration.location, role).await?;
        migration.run_now(database, None, begin).await
    };
    let result = result.await;
    context.end_log(&result);
    result
}

/// Whether it is a SQLite file that is not there yet.
fn is_missing(location: &Location) -> bool {
    matches!(location, Location::Sqlite(file) if file.as_os_str() != ":memory:" && !file.exists())
}

pub(super) struct Migration<'a> {
    pub context: &'a Context,
    /// The database, for people.
    place: String,
    location: Location,
    directory: RefCell<Directory>,
    pub request: Request,
}

/// The directory, as far as it was read.
struct Directory {
    history: Rc<History>,
    /// Whether its down scripts were. With nothing to do they are not needed.
    has_downs: bool,
}

impl Migration<'_> {
    async fn dry_run(&self) -> Result<Exit, Error> {
        let observed = self.context.observe_or_empty("plan").await?;
        let plan = self.plan(&observed)?;
        let view = PlanView {
            database: self.place.clone(),
            from: describe::standing(&self.history(), &observed),
            plan,
        };
        self.context.output.result(&view);
        Ok(Exit::Done)
    }

    async fn run_now(
        &self,
        mut database: Box<dyn Database>,
        known: Option<Observed>,
        begin: Instant,
    ) -> Result<Exit, Error> {
        let result = self.locked(database.as_mut(), known, begin).await;
        let released = execute::release(database).await;
        let exit = result?;
        // The work is committed; an unlock that fails ends with the session anyhow.
        if let Err(error) = released {
            self.context.warn(error.into());
        }
        Ok(exit)
    }

    async fn locked(
        &self,
        database: &mut dyn Database,
        known: Option<Observed>,
        begin: Instant,
    ) -> Result<Exit, Error> {
        let (progress, sink) = self.context.output.progress();
        let slow = SlowList::default();
        let sink = self.context.logged(slow.keep(sink));
        let stop = Stop::default();
        execute::watch(stop.clone(), database.canceller(), Sink::clone(&sink))
            .context("can't start")?;
        let result = self.run(database, known, (&stop, &sink), begin).await;
        if let Some(progress) = progress {
            progress.finish(!matches!(result, Ok((_, None))));
        }
        let (mut view, error) = result?;
        view.slow = slow.take();
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

    /// An error after steps that are done is no failure that changed nothing.
    async fn run(
        &self,
        database: &mut dyn Database,
        known: Option<Observed>,
        (stop, sink): (&Stop, &Sink),
        begin: Instant,
    ) -> Result<(RunView, Option<Error>), Error> {
        let manner = Manner {
            direction: self.request.direction,
            lock_wait: self.context.config.lock_wait,
            options: self.context.options(),
        };
        let mut from = None;
        let plan = |observed: &Observed| -> Result<Plan, Error> {
            let plan = self.plan(observed)?;
            from.get_or_insert_with(|| describe::standing(&self.history(), observed));
            Ok(plan)
        };
        let mut backup = None;
        let before = async |_: &Plan| {
            if self.request.backup {
                backup = self.back_up(stop).await?;
            }
            Ok(())
        };
        match execute::migrate_after(database, manner, known, (plan, before), stop, sink).await {
            Ok(migrated) => Ok(self.view(migrated, from.unwrap_or_default(), backup, begin)),
            Err(Aborted { done, error }) => Err(match error.exit {
                Exit::Failed | Exit::Busy if !done.is_empty() => Error {
                    exit: Exit::Partway,
                    ..error
                },
                _ => error,
            }),
        }
    }

    /// Makes a backup, with the lock held. A SQLite file that is not there yet needs none.
    async fn back_up(&self, stop: &Stop) -> Result<Option<PathBuf>, Error> {
        if is_missing(&self.location) {
            return Ok(None);
        }
        let context = self.context;
        let begin = Instant::now();
        let settings = context.settings("backup");
        let store = Store::new(&context.config.backup.directory);
        let work = Work::within(context, stop);
        let making = backup::making(context);
        let made = backup::make(context, (&self.location, &settings), &store, making, &work);
        let made = made.await.map_err(|mut error| {
            let note = "there is no backup, so nothing was run".to_owned();
            if let Some(diagnostic) = error.diagnostics.last_mut() {
                diagnostic.notes.push(note);
            }
            error
        })?;
        let file = made.backup.file;
        context.output.waiting(&format!(
            "backed up to {}: {} in {}",
            context.config.show(&file),
            bytes(made.backup.manifest.size),
            duration(begin.elapsed()),
        ));
        Ok(Some(file))
    }

    fn view(
        &self,
        migrated: Migrated,
        from: String,
        backup: Option<PathBuf>,
        begin: Instant,
    ) -> (RunView, Option<Error>) {
        let backup = backup.map(|file| self.context.config.show(&file));
        let Migrated {
            done,
            not_run,
            finish,
            now,
        } = migrated;
        let (interrupted, partial, error) = match finish {
            Finish::Complete => (false, None, None),
            Finish::Stopped { partial } => (true, partial, None),
            Finish::Failed(failure) => {
                let mut error = Error::from(failure);
                if let (Some(file), Some(diagnostic)) = (&backup, error.diagnostics.last_mut()) {
                    let command = self.context.command(&["--yes", "restore", file]);
                    let note = format!("to go back to the backup made before: {command}");
                    diagnostic.notes.push(note);
                }
                (false, None, Some(error))
            }
        };
        let view = RunView {
            database: self.place.clone(),
            direction: self.request.direction,
            from,
            to: now.as_ref().map_or_else(
                || "unknown".to_owned(),
                |now| describe::standing(&self.history(), now),
            ),
            current: now
                .as_ref()
                .map(describe::applied_heads)
                .unwrap_or_default(),
            done,
            not_run,
            interrupted,
            partial,
            slow: Vec::new(),
            backup,
            elapsed: begin.elapsed(),
        };
        (view, error)
    }

    pub(super) fn history(&self) -> Rc<History> {
        Rc::clone(&self.directory.borrow().history)
    }

    pub(super) fn plan(&self, observed: &Observed) -> Result<Plan, Error> {
        // What is recorded has both directions, and what is wrong with the directory comes first.
        if observed.applied.is_empty() {
            self.read_downs()?;
        }
        let mut plan = self.plan_of(observed);
        let nothing_to_do = |plan: &Plan| plan.steps.is_empty() && plan.exchanges.is_empty();
        let has_downs = self.directory.borrow().has_downs;
        if !has_downs && !plan.as_ref().is_ok_and(nothing_to_do) {
            drop(plan);
            self.read_downs()?;
            plan = self.plan_of(observed);
        }
        let plan = plan?;
        if plan.steps.len() > MANY {
            memory::give_back();
        }
        self.context.warn_of(&plan);
        Ok(plan)
    }

    fn read_downs(&self) -> Result<(), Error> {
        let mut directory = self.directory.borrow_mut();
        if directory.has_downs {
            return Ok(());
        }
        let history = Rc::unwrap_or_clone(std::mem::take(&mut directory.history));
        let complete = self.context.with_downs(history, self.location.dialect())?;
        directory.history = Rc::new(complete);
        directory.has_downs = true;
        Ok(())
    }

    fn plan_of(&self, observed: &Observed) -> Result<Plan, Error> {
        let history = self.history();
        let situation = Situation {
            one_transaction: match self.request.transaction {
                Some(scope) => scope == Scope::All,
                None => self.context.one_transaction(),
            },
            ..self.context.situation(&history, observed)?
        };
        let plan = match self.request.direction {
            Direction::Up => plan::upgrade(&situation, &self.request.target),
            Direction::Down => plan::downgrade(&situation, &self.request.target),
        };
        Ok(plan?)
    }
}
