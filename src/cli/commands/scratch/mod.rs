//! `migrator scratch`: throwaway databases for other programs.

mod drop;
mod list;

use std::ffi::OsString;

use clap::Subcommand;

use crate::{
    cli::{
        child::{self, Signals},
        context::Context,
    },
    database::Access,
    ops::{self, ScratchDatabase},
    project,
    report::{
        error::{self, Error},
        exit::Exit,
    },
};

/// Run a command with a throwaway database at a revision
///
/// The URL of the database is in DATABASE_URL, and migrator uses it inside COMMAND as well. The
/// database is dropped when COMMAND ends, and its exit status is that of COMMAND. On PostgreSQL
/// the database is kept as a template, so that the next one with the same scripts is a copy.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    subcommand_value_name = "SUBCOMMAND"
)]
pub struct ScratchArgs {
    #[command(subcommand)]
    subcommand: Option<Command>,

    /// State of the database: head, heads, base or a revision
    #[arg(
        long,
        value_name = "REV",
        default_value = "head",
        allow_hyphen_values = true
    )]
    at: String,

    /// Make rows in every table, from NUMBER [default: 1]
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    seed: Option<u64>,

    /// Command to run, with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    words: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::ScratchListArgs),
    Drop(drop::ScratchDropArgs),
}

pub async fn cmd_scratch(args: ScratchArgs, context: &Context) -> Result<Exit, Error> {
    match args.subcommand {
        Some(Command::List(args)) => list::cmd_scratch_list(&args, context).await,
        Some(Command::Drop(args)) => drop::cmd_scratch_drop(&args, context).await,
        None => run(&args, context).await,
    }
}

async fn run(args: &ScratchArgs, context: &Context) -> Result<Exit, Error> {
    // A signal between the end of the preparation and the start of the command must not be lost.
    let signals = Signals::install()?;
    let mut database = prepare(args, context).await?;
    let status = match context.stop.is_requested() {
        true => Err(ops::Error::Interrupted.into()),
        false => {
            let url = database.url();
            let variables = [
                ("DATABASE_URL", url.clone()),
                ("MIGRATOR_URL", url.clone()),
                (project::SCRATCH_DATABASE, url),
            ];
            let beat = async || {
                // The next attempt may succeed.
                let _ = database.renew().await;
            };
            child::run(&args.words, &variables, signals, beat).await
        }
    };
    if let Err(error) = database.drop().await {
        context.warn(error::not_dropped(error.into()));
    }
    status.map(Exit::Program)
}

async fn prepare(args: &ScratchArgs, context: &Context) -> Result<ScratchDatabase, Error> {
    let target = args.at.parse()?;
    let file = context.config.verify_seed.as_ref();
    let (request, bar) = context.watched(context.schema_request()?)?;
    let request = ops::ScratchArgs {
        target,
        scratch_url: request.scratch_url,
        progress: request.progress,
        seed: args.seed.map(|number| ops::ScratchSeed {
            number,
            file: file.map(|path| (path.clone(), context.config.show(path))),
        }),
    };
    let mut session = context.session("scratch", Access::Existing)?;
    let made = ops::scratch(&context.project, &mut session, &request).await;
    bar.finish();
    // The command may take long, and the database itself is not needed any more.
    context.leave(Some(session)).await;
    let made = made?;
    if context.output.is_verbose() {
        context.output.waiting(match made.is_copy() {
            true => "the database is a copy of a template",
            false => "the scripts were run in the database",
        });
    }
    for diagnostic in error::not_seeded(&made.seeded) {
        context.output.warn(&diagnostic);
    }
    Ok(made)
}
