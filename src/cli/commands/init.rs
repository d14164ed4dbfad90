use std::path::PathBuf;

use crate::{
    cli::{
        error::{Error, Exit},
        output::Output,
    },
    project,
    report::InitView,
};

/// Begin a project: migrator.toml, migrations/ and templates/
///
/// Overwrites nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where
    #[arg(default_value = ".")]
    dir: PathBuf,
}

pub fn run(args: Args, output: &Output) -> Result<Exit, Error> {
    let made = project::init(&args.dir)?;
    output.result(&InitView {
        files: made.iter().map(|path| path.display().to_string()).collect(),
    });
    Ok(Exit::Done)
}
