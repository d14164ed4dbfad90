use super::migrate::{self, BackupFirst, LogArgs, Scope, ends};
use crate::{
    cli::{
        args::Vars,
        context::Context,
        error::{Error, Exit},
    },
    revision::Direction,
};

/// Revert revisions, down to TARGET
///
/// Reverts every applied revision above the target, latest applied first. The
/// target itself stays applied. A down script whose file is gone is taken from
/// the version table, where it was stored when the revision was applied.
#[derive(Debug, clap::Args)]
pub struct DowngradeArgs {
    /// Where to go: base, a revision that is applied, -N for the N latest applied
    #[arg(allow_negative_numbers = true)]
    target: String,

    /// Show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Print a script for psql or sqlite3 that does it; TARGET may be a range A:B, which needs no database
    #[arg(long, conflicts_with = "dry_run")]
    sql: bool,

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

pub async fn cmd_downgrade(args: DowngradeArgs, context: &Context) -> Result<Exit, Error> {
    let (start, target) = ends(Direction::Down, &args.target, args.sql)?;
    if !args.dry_run && !args.sql {
        context.confirm("downgrade")?;
    }
    let request = migrate::Request {
        direction: Direction::Down,
        target,
        start,
        dry_run: args.dry_run,
        sql: args.sql,
        allow_nonempty: false,
        transaction: args.transaction,
        log_file: args.log.log_file,
        backup: (args.backup).is_wanted(context.config.backup.before.downgrade),
    };
    migrate::run(context, request).await
}
