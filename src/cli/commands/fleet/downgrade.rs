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

/// Revert revisions in all targets, down to TARGET
///
/// All targets are read first, and those with something to revert are downgraded, several at once, each as
/// `migrator downgrade` would.
#[derive(Debug, clap::Args)]
pub struct FleetDowngradeArgs {
    /// Where to downgrade to: base, an applied revision, or -N for the last N applied
    #[arg(allow_negative_numbers = true)]
    target: String,

    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    pub run: FleetRunArgs,
}

pub async fn cmd_fleet_downgrade(
    args: FleetDowngradeArgs,
    context: &Context,
) -> Result<Exit, Error> {
    let (_, target) = ops::start_and_target(Direction::Down, &args.target, false)?;
    let selection = args.targets.selection();
    let migrate = MigrateArgs::to(target);
    migrate::run(context, Direction::Down, selection, migrate, &args.run).await
}
