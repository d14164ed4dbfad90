use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// Join heads with a new revision that revises all of them
///
/// Creates scripts without statements. If the branches changed the same object, add the
/// statements that reconcile them.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// Heads to join [default: all heads]
    #[arg(value_name = "REVISION")]
    revisions: Vec<String>,

    /// Short description of the revision, used in the file names
    #[arg(short, long)]
    message: String,

    /// Name of the branch that starts here
    #[arg(long, value_name = "NAME")]
    label: Option<String>,

    /// Revision ID to use instead of the current time
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,

    /// Template to use (see `migrator list-templates`)
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
}

pub fn cmd_merge(args: MergeArgs, context: &Context) -> Result<Exit, Error> {
    let request = ops::RevisionArgs {
        message: args.message,
        label: args.label,
        rev_id: args.rev_id,
        template: args.template,
        ..ops::RevisionArgs::default()
    };
    let dialect = context.dialect()?;
    let report = ops::merge(&context.project, dialect, &args.revisions, &request)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
