//! `migrator backup`: copies of the database, made and looked after.

mod list;
mod verify;

use std::time::Instant;

use clap::{Subcommand, ValueEnum};

use crate::{
    cli::{
        backup::{self, Place, Work},
        context::Context,
        error::{Error, Exit},
    },
    project::Compress,
    report::MadeBackupView,
};

/// Back the database up, or look after backups
///
/// A consistent copy, made while others read and write. It is listed when it is whole and on the
/// disk; then older ones go, as `[backup] keep` says.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    place: Place,

    /// zstd, or none, over `[backup] compress`
    #[arg(long, value_name = "HOW")]
    compress: Option<Compression>,

    /// How many backups of the database are kept, over `[backup] keep`; 0 is all
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compression {
    Zstd,
    None,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Verify(verify::Args),
}

impl Args {
    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        match &self.command {
            None => "backup",
            Some(Command::List(_)) => "backup list",
            Some(Command::Verify(_)) => "backup verify",
        }
    }
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    match args.command {
        None => make(args, context).await,
        Some(Command::List(args)) => list::run(&args, context),
        Some(Command::Verify(args)) => verify::run(args, context).await,
    }
}

async fn make(args: Args, context: &Context) -> Result<Exit, Error> {
    let begin = Instant::now();
    let location = context.location()?;
    let settings = context.settings("backup");
    let store = args.place.store(context)?;
    let mut making = backup::making(context);
    if let Some(compress) = args.compress {
        making.packing = backup::packing(match compress {
            Compression::Zstd => Compress::Zstd,
            Compression::None => Compress::None,
        });
    }
    if let Some(keep) = args.keep {
        making.keep = keep as usize;
    }
    let work = Work::begin(context)?;
    let made = backup::make(context, (&location, &settings), &store, making, &work).await?;
    let removed = made.removed.iter();
    context.output.result(&MadeBackupView {
        database: context.place(&location),
        file: context.config.show(&made.backup.file),
        removed: removed.map(|path| context.config.show(path)).collect(),
        backup: made.backup,
        elapsed: begin.elapsed(),
    });
    Ok(Exit::Done)
}
