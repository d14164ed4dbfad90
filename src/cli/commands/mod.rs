//! One file a command: its arguments, whose comments are the help, and what it does.

pub mod adopt;
pub mod backup;
pub mod branches;
pub mod check;
pub mod completions;
pub mod convert;
pub mod current;
pub mod db;
pub mod downgrade;
pub mod edit;
pub mod ensure_version;
pub mod explain;
mod files;
pub mod heads;
pub mod history;
pub mod init;
pub mod list_templates;
pub mod man;
pub mod merge;
mod migrate;
pub mod rebase;
pub mod redo;
pub mod repair;
pub mod restore;
pub mod revision;
pub mod show;
mod sql;
pub mod squash;
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
    let Args { global, command } = args;
    let command = match command {
        // These need no project.
        Command::Init(args) => return init::run(args, output),
        Command::Explain(args) => return explain::run(args, output),
        Command::Completions(args) => return completions::run(&args),
        Command::Man(args) => return man::run(args, output),
        other => other,
    };
    let context = Context::load(&global, command.vars()?, *output)?;
    let result = match command {
        Command::Init(_) | Command::Explain(_) | Command::Completions(_) | Command::Man(_) => {
            Ok(Exit::Done)
        }
        Command::Revision(args) => revision::run(args, &context),
        Command::Upgrade(args) => upgrade::run(args, &context).await,
        Command::Downgrade(args) => downgrade::run(args, &context).await,
        Command::Redo(args) => redo::run(args, &context).await,
        Command::Current(args) => current::run(args, &context).await,
        Command::History(args) => history::run(args, &context).await,
        Command::Heads(args) => heads::run(args, &context),
        Command::Branches(args) => branches::run(args, &context),
        Command::Merge(args) => merge::run(args, &context),
        Command::Rebase(args) => rebase::run(args, &context).await,
        Command::Squash(args) => squash::run(args, &context),
        Command::Check(args) => check::run(args, &context).await,
        Command::Show(args) => show::run(args, &context).await,
        Command::Status(args) => status::run(args, &context).await,
        Command::Repair(args) => repair::run(args, &context).await,
        Command::EnsureVersion(args) => ensure_version::run(args, &context).await,
        Command::Backup(args) => backup::run(args, &context).await,
        Command::Restore(args) => restore::run(args, &context).await,
        Command::Db(args) => db::run(args, &context).await,
        Command::Edit(args) => edit::run(args, &context).await,
        Command::ListTemplates(args) => list_templates::run(args, &context),
        Command::Adopt(args) => adopt::run(args, &context).await,
        Command::Convert(args) => convert::run(&args, &context),
        Command::Stamp(args) => stamp::run(args, &context).await,
    };
    result.map_err(|error| context.shown(error))
}
