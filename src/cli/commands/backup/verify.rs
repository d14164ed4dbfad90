use std::path::PathBuf;

use crate::{
    cli::{
        backup::{Place, Work},
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops,
};

/// Restore a backup into a scratch database, compare, and drop that
///
/// Its hash, the rows of every table and the schema have to be those that were copied. For
/// PostgreSQL the scratch database is created on the server of the url; for SQLite it is a file.
#[derive(Debug, clap::Args)]
pub struct BackupVerifyArgs {
    /// The backup [default: the newest of the database]
    file: Option<PathBuf>,

    #[command(flatten)]
    place: Place,
}

pub async fn cmd_backup_verify(args: BackupVerifyArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("backup verify", Access::Existing)?;
    let store = args.place.store(context)?;
    let work = Work::begin(context)?;
    let (project, file) = (&context.project, args.file.as_deref());
    let verified = ops::verify_backup(project, &session, &store, file, &work.observer).await;
    work.finish();
    context.output.result(&verified?);
    Ok(Exit::Done)
}
