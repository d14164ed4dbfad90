use super::{TargetArgs, Teller, name_of, open};
use crate::{
    cli::context::Context,
    ops::{self, FleetStop},
    report::{FleetStatusView, error::Error, exit::Exit},
};

/// Show how many targets are at which revision
///
/// Targets are read without a lock: SQLite files by one query, schemas of a PostgreSQL database by one
/// query for about two hundred.
#[derive(Debug, clap::Args)]
pub struct FleetStatusArgs {
    #[command(flatten)]
    targets: TargetArgs,
}

pub async fn cmd_fleet_status(args: FleetStatusArgs, context: &Context) -> Result<Exit, Error> {
    let fleet = open(context, "status").await?;
    let teller = Teller::new(context);
    let stop = FleetStop::default();
    teller.listen(&stop)?;
    let selection = args.targets.selection();
    let report = teller
        .with_voice(|voice| ops::fleet_status(&fleet, &context.project, &selection, &stop, voice));
    teller.bar.finish();
    let report = report?;
    let view = FleetStatusView {
        report: &report,
        targets: fleet.targets(),
    };
    let errors = teller.reasons.diagnostics(&report.tally, &name_of(&fleet));
    if errors.is_empty() {
        context.output.result(&view);
        return Ok(Exit::Done);
    }
    super::failed(context, &view, errors, Exit::Failed)
}
