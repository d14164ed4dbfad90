use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    database::admin,
    report::{DbChange, DbView},
};

/// Drop the database that the url names, with everything in it
///
/// Asks for the database's name, or needs --yes. Refuses while others use it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// PostgreSQL: end the sessions of others
    #[arg(long)]
    force: bool,

    /// PostgreSQL: the database to connect to meanwhile [default: postgres, or else template1]
    #[arg(long, value_name = "NAME")]
    maintenance_db: Option<String>,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    context.ask_for_name(&location, "drop")?;
    let settings = context.settings("db drop");
    let maintenance = args.maintenance_db.as_deref();
    let gone = admin::drop(&location, &settings, maintenance, args.force)
        .await
        .map_err(super::maintenance)?;
    context.output.result(&DbView {
        database: context.place(&location),
        change: DbChange::Dropped(gone),
    });
    Ok(Exit::Done)
}
