use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// List the heads: revisions that no other revision revises
///
/// Reads the directory only; no database is needed.
#[derive(Debug, clap::Args)]
pub struct HeadsArgs {}

pub fn cmd_heads(_: HeadsArgs, context: &Context) -> Result<Exit, Error> {
    let report = ops::heads(&context.project, context.dialect()?)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
