//! The `migrator` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrator::cli::main(std::env::args_os())
}
