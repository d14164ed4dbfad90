use super::{TargetArgs, Teller, name_of, open};
use crate::{
    cli::{context::Context, options::Vars},
    ops::{self, FleetStop},
    report::{
        FleetCheckView, FleetFindings,
        error::{self, Error},
        exit::Exit,
    },
};

/// Check the directory and the records of all targets for problems
///
/// The directory is checked once. Of each target, none of the revisions may be edited, missing, partially
/// applied or pending. Exits with status 3 if there is a problem.
#[derive(Debug, clap::Args)]
pub struct FleetCheckArgs {
    #[command(flatten)]
    targets: TargetArgs,

    /// Allow pending revisions
    #[arg(long)]
    pending_ok: bool,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_fleet_check(args: FleetCheckArgs, context: &Context) -> Result<Exit, Error> {
    let fleet = open(context, "check").await?;
    let teller = Teller::new(context);
    let stop = FleetStop::default();
    teller.listen(&stop)?;
    let selection = args.targets.selection();
    let report = teller.with_voice(|voice| {
        let wanted = (&selection, args.pending_ok);
        ops::fleet_check(&fleet, &context.project, wanted, &stop, voice)
    });
    teller.bar.finish();
    let report = report?;
    let findings = report.findings.iter().map(|found| {
        let shown = error::finding(&found.finding, &report.history);
        (shown, found.targets.clone())
    });
    let view = FleetCheckView {
        environment: &report.environment,
        directory: &report.directory,
        revisions: report.history.len(),
        checked: report.targets,
        findings: FleetFindings {
            found: findings.collect(),
            targets: fleet.targets(),
            columns: context.output.columns(),
        },
        tally: &report.tally,
    };
    let errors = teller.reasons.diagnostics(&report.tally, &name_of(&fleet));
    super::found(context, &view, errors, report.findings.is_empty())
}
