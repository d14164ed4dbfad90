use std::path::{Path, PathBuf};

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
    let shown = |path: &PathBuf| {
        let path = path.strip_prefix(".").unwrap_or(path);
        path.display().to_string()
    };
    output.result(&InitView {
        files: made.iter().map(shown).collect(),
        dir: (args.dir != Path::new(".")).then(|| args.dir.display().to_string()),
    });
    Ok(Exit::Done)
}
