use crate::{
    cli::context::Context,
    database::Access,
    ops::{self, Unasked},
    report::{error::Error, exit::Exit},
};

/// Show a revision: files, parents, when it was applied
///
/// With -v, prints the scripts too. Reads the database if one is configured.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Revision to show
    revision: String,
}

pub async fn cmd_show(args: ShowArgs, context: &Context) -> Result<Exit, Error> {
    let target = args.revision.parse()?;
    let mut session = match context.config.url() {
        Ok(_) => Some(context.session("show", Access::Existing)?),
        Err(_) => None,
    };
    let (project, dialect) = (&context.project, context.dialect()?);
    let report = ops::show(project, session.as_mut(), dialect, &target).await?;
    if let Some(Unasked::Unreadable(error)) = &report.unasked {
        context.warn(error.into());
    }
    context.leave(session).await;
    context.page(&report);
    Ok(Exit::Done)
}
