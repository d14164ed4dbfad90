use clap::CommandFactory;
use clap_complete::Shell;

use crate::{
    cli::{
        args,
        error::{Error, Exit},
    },
    report,
};

/// Print a script that completes commands and options in your shell
///
/// As in: migrator completions bash > ~/.local/share/bash-completion/completions/migrator
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub fn cmd_completions(args: &CompletionsArgs) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut args::Args::command(),
        "migrator",
        &mut script,
    );
    report::print_exact(&script);
    Ok(Exit::Done)
}
