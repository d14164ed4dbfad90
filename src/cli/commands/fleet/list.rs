use super::{TargetArgs, open};
use crate::{
    cli::context::Context,
    ops,
    report::{View as _, error::Error, exit::Exit},
};

/// List the targets in the order of a run
///
/// No target is connected to.
#[derive(Debug, clap::Args)]
pub struct FleetListArgs {
    #[command(flatten)]
    targets: TargetArgs,
}

pub async fn cmd_fleet_list(args: FleetListArgs, context: &Context) -> Result<Exit, Error> {
    let fleet = open(context, "fleet").await?;
    let report = ops::fleet_list(&fleet, &context.project, &args.targets.selection())?;
    if context.output.is_lines() {
        if let Some(serde_json::Value::Array(targets)) = report.json().get("targets") {
            targets
                .iter()
                .for_each(|target| context.output.line(target));
        }
        return Ok(Exit::Done);
    }
    context.page(&report);
    Ok(Exit::Done)
}
