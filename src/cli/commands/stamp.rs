use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops,
};

/// Record TARGET as applied without running anything
///
/// Afterwards exactly the target and what it needs is recorded; with several
/// targets, as branches have them, all of them. The schema is not touched; use
/// it for a database that was created by other means.
#[derive(Debug, clap::Args)]
pub struct StampArgs {
    /// What to record: a revision, head, heads, base
    #[arg(required = true, allow_negative_numbers = true)]
    target: Vec<String>,

    /// Write every record anew; also discards records of unknown or partially applied revisions
    #[arg(long)]
    purge: bool,

    /// Show what would be recorded, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn cmd_stamp(args: StampArgs, context: &Context) -> Result<Exit, Error> {
    let project = &context.project;
    let targets = args.target.iter().map(|text| text.parse());
    let request = ops::StampArgs {
        targets: targets.collect::<Result<_, _>>()?,
        purge: args.purge,
    };
    let report = if args.dry_run {
        let work =
            async |session: &mut ops::Session| ops::plan_stamp(project, session, &request).await;
        context.read("plan", work).await?
    } else {
        project.history(context.location()?.dialect())?;
        context.confirm("stamp")?;
        let work = context.operate(("stamp", Access::Create), async |session, _| {
            ops::stamp(project, session, &request).await
        });
        work.await?
    };
    context.output.result(&report);
    Ok(Exit::Done)
}
