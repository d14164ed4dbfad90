use std::path::PathBuf;

use crate::{
    ops,
    report::{Output, error::Error, exit::Exit},
};

/// Create a project: migrator.toml, migrations/ and templates/
///
/// Also creates a .gitignore. Existing files are not overwritten.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Directory of the project
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub fn cmd_init(args: &InitArgs, output: &Output) -> Result<Exit, Error> {
    output.result(&ops::init(&args.dir)?);
    Ok(Exit::Done)
}
