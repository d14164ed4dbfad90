use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    database::admin,
    report::{DbChange, DbView},
};

/// Make the database that the url names
///
/// One that is there already is left alone. Of a SQLite file the directory is
/// not made.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// PostgreSQL: the database to connect to meanwhile [default: postgres, or else template1]
    #[arg(long, value_name = "NAME")]
    maintenance_db: Option<String>,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let settings = context.settings("db create");
    let made = admin::create(&location, &settings, args.maintenance_db.as_deref())
        .await
        .map_err(super::maintenance)?;
    context.output.result(&DbView {
        database: context.place(&location),
        change: DbChange::Created(made),
    });
    Ok(Exit::Done)
}
