use crate::{
    cli::{context::Context, options::Place},
    ops,
    report::{error::Error, exit::Exit},
};

/// List the backups, oldest first
#[derive(Debug, clap::Args)]
pub struct BackupListArgs {
    #[command(flatten)]
    place: Place,
}

pub fn cmd_backup_list(args: &BackupListArgs, context: &Context) -> Result<Exit, Error> {
    let store = context.store(&args.place)?;
    let report = ops::list_backups(&context.project, &store)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
