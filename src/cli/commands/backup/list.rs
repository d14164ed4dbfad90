use crate::{
    cli::{
        backup::Place,
        context::Context,
        error::{Error, Exit},
    },
    report::BackupsView,
};

/// List the backups, the oldest first
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let store = args.place.store(context)?;
    let backups = store.list()?.into_iter();
    context.output.result(&BackupsView {
        directory: context.config.show(store.directory()),
        backups: backups
            .map(|backup| (context.config.show(&backup.file), backup))
            .collect(),
    });
    Ok(Exit::Done)
}
