use std::path::PathBuf;

use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// Write the scripts in the native layout, to leave another tool
///
/// Every script keeps its statements, and gets headers for what the other tool kept elsewhere.
/// The source directory and databases are not changed; IDs and checksums stay the same. The URL
/// only determines whether the scripts are for PostgreSQL or SQLite.
#[derive(Debug, clap::Args)]
pub struct ConvertArgs {
    /// Directory to write to; must be empty or not exist
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub fn cmd_convert(args: ConvertArgs, context: &Context) -> Result<Exit, Error> {
    let report = ops::convert(&context.project, context.location()?.dialect(), &args.to)?;
    context.warn_of_unread()?;
    context.output.result(&report);
    Ok(Exit::Done)
}
