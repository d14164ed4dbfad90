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
        Command::Init(args) => return init::cmd_init(args, output),
        Command::Explain(args) => return explain::cmd_explain(args, output),
        Command::Completions(args) => return completions::cmd_completions(&args),
        Command::Man(args) => return man::cmd_man(args, output),
        other => other,
    };
    let context = Context::load(&global, command.vars()?, *output)?;
    let result = match command {
        Command::Init(_) | Command::Explain(_) | Command::Completions(_) | Command::Man(_) => {
            Ok(Exit::Done)
        }
        Command::Revision(args) => revision::cmd_revision(args, &context),
        Command::Upgrade(args) => upgrade::cmd_upgrade(args, &context).await,
        Command::Downgrade(args) => downgrade::cmd_downgrade(args, &context).await,
        Command::Redo(args) => redo::cmd_redo(args, &context).await,
        Command::Current(args) => current::cmd_current(args, &context).await,
        Command::History(args) => history::cmd_history(args, &context).await,
        Command::Heads(args) => heads::cmd_heads(args, &context),
        Command::Branches(args) => branches::cmd_branches(args, &context),
        Command::Merge(args) => merge::cmd_merge(args, &context),
        Command::Rebase(args) => rebase::cmd_rebase(args, &context).await,
        Command::Squash(args) => squash::cmd_squash(args, &context),
        Command::Check(args) => check::cmd_check(args, &context).await,
        Command::Show(args) => show::cmd_show(args, &context).await,
        Command::Status(args) => status::cmd_status(args, &context).await,
        Command::Repair(args) => repair::cmd_repair(args, &context).await,
        Command::EnsureVersion(args) => ensure_version::cmd_ensure_version(args, &context).await,
        Command::Backup(args) => backup::cmd_backup(args, &context).await,
        Command::Restore(args) => restore::cmd_restore(args, &context).await,
        Command::Db(args) => db::cmd_db(args, &context).await,
        Command::Edit(args) => edit::cmd_edit(args, &context).await,
        Command::ListTemplates(args) => list_templates::cmd_list_templates(args, &context),
        Command::Adopt(args) => adopt::cmd_adopt(args, &context).await,
        Command::Convert(args) => convert::cmd_convert(args, &context),
        Command::Stamp(args) => stamp::cmd_stamp(args, &context).await,
    };
    let result = result.map_err(|error| context.shown(error));
    // The process ends: giving thousands of scripts back one by one takes a twentieth of a run that
    // has nothing to do.
    std::mem::forget(context);
    result
}
