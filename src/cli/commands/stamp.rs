use crate::{
    cli::context::Context,
    database::Access,
    ops,
    report::{Preview, error::Error, exit::Exit},
};

/// Record TARGET as applied without running scripts
///
/// Afterwards exactly the targets and the revisions they require are recorded as applied. The
/// schema does not change. Use it for a database that was created by other means. With
/// branches, give several targets.
#[derive(Debug, clap::Args)]
pub struct StampArgs {
    /// What to record: a revision, head, heads, or base
    #[arg(required = true, allow_negative_numbers = true)]
    target: Vec<String>,

    /// Replace all records, including those of unknown or partially applied revisions
    #[arg(long)]
    purge: bool,

    /// Show what would be recorded without changing anything
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
        let plan = async |session: &mut ops::Session| {
            let plan = ops::plan_stamp(project, session, &request).await;
            plan.map(Preview::Stamp)
        };
        context.confirm_plan("stamp", plan).await?;
        let work = context.operate(("stamp", Access::Create), async |session, _| {
            ops::stamp(project, session, &request).await
        });
        work.await?
    };
    context.output.result(&report);
    Ok(Exit::Done)
}
