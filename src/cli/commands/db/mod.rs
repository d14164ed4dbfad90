//! `migrator db`: the database itself.

mod create;
mod drop;
mod wait;

use clap::Subcommand;

use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    database::DatabaseError,
};

/// Make, drop or await the database itself
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Args),
    Drop(drop::Args),
    Wait(wait::Args),
}

impl Args {
    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        match &self.command {
            Command::Create(_) => "db create",
            Command::Drop(_) => "db drop",
            Command::Wait(_) => "db wait",
        }
    }
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    match args.command {
        Command::Create(args) => create::run(args, context).await,
        Command::Drop(args) => drop::run(args, context).await,
        Command::Wait(args) => wait::run(args, context).await,
    }
}

/// What is missing is the database that was connected to meanwhile.
fn maintenance(error: DatabaseError) -> Error {
    let is_missing = matches!(error, DatabaseError::Missing { .. });
    let error = Error::from(error);
    if is_missing {
        error.hint("name a database that the server has with --maintenance-db")
    } else {
        error
    }
}
