use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops,
};

/// Create the version table and its log, and nothing else
///
/// For a role that may create tables, on behalf of another that may not. Tables
/// that exist are left alone.
#[derive(Debug, clap::Args)]
pub struct EnsureVersionArgs {}

pub async fn cmd_ensure_version(_: EnsureVersionArgs, context: &Context) -> Result<Exit, Error> {
    let ensured = context.operate(("ensure-version", Access::Create), async |session, _| {
        ops::ensure_version(session).await
    });
    context.output.result(&ensured.await?);
    Ok(Exit::Done)
}
