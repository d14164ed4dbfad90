use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// List branch points, and the heads of each branch
///
/// Reads the directory only; no database is needed. With -v, prints roots, parents and files
/// too.
#[derive(Debug, clap::Args)]
pub struct BranchesArgs {}

pub fn cmd_branches(_: BranchesArgs, context: &Context) -> Result<Exit, Error> {
    let report = ops::branches(&context.project, context.dialect()?)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
