use crate::{
    cli::context::Context,
    database::Access,
    ops,
    report::{error::Error, exit::Exit},
};

/// Create the database named in the URL
///
/// Does nothing if the database exists. The directory of a SQLite file is not created.
#[derive(Debug, clap::Args)]
pub struct DbCreateArgs {
    /// PostgreSQL: database to connect to meanwhile [default: postgres, or else template1]
    #[arg(long, value_name = "NAME")]
    maintenance_db: Option<String>,
}

pub async fn cmd_db_create(args: DbCreateArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("db create", Access::Create)?;
    let created = ops::create_database(&session, args.maintenance_db.as_deref()).await;
    context.output.result(&created.map_err(super::maintenance)?);
    Ok(Exit::Done)
}
