//! The list of commands in `migrator --help`. It is grouped, which clap does not support for
//! subcommands.

use std::fmt::Write as _;

use clap::{Command, builder::StyledStr};

use super::commands::GROUPS;

/// `root` with its commands listed in groups.
pub fn grouped(root: Command) -> Command {
    let heading = root.get_styles().get_header();
    let template = format!(
        "{{about-section}}\n{{usage-heading}} {{usage}}\n{}\n{heading}Global options:{heading:#}\n\
         {{options}}{{after-help}}",
        groups(root.clone())
    );
    root.help_template(StyledStr::from(template))
}

/// The help of `root` without arguments, which lists only the commands.
pub fn overview(root: Command) -> StyledStr {
    let template = format!(
        "{{about-section}}\n{{usage-heading}} {{usage}}\n{}\n`migrator --help` describes global \
         options and targets,\n`migrator help COMMAND` a command.\n",
        groups(root.clone())
    );
    root.help_template(StyledStr::from(template)).render_help()
}

/// The groups with their commands, each with the first line of its help and its aliases.
fn groups(mut root: Command) -> String {
    root.build();
    let heading = root.get_styles().get_header();
    let literal = root.get_styles().get_literal();
    let names = GROUPS.iter().flat_map(|(_, names)| *names);
    let width = names.map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (title, names) in GROUPS.iter().filter(|(_, names)| !names.is_empty()) {
        _ = writeln!(text, "\n{heading}{title}:{heading:#}");
        for command in names.iter().filter_map(|name| root.find_subcommand(name)) {
            let name = command.get_name();
            let about = command.get_about().cloned().unwrap_or_default();
            _ = write!(text, "  {literal}{name:width$}{literal:#}  {about}");
            for alias in command.get_visible_aliases() {
                _ = write!(text, " [alias: {alias}]");
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Args;

    #[test]
    fn every_command_is_in_one_group() {
        let mut root = Args::command();
        root.build();
        let visible = root.get_subcommands().filter(|it| !it.is_hide_set());
        let mut visible: Vec<_> = visible.map(Command::get_name).collect();
        let mut listed: Vec<_> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        visible.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, visible);
    }

    #[test]
    fn the_list_fits_a_terminal_of_80_columns() {
        for line in console::strip_ansi_codes(&groups(Args::command())).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
