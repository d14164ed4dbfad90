use std::path::PathBuf;

use crate::{
    cli::{
        backup::{Place, Work},
        codes,
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops,
};

/// Restore a database from a backup
///
/// It is restored to the side and compared with what was copied; only then it takes the database's
/// place, in one step. The old one is kept under another name. One that has changed since the
/// backup is not replaced without --yes.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The backup, as `migrator backup list` has it
    file: PathBuf,

    #[command(flatten)]
    place: Place,

    /// Don't keep the old one; needs --yes
    #[arg(long)]
    discard_old: bool,

    /// PostgreSQL: everything belongs to the role that restores, and nobody has privileges
    #[arg(long)]
    no_owner: bool,
}

pub async fn cmd_restore(args: RestoreArgs, context: &Context) -> Result<Exit, Error> {
    let backup = args.place.store(context)?.find(&args.file)?;
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
