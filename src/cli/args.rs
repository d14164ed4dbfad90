use std::path::PathBuf;

use clap::{
    ArgAction, Args as ClapArgs, CommandFactory, Parser, Subcommand, ValueEnum,
    builder::styling::{AnsiColor, Styles},
};

use super::{codes, error::Error};
use crate::sql;

use super::commands::{
    adopt, backup, branches, check, completions, convert, current, db, downgrade, edit,
    ensure_version, explain, heads, history, init, list_templates, man, merge, rebase, redo,
    repair, restore, revision, show, squash, stamp, status, upgrade,
};

/// Database migrations for SQLite and PostgreSQL, in plain SQL
#[derive(Debug, Parser)]
#[command(
    name = "migrator",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    styles = STYLES,
    after_help = "Targets: head, heads, base, current, an id or 4 or more leading characters of it, \
                  a slug, +N, -N, REV+N, REV-N, LABEL@head.\n\n\
                  Exit status: 0 done, 1 failed and nothing changed, 2 usage, 3 a check says no, \
                  4 stopped partway, 5 the lock was busy, 130 interrupted.",
)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,

    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// What there is, for those who gave no command.
    pub fn overview() -> clap::builder::StyledStr {
        let template = "{about-section}\n{usage-heading} {usage}\n\nCommands:\n{subcommands}\n\n\
                        `migrator --help` tells of options and targets, `migrator help COMMAND` \
                        of a command.\n";
        Self::command().help_template(template).render_help()
    }
}

/// As errors of all other kinds look.
const STYLES: Styles = Styles::styled()
    .error(AnsiColor::BrightRed.on_default().bold())
    .valid(AnsiColor::BrightCyan.on_default().bold())
    .invalid(AnsiColor::Yellow.on_default());

/// Options of every command.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file [default: migrator.toml, here or above]
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Environment of the configuration
    #[arg(short = 'n', long = "env", value_name = "NAME", global = true)]
    pub environment: Option<String>,

    /// Database URL (overrides the configuration)
    #[arg(long, value_name = "URL", global = true, hide_env_values = true)]
    pub url: Option<String>,

    /// What results look like
    #[arg(long, value_name = "FORMAT", default_value = "human", global = true)]
    pub format: Format,

    /// Say more
    #[arg(short, long, global = true, action = ArgAction::SetTrue, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Say nothing but errors and results that were asked for
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub quiet: bool,

    /// When to use colours; auto is on a terminal without NO_COLOR
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Color,

    /// Don't ask: everything is confirmed
    #[arg(long, global = true)]
    pub yes: bool,
}

/// What results look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // Text for people.
    Human,
    // One JSON object.
    Json,
    // Annotations for GitHub's workflows; of `check` alone, whose help tells of it.
    #[value(hide = true)]
    Github,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    // On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::InitArgs),
    Revision(revision::RevisionArgs),
    Upgrade(upgrade::UpgradeArgs),
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
    Stamp(stamp::StampArgs),
    Adopt(adopt::AdoptArgs),
    Repair(repair::RepairArgs),
    EnsureVersion(ensure_version::EnsureVersionArgs),
    Convert(convert::ConvertArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Db(db::DbArgs),
    Edit(edit::EditArgs),
    ListTemplates(list_templates::ListTemplatesArgs),
    Explain(explain::ExplainArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Values for placeholders, of commands whose scripts may have them.
#[derive(Debug, Default, Clone, ClapArgs)]
pub struct Vars {
    /// What a placeholder :{NAME} stands for; may be given more than once
    #[arg(long = "var", value_name = "NAME=VALUE")]
    vars: Vec<String>,
}

/// Not by a parser of clap's, which would show the whole text: the value may be a password.
fn assignment(text: &str) -> Result<(String, String), Error> {
    let wrong = |message| {
        let error = Error::new(codes::M245, message);
        Err(error.hint("write --var NAME=VALUE"))
    };
    match text.split_once('=') {
        Some((name, value)) if sql::Vars::is_name(name) => Ok((name.to_owned(), value.to_owned())),
        Some((name, _)) => wrong(format!("`{name}` is not a name for a placeholder")),
        None => wrong("--var has no `=`".to_owned()),
    }
}

impl Command {
    /// The values for placeholders that it was given.
    ///
    /// # Errors
    /// Of the first that is not NAME=VALUE.
    pub fn vars(&self) -> Result<Vec<(String, String)>, Error> {
        let vars = match self {
            Self::Upgrade(args) => &args.vars,
            Self::Downgrade(args) => &args.vars,
            Self::Redo(args) => &args.vars,
            Self::Repair(args) => &args.vars,
            Self::Check(args) => &args.vars,
            _ => return Ok(Vec::new()),
        };
        vars.vars.iter().map(|text| assignment(text)).collect()
    }

    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Revision(_) => "revision",
            Self::Upgrade(_) => "upgrade",
            Self::Downgrade(_) => "downgrade",
            Self::Redo(_) => "redo",
            Self::Current(_) => "current",
            Self::History(_) => "history",
            Self::Heads(_) => "heads",
            Self::Branches(_) => "branches",
            Self::Merge(_) => "merge",
            Self::Rebase(_) => "rebase",
            Self::Squash(_) => "squash",
            Self::Show(_) => "show",
            Self::Status(_) => "status",
            Self::Check(_) => "check",
            Self::Stamp(_) => "stamp",
            Self::Adopt(_) => "adopt",
            Self::Repair(_) => "repair",
            Self::EnsureVersion(_) => "ensure-version",
            Self::Convert(_) => "convert",
            Self::Backup(args) => args.name(),
            Self::Restore(_) => "restore",
            Self::Db(args) => args.name(),
            Self::Edit(_) => "edit",
            Self::ListTemplates(_) => "list-templates",
            Self::Explain(_) => "explain",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}
