use super::migrate;
use crate::{
    cli::{context::Context, options::RunArgs},
    report::{error::Error, exit::Exit},
    revision::Direction,
};

/// Apply pending revisions, up to TARGET
///
/// Applies every revision that TARGET requires and that is not applied yet. Each revision is
/// committed in one transaction with its record. All scripts are read and checked before the
/// first statement runs.
#[derive(Debug, clap::Args)]
pub struct UpgradeArgs {
    /// Where to upgrade to: head, heads, a revision, or +N
    #[arg(default_value = "head", allow_negative_numbers = true)]
    target: String,

    /// Also run in a database that has tables but no version table
    #[arg(long)]
    allow_nonempty: bool,

    #[command(flatten)]
    pub run: RunArgs,
}

pub async fn cmd_upgrade(args: UpgradeArgs, context: &Context) -> Result<Exit, Error> {
    let (target, allow_nonempty) = (&args.target, args.allow_nonempty);
    migrate::run(context, Direction::Up, target, &args.run, allow_nonempty).await
}
