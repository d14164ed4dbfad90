use std::path::PathBuf;

use crate::{
    cli::{backup::Work, context::Context, options::Place},
    database::Access,
    ops,
    report::{error::Error, exit::Exit},
};

/// Restore a backup into a scratch database and compare it
///
/// Checks that the hash of the file, the rows of every table and the schema are those that were
/// copied, then drops the scratch database. For PostgreSQL the scratch database is created on
/// the server in the URL; for SQLite it is a file.
#[derive(Debug, clap::Args)]
pub struct BackupVerifyArgs {
    /// Backup to verify [default: the newest backup of the database]
    file: Option<PathBuf>,

    #[command(flatten)]
    place: Place,
}

pub async fn cmd_backup_verify(args: BackupVerifyArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("backup verify", Access::Existing)?;
    let store = context.store(&args.place)?;
    let work = Work::begin(context)?;
    let (project, file) = (&context.project, args.file.as_deref());
    let verified = ops::verify_backup(project, &session, &store, file, &work.observer).await;
    work.finish();
    context.output.result(&verified?);
    Ok(Exit::Done)
}
