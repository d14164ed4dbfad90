use crate::{
    cli::{
        codes,
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops,
};

/// Move a revision that is not applied onto the head
///
/// It and all that revise it get new ids from the clock, new file names and new
/// `revises` headers; their SQL stays as it is. A rebase that was interrupted
/// is completed by the next one.
#[derive(Debug, clap::Args)]
pub struct RebaseArgs {
    /// The revision; all that revise it move with it
    revision: Option<String>,

    /// The head to move onto, where there are several
    #[arg(long, value_name = "REVISION")]
    onto: Option<String>,

    /// Don't ask the database whether something is applied
    #[arg(long)]
    offline: bool,

    /// Show what would be moved, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn cmd_rebase(args: RebaseArgs, context: &Context) -> Result<Exit, Error> {
    let project = &context.project;
    if !args.dry_run
        && let Some(recovered) = ops::recover(project)?
    {
        context.output.result(&recovered);
        return Ok(Exit::Done);
    }
    let Some(revision) = args.revision else {
        return Err(Error::new(codes::M001, "no revision to move was named")
            .hint("`migrator rebase REVISION`; `migrator heads` lists the heads"));
    };
    let unasked = match (args.offline, context.has_database()) {
        (true, _) => Some("--offline"),
        (_, false) => Some("no url is configured"),
        (_, true) => None,
    };
    let mut session = match unasked {
        None => Some(context.session("rebase", Access::Existing)?),
        Some(_) => None,
    };
    let request = ops::RebaseArgs {
        revision,
        onto: args.onto,
        dry_run: args.dry_run,
    };
    let dialect = context.dialect()?;
    let rebased = ops::rebase(project, session.as_mut(), dialect, &request).await;
    context.leave(session).await;
    let report = rebased.map_err(|error| {
        let is_database = matches!(error, ops::Error::Database(_));
        let mut error = Error::from(error);
        if let Some(last) = error.diagnostics.last_mut().filter(|_| is_database) {
            let way = "--offline moves revisions without asking the database";
            last.notes.push(way.to_owned());
        }
        error
    })?;
    context
        .output
        .result(&ops::RebaseReport { unasked, ..report });
    Ok(Exit::Done)
}
