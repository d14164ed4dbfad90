use crate::{
    cli::context::Context,
    database::Access,
    ops::{self, Unasked},
    report::{error::Error, exit::Exit},
};

/// Show a revision: files, parents, when it was applied
///
/// With -v, prints the scripts too. Reads the database if one is configured, and shows how scripts
/// differ from what was applied.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Revision to show
    revision: String,

    /// Print all differences from what was applied, including those in comments
    #[arg(long)]
    diff: bool,
}

pub async fn cmd_show(args: ShowArgs, context: &Context) -> Result<Exit, Error> {
    let request = ops::ShowArgs {
        target: args.revision.parse()?,
        diff: args.diff,
    };
    let mut session = match context.config.url() {
        Ok(_) => Some(context.session("show", Access::Existing)?),
        Err(_) => None,
    };
    let (project, dialect) = (&context.project, context.dialect()?);
    let report = ops::show(project, session.as_mut(), dialect, &request).await?;
    if let Some(Unasked::Unreadable(error)) = &report.unasked {
        context.warn(error.into());
    }
    context.leave(session).await;
    context.page(&report);
    Ok(Exit::Done)
}
