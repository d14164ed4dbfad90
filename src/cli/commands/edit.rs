use crate::{
    cli::{context::Context, editor::Editor},
    ops,
    report::{Diagnostic, error::Error, exit::Exit},
};

/// Open the up script of a revision in an editor
///
/// The editor is the one named by VISUAL or EDITOR. Prints a warning if the revision is applied
/// in the database and the database can be read.
#[derive(Debug, clap::Args)]
pub struct EditArgs {
    /// Revision to edit
    revision: String,

    /// Open the down script instead
    #[arg(long, conflicts_with = "both")]
    down: bool,

    /// Open both scripts
    #[arg(long)]
    both: bool,
}

pub async fn cmd_edit(args: EditArgs, context: &Context) -> Result<Exit, Error> {
    let request = ops::EditArgs {
        target: args.revision.parse()?,
        up: !args.down,
        down: args.down || args.both,
    };
    let editor = Editor::find()?;
    // The database is used only for the warning.
    let mut session = context.session_if_configured("edit").ok().flatten();
    let (project, dialect) = (&context.project, context.dialect()?);
    let report = ops::edit(project, session.as_mut(), dialect, &request).await?;
    if let Some(place) = &report.applied_in {
        let hint = "a changed up script is refused there: write a new revision, or accept the \
                    change with `migrator repair`";
        context.output.warn(&Diagnostic {
            message: format!("revision {} is applied in {place}", report.id),
            hint: Some(hint.to_owned()),
            ..Diagnostic::default()
        });
    }
    editor.open(&report.paths)?;
    context.output.result(&report);
    Ok(Exit::Done)
}
