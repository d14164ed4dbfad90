use crate::{
    cli::context::Context,
    ops,
    report::{
        codes,
        error::{self, Error},
        exit::Exit,
    },
};

/// Move a revision that is not applied onto the head
///
/// The revision and all revisions above it get new IDs from the clock, new file names and new
/// `revises` headers. Their SQL does not change. If a rebase was interrupted, the next one
/// completes it.
#[derive(Debug, clap::Args)]
pub struct RebaseArgs {
    /// Revision to move, together with all revisions above it
    revision: Option<String>,

    /// Head to move onto, if there are several
    #[arg(long, value_name = "REVISION")]
    onto: Option<String>,

    /// Do not check whether the revisions are applied in the database
    #[arg(long)]
    offline: bool,

    /// Show what would be moved without changing anything
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
        return Err(Error::new(codes::M001, "no revision to move was given")
            .hint("`migrator rebase REVISION`; `migrator heads` lists the heads"));
    };
    let skip = args.offline.then_some("--offline");
    let (mut session, unasked) = context.session_unless("rebase", skip)?;
    let request = ops::RebaseArgs {
        revision,
        onto: args.onto,
        dry_run: args.dry_run,
    };
    let dialect = context.dialect()?;
    let rebased = ops::rebase(project, session.as_mut(), dialect, &request).await;
    context.leave(session).await;
    let way = "--offline moves revisions without reading the database";
    let report = rebased.map_err(|error| error::or_without_database(error, way))?;
    context
        .output
        .result(&ops::RebaseReport { unasked, ..report });
    Ok(Exit::Done)
}
