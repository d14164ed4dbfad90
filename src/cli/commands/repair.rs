use anyhow::Context as _;
use clap::ValueEnum;

use crate::{
    cli::{
        args::Vars,
        context::{Context, Role},
        error::{Error, Exit},
    },
    database::{Database, Detail},
    execute::{self, Sink, Stop},
    plan::{self, Repair, RepairRequest},
    report::RepairView,
    revision::{AppliedRevision, History, Observed, Partial, Resolved, RevisionId, State, Target},
};

/// Set the records right, after showing what is changed
///
/// Without options: accepts scripts that were edited after they were applied.
/// With --statement or --mark: settles a `transaction = off` script that stopped
/// in its middle. The schema is not touched; every repair is logged.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Accept the scripts of these revisions only
    #[arg(conflicts_with_all = ["statement", "mark"])]
    revision: Vec<String>,

    /// The statement in doubt, as the error names it; with --done or --undone
    #[arg(long, value_name = "N", requires = "outcome")]
    statement: Option<usize>,

    /// It took effect: go on after it
    #[arg(long, group = "outcome", requires = "statement")]
    done: bool,

    /// It took no effect: run it again
    #[arg(long, group = "outcome", requires = "statement")]
    undone: bool,

    /// Count the revision in its middle as applied, or as never begun
    #[arg(long, value_name = "STATE", conflicts_with = "statement")]
    mark: Option<Mark>,

    /// Show what would be repaired, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    pub vars: Vars,
}

/// What a revision in its middle counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mark {
    /// You have finished it by hand
    Applied,
    /// You have undone by hand what it did
    Unapplied,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let history = context.history(location.dialect())?;
    let dry_run = args.dry_run;
    let work = Work {
        context,
        place: context.place(&location),
        history,
        args,
    };
    let mut database = context.connect(&location, Role::Reader("repair")).await?;
    let result = if dry_run {
        let observed = database.observe(Detail::WithScripts).await;
        observed
            .map_err(Error::from)
            .and_then(|observed| work.shown(&observed).map(drop))
    } else {
        work.locked(database.as_mut()).await
    };
    let released = database.unlock().await;
    database.close().await?;
    result?;
    released?;
    Ok(Exit::Done)
}

struct Work<'a> {
    context: &'a Context,
    /// The database, for people.
    place: String,
    history: History,
    args: Args,
}

impl Work<'_> {
    async fn locked(&self, database: &mut dyn Database) -> Result<(), Error> {
        let (progress, sink) = self.context.output.progress();
        let stop = Stop::default();
        execute::watch(stop.clone(), database.canceller(), Sink::clone(&sink))
            .context("can't start")?;
        execute::lock(database, self.context.config.lock_wait, &stop, &sink).await?;
        if let Some(progress) = progress {
            progress.finish(false);
        }
        let observed = database.observe(Detail::WithScripts).await?;
        let repairs = self.shown(&observed)?;
        if repairs.is_empty() {
            return Ok(());
        }
        self.context.ask_to_repair()?;
        let dialect = database.dialect();
        let exchanges = plan::exchanges(&self.history, &observed, dialect);
        execute::exchange(database, &exchanges).await?;
        execute::write_repairs(database, &repairs).await?;
        self.context.output.result(&RepairView {
            database: self.place.clone(),
            repairs,
            partial: Vec::new(),
            done: true,
        });
        Ok(())
    }

    /// Shows what is repaired; with JSON that is the result only when nothing follows.
    fn shown(&self, observed: &Observed) -> Result<Vec<Repair>, Error> {
        let situation = self.context.situation(&self.history, observed)?;
        let repairs = plan::repair(&situation, &self.request(observed)?)?;
        let view = RepairView {
            database: self.place.clone(),
            repairs,
            partial: self.left(observed),
            done: false,
        };
        if self.args.dry_run || view.repairs.is_empty() || self.context.output.is_human() {
            self.context.output.result(&view);
        }
        Ok(view.repairs)
    }

    /// Revisions in their middle that only --statement or --mark can settle.
    fn left(&self, observed: &Observed) -> Vec<(RevisionId, Partial)> {
        if self.args.statement.is_some() || self.args.mark.is_some() {
            return Vec::new();
        }
        let partial = |row: &AppliedRevision| match &row.state {
            State::Partial(partial) => Some((row.revision.clone(), (**partial).clone())),
            State::Applied => None,
        };
        observed.applied.iter().filter_map(partial).collect()
    }

    fn request(&self, observed: &Observed) -> Result<RepairRequest, Error> {
        if let Some(number) = self.args.statement {
            return Ok(RepairRequest::Statement {
                number,
                done: self.args.done,
            });
        }
        if let Some(mark) = self.args.mark {
            return Ok(RepairRequest::Mark {
                applied: mark == Mark::Applied,
            });
        }
        let ids: Result<Vec<_>, Error> = self
            .args
            .revision
            .iter()
            .map(|text| self.one(text, observed))
            .collect();
        Ok(RepairRequest::Accept(ids?))
    }

    fn one(&self, text: &str, observed: &Observed) -> Result<RevisionId, Error> {
        let target: Target = text.parse()?;
        match self.history.resolve(&target, &observed.applied)? {
            Resolved::Revisions(ids) if ids.len() == 1 => Ok(ids[0].clone()),
            _ => Err(self.context.not_one_revision(text)),
        }
    }
}
