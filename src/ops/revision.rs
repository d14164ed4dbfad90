use std::path::PathBuf;

use chrono::Utc;

use super::{Error, Project};
use crate::{
    database,
    project::{self, NewScripts, TemplateRequest},
    revision::{
        Downs, History, RepeatableId, RepeatableIdError, Resolved, RevisionId, Subject, Target,
        TargetError,
    },
    sql::{self, Dialect},
};

/// Arguments of `revision`.
#[derive(Clone, Debug, Default)]
pub struct RevisionArgs {
    /// The message of the revision, which is also used in the file names.
    pub message: String,
    /// The parents: `base` alone for none, empty for the only head.
    pub heads: Vec<String>,
    /// Revisions that must be applied first without being parents.
    pub depends_on: Vec<String>,
    /// The label of the branch that starts here.
    pub label: Option<String>,
    /// The reason why there is no down script.
    pub no_down: Option<String>,
    /// Whether to create a down script even if the project does not require one.
    pub down: bool,
    /// The ID, instead of one from the current time.
    pub rev_id: Option<String>,
    /// The template, instead of the default one.
    pub template: Option<String>,
}

/// Newly created scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRevisionReport {
    /// The new ID or name.
    pub id: Subject,
    /// The parents.
    pub parents: Vec<RevisionId>,
    /// The files, as named in messages.
    pub files: Vec<String>,
    /// The paths of the files.
    pub paths: Vec<PathBuf>,
}

/// Creates the scripts of a new revision.
///
/// # Errors
/// Fails when the directory is invalid, or the message, a target or the template cannot be used.
/// Nothing is written then.
pub fn revision(
    project: &Project,
    dialect: Dialect,
    args: &RevisionArgs,
) -> Result<NewRevisionReport, Error> {
    project.ensure_native(dialect)?;
    let history = project.history(dialect)?;
    let parents = parents(&history, &args.heads)?;
    create(project, dialect, &history, parents, args)
}

/// Creates a repeatable script.
///
/// # Errors
/// The errors of [`revision`].
pub fn repeatable(
    project: &Project,
    dialect: Dialect,
    message: &str,
) -> Result<NewRevisionReport, Error> {
    project.ensure_native(dialect)?;
    let slug = project::slugify(message)?;
    let line = message.lines().next().unwrap_or_default();
    let text = format!("-- {}\n\n", sql::comment(line.trim()));
    let path = project::create_repeatable(project.directory().0, &slug, &text)?;
    let id = RepeatableId::of_slug(&slug).ok_or_else(|| RepeatableIdError(slug.clone()))?;
    Ok(NewRevisionReport {
        id: id.into(),
        parents: Vec::new(),
        files: vec![project.show(&path)],
        paths: vec![path],
    })
}

/// Creates scripts with these parents.
pub(super) fn create(
    project: &Project,
    dialect: Dialect,
    history: &History,
    parents: Vec<RevisionId>,
    args: &RevisionArgs,
) -> Result<NewRevisionReport, Error> {
    let now = Utc::now();
    let depends_on = args.depends_on.iter().map(|text| one(history, text));
    let depends_on: Vec<_> = depends_on.collect::<Result<_, _>>()?;
    let id = match &args.rev_id {
        Some(text) => text.parse()?,
        None => project::next_id(now, history, &parents),
    };
    if let Some(child) = history.implicit_child(&id) {
        return Err(Error::Reparented {
            id,
            child: child.id.clone(),
            file: child.up.file.clone(),
        });
    }
    let slug = project::slugify(&args.message)?;
    let request = TemplateRequest {
        id: &id,
        message: &args.message,
        slug: &slug,
        revises: &parents,
        depends_on: &depends_on,
        label: args.label.as_deref(),
        irreversible: args.no_down.as_deref(),
        transaction: true,
        phase: None,
        date: now,
        dialect,
        author: &database::actor(),
    };
    // A merge has nothing to run, unless a template says otherwise.
    let joins = (parents.len() > 1).then_some("merge");
    let template = args.template.as_deref().or(joins);
    let scripts = project::render(&project.templates, template, &request)?;
    let wants_down = args.down || project.downs == Downs::Required;
    let created = project::create(
        project.directory().0,
        NewScripts {
            id: &id,
            slug: &slug,
            up: &scripts.up,
            down: scripts.down.as_deref().filter(|_| wants_down),
        },
    )?;
    let paths: Vec<_> = [Some(created.up), created.down]
        .into_iter()
        .flatten()
        .collect();
    Ok(NewRevisionReport {
        id: id.into(),
        parents,
        files: paths.iter().map(|path| project.show(path)).collect(),
        paths,
    })
}

/// The parents of a new revision.
pub(super) fn parents(history: &History, heads: &[String]) -> Result<Vec<RevisionId>, Error> {
    match heads {
        [only] if only == "base" => Ok(Vec::new()),
        [_, ..] => several(history, heads),
        [] => {
            let heads = history.heads().into_iter();
            let heads: Vec<_> = heads.map(|head| head.id.clone()).collect();
            if heads.len() > 1 {
                return Err(TargetError::SeveralHeads(heads).into());
            }
            Ok(heads)
        }
    }
}

/// The revisions that `texts` name; duplicates are an error.
pub(super) fn several(history: &History, texts: &[String]) -> Result<Vec<RevisionId>, Error> {
    let ids = texts.iter().map(|text| one(history, text));
    let ids: Vec<_> = ids.collect::<Result<_, _>>()?;
    let mut twice = ids.iter().enumerate();
    match twice.find(|(at, id)| ids[..*at].contains(id)) {
        Some((_, twice)) => Err(Error::NamedTwice(twice.clone())),
        None => Ok(ids),
    }
}

/// The revision of the directory that `text` names.
pub(super) fn one(history: &History, text: &str) -> Result<RevisionId, Error> {
    let target: Target = text.parse()?;
    match history.resolve(&target, &[])? {
        Resolved::Revisions(ids) if ids.len() == 1 => Ok(ids[0].clone()),
        _ => Err(Error::NotOneRevision(text.to_owned())),
    }
}
