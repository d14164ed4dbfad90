use std::time::Instant;

use crate::{
    cli::{
        context::Context,
        options::{LogArgs, Vars},
    },
    database::Access,
    ops,
    report::{Preview, RedoPlanView, error::Error, exit::Exit},
    revision::TransactionScope,
};

/// Revert the last revision and apply it again
///
/// With TARGET, does so for every revision above it. Both directions are checked before the
/// first statement runs: nothing is reverted that cannot be applied again.
#[derive(Debug, clap::Args)]
pub struct RedoArgs {
    /// Where to downgrade to: base, an applied revision, or -N for the last N applied [default: -1; with --edited, below what was edited]
    #[arg(allow_negative_numbers = true)]
    target: Option<String>,

    /// Accept up scripts that were edited after they were applied: revert by the stored down script, apply the new file
    #[arg(long)]
    edited: bool,

    /// Show what would run without changing anything
    #[arg(long)]
    dry_run: bool,

    /// Use one transaction per direction and revision, or one for the whole run
    #[arg(long, value_name = "SCOPE")]
    transaction: Option<TransactionScope>,

    #[command(flatten)]
    log: LogArgs,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_redo(args: RedoArgs, context: &Context) -> Result<Exit, Error> {
    let project = &context.project;
    let request = ops::RedoArgs {
        target: args.target.as_deref().map(str::parse).transpose()?,
        edited: args.edited,
        transaction: args.transaction,
    };
    if args.dry_run {
        let work =
            async |session: &mut ops::Session| ops::plan_redo(project, session, &request).await;
        let plan = context.read("plan", work).await?;
        context.output.result(&RedoPlanView(plan));
        return Ok(Exit::Done);
    }
    let plan = async |session: &mut ops::Session| {
        let plan = ops::plan_redo(project, session, &request).await;
        plan.map(Preview::Plan)
    };
    context.confirm_plan("redo", plan).await?;
    context.open_log(args.log.log_file.as_deref(), "redo")?;
    let begin = Instant::now();
    let redone = context.operate(("redo", Access::Existing), async |session, _| {
        let report = ops::redo(project, session, &request).await;
        if report.is_ok() {
            context.rewrite_schema_file(session).await;
        }
        report
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
