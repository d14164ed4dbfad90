use super::{files, revision::one};
use crate::{
    cli::{
        codes,
        context::Context,
        error::{Error, Exit},
    },
    plan, project,
    report::SquashView,
};

/// Make one baseline of a revision and all that it needs
///
/// Its up script holds the statements of all of them, in order; their files go.
/// A database that has applied them counts as having applied the baseline, an
/// empty one runs only that. A squash that was interrupted is completed by the
/// next one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The last revision to replace; the baseline gets its id
    #[arg(long, value_name = "REVISION")]
    to: String,

    /// What the baseline is called; its files are named after it
    #[arg(short, long, default_value = "Baseline")]
    message: String,

    /// Show what would become of the files, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    if !args.dry_run && files::recover(context)? {
        return Ok(Exit::Done);
    }
    let dialect = context.dialect();
    let history = context.history_to_write(dialect)?;
    let id = one(&history, &args.to, context)?;
    let to = history
        .get(&id)
        .ok_or_else(|| Error::new(codes::M401, format!("revision {id} has no files here")))?;
    let slug = project::slugify(&args.message)?;
    let message = args.message.lines().next().unwrap_or_default().trim();
    let squash = plan::squash(&history, dialect, to, message, &slug)?;
    if !args.dry_run {
        files::exchange(&squash.files, context)?;
    }
    context.output.result(&SquashView {
        squash,
        dry_run: args.dry_run,
    });
    Ok(Exit::Done)
}
