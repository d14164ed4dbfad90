use std::{path::PathBuf, time::Instant};

use crate::{
    backup::{Kept, Restore, Restored, Subject},
    cli::{
        backup::{Place, Work},
        codes,
        context::Context,
        error::{Error, Exit},
    },
    execute,
    report::RestoredView,
};

/// Put a backup in the place of the database
///
/// It is restored to the side and compared with what was copied; only then it takes the database's
/// place, in one step. The old one is kept under another name. One that has changed since the
/// backup is not replaced without --yes.
#[derive(Debug, clap::Args)]
pub struct Args {
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

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let begin = Instant::now();
    let location = context.location()?;
    let settings = context.settings("restore");
    let backup = args.place.store(context)?.find(&args.file)?;
    if args.discard_old && !context.yes {
        return Err(Error::new(
            codes::M112,
            "that the old database is thrown away was not confirmed",
        )
        .hint("give --yes, or let it be kept"));
    }
    context.confirm("restore")?;
    let subject = Subject {
        location: &location,
        settings: &settings,
    };
    let work = Work::begin(context)?;
    let mut restore = Restore::open(subject, &backup, args.no_owner).await?;
    let restored = locked(&mut restore, &args, context, &work).await;
    work.finish();
    let left = restore.leave().await;
    let Restored { before, kept } = restored?;
    // What was to be done is done.
    if let Err(error) = left {
        context.warn(error.into());
    }
    let kept_file = match &kept {
        Kept::File(file) => Some(context.config.show(file)),
        _ => None,
    };
    context.output.result(&RestoredView {
        database: context.place(&location),
        file: context.config.show(&backup.file),
        backup,
        before,
        kept,
        kept_file,
        elapsed: begin.elapsed(),
    });
    Ok(Exit::Done)
}

async fn locked(
    restore: &mut Restore<'_>,
    args: &Args,
    context: &Context,
    work: &Work,
) -> Result<Restored, Error> {
    if let Some(database) = restore.lockable() {
        let (progress, sink) = context.output.progress();
        let wait = context.config.lock_wait;
        let locked = execute::lock(database, wait, &work.stop, &sink).await;
        if let Some(progress) = progress {
            progress.finish(locked.is_err());
        }
        locked?;
    }
    let restored = restore
        .run(context.yes, args.discard_old, &work.watch)
        .await;
    Ok(restored?)
}
