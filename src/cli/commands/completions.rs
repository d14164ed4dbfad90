use clap_complete::Shell;

use crate::{
    cli::place,
    report::{self, error::Error, exit::Exit},
};

/// Print a shell completion script
///
/// It knows commands and options; in bash, zsh and fish also revisions, environments, templates and
/// error codes.
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
    let script = String::from_utf8_lossy(&script);
    root.build();
    report::print_exact(with_values(args.shell, &script, &root).as_bytes());
    Ok(Exit::Done)
}

/// `script` with the values that `migrator __complete` offers. clap_complete would do that only by a feature that
/// is not stable.
fn with_values(shell: Shell, script: &str, root: &clap::Command) -> String {
    match shell {
        Shell::Bash => {
            let script =
                script.replace("complete -F _migrator ", "complete -F _migrator_or_values ");
            format!("{}{script}", include_str!("../complete/values.bash"))
        }
        Shell::Zsh => {
            let script = script.replace(":_default'", ":_migrator_values'");
            let (head, rest) = script.split_once('\n').unwrap_or(("", &script));
            format!("{head}\n{}{rest}", include_str!("../complete/values.zsh"))
        }
        Shell::Fish => {
            let mut script = format!("{script}{}", include_str!("../complete/values.fish"));
            for option in place::options(root) {
                script.push_str(&format!(
                    "complete -c migrator {option} -x -a '(__migrator_values)'\n"
                ));
            }
            script
        }
        _ => script.to_owned(),
    }
}
