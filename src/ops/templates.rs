use super::{Error, Project};
use crate::project::{self, TemplateInfo, TemplateSource};

/// A template of new revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateLine {
    /// The name.
    pub name: String,
    /// The description of the template; may be empty.
    pub about: String,
    /// The project's file; `None` for a built-in template.
    pub file: Option<String>,
}

/// The templates of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplatesReport {
    /// The templates, by name.
    pub templates: Vec<TemplateLine>,
}

/// Lists the project's templates and the built-in ones.
///
/// # Errors
/// Fails when the project's template directory cannot be read.
pub fn list_templates(project: &Project) -> Result<TemplatesReport, Error> {
    let line = |info: TemplateInfo| TemplateLine {
        name: info.name,
        about: info.about,
        file: match info.source {
            TemplateSource::BuiltIn => None,
            TemplateSource::Project(path) => Some(project.show(&path)),
        },
    };
    let templates = project::list(&project.templates)?;
    Ok(TemplatesReport {
        templates: templates.into_iter().map(line).collect(),
    })
}
