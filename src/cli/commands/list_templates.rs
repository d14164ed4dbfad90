use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    ops,
};

/// List the templates of new revisions: the project's and those built in
///
/// `migrator revision --template NAME` chooses one of them.
#[derive(Debug, clap::Args)]
pub struct ListTemplatesArgs {}

pub fn cmd_list_templates(_: ListTemplatesArgs, context: &Context) -> Result<Exit, Error> {
    context
        .output
        .result(&ops::list_templates(&context.project)?);
    Ok(Exit::Done)
}
