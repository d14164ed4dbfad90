use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// Show the state of the database: current, head, pending, drift
#[derive(Debug, clap::Args)]
pub struct StatusArgs {}

pub async fn cmd_status(_: StatusArgs, context: &Context) -> Result<Exit, Error> {
    let work = async |session: &mut ops::Session| ops::status(&context.project, session).await;
    let report = context.read("status", work).await?;
    context.warn_of_unread()?;
    context.output.result(&report);
    Ok(Exit::Done)
}
