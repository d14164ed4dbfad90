use crate::{
    cli::{context::Context, editor::Editor},
    ops::{self, NewRevisionReport},
    report::{View, error::Error, exit::Exit},
    revision::TargetError,
};

/// Create the up and down scripts of a new revision
///
/// The ID is the current time in UTC. The new revision revises the head. If there are several
/// heads, choose one with --head, or join them by giving --head more than once.
#[derive(Debug, clap::Args)]
pub struct RevisionArgs {
    /// Short description of the revision, used in the file names
    #[arg(short, long)]
    message: String,

    /// Revision to revise, or base for a new root; repeat to join several [default: the head]
    #[arg(long, value_name = "REVISION")]
    head: Vec<String>,

    /// Revision that must be applied first but is not a parent; may be repeated
    #[arg(long, value_name = "REVISION")]
    depends_on: Vec<String>,

    /// Name of the branch that starts here
    #[arg(long, value_name = "NAME")]
    label: Option<String>,

    /// Write no down script and declare the revision irreversible for this reason
    #[arg(long, value_name = "REASON")]
    no_down: Option<String>,

    /// Write a down script even if the configuration says that down scripts are optional
    #[arg(long, conflicts_with = "no_down")]
    down: bool,

    /// Revision ID to use instead of the current time
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,

    /// Create a repeatable script instead, which runs again whenever it changes
    #[arg(long, conflicts_with_all = ["head", "depends_on", "label", "no_down", "down", "rev_id", "template"])]
    repeatable: bool,

    /// Template to use (see `migrator list-templates`)
    #[arg(long, value_name = "NAME")]
    template: Option<String>,

    /// Open the new scripts in the editor named by VISUAL or EDITOR
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
            down: args.down,
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

/// Opens what was created. The result is printed before the editor takes the screen.
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
