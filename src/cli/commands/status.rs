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
    let project = &context.project;
    let view = if args.schema {
        let work = async |session: &mut ops::Session, request: &_| {
            let status = ops::status(project, session).await?;
            let schema = Some(ops::schema_drift(project, session, request).await?);
            Ok(StatusView { status, schema })
        };
        context
            .read_schemas("status", context.schema_request()?, work)
            .await?
    } else {
        let work = async |session: &mut ops::Session| {
            let status = ops::status(project, session).await?;
            let schema = None;
            Ok(StatusView { status, schema })
        };
        context.read("status", work).await?
    };
    context.warn_of_unread()?;
    context.output.result(&view);
    Ok(Exit::Done)
}
