use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    ops,
};

/// Replace a revision and all that it needs by one baseline
///
/// Its up script holds the statements of all of them, in order; their files go.
/// A database that has applied them counts as having applied the baseline, an
/// empty one runs only that. A squash that was interrupted is completed by the
/// next one. The database is not read; its url only tells whether the scripts
/// are for PostgreSQL or SQLite.
#[derive(Debug, clap::Args)]
pub struct SquashArgs {
    /// The last revision to replace; the baseline gets its id
    #[arg(long, value_name = "REVISION")]
    to: String,

    /// The baseline's message; its files are named after it
    #[arg(short, long, default_value = "Baseline")]
    message: String,

    /// Show what would become of the files, and change nothing
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
