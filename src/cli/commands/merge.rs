use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    ops,
};

/// Join heads with a new revision that revises them all
///
/// Creates the scripts of a revision with nothing to run in it. Where branches
/// changed the same thing, write what reconciles them into it.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// The heads to join [default: all of them]
    #[arg(value_name = "REVISION")]
    revisions: Vec<String>,

    /// What the revision does, in a few words; the files are named after it
    #[arg(short, long)]
    message: String,

    /// A name for the branch that begins here
    #[arg(long, value_name = "NAME")]
    label: Option<String>,

    /// The id, in place of the time
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,

    /// The template to use
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
