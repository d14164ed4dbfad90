use std::path::PathBuf;

use crate::{
    cli::{
        error::{Error, Exit},
        output::Output,
    },
    ops,
};

/// Create a project: migrator.toml, migrations/ and templates/
///
/// Overwrites nothing.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The directory
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub fn cmd_init(args: InitArgs, output: &Output) -> Result<Exit, Error> {
    output.result(&ops::init(&args.dir)?);
    Ok(Exit::Done)
}
