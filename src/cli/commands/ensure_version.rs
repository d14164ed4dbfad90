use crate::{
    cli::{
        context::{Context, Role},
        error::{Error, Exit},
    },
    database::{Database, Detail},
    report::EnsuredView,
};

/// Make the version table and its log, and nothing else
///
/// For a role that may make tables, on behalf of another that may not. Tables
/// that are there already are left alone.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let role = Role::Creator("ensure-version");
    let mut database = context.connect(&location, role).await?;
    let made = locked(context, database.as_mut()).await;
    let released = database.unlock().await;
    database.close().await?;
    let made = made?;
    released?;
    context.output.result(&EnsuredView {
        database: context.place(&location),
        table: context.config.version_table.clone(),
        made,
    });
    Ok(Exit::Done)
}

/// Returns whether something had to be made.
async fn locked(context: &Context, database: &mut dyn Database) -> Result<bool, Error> {
    context.lock(database).await?;
    let before = database.observe(Detail::Brief).await?;
    database.prepare().await?;
    let after = database.observe(Detail::Brief).await?;
    Ok(before.layout != after.layout)
}
