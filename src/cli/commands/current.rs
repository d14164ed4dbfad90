use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// Show the current revision of the database
///
/// Prints the newest applied revision, or several if branches are applied.
#[derive(Debug, clap::Args)]
pub struct CurrentArgs {
    /// Exit with status 3 unless exactly the heads of the directory are applied
    #[arg(long)]
    check_heads: bool,
}

pub async fn cmd_current(args: CurrentArgs, context: &Context) -> Result<Exit, Error> {
    let work = async |session: &mut ops::Session| ops::current(&context.project, session).await;
    let mut report = context.read("current", work).await?;
    match report.unread.take() {
        Some(error) if args.check_heads => return Err(error.into()),
        Some(error) => context.warn(error.into()),
        None => {}
    }
    context.output.result(&report);
    Ok(match args.check_heads && !report.at_heads {
        true => Exit::CheckFailed,
        false => Exit::Done,
    })
}
