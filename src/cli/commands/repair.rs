use clap::ValueEnum;

use crate::{
    cli::{
        args::Vars,
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops::{self, RepairReport},
};

/// Repair the records, after showing what changes
///
/// Without options: accepts scripts that were edited after they were applied.
/// With --statement or --mark: settles a `transaction = off` script that is
/// partially applied. The schema is not touched; every repair is logged.
#[derive(Debug, clap::Args)]
pub struct RepairArgs {
    /// Accept the scripts of these revisions only
    #[arg(conflicts_with_all = ["statement", "mark"])]
    revision: Vec<String>,

    /// The statement in doubt, as the error names it; with --done or --undone
    #[arg(long, value_name = "N", requires = "outcome")]
    statement: Option<usize>,

    /// It took effect: resume after it
    #[arg(long, group = "outcome", requires = "statement")]
    done: bool,

    /// It took no effect: run it again
    #[arg(long, group = "outcome", requires = "statement")]
    undone: bool,

    /// Count the partially applied revision as applied, or as not applied
    #[arg(long, value_name = "STATE", conflicts_with = "statement")]
    mark: Option<Mark>,

    /// Show what would be repaired, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    pub vars: Vars,
}

/// What a partially applied revision counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mark {
    /// You have finished it by hand
    Applied,
    /// You have undone by hand what it did
    Unapplied,
}

impl RepairArgs {
    fn request(&self) -> Result<ops::RepairArgs, Error> {
        if let Some(number) = self.statement {
            return Ok(ops::RepairArgs::Statement {
                number,
                done: self.done,
            });
        }
        if let Some(mark) = self.mark {
            return Ok(ops::RepairArgs::Mark {
                applied: mark == Mark::Applied,
            });
        }
        let targets = self.revision.iter().map(|text| text.parse());
        Ok(ops::RepairArgs::Accept(targets.collect::<Result<_, _>>()?))
    }
}

pub async fn cmd_repair(args: RepairArgs, context: &Context) -> Result<Exit, Error> {
    let (project, output) = (&context.project, &context.output);
    let request = args.request()?;
    if args.dry_run {
        let work =
            async |session: &mut ops::Session| ops::plan_repair(project, session, &request).await;
        output.result(&context.read("repair", work).await?);
        return Ok(Exit::Done);
    }
    let repaired = context.operate(("repair", Access::Existing), async |session, live| {
        let confirm = |report: &RepairReport| {
            live.finish(false);
            // Programs get the result alone.
            if output.is_human() {
                output.result(report);
            }
            context.confirms_repair()
        };
        ops::repair(project, session, &request, confirm).await
    });
    output.result(&repaired.await?);
    Ok(Exit::Done)
}
