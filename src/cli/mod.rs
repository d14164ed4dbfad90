//! The command line: arguments in, exit status out.
//!
//! The only room that sees all others. One file a command in `commands/`;
//! codes, hints and exit statuses of all errors in `codes` and `error`.

mod args;
mod codes;
mod commands;
mod confirm;
mod context;
mod describe;
mod editor;
mod error;
mod output;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

use crate::database;
use args::Args;
pub use codes::{CODES, Code};
pub use error::Exit;
use output::Output;

/// Parses `arguments`, runs the command, reports its errors.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => return error::usage(&error).into(),
    };
    let output = Output::new(&args.global, args.command.name());
    let exit = match run(args, &output) {
        Ok(exit) => exit,
        Err(error) => output.error(error),
    };
    exit.into()
}

fn run(args: Args, output: &Output) -> Result<Exit, error::Error> {
    database::show_notices(output::notice);
    // The thread that waits for the database is the one that hears it: no hop between them.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(error::Error::runtime)?;
    runtime.block_on(commands::run(args, output))
}
