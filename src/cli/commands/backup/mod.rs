//! `migrator backup`: creates and manages copies of the database.

mod list;
mod verify;

use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    cli::{backup::Work, context::Context, options::Place},
    database::Access,
    files::Compression,
    ops::{self, BackupArgs as BackupRequest},
    report::{error::Error, exit::Exit},
};

/// Back up the database, or manage backups
///
/// Makes a consistent copy while others read and write. A backup is listed once it is complete
/// and synced to disk. Older backups are then removed according to `[backup] keep`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    place: Place,

    /// Compression: zstd or none (overrides `[backup] compress`)
    #[arg(long, value_name = "HOW", value_parser = compression())]
    compress: Option<Compression>,

    /// Number of backups of the database to keep; 0 keeps all (overrides `[backup] keep`)
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::BackupListArgs),
    Verify(verify::BackupVerifyArgs),
}

fn compression() -> impl TypedValueParser<Value = Compression> {
    PossibleValuesParser::new(Compression::ALL.map(Compression::name))
        .try_map(|name| name.parse::<Compression>())
}

pub async fn cmd_backup(args: BackupArgs, context: &Context) -> Result<Exit, Error> {
    match args.command {
        None => make(args, context).await,
        Some(Command::List(args)) => list::cmd_backup_list(&args, context),
        Some(Command::Verify(args)) => verify::cmd_backup_verify(args, context).await,
    }
}

async fn make(args: BackupArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("backup", Access::Existing)?;
    let mut making = context.making();
    if let Some(compress) = args.compress {
        making.compression = compress;
    }
    if let Some(keep) = args.keep {
        making.keep = keep as usize;
    }
    let store = context.store(&args.place)?;
    let work = Work::begin(context)?;
    let request = BackupRequest {
        store,
        making,
        observer: work.observer.clone(),
    };
    let made = ops::back_up(&context.project, &session, &request).await;
    work.finish();
    let mut report = made?;
    if let Some(error) = report.not_removed.take() {
        context.warn(error.into());
    }
    context.output.result(&report);
    Ok(Exit::Done)
}
