use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    project::{self, TemplateInfo, TemplateSource},
    report::{TemplateLine, TemplatesView},
};

/// List the templates of new revisions: the project's and those built in
///
/// One of them is chosen with `migrator revision --template NAME`.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let line = |info: TemplateInfo| TemplateLine {
        name: info.name,
        about: info.about,
        file: match info.source {
            TemplateSource::BuiltIn => None,
            TemplateSource::Project(path) => Some(context.config.show(&path)),
        },
    };
    let templates = project::list(&context.config.templates)?;
    context.output.result(&TemplatesView {
        templates: templates.into_iter().map(line).collect(),
    });
    Ok(Exit::Done)
}
