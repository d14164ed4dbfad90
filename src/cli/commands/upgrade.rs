use super::{
    migrate::{self, BackupFirst, Request, Scope},
    sql::ends,
};
use crate::{
    cli::{
        args::Vars,
        context::Context,
        error::{Error, Exit},
        log_file,
    },
    revision::Direction,
};

/// Apply revisions, up to TARGET
///
/// Applies what the target needs and is not applied yet, each revision in one
/// transaction with its record. Everything is read and checked before the
/// first statement runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to go: head, heads, a revision, +N
    #[arg(default_value = "head", allow_negative_numbers = true)]
    target: String,

    /// Show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Print a script for psql or sqlite3 that does it; TARGET may be a range A:B, which asks no database
    #[arg(long, conflicts_with = "dry_run")]
    sql: bool,

    /// One transaction a revision, or one for the whole run
    #[arg(long, value_name = "SCOPE")]
    transaction: Option<Scope>,

    #[command(flatten)]
    log: log_file::LogArgs,

    #[command(flatten)]
    pub vars: Vars,

    #[command(flatten)]
    backup: BackupFirst,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let Args {
        target,
        dry_run,
        sql,
        transaction,
        log,
        vars: _,
        backup,
    } = args;
    let (start, target) = ends(Direction::Up, &target, sql)?;
    let request = Request {
        direction: Direction::Up,
        target,
        start,
        dry_run,
        sql,
        transaction,
        log_file: log.log_file,
        backup: backup.is_wanted(context.config.backup.before.upgrade),
    };
    migrate::run(context, request).await
}
