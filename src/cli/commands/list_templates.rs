use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// List the templates for new revisions
///
/// Lists the templates of the project and the built-in ones. Choose one with `migrator revision
/// --template NAME`.
#[derive(Debug, clap::Args)]
pub struct ListTemplatesArgs {}

pub fn cmd_list_templates(_: ListTemplatesArgs, context: &Context) -> Result<Exit, Error> {
    context
        .output
        .result(&ops::list_templates(&context.project)?);
    Ok(Exit::Done)
}
