use crate::{
    cli::context::Context,
    database::Access,
    ops,
    report::{error::Error, exit::Exit},
};

/// Drop templates and abandoned scratch databases
///
/// Those that a living process uses are kept.
#[derive(Debug, clap::Args)]
pub struct ScratchDropArgs {
    /// Also those of other databases of the server
    #[arg(long)]
    all: bool,
}

pub async fn cmd_scratch_drop(args: &ScratchDropArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("scratch drop", Access::Existing)?;
    let url = context.schema_request()?.scratch_url;
    let report = ops::drop_scratch_databases(&session, url, args.all).await?;
    context.output.result(&report);
    Ok(Exit::Done)
}
