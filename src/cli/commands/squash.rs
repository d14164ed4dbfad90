use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// Replace a revision and everything it requires by a baseline
///
/// The up script of the baseline holds the statements of all replaced revisions, in order;
/// their files are removed. A database that has applied all of them counts as having applied
/// the baseline; an empty database runs only the baseline. If a squash was interrupted, the
/// next one completes it. The database is not read: its URL only determines whether the scripts
/// are for PostgreSQL or SQLite.
#[derive(Debug, clap::Args)]
pub struct SquashArgs {
    /// Last revision to replace; the baseline takes its ID
    #[arg(long, value_name = "REVISION")]
    to: String,

    /// Message of the baseline, used in its file names
    #[arg(short, long, default_value = "Baseline")]
    message: String,

    /// Show which files would change without changing anything
    #[arg(long)]
    dry_run: bool,
}

pub fn cmd_squash(args: SquashArgs, context: &Context) -> Result<Exit, Error> {
    let project = &context.project;
    if !args.dry_run
        && let Some(recovered) = ops::recover(project)?
    {
        context.output.result(&recovered);
        return Ok(Exit::Done);
    }
    let request = ops::SquashArgs {
        to: args.to,
        message: args.message,
        dry_run: args.dry_run,
    };
    let report = ops::squash(project, context.location()?.dialect(), &request)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
