use crate::{
    cli::context::Context,
    database::Access,
    ops,
    report::{error::Error, exit::Exit},
};

/// Drop the database named in the URL, and everything in it
///
/// Asks for the name of the database unless --yes is given. Fails if the database is in use.
#[derive(Debug, clap::Args)]
pub struct DbDropArgs {
    /// PostgreSQL: terminate the sessions of others
    #[arg(long)]
    force: bool,

    /// PostgreSQL: database to connect to meanwhile [default: postgres, or else template1]
    #[arg(long, value_name = "NAME")]
    maintenance_db: Option<String>,
}

pub async fn cmd_db_drop(args: DbDropArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("db drop", Access::Existing)?;
    context.ask_for_name(session.location(), "drop")?;
    let maintenance = args.maintenance_db.as_deref();
    let dropped = ops::drop_database(&session, maintenance, args.force).await;
    context.output.result(&dropped.map_err(super::maintenance)?);
    Ok(Exit::Done)
}
