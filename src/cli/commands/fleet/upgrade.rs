use super::{
    TargetArgs,
    migrate::{self, FleetRunArgs},
};
use crate::{
    cli::context::Context,
    ops::{self, MigrateArgs},
    report::{error::Error, exit::Exit},
    revision::Direction,
};

/// Apply pending revisions in all targets, up to TARGET
///
/// All targets are read first, and those with pending revisions are upgraded, several at once, each as
/// `migrator upgrade` would: with its own connection, lock and transactions. A target that fails does not
/// stop the others. Running the command again goes on where it ended.
#[derive(Debug, clap::Args)]
pub struct FleetUpgradeArgs {
    /// Where to upgrade to: head, heads, a revision, or +N
    #[arg(default_value = "head", allow_negative_numbers = true)]
    target: String,

    #[command(flatten)]
    targets: TargetArgs,

    /// Also run in databases that have tables but no version table
    #[arg(long)]
    allow_nonempty: bool,

    /// With `expand`: leave revisions with `phase = contract`, and those that need them, pending
    #[arg(long, value_name = "PHASE")]
    phase: Option<crate::cli::commands::upgrade::Expand>,

    #[command(flatten)]
    pub run: FleetRunArgs,
}

pub async fn cmd_fleet_upgrade(args: FleetUpgradeArgs, context: &Context) -> Result<Exit, Error> {
    let (_, target) = ops::start_and_target(Direction::Up, &args.target, false)?;
    let migrate = MigrateArgs {
        allow_nonempty: args.allow_nonempty,
        expand_only: args.phase.is_some(),
        ..MigrateArgs::to(target)
    };
    let selection = args.targets.selection();
    migrate::run(context, Direction::Up, selection, migrate, &args.run).await
}
