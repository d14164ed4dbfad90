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

    /// With `expand`: leave revisions with `phase = contract`, and those that need them, pending
    #[arg(long, value_name = "PHASE")]
    phase: Option<Expand>,

    #[command(flatten)]
    pub run: RunArgs,
}

/// What `--phase` can be. Without it, revisions of both phases are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Expand {
    Expand,
}

pub async fn cmd_upgrade(args: UpgradeArgs, context: &Context) -> Result<Exit, Error> {
    let up = migrate::Up {
        allow_nonempty: args.allow_nonempty,
        expand_only: args.phase.is_some(),
    };
    migrate::run(context, Direction::Up, &args.target, &args.run, up).await
}
