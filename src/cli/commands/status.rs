use crate::{
    cli::context::Context,
    ops,
    report::{StatusView, error::Error, exit::Exit},
};

/// Show the state of the database: current, head, pending, drift
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Compare the schema too, with what the applied scripts make in a scratch database
    #[arg(long)]
    schema: bool,
}

pub async fn cmd_status(args: StatusArgs, context: &Context) -> Result<Exit, Error> {
    let request = context.schema_request()?;
    let work = async |session: &mut ops::Session| {
        let status = ops::status(&context.project, session).await?;
        let schema = match args.schema {
            true => Some(ops::schema_drift(&context.project, session, &request).await?),
            false => None,
        };
        Ok(StatusView { status, schema })
    };
    let view = context.read("status", work).await?;
    context.warn_of_unread()?;
    context.output.result(&view);
    Ok(Exit::Done)
}
