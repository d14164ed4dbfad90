use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    ops,
};

/// List where the history branches, and the heads that each branch leads to
///
/// Reads the directory only; no database is needed. With -v roots, parents and
/// files, too.
#[derive(Debug, clap::Args)]
pub struct BranchesArgs {}

pub fn cmd_branches(_: BranchesArgs, context: &Context) -> Result<Exit, Error> {
    let report = ops::branches(&context.project, context.dialect()?)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
