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

use super::{context::Context, deferred::Deferred, options::Global};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Init(Deferred<init::InitArgs>),
    #[command(visible_alias = "new")]
    Revision(Deferred<revision::RevisionArgs>),
    #[command(visible_alias = "up")]
    Upgrade(Deferred<upgrade::UpgradeArgs>),
    #[command(visible_alias = "down")]
    Downgrade(Deferred<downgrade::DowngradeArgs>),
    Redo(Deferred<redo::RedoArgs>),
    Current(Deferred<current::CurrentArgs>),
    History(Deferred<history::HistoryArgs>),
    Heads(Deferred<heads::HeadsArgs>),
    Branches(Deferred<branches::BranchesArgs>),
    Merge(Deferred<merge::MergeArgs>),
    Rebase(Deferred<rebase::RebaseArgs>),
    Squash(Deferred<squash::SquashArgs>),
    Show(Deferred<show::ShowArgs>),
    Status(Deferred<status::StatusArgs>),
    Check(Deferred<check::CheckArgs>),
    Schema(Deferred<schema::SchemaArgs>),
    Verify(Deferred<verify::VerifyArgs>),
    Lint(Deferred<lint::LintArgs>),
    Rehearse(Deferred<rehearse::RehearseArgs>),
    Scratch(Deferred<scratch::ScratchArgs>),
    Stamp(Deferred<stamp::StampArgs>),
    Adopt(Deferred<adopt::AdoptArgs>),
    Repair(Deferred<repair::RepairArgs>),
    EnsureVersion(Deferred<ensure_version::EnsureVersionArgs>),
    Convert(Deferred<convert::ConvertArgs>),
    Backup(Deferred<backup::BackupArgs>),
    Restore(Deferred<restore::RestoreArgs>),
    Db(Deferred<db::DbArgs>),
    Fleet(Deferred<fleet::FleetCommandArgs>),
    Edit(Deferred<edit::EditArgs>),
    ListTemplates(Deferred<list_templates::ListTemplatesArgs>),
    Explain(Deferred<explain::ExplainArgs>),
    Completions(Deferred<completions::CompletionsArgs>),
    Man(Deferred<man::ManArgs>),
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
            Self::Revision(args) => revision::cmd_revision(args.0, context).await,
            Self::Upgrade(args) => upgrade::cmd_upgrade(args.0, context).await,
            Self::Downgrade(args) => downgrade::cmd_downgrade(args.0, context).await,
            Self::Redo(args) => redo::cmd_redo(args.0, context).await,
            Self::Current(args) => current::cmd_current(args.0, context).await,
            Self::History(args) => history::cmd_history(args.0, context).await,
            Self::Heads(args) => heads::cmd_heads(args.0, context),
            Self::Branches(args) => branches::cmd_branches(args.0, context),
            Self::Merge(args) => merge::cmd_merge(args.0, context),
            Self::Rebase(args) => rebase::cmd_rebase(args.0, context).await,
            Self::Squash(args) => squash::cmd_squash(args.0, context),
            Self::Check(args) => check::cmd_check(args.0, context).await,
            Self::Show(args) => show::cmd_show(args.0, context).await,
            Self::Status(args) => status::cmd_status(args.0, context).await,
            Self::Repair(args) => repair::cmd_repair(args.0, context).await,
            Self::EnsureVersion(args) => ensure_version::cmd_ensure_version(args.0, context).await,
            Self::Backup(args) => backup::cmd_backup(args.0, context).await,
            Self::Restore(args) => restore::cmd_restore(args.0, context).await,
            Self::Db(args) => db::cmd_db(args.0, context).await,
            Self::Fleet(args) => fleet::cmd_fleet(args.0, context).await,
            Self::Edit(args) => edit::cmd_edit(args.0, context).await,
            Self::ListTemplates(args) => list_templates::cmd_list_templates(args.0, context),
            Self::Adopt(args) => adopt::cmd_adopt(args.0, context).await,
            Self::Convert(args) => convert::cmd_convert(args.0, context),
            Self::Schema(args) => schema::cmd_schema(args.0, context).await,
            Self::Verify(args) => verify::cmd_verify(args.0, context).await,
            Self::Lint(args) => lint::cmd_lint(args.0, context).await,
            Self::Rehearse(args) => rehearse::cmd_rehearse(args.0, context).await,
            Self::Scratch(args) => scratch::cmd_scratch(args.0, context).await,
            Self::Stamp(args) => stamp::cmd_stamp(args.0, context).await,
        }
    }
}
