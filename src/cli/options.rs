//! Options that several commands take.

use std::path::PathBuf;

use clap::{ArgAction, ValueEnum, builder::PossibleValue};

use crate::{
    report::{Format, Output, Verbosity, codes, error::Error},
    revision::TransactionScope,
    sql,
};

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file [default: migrator.toml in this directory or above]
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Environment to use from the configuration
    #[arg(short = 'n', long = "env", value_name = "NAME", global = true)]
    pub environment: Option<String>,

    /// Database URL (overrides the configuration)
    #[arg(long, value_name = "URL", global = true, hide_env_values = true)]
    pub url: Option<String>,

    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "human", global = true)]
    pub format: Format,

    /// Print more details
    #[arg(short, long, global = true, action = ArgAction::SetTrue, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Print only errors and requested results
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub quiet: bool,

    /// When to use colors; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Color,

    /// Do not send long output to a pager
    #[arg(long, global = true)]
    pub no_pager: bool,

    /// Do not ask for confirmation
    #[arg(long, global = true)]
    pub yes: bool,
}

impl Global {
    /// The output of `command`.
    pub fn output(&self, command: &str) -> Output {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let colors = match self.color {
            Color::Auto => None,
            Color::Always => Some(true),
            Color::Never => Some(false),
        };
        Output::new(command, self.format, verbosity, colors)
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Human,
            Self::Json,
            Self::Ndjson,
            Self::Github,
            Self::Sarif,
            Self::Markdown,
            Self::Html,
            Self::Prometheus,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Human => PossibleValue::new("human"),
            Self::Json => PossibleValue::new("json"),
            // Few commands support these, and their help mentions them.
            Self::Ndjson => PossibleValue::new("ndjson").hide(true),
            Self::Github => PossibleValue::new("github").hide(true),
            Self::Sarif => PossibleValue::new("sarif").hide(true),
            Self::Markdown => PossibleValue::new("markdown").hide(true),
            Self::Html => PossibleValue::new("html").hide(true),
            Self::Prometheus => PossibleValue::new("prometheus").hide(true),
        })
    }
}

/// When to use colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    // On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

/// Values of placeholders, for commands that run or check scripts.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Vars {
    /// Value of the placeholder :{NAME}; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    vars: Vec<String>,
}

impl Vars {
    /// The given names and values.
    ///
    /// # Errors
    /// Fails when an argument is not NAME=VALUE.
    pub fn assignments(&self) -> Result<Vec<(String, String)>, Error> {
        self.vars.iter().map(|text| assignment(text)).collect()
    }
}

/// Parses NAME=VALUE. A parser of clap would show the whole text on failure, and the value may be a
/// password.
fn assignment(text: &str) -> Result<(String, String), Error> {
    let wrong = |message| {
        let error = Error::new(codes::M245, message);
        Err(error.hint("write --var NAME=VALUE"))
    };
    match text.split_once('=') {
        Some((name, value)) if sql::Vars::is_name(name) => Ok((name.to_owned(), value.to_owned())),
        Some((name, _)) => wrong(format!("`{name}` is not a valid placeholder name")),
        None => wrong("--var has no `=`".to_owned()),
    }
}

impl ValueEnum for TransactionScope {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Revision, Self::All]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Revision => PossibleValue::new("revision").help("One transaction per revision"),
            Self::All => PossibleValue::new("all").help("One transaction for the whole run"),
        })
    }
}

/// Options of `upgrade` and `downgrade`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Show what would run without changing anything
    #[arg(long)]
    pub dry_run: bool,

    /// Print a script for psql or sqlite3 instead; TARGET may be a range A:B, which needs no database
    #[arg(long, conflicts_with = "dry_run")]
    pub sql: bool,

    /// Use one transaction per revision, or one for the whole run
    #[arg(long, value_name = "SCOPE")]
    pub transaction: Option<TransactionScope>,

    #[command(flatten)]
    pub log: LogArgs,

    #[command(flatten)]
    pub vars: Vars,

    /// Make a backup first, if there is anything to run
    #[arg(long)]
    backup: bool,

    /// Make no backup, even if `[backup] before` asks for one
    #[arg(long, conflicts_with = "backup")]
    no_backup: bool,
}

impl RunArgs {
    /// Whether to make a backup first: the flags, or else the configuration.
    pub fn backup_first(&self, configured: bool) -> bool {
        self.backup || configured && !self.no_backup
    }
}

/// Log file of `upgrade`, `downgrade` and `redo`.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Append every statement and its duration to FILE, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// Directory of the backups.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Directory of the backups (overrides `[backup] directory`)
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}
