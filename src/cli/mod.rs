//! The command line: arguments in, exit status out.
//!
//! The only room that sees all others. One file a command in `commands/`;
//! errors of operations become messages with codes and hints in `report`.

mod args;
mod backup;
mod child;
mod commands;
mod complete;
mod confirm;
mod context;
mod deferred;
mod editor;
mod help;
mod memory;
mod options;
mod pager;
mod place;
mod roots;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;

use crate::{
    database,
    report::{self, Diagnostic, Output, codes, error::Error, exit::Exit},
};
use args::Args;
use commands::Surroundings;

/// Parses `arguments`, runs the command, reports its errors.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    if arguments
        .get(1)
        .is_some_and(|word| word == complete::COMMAND)
    {
        complete::print(&arguments[2..]);
        return end(Exit::Done).code();
    }
    let exit = match Args::read(&arguments) {
        Ok((args, name)) => run_or_report(args, &name),
        Err(error) => args::usage(&error, &arguments),
    };
    end(exit).code()
}

fn run_or_report(mut args: Args, name: &str) -> Exit {
    let format = args.global.format;
    let (shown, supporting): (&str, &[&str]) = match format {
        report::Format::Human | report::Format::Json => ("", &[]),
        report::Format::Ndjson => (
            "ndjson",
            &[
                "fleet list",
                "fleet status",
                "fleet check",
                "fleet verify",
                "fleet upgrade",
                "fleet downgrade",
            ],
        ),
        report::Format::Github => ("github", &["check", "verify", "lint"]),
        report::Format::Sarif => ("sarif", &["lint"]),
        report::Format::Markdown => ("markdown", &["lint", "rehearse"]),
        report::Format::Html => ("html", &["rehearse"]),
        report::Format::Prometheus => ("prometheus", &["status", "fleet status"]),
    };
    let misses_format = !shown.is_empty() && !supporting.contains(&name);
    if misses_format {
        args.global.format = report::Format::Human;
    }
    let output = args.global.output(name);
    let done = match misses_format {
        true => {
            let names = supporting.iter().map(|name| format!("`{name}`"));
            let names = names.collect::<Vec<_>>().join(", ");
            let message = format!("--format {shown} is only supported by {names}");
            let error = Error::new(codes::M001, message);
            Err(error.hint("use human or json"))
        }
        false => run(args, &output),
    };
    done.unwrap_or_else(|error| {
        output.errors(&error.diagnostics, error.result.unwrap_or_default());
        error.exit
    })
}

fn run(args: Args, output: &Output) -> Result<Exit, Error> {
    database::show_notices(report::notice, output.is_verbose());
    // The thread that waits for the database also receives its data, without a switch between
    // threads.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    let around = Surroundings {
        global: &args.global,
        output,
        root: args::command,
    };
    let done = runtime.block_on(args.command.run(around));
    // Dropping it would wait for its idle threads.
    runtime.shutdown_background();
    done
}

/// The exit status of the process: not 0 if standard output could not be written.
fn end(exit: Exit) -> Exit {
    let Some(error) = report::unwritten() else {
        return exit;
    };
    let mut found = Diagnostic {
        code: codes::M003.id,
        message: format!("cannot write to standard output: {error}"),
        ..Diagnostic::default()
    };
    if Output::has_changed() {
        let note = "the command itself was completed; only its output is missing";
        found.notes.push(note.to_owned());
    }
    report::eprint(&found.human(false, report::Weight::Error, None));
    match exit {
        Exit::Done if Output::has_changed() => Exit::Partway,
        Exit::Done => Exit::Failed,
        other => other,
    }
}
