use super::migrate::{self, BackupFirst, LogArgs, Scope, ends};
use crate::{
    cli::{
        args::Vars,
        context::Context,
        error::{Error, Exit},
    },
    revision::Direction,
};

/// Apply revisions, up to TARGET
///
/// Applies what the target needs and is not applied yet, each revision in one
/// transaction with its record. Everything is read and checked before the
/// first statement runs.
#[derive(Debug, clap::Args)]
pub struct UpgradeArgs {
    /// Where to go: head, heads, a revision, +N
    #[arg(default_value = "head", allow_negative_numbers = true)]
    target: String,

    /// Show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Print a script for psql or sqlite3 that does it; TARGET may be a range A:B, which needs no database
    #[arg(long, conflicts_with = "dry_run")]
    sql: bool,

    /// Run also in a database that has tables but no version table
    #[arg(long)]
    allow_nonempty: bool,

    /// One transaction per revision, or one for the whole run
    #[arg(long, value_name = "SCOPE")]
    transaction: Option<Scope>,

    #[command(flatten)]
    log: LogArgs,

    #[command(flatten)]
    pub vars: Vars,

    #[command(flatten)]
    backup: BackupFirst,
}

pub async fn cmd_upgrade(args: UpgradeArgs, context: &Context) -> Result<Exit, Error> {
    let (start, target) = ends(Direction::Up, &args.target, args.sql)?;
    let request = migrate::Request {
        direction: Direction::Up,
        target,
        start,
        dry_run: args.dry_run,
        sql: args.sql,
        allow_nonempty: args.allow_nonempty,
        transaction: args.transaction,
        log_file: args.log.log_file,
        backup: (args.backup).is_wanted(context.config.backup.before.upgrade),
    };
    migrate::run(context, request).await
}
