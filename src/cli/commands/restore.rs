use std::path::PathBuf;

use crate::{
    cli::{backup::Work, context::Context, options::Place},
    database::Access,
    ops,
    report::{codes, error::Error, exit::Exit},
};

/// Restore a database from a backup
///
/// The backup is restored beside the database and compared with what was copied; only then does
/// it replace the database, in one step. The old database is kept under another name. A
/// database that has changed since the backup is not replaced without --yes.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// Backup to restore, as listed by `migrator backup list`
    file: PathBuf,

    #[command(flatten)]
    place: Place,

    /// Do not keep the old database; requires --yes
    #[arg(long)]
    discard_old: bool,

    /// PostgreSQL: make the restoring role the owner of everything, and restore no privileges
    #[arg(long)]
    no_owner: bool,
}

pub async fn cmd_restore(args: RestoreArgs, context: &Context) -> Result<Exit, Error> {
    let backup = context.store(&args.place)?.find(&args.file)?;
    if args.discard_old && !context.yes {
        let message = "discarding the old database was not confirmed";
        return Err(Error::new(codes::M112, message).hint("give --yes, or let it be kept"));
    }
    context.confirm("restore")?;
    let work = Work::begin(context)?;
    let request = ops::RestoreArgs {
        backup,
        overwrite: context.yes,
        discard_old: args.discard_old,
        no_owner: args.no_owner,
        observer: work.observer.clone(),
    };
    let live = context.live();
    let session = context.session("restore", Access::Existing)?;
    let session = session.on_events(context.events(&live));
    let restored = ops::restore(&context.project, &session, &request).await;
    live.finish(restored.is_err());
    work.finish();
    let mut report = restored?;
    if let Some(error) = report.not_removed.take() {
        context.warn(error.into());
    }
    context.output.result(&report);
    Ok(Exit::Done)
}
