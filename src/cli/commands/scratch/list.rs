use crate::{
    cli::context::Context,
    database::Access,
    ops,
    report::{error::Error, exit::Exit},
};

/// List scratch databases and templates
///
/// Shows their age, their size, and whether a process uses them. On SQLite these are the files of
/// the current user.
#[derive(Debug, clap::Args)]
pub struct ScratchListArgs {
    /// Also those of other databases of the server
    #[arg(long)]
    all: bool,
}

pub async fn cmd_scratch_list(args: &ScratchListArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("scratch list", Access::Existing)?;
    let url = context.schema_request()?.scratch_url;
    let report = ops::list_scratch_databases(&session, url, args.all).await?;
    context.output.result(&report);
    Ok(Exit::Done)
}
