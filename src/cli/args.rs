//! Parses the command line, and reports usage errors.

use std::ffi::OsString;

use clap::{
    CommandFactory as _, FromArgMatches as _, Parser,
    builder::styling::{AnsiColor, Styles},
};

use super::{commands::Command, help, options::Global};
use crate::report::{self, Page, codes, exit::Exit};

/// Database migrations for SQLite and PostgreSQL, in plain SQL
#[derive(Debug, Parser)]
#[command(
    name = "migrator",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    styles = STYLES,
    after_help = "Targets: head, heads, base, current, a revision ID or its first 4 or more characters, \
                  a slug, +N, -N, REV+N, REV-N, LABEL@head.\n\n\
                  Exit status: 0 success, 1 failed and nothing changed, 2 usage error, 3 check failed, \
                  4 stopped partway, 5 lock busy, 130 interrupted.",
)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,

    #[command(subcommand)]
    pub command: Command,
}

/// The colours of usage errors, which are those of all other errors.
const STYLES: Styles = Styles::styled()
    .error(AnsiColor::BrightRed.on_default().bold())
    .valid(AnsiColor::BrightCyan.on_default().bold())
    .invalid(AnsiColor::Yellow.on_default());

impl Args {
    /// Parses `arguments`. The second value is the command's full name, such as `db create`.
    pub fn read(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<(Self, String), clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let matches = match Args::command().try_get_matches_from(&arguments) {
            // The help is rendered only when requested.
            Err(error) if !error.use_stderr() => command().try_get_matches_from(arguments),
            matches => matches,
        }?;
        let mut names = Vec::new();
        let mut inner = &matches;
        while let Some((name, next)) = inner.subcommand() {
            names.push(name);
            inner = next;
        }
        let name = names.join(" ");
        Ok((Self::from_arg_matches(&matches)?, name))
    }
}

/// The command line as clap knows it.
pub fn command() -> clap::Command {
    help::grouped(Args::command())
}

/// Prints the help, or the reason why `arguments` were rejected.
pub fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    if !error.use_stderr() {
        let text = error.render();
        let text = match console::colors_enabled() {
            true => text.ansi().to_string(),
            false => text.to_string(),
        };
        report::print_exact(text.as_bytes());
        return Exit::Done;
    }
    let mut page = Page::default();
    page.rendered(&usage_text(error, arguments));
    report::eprint(&page);
    Exit::Usage
}

fn usage_text(error: &clap::Error, arguments: &[OsString]) -> String {
    let shown = |text: &clap::builder::StyledStr| match console::colors_enabled_stderr() {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    // A missing command is no error; the help is printed.
    let lacks_command =
        error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if lacks_command {
        let text = error.render();
        return match text.to_string().contains("Usage: migrator db ") {
            true => text.to_string(),
            false => shown(&help::overview(Args::command())),
        };
    }
    // clap includes arguments unchanged in its message, so the arguments are escaped and parsed
    // again.
    let safe = arguments
        .iter()
        .map(|it| report::shown(&it.to_string_lossy()));
    match Args::read(safe) {
        Err(error) if error.use_stderr() => as_ours(&shown(&error.render())),
        // For text that is not Unicode, the kind of error suffices.
        _ => as_ours(&format!("error: {}\n", error.kind())),
    }
}

/// The message of clap with an error code and migrator's word for a hint. Colours may surround
/// both.
fn as_ours(text: &str) -> String {
    let code = format!("error[{}]:", codes::M001.id);
    let text = text.replacen("error:", &code, 1);
    let lines = text.split_inclusive('\n').map(|line| {
        let is_tip = console::strip_ansi_codes(line).starts_with("  tip:");
        if is_tip {
            line.replacen("tip:", "help:", 1)
        } else {
            line.to_owned()
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_errors_look_like_all_others() {
        let check = |text: &str, expected: &str| assert_eq!(as_ours(text), expected);
        check(
            "error: unrecognized\n\n  tip: some\n",
            "error[M001]: unrecognized\n\n  help: some\n",
        );
        check(
            "\u{1b}[1merror:\u{1b}[0m x",
            "\u{1b}[1merror[M001]:\u{1b}[0m x",
        );
    }
}
