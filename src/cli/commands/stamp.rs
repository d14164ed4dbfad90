use crate::{
    cli::{
        context::{Context, Role},
        describe,
        error::{Error, Exit},
    },
    database::{Database, Detail},
    execute::{self, Sink, Stop},
    plan::{self, StampPlan},
    report::StampView,
    revision::{History, Observed, Target},
};
use anyhow::Context as _;

/// Record TARGET as applied without running anything
///
/// Afterwards exactly the target and what it needs is recorded; with several
/// targets, as branches have them, all of them. The schema is
/// not touched; use it for a database that was made by other means.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to record: a revision, head, heads, base
    #[arg(required = true, allow_negative_numbers = true)]
    target: Vec<String>,

    /// Write every record anew; also throws away records of unknown or half-done revisions
    #[arg(long)]
    purge: bool,

    /// Show what would be recorded, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let targets: Result<Vec<Target>, _> = args.target.iter().map(|text| text.parse()).collect();
    let targets = targets?;
    let location = context.location()?;
    let history = context.history(location.dialect())?;
    let stamp = Stamp {
        context,
        place: context.place(&location),
        history,
        targets,
        purge: args.purge,
    };
    if args.dry_run {
        let observed = context.observe_or_empty("plan").await?;
        let plan = stamp.plan(&observed)?;
        context
            .output
            .result(&stamp.view(&observed, &observed, &plan, true));
        return Ok(Exit::Done);
    }
    context.confirm("stamp")?;
    let mut database = context.connect(&location, Role::Creator("stamp")).await?;
    let result = stamp.locked(database.as_mut()).await;
    let released = database.unlock().await;
    database.close().await?;
    let view = result?;
    released?;
    context.output.result(&view);
    Ok(Exit::Done)
}

struct Stamp<'a> {
    context: &'a Context,
    /// The database, for people.
    place: String,
    history: History,
    targets: Vec<Target>,
    purge: bool,
}

impl Stamp<'_> {
    async fn locked(&self, database: &mut dyn Database) -> Result<StampView, Error> {
        let (progress, sink) = self.context.output.progress();
        let stop = Stop::default();
        execute::watch(stop.clone(), database.canceller(), Sink::clone(&sink))
            .context("can't start")?;
        execute::lock(database, self.context.config.lock_wait, &stop, &sink).await?;
        let before = database.observe(Detail::Brief).await?;
        let plan = self.plan(&before)?;
        execute::write(database, plan.clone()).await?;
        if let Some(progress) = progress {
            progress.finish(false);
        }
        let after = database.observe(Detail::Brief).await?;
        Ok(self.view(&before, &after, &plan, false))
    }

    fn plan(&self, observed: &Observed) -> Result<StampPlan, Error> {
        let situation = self.context.situation(&self.history, observed)?;
        Ok(plan::stamp(&situation, &self.targets, self.purge)?)
    }

    fn view(
        &self,
        before: &Observed,
        after: &Observed,
        plan: &StampPlan,
        dry_run: bool,
    ) -> StampView {
        StampView {
            database: self.place.clone(),
            from: describe::standing(&self.history, before),
            to: if dry_run {
                self.shown_target()
            } else {
                describe::standing(&self.history, after)
            },
            current: describe::applied_heads(after),
            written: plan.insert.len(),
            removed: plan.delete.len(),
            dry_run,
        }
    }

    fn shown_target(&self) -> String {
        let names: Vec<_> = self.targets.iter().map(Target::to_string).collect();
        names.join(" and ")
    }
}
