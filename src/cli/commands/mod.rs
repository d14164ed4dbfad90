//! One file per command, with its arguments, whose comments are the help, and its implementation.

mod adopt;
mod backup;
mod branches;
mod check;
mod completions;
mod convert;
mod current;
mod db;
mod downgrade;
mod edit;
mod ensure_version;
mod explain;
mod fleet;
mod heads;
mod history;
mod init;
mod lint;
mod list_templates;
mod man;
mod merge;
mod migrate;
mod rebase;
mod redo;
mod rehearse;
mod repair;
mod restore;
mod revision;
mod schema;
mod scratch;
mod show;
mod squash;
mod stamp;
mod status;
mod upgrade;
mod verify;

use crate::report::{Output, error::Error, exit::Exit};

use super::{context::Context, options::Global};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Init(init::InitArgs),
    #[command(visible_alias = "new")]
    Revision(revision::RevisionArgs),
    #[command(visible_alias = "up")]
    Upgrade(upgrade::UpgradeArgs),
    #[command(visible_alias = "down")]
    Downgrade(downgrade::DowngradeArgs),
    Redo(redo::RedoArgs),
    Current(current::CurrentArgs),
    History(history::HistoryArgs),
    Heads(heads::HeadsArgs),
    Branches(branches::BranchesArgs),
    Merge(merge::MergeArgs),
    Rebase(rebase::RebaseArgs),
    Squash(squash::SquashArgs),
    Show(show::ShowArgs),
    Status(status::StatusArgs),
    Check(check::CheckArgs),
    Schema(schema::SchemaArgs),
    Verify(verify::VerifyArgs),
    Lint(lint::LintArgs),
    Rehearse(rehearse::RehearseArgs),
    Scratch(scratch::ScratchArgs),
    Stamp(stamp::StampArgs),
    Adopt(adopt::AdoptArgs),
    Repair(repair::RepairArgs),
    EnsureVersion(ensure_version::EnsureVersionArgs),
    Convert(convert::ConvertArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Db(db::DbArgs),
    Fleet(fleet::FleetCommandArgs),
    Edit(edit::EditArgs),
    ListTemplates(list_templates::ListTemplatesArgs),
    Explain(explain::ExplainArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// All commands, in the groups and order of the help. A group without commands is not shown.
pub const GROUPS: &[(&str, &[&str])] = &[
    (
        "Everyday",
        &[
            "init",
            "revision",
            "edit",
            "upgrade",
            "downgrade",
            "redo",
            "status",
            "current",
            "check",
        ],
    ),
    (
        "History",
        &[
            "history", "show", "heads", "branches", "merge", "rebase", "squash",
        ],
    ),
    (
        "Schema",
        &["schema", "lint", "verify", "rehearse", "scratch"],
    ),
    (
        "Operations",
        &[
            "db",
            "backup",
            "restore",
            "fleet",
            "stamp",
            "repair",
            "ensure-version",
        ],
    ),
    ("Moving in", &["adopt", "convert"]),
    (
        "Other",
        &["list-templates", "explain", "completions", "man", "help"],
    ),
];

/// The global options, the output, and the clap command.
pub struct Surroundings<'a> {
    pub global: &'a Global,
    pub output: &'a Output,
    /// Builds the clap command with its help, which few commands need.
    pub root: fn() -> clap::Command,
}

impl Command {
    /// Runs the command.
    pub async fn run(self, around: Surroundings<'_>) -> Result<Exit, Error> {
        let output = around.output;
        let load = |vars| Context::load(around.global, vars, output.clone());
        let context = match &self {
            Self::Init(args) => return init::cmd_init(args, around.global, output).await,
            Self::Explain(args) => return explain::cmd_explain(args, output),
            Self::Completions(args) => return completions::cmd_completions(args, (around.root)()),
            Self::Man(args) => return man::cmd_man(args, (around.root)(), output),
            Self::Upgrade(args) => load(args.run.vars.assignments()?)?,
            Self::Downgrade(args) => load(args.run.vars.assignments()?)?,
            Self::Redo(args) => load(args.vars.assignments()?)?,
            Self::Repair(args) => load(args.vars.assignments()?)?,
            Self::Check(args) => load(args.vars.assignments()?)?,
            Self::Fleet(args) => load(args.command.assignments()?)?,
            Self::Verify(args) => load(args.vars.assignments()?)?,
            Self::Lint(args) => load(args.vars.assignments()?)?,
            Self::Rehearse(args) => load(args.vars.assignments()?)?,
            _ => load(Vec::new())?,
        };
        let result = self.run_in(&context).await;
        let result = result.map_err(|error| context.shown(error));
        // The process ends; dropping thousands of scripts would take a twentieth of a run that has
        // nothing to do.
        std::mem::forget(context);
        result
    }

    /// Runs a command that needs the configuration.
    async fn run_in(self, context: &Context) -> Result<Exit, Error> {
        match self {
            // Handled before the configuration is read.
            Self::Init(_) | Self::Explain(_) | Self::Completions(_) | Self::Man(_) => {
                Ok(Exit::Done)
            }
            Self::Revision(args) => revision::cmd_revision(args, context).await,
            Self::Upgrade(args) => upgrade::cmd_upgrade(args, context).await,
            Self::Downgrade(args) => downgrade::cmd_downgrade(args, context).await,
            Self::Redo(args) => redo::cmd_redo(args, context).await,
            Self::Current(args) => current::cmd_current(args, context).await,
            Self::History(args) => history::cmd_history(args, context).await,
            Self::Heads(args) => heads::cmd_heads(args, context),
            Self::Branches(args) => branches::cmd_branches(args, context),
            Self::Merge(args) => merge::cmd_merge(args, context),
            Self::Rebase(args) => rebase::cmd_rebase(args, context).await,
            Self::Squash(args) => squash::cmd_squash(args, context),
            Self::Check(args) => check::cmd_check(args, context).await,
            Self::Show(args) => show::cmd_show(args, context).await,
            Self::Status(args) => status::cmd_status(args, context).await,
            Self::Repair(args) => repair::cmd_repair(args, context).await,
            Self::EnsureVersion(args) => ensure_version::cmd_ensure_version(args, context).await,
            Self::Backup(args) => backup::cmd_backup(args, context).await,
            Self::Restore(args) => restore::cmd_restore(args, context).await,
            Self::Db(args) => db::cmd_db(args, context).await,
            Self::Fleet(args) => fleet::cmd_fleet(args, context).await,
            Self::Edit(args) => edit::cmd_edit(args, context).await,
            Self::ListTemplates(args) => list_templates::cmd_list_templates(args, context),
            Self::Adopt(args) => adopt::cmd_adopt(args, context).await,
            Self::Convert(args) => convert::cmd_convert(args, context),
            Self::Schema(args) => schema::cmd_schema(args, context).await,
            Self::Verify(args) => verify::cmd_verify(args, context).await,
            Self::Lint(args) => lint::cmd_lint(args, context).await,
            Self::Rehearse(args) => rehearse::cmd_rehearse(args, context).await,
            Self::Scratch(args) => scratch::cmd_scratch(args, context).await,
            Self::Stamp(args) => stamp::cmd_stamp(args, context).await,
        }
    }
}
