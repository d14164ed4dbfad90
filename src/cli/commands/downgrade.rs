use super::migrate;
use crate::{
    cli::{context::Context, options::RunArgs},
    report::{error::Error, exit::Exit},
    revision::Direction,
};

/// Revert revisions, down to TARGET
///
/// Reverts every applied revision above TARGET, most recently applied first. TARGET itself
/// stays applied. If the file of a down script is missing, the copy stored in the version table
/// when the revision was applied is used.
#[derive(Debug, clap::Args)]
pub struct DowngradeArgs {
    /// Where to downgrade to: base, an applied revision, or -N for the last N applied
    #[arg(allow_negative_numbers = true)]
    target: String,

    #[command(flatten)]
    pub run: RunArgs,
}

pub async fn cmd_downgrade(args: DowngradeArgs, context: &Context) -> Result<Exit, Error> {
    migrate::run(
        context,
        Direction::Down,
        &args.target,
        &args.run,
        migrate::Up::default(),
    )
    .await
}
