use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops,
};

/// Drop the database that the url names, with everything in it
///
/// Asks for the database's name, or needs --yes. Refuses while others use it.
#[derive(Debug, clap::Args)]
pub struct DbDropArgs {
    /// PostgreSQL: end the sessions of others
    #[arg(long)]
    force: bool,

    /// PostgreSQL: the database to connect to meanwhile [default: postgres, or else template1]
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
