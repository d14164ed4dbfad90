use crate::{
    cli::{
        context::Context,
        editor::Editor,
        error::{Error, Exit},
    },
    ops::{self, NewRevisionReport},
    report::View,
    revision::TargetError,
};

/// Create the up and down scripts of a new revision
///
/// The id is the time in UTC. The new revision revises the head; with several
/// heads --head says which one, and given more than once it joins them.
#[derive(Debug, clap::Args)]
pub struct RevisionArgs {
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

    /// Write no down script: the revision is irreversible, for this reason
    #[arg(long, value_name = "REASON")]
    no_down: Option<String>,

    /// The id, in place of the time
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,

    /// Create a repeatable script instead, which runs again whenever it changes
    #[arg(long, conflicts_with_all = ["head", "depends_on", "label", "no_down", "rev_id", "template"])]
    repeatable: bool,

    /// The template to use; `migrator list-templates` lists them
    #[arg(long, value_name = "NAME")]
    template: Option<String>,

    /// Open the new scripts in your editor, which VISUAL or EDITOR names
    #[arg(long)]
    edit: bool,
}

pub fn cmd_revision(args: RevisionArgs, context: &Context) -> Result<Exit, Error> {
    let editor = args.edit.then(Editor::find).transpose()?;
    let (project, dialect) = (&context.project, context.dialect()?);
    let created = if args.repeatable {
        ops::repeatable(project, dialect, &args.message)
    } else {
        let request = ops::RevisionArgs {
            message: args.message,
            heads: args.head,
            depends_on: args.depends_on,
            label: args.label,
            no_down: args.no_down,
            rev_id: args.rev_id,
            template: args.template,
        };
        ops::revision(project, dialect, &request)
    };
    let report = created.map_err(|error| match error {
        ops::Error::Target(error @ TargetError::SeveralHeads(_)) => Error::from(error).hint(
            "say which one the new revision revises: --head REVISION; \
             or join them first: migrator merge -m \"join\"",
        ),
        error => error.into(),
    })?;
    match editor {
        None => context.output.result(&report),
        Some(editor) => edit(context, &editor, &report)?,
    }
    Ok(Exit::Done)
}

/// Opens what was created. People are told of it before the editor takes the screen.
fn edit(context: &Context, editor: &Editor, report: &NewRevisionReport) -> Result<(), Error> {
    let is_human = context.output.is_human();
    if is_human {
        context.output.result(report);
    }
    editor.open(&report.paths).map_err(|error| Error {
        exit: Exit::Partway,
        result: Some(report.json()),
        ..error
    })?;
    if !is_human {
        context.output.result(report);
    }
    Ok(())
}
