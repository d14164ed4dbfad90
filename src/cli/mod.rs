//! The command line: arguments in, exit status out.
//!
//! The only room that sees all others. One file a command in `commands/`;
//! codes, hints and exit statuses of all errors in `codes` and `error`.

mod args;
mod backup;
mod codes;
mod commands;
mod confirm;
mod context;
mod describe;
mod editor;
mod error;
mod memory;
mod output;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use clap::Parser;

use crate::database;
use args::{Args, Command, Format};
pub use codes::{CODES, Code};
pub use error::Exit;
use output::Output;

/// Parses `arguments`, runs the command, reports its errors.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let mut args = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) => return output::end(error::usage(&error, &arguments)).code(),
    };
    let is_check = matches!(args.command, Command::Check(_));
    if args.global.format == Format::Github && !is_check {
        args.global.format = Format::Human;
        let output = Output::new(&args.global, args.command.name());
        let error = error::Error::new(codes::M001, "only `check` has the format github");
        let exit = output.error(error.hint("the others have human and json"));
        return output::end(exit).code();
    }
    let output = Output::new(&args.global, args.command.name());
    let exit = match run(args, &output) {
        Ok(exit) => exit,
        Err(error) => output.error(error),
    };
    output::end(exit).code()
}

fn run(args: Args, output: &Output) -> Result<Exit, error::Error> {
    database::show_notices(output::notice);
    // The thread that waits for the database is the one that hears it: no hop between them.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start")?;
    runtime.block_on(commands::run(args, output))
}
