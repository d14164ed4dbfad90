//! `migrator backup`: copies of the database, made and looked after.

mod list;
mod verify;

use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use crate::{
    cli::{
        backup::{Place, Work},
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    files::Compression,
    ops::{self, BackupArgs as BackupRequest},
};

/// Back the database up, or look after backups
///
/// A consistent copy, made while others read and write. It is listed when it is whole and on the
/// disk; then older ones are removed, as `[backup] keep` says.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    place: Place,

    /// zstd, or none, over `[backup] compress`
    #[arg(long, value_name = "HOW", value_parser = compression())]
    compress: Option<Compression>,

    /// How many backups of the database are kept, over `[backup] keep`; 0 is all
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::BackupListArgs),
    Verify(verify::BackupVerifyArgs),
}

impl BackupArgs {
    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        match &self.command {
            None => "backup",
            Some(Command::List(_)) => "backup list",
            Some(Command::Verify(_)) => "backup verify",
        }
    }
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
    let store = args.place.store(context)?;
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
