//! One file a command: its arguments, whose comments are the help, and what it does.

pub mod branches;
pub mod check;
pub mod current;
pub mod downgrade;
pub mod heads;
pub mod history;
pub mod init;
pub mod merge;
mod migrate;
pub mod rebase;
pub mod repair;
pub mod revision;
pub mod show;
mod sql;
pub mod stamp;
pub mod status;
pub mod upgrade;

use super::{
    args::{Args, Command},
    context::Context,
    error::{Error, Exit},
    output::Output,
};

/// Runs the command that was asked for.
pub async fn run(args: Args, output: &Output) -> Result<Exit, Error> {
    if let Command::Init(args) = args.command {
        return init::run(args, output);
    }
    let context = Context::load(&args.global, *output)?;
    let result = match args.command {
        Command::Init(args) => init::run(args, output),
        Command::Revision(args) => revision::run(args, &context),
        Command::Upgrade(args) => upgrade::run(args, &context).await,
        Command::Downgrade(args) => downgrade::run(args, &context).await,
        Command::Current(args) => current::run(args, &context).await,
        Command::History(args) => history::run(args, &context),
        Command::Heads(args) => heads::run(args, &context),
        Command::Branches(args) => branches::run(args, &context),
        Command::Merge(args) => merge::run(args, &context),
        Command::Rebase(args) => rebase::run(args, &context).await,
        Command::Check(args) => check::run(args, &context).await,
        Command::Show(args) => show::run(args, &context).await,
        Command::Status(args) => status::run(args, &context).await,
        Command::Repair(args) => repair::run(args, &context).await,
        Command::Stamp(args) => stamp::run(args, &context).await,
    };
    result.map_err(|error| context.shown(error))
}
