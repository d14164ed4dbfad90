use std::time::Instant;

use super::migrate::{LogArgs, Scope};
use crate::{
    cli::{
        args::Vars,
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops,
    report::RedoPlanView,
    revision::TransactionScope,
};

/// Revert the last revision and apply it again
///
/// With a TARGET everything above it. Both ways are checked before the first
/// statement runs. Nothing is reverted that can't be applied again.
#[derive(Debug, clap::Args)]
pub struct RedoArgs {
    /// Down to where: base, a revision that is applied, -N for the N latest applied
    #[arg(default_value = "-1", allow_negative_numbers = true)]
    target: String,

    /// Show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// One transaction per direction and revision, or one for the whole run
    #[arg(long, value_name = "SCOPE")]
    transaction: Option<Scope>,

    #[command(flatten)]
    log: LogArgs,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_redo(args: RedoArgs, context: &Context) -> Result<Exit, Error> {
    let project = &context.project;
    let request = ops::RedoArgs {
        target: args.target.parse()?,
        transaction: args.transaction.map(TransactionScope::from),
    };
    if args.dry_run {
        let work =
            async |session: &mut ops::Session| ops::plan_redo(project, session, &request).await;
        let plan = context.read("plan", work).await?;
        context.output.result(&RedoPlanView(plan));
        return Ok(Exit::Done);
    }
    context.confirm("redo")?;
    project.history(context.location()?.dialect())?;
    context.open_log(args.log.log_file.as_deref(), "redo")?;
    let begin = Instant::now();
    let redone = context.operate(("redo", Access::Existing), async |session, _| {
        ops::redo(project, session, &request).await
    });
    let result = redone.await.map(|report| {
        context.output.result(&report);
        match report.interrupted {
            true => Exit::Interrupted,
            false => Exit::Done,
        }
    });
    context.end_log(&result, begin.elapsed());
    result
}
