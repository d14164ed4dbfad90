use std::path::PathBuf;

use anyhow::Context as _;
use chrono::Utc;

use crate::{
    cli::{
        codes,
        context::{self, Context},
        editor::Editor,
        error::{Error, Exit},
    },
    project::{self, NewScripts, TemplateRequest},
    report::{NewRevisionView, View},
    revision::{History, RepeatableId, Resolved, RevisionId, Target, TargetError},
};

/// Make the up and down scripts of a new revision
///
/// The id is the time in UTC. The new revision revises the head; with several
/// heads --head says which one, and given more than once it joins them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the revision does, in a few words; the files are named after it
    #[arg(short, long)]
    message: String,

    /// The revision to revise, or base for a new root; several are joined [default: the head]
    #[arg(long, value_name = "REVISION")]
    head: Vec<String>,

    /// A revision that must be applied first without being a parent; may be given more than once
    #[arg(long, value_name = "REVISION")]
    depends_on: Vec<String>,

    /// A name for the branch that begins here
    #[arg(long, value_name = "NAME")]
    label: Option<String>,

    /// There is no way back: write no down script, with the reason
    #[arg(long, value_name = "REASON")]
    no_down: Option<String>,

    /// The id, when it is not to be the time
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,

    /// Make a repeatable script instead, which runs again whenever it changes
    #[arg(long, conflicts_with_all = ["head", "depends_on", "label", "no_down", "rev_id", "template"])]
    repeatable: bool,

    /// The template to use; `migrator list-templates` lists them
    #[arg(long, value_name = "NAME")]
    template: Option<String>,

    /// Open the new scripts in your editor, which VISUAL or EDITOR names
    #[arg(long)]
    edit: bool,
}

pub fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let editor = args.edit.then(Editor::find).transpose()?;
    if args.repeatable {
        context.own_layout()?;
        return repeatable(&args.message, editor.as_ref(), context);
    }
    let history = context.history_to_write(context.dialect())?;
    let parents = parents(&history, &args.head, context)?;
    let depends_on: Result<Vec<_>, Error> = args
        .depends_on
        .iter()
        .map(|text| one(&history, text, context))
        .collect();
    let new = New {
        message: &args.message,
        parents,
        depends_on: depends_on?,
        label: args.label.as_deref(),
        no_down: args.no_down.as_deref(),
        rev_id: args.rev_id.as_deref(),
        template: args.template.as_deref(),
        editor,
    };
    make(&history, &new, context)
}

/// Makes `R_<slug>.sql`.
fn repeatable(message: &str, editor: Option<&Editor>, context: &Context) -> Result<Exit, Error> {
    let slug = project::slugify(message)?;
    let line = message.lines().next().unwrap_or_default();
    let text = format!("-- {}\n\n", line.trim());
    let path = project::create_repeatable(&context.config.migrations, &slug, &text)?;
    let id = RepeatableId::of_slug(&slug).context("a slug is a name")?;
    let view = NewRevisionView {
        id: id.into(),
        parents: Vec::new(),
        files: vec![context.config.show(&path)],
    };
    tell(context, editor, &view, &[path])
}

/// A revision to be made.
pub(super) struct New<'a> {
    pub message: &'a str,
    pub parents: Vec<RevisionId>,
    pub depends_on: Vec<RevisionId>,
    pub label: Option<&'a str>,
    pub no_down: Option<&'a str>,
    pub rev_id: Option<&'a str>,
    pub template: Option<&'a str>,
    /// Opens the scripts.
    pub editor: Option<Editor>,
}

/// Writes the scripts of a new revision and names them.
pub(super) fn make(history: &History, new: &New<'_>, context: &Context) -> Result<Exit, Error> {
    let now = Utc::now();
    let id = match new.rev_id {
        Some(text) => text
            .parse()
            .map_err(|error: crate::revision::RevisionIdError| {
                Error::new(codes::M001, error.to_string())
            })?,
        None => project::next_id(now, history.in_order().map(|revision| revision.id.clone())),
    };
    let slug = project::slugify(new.message)?;
    let request = TemplateRequest {
        id: &id,
        message: new.message,
        slug: &slug,
        revises: &new.parents,
        depends_on: &new.depends_on,
        label: new.label,
        irreversible: new.no_down,
        date: now,
        dialect: context.dialect(),
        author: &context::actor(),
    };
    // What joins branches has nothing to run, unless a template says otherwise.
    let joins = (new.parents.len() > 1).then_some("merge");
    let scripts = project::render(&context.config.templates, new.template.or(joins), &request)?;
    let (up, down) = (scripts.up.as_str(), scripts.down.as_deref());
    let scripts = NewScripts {
        id: &id,
        slug: &slug,
        up,
        down,
    };
    let made = project::create(&context.config.migrations, scripts)?;
    let paths: Vec<_> = [Some(made.up), made.down].into_iter().flatten().collect();
    let files = paths.iter().map(|path| context.config.show(path)).collect();
    let parents = new.parents.clone();
    let view = NewRevisionView {
        id: id.into(),
        parents,
        files,
    };
    tell(context, new.editor.as_ref(), &view, &paths)
}

/// Names what was made, and opens it.
fn tell(
    context: &Context,
    editor: Option<&Editor>,
    view: &NewRevisionView,
    paths: &[PathBuf],
) -> Result<Exit, Error> {
    match editor {
        None => context.output.result(view),
        Some(editor) => edit(context, editor, view, paths)?,
    }
    Ok(Exit::Done)
}

/// Opens what was made. People are told of it before the editor takes the screen.
fn edit(
    context: &Context,
    editor: &Editor,
    view: &NewRevisionView,
    paths: &[PathBuf],
) -> Result<(), Error> {
    let is_human = context.output.is_human();
    if is_human {
        context.output.result(view);
    }
    editor.open(paths).map_err(|error| Error {
        exit: Exit::Partway,
        result: Some(view.json()),
        ..error
    })?;
    if !is_human {
        context.output.result(view);
    }
    Ok(())
}

/// The parents of the new revision.
fn parents(
    history: &History,
    heads: &[String],
    context: &Context,
) -> Result<Vec<RevisionId>, Error> {
    match heads {
        [only] if only == "base" => Ok(Vec::new()),
        [_, ..] => several(history, heads, "--head names", context),
        [] => {
            let heads: Vec<_> = history
                .heads()
                .into_iter()
                .map(|head| head.id.clone())
                .collect();
            if heads.len() > 1 {
                return Err(Error::from(TargetError::SeveralHeads(heads)).hint(
                    "say which one the new revision revises: --head REVISION; \
                     or join them first: migrator merge -m \"join\"",
                ));
            }
            Ok(heads)
        }
    }
}

/// The revisions that `texts` name, each once; `what` begins the sentence where one comes twice.
pub(super) fn several(
    history: &History,
    texts: &[String],
    what: &str,
    context: &Context,
) -> Result<Vec<RevisionId>, Error> {
    let ids: Result<Vec<_>, Error> = texts
        .iter()
        .map(|text| one(history, text, context))
        .collect();
    let ids = ids?;
    let mut twice = ids.iter().enumerate();
    match twice.find(|(at, id)| ids[..*at].contains(id)) {
        Some((_, twice)) => Err(Error::new(
            codes::M001,
            format!("{what} revision {twice} more than once"),
        )),
        None => Ok(ids),
    }
}

/// The revision that `text` names.
pub(super) fn one(history: &History, text: &str, context: &Context) -> Result<RevisionId, Error> {
    let target: Target = text.parse()?;
    match history.resolve(&target, &[])? {
        Resolved::Revisions(ids) if ids.len() == 1 => Ok(ids[0].clone()),
        _ => Err(context.not_one_revision(text)),
    }
}
