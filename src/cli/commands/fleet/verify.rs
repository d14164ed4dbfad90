use super::{TargetArgs, Teller, name_of, open};
use crate::{
    cli::context::Context,
    ops::{self, FleetStop},
    report::{
        FleetFindings, FleetVerifyView,
        error::{self, Error},
        exit::Exit,
    },
};

/// Compare the schema of each target with what its applied scripts make
///
/// The scripts run in a scratch database, once for all targets with the same applied revisions; for targets
/// that are schemas, once for each. The targets are read and not changed. Exits with status 3 if one
/// differs.
#[derive(Debug, clap::Args)]
pub struct FleetVerifyArgs {
    #[command(flatten)]
    targets: TargetArgs,
}

pub async fn cmd_fleet_verify(args: FleetVerifyArgs, context: &Context) -> Result<Exit, Error> {
    let fleet = open(context, "verify").await?;
    let teller = Teller::new(context);
    let stop = FleetStop::default();
    teller.listen(&stop)?;
    let (selection, schema) = (args.targets.selection(), context.schema_request()?);
    let report = teller.with_voice(|voice| {
        ops::fleet_verify(
            &fleet,
            &context.project,
            (&selection, &schema),
            &stop,
            voice,
        )
    });
    teller.bar.finish();
    let report = report?;
    let findings = report.drifts.iter().flat_map(|found| {
        let sentences = error::drift(&found.drift).into_iter();
        sentences.map(|shown| (shown, found.targets.clone()))
    });
    let view = FleetVerifyView {
        report: &report,
        findings: FleetFindings {
            found: findings.collect(),
            targets: fleet.targets(),
            columns: context.output.columns(),
        },
    };
    let errors = teller.reasons.diagnostics(&report.tally, &name_of(&fleet));
    super::found(context, &view, errors, report.drifts.is_empty())
}
