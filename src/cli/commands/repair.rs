use clap::ValueEnum;

use crate::{
    cli::{context::Context, options::Vars},
    database::Access,
    ops::{self, RepairReport},
    report::{error::Error, exit::Exit},
};

/// Repair the version table, after showing the changes
///
/// Without options, accepts scripts that were edited after they were applied. With --statement
/// or --mark, resolves a `transaction = off` script that is partially applied. The schema does
/// not change; every repair is logged.
#[derive(Debug, clap::Args)]
pub struct RepairArgs {
    /// Accept only the scripts of these revisions
    #[arg(conflicts_with_all = ["statement", "mark"])]
    revision: Vec<String>,

    /// Statement in doubt, as numbered in the error; requires --done or --undone
    #[arg(long, value_name = "N", requires = "outcome")]
    statement: Option<usize>,

    /// The statement took effect: resume after it
    #[arg(long, group = "outcome", requires = "statement")]
    done: bool,

    /// The statement had no effect: run it again
    #[arg(long, group = "outcome", requires = "statement")]
    undone: bool,

    /// Record the partially applied revision as applied or as not applied
    #[arg(long, value_name = "STATE", conflicts_with = "statement")]
    mark: Option<Mark>,

    /// Show what would be repaired without changing anything
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    pub vars: Vars,
}

/// State to record for a partially applied revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mark {
    /// You have completed it by hand
    Applied,
    /// You have undone it by hand
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
            // In JSON, only the result is printed.
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
