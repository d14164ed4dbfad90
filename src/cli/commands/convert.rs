use std::path::PathBuf;

use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    ops,
};

/// Write the scripts out in the native layout, to leave another tool
///
/// Every script comes out the same, statement for statement, with headers for what the other tool
/// knew from elsewhere. The directory that is read stays as it is, and databases stay as they are:
/// ids and checksums do not change. The url only tells whether the scripts are for PostgreSQL or
/// SQLite.
#[derive(Debug, clap::Args)]
pub struct ConvertArgs {
    /// The directory to write, which must be empty or not exist
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub fn cmd_convert(args: ConvertArgs, context: &Context) -> Result<Exit, Error> {
    let report = ops::convert(&context.project, context.location()?.dialect(), &args.to)?;
    context.warn_of_unread()?;
    context.output.result(&report);
    Ok(Exit::Done)
}
