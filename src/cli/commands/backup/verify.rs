use std::{path::PathBuf, time::Instant};

use crate::{
    backup::{self, Subject},
    cli::{
        backup::{Place, Work},
        context::Context,
        error::{Error, Exit},
    },
    report::VerifiedView,
};

/// Restore a backup into a scratch database, compare, and drop that
///
/// Its hash, the rows of every table and the schema have to be those that were copied. Of
/// PostgreSQL the scratch database is made on the server of the url; of SQLite it is a file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The backup [default: the newest of the database]
    file: Option<PathBuf>,

    #[command(flatten)]
    place: Place,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let begin = Instant::now();
    let location = context.location()?;
    let settings = context.settings("backup verify");
    let subject = Subject {
        location: &location,
        settings: &settings,
    };
    let store = args.place.store(context)?;
    let backup = match &args.file {
        Some(file) => store.find(file)?,
        None => store.newest(&subject.place(), location.dialect())?,
    };
    let work = Work::begin(context)?;
    let verified = backup::verify(subject, &backup, &work.watch).await;
    work.finish();
    verified?;
    context.output.result(&VerifiedView {
        file: context.config.show(&backup.file),
        backup,
        elapsed: begin.elapsed(),
    });
    Ok(Exit::Done)
}
