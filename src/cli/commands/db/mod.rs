//! `migrator db`: the database itself.

mod create;
mod drop;
mod wait;

use clap::Subcommand;

use crate::{
    cli::context::Context,
    database::DatabaseError,
    ops,
    report::{error::Error, exit::Exit},
};

/// Create, drop, or wait for the database
#[derive(Debug, clap::Args)]
pub struct DbArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::DbCreateArgs),
    Drop(drop::DbDropArgs),
    Wait(wait::DbWaitArgs),
}

pub async fn cmd_db(args: DbArgs, context: &Context) -> Result<Exit, Error> {
    match args.command {
        Command::Create(args) => create::cmd_db_create(args, context).await,
        Command::Drop(args) => drop::cmd_db_drop(args, context).await,
        Command::Wait(args) => wait::cmd_db_wait(args, context).await,
    }
}

/// The missing database is the maintenance database.
fn maintenance(error: ops::Error) -> Error {
    let is_missing = matches!(error, ops::Error::Database(DatabaseError::Missing { .. }));
    let error = Error::from(error);
    if is_missing {
        error.hint("name a database that the server has with --maintenance-db")
    } else {
        error
    }
}
