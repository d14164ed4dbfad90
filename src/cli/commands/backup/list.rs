use crate::{
    cli::{
        backup::Place,
        context::Context,
        error::{Error, Exit},
    },
    ops,
};

/// List the backups, the oldest first
#[derive(Debug, clap::Args)]
pub struct BackupListArgs {
    #[command(flatten)]
    place: Place,
}

pub fn cmd_backup_list(args: &BackupListArgs, context: &Context) -> Result<Exit, Error> {
    let store = args.place.store(context)?;
    let report = ops::list_backups(&context.project, &store)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
