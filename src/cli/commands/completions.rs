use clap_complete::Shell;

use crate::{
    cli::{error::Error, exit::Exit},
    report,
};

/// Print a shell completion script for commands and options
///
/// For example: migrator completions bash > ~/.local/share/bash-completion/completions/migrator
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Shell to generate the script for
    shell: Shell,
}

pub fn cmd_completions(args: &CompletionsArgs, mut root: clap::Command) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut root, "migrator", &mut script);
    report::print_exact(&script);
    Ok(Exit::Done)
}
