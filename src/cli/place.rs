//! What a place on the command line can hold, as far as only the project knows it.

use clap::{Arg, ArgAction};

/// What can stand in a place of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An environment of the configuration.
    Environment,
    /// A revision or another target.
    Revision,
    /// A template.
    Template,
    /// An error code.
    Code,
}

impl Kind {
    /// The kind of an argument's value, by the argument's name.
    fn of(argument: &Arg) -> Option<Self> {
        Some(match argument.get_id().as_str() {
            "environment" => Self::Environment,
            "template" => Self::Template,
            "code" => Self::Code,
            "target" | "revision" | "revisions" | "head" | "depends_on" | "onto" | "to" => {
                Self::Revision
            }
            _ => return None,
        })
    }
}

/// What can stand behind the words `before`, and the global options among them.
pub fn place(root: &clap::Command, before: &[&str], typed: &str) -> Option<(Kind, Vec<String>)> {
    let mut command = root;
    let (mut positionals, mut ended) = (0, false);
    let mut open: Option<&Arg> = None;
    let mut global = Vec::new();
    let mut keep = |argument: &Arg, value: &str| {
        let long = argument.get_long().unwrap_or_default();
        if ["config", "env", "url"].contains(&long) {
            global.push(format!("--{long}={value}"));
        }
    };
    for word in before {
        if let Some(argument) = open.take() {
            keep(argument, word);
        } else if !ended && *word == "--" {
            ended = true;
        } else if !ended && is_option(word) {
            match option(command, word) {
                Some((argument, Some(value))) => keep(argument, value),
                Some((argument, None)) => open = Some(argument),
                None => {}
            }
        } else if let Some(inner) = command.find_subcommand(word) {
            command = inner;
        } else {
            positionals += 1;
        }
    }
    if let Some(argument) = open {
        return Some((Kind::of(argument)?, global));
    }
    if command.has_subcommands() || (!ended && is_option(typed)) {
        return None;
    }
    let last = command.get_positionals().last();
    let repeated = last.filter(|last| matches!(last.get_action(), ArgAction::Append));
    let argument = command.get_positionals().nth(positionals).or(repeated)?;
    Some((Kind::of(argument)?, global))
}

/// Whether it is an option, and not a number of steps such as `-1`.
fn is_option(word: &str) -> bool {
    let name = word.strip_prefix('-').unwrap_or_default();
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The option of `word` that takes a value, and the value if `word` has it.
fn option<'a, 'b>(command: &'a clap::Command, word: &'b str) -> Option<(&'a Arg, Option<&'b str>)> {
    let takes_value = |argument: &&Arg| {
        matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
            && !argument.is_positional()
    };
    let mut arguments = command.get_arguments().filter(takes_value);
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let argument = arguments.find(|argument| argument.get_long() == Some(name))?;
        return Some((argument, value));
    }
    let arguments: Vec<_> = arguments.collect();
    let shorts = word.char_indices().skip(1);
    let mut found = shorts.filter_map(|(at, short)| {
        let mut arguments = arguments.iter();
        let argument = arguments.find(|argument| argument.get_short() == Some(short))?;
        Some((*argument, &word[at + short.len_utf8()..]))
    });
    let (argument, rest) = found.next()?;
    Some((argument, (!rest.is_empty()).then_some(rest)))
}

/// The options whose values are completed, in fish's notation: `-s n -l env`.
pub fn options(root: &clap::Command) -> Vec<String> {
    let commands = [root].into_iter().chain(root.get_subcommands());
    let arguments = commands.flat_map(clap::Command::get_arguments);
    let arguments = arguments.filter(|one| !one.is_positional() && Kind::of(one).is_some());
    let named = arguments.map(|argument| {
        let short = argument.get_short().map(|short| format!("-s {short} "));
        let long = argument.get_long().unwrap_or_default();
        format!("{}-l {long}", short.unwrap_or_default())
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    named.dedup();
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_on_the_command_line_tells_what_completes_it() {
        let mut root = crate::cli::args::command();
        root.build();
        let check = |line: &str, expected: Option<Kind>| {
            let words: Vec<_> = line.split(' ').collect();
            let (typed, before) = words.split_last().unwrap();
            let found = place(&root, before, typed).map(|(kind, _)| kind);
            assert_eq!(found, expected, "{line}");
        };
        check("", None);
        check("upgr", None);
        check("upgrade ", Some(Kind::Revision));
        check("up 2026", Some(Kind::Revision));
        check("upgrade head ", None);
        check("upgrade --", None);
        check("upgrade --sql ", Some(Kind::Revision));
        check("upgrade --log-file ", None);
        check("upgrade --log-file x ", Some(Kind::Revision));
        check("upgrade --log-file=x ", Some(Kind::Revision));
        check("downgrade -1 ", None);
        check("stamp 1 2 ", Some(Kind::Revision));
        check("-n ", Some(Kind::Environment));
        check("-vn ", Some(Kind::Environment));
        check("upgrade --env ", Some(Kind::Environment));
        check("-n production upgrade ", Some(Kind::Revision));
        check("revision -m ", None);
        check("revision -m x --head ", Some(Kind::Revision));
        check("revision --template ", Some(Kind::Template));
        check("explain ", Some(Kind::Code));
        check("db ", None);
        check("backup verify ", None);
        check("nonsense ", None);
    }

    #[test]
    fn the_global_options_are_kept() {
        let mut root = crate::cli::args::command();
        root.build();
        let before = ["-c", "a b.toml", "-nlive", "upgrade", "--url=x"];
        let (_, global) = place(&root, &before, "").unwrap();
        assert_eq!(global, ["--config=a b.toml", "--env=live", "--url=x"]);
    }
}
