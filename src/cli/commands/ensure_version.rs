use crate::{
    cli::context::Context,
    database::Access,
    ops,
    report::{error::Error, exit::Exit},
};

/// Create the version table and its log, and nothing else
///
/// For a role that may create tables, on behalf of one that may not. Existing tables are not
/// changed.
#[derive(Debug, clap::Args)]
pub struct EnsureVersionArgs {}

pub async fn cmd_ensure_version(_: EnsureVersionArgs, context: &Context) -> Result<Exit, Error> {
    let ensured = context.operate(("ensure-version", Access::Create), async |session, _| {
        ops::ensure_version(session).await
    });
    context.output.result(&ensured.await?);
    Ok(Exit::Done)
}
