//! `fleet check`.

use std::sync::Arc;

use super::{
    super::{Error, Project},
    Fleet, FleetSelection, FleetStop, Voice,
    migrate::look,
    read::Seen,
    states::States,
    status::unread,
};
use crate::{
    fleet::{Outcome, Tally},
    plan::{self, CheckRequest, Finding},
    project::Exists,
    revision::{History, Observed, OutOfOrder},
};

/// The result of `fleet check`.
#[derive(Debug)]
pub struct FleetCheckReport {
    /// The environment.
    pub environment: String,
    /// The directory.
    pub directory: String,
    /// The scripts that were checked.
    pub history: Arc<History>,
    /// The number of selected targets.
    pub targets: usize,
    /// What was found in the directory, and in targets.
    pub findings: Vec<FleetFinding>,
    /// Targets that do not exist or cannot be read.
    pub tally: Tally,
}

/// A problem, with the targets that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetFinding {
    /// The problem.
    pub finding: Finding,
    /// The indices of the targets; none for a problem of the directory.
    pub targets: Vec<usize>,
}

/// Checks the directory once and the records of all targets. Locks and changes nothing.
///
/// # Errors
/// Fails when the scripts are invalid or the selection does not fit the targets. Targets that cannot be
/// read are in the report.
pub fn fleet_check(
    fleet: &Fleet,
    project: &Project,
    (wanted, pending_ok): (&FleetSelection, bool),
    stop: &FleetStop,
    voice: &Voice<'_>,
) -> Result<FleetCheckReport, Error> {
    let history = project.history(fleet.dialect)?;
    let selected = fleet.select(wanted)?;
    let nothing = Observed::default();
    let faults = plan::script_faults(&project.plan_context(&history, &nothing, fleet.dialect));
    let request = CheckRequest {
        history: &history,
        observed: None,
        obstacles: &[],
        faults: &faults,
        base: None,
        dialect: fleet.dialect,
        pending_ok,
        out_of_order_ok: project.out_of_order != OutOfOrder::Error,
        downs: project.downs,
    };
    let of_directory = plan::check(&request);
    let known = of_directory.len();
    let states = States::new(|observed: &Observed| {
        let observed = plan::seen(&history, observed.clone(), fleet.dialect);
        let mut findings = plan::check(&CheckRequest {
            observed: Some(&observed),
            ..request
        });
        // Those of the directory come first.
        findings.split_off(known)
    });
    let found = look(fleet, &states, stop, &selected, voice)?;
    let mut findings: Vec<_> = of_directory.into_iter().map(everywhere).collect();
    let tally = gather(fleet, voice, found, &mut findings);
    let below = project.unread(fleet.dialect)?;
    findings.extend(below.map(|below| {
        everywhere(Finding::FilesBelow {
            first: below.first,
            count: below.count,
        })
    }));
    Ok(FleetCheckReport {
        environment: fleet.config.environment.clone(),
        directory: project.directory().1.to_owned(),
        history: Arc::clone(&history),
        targets: selected.len(),
        findings,
        tally,
    })
}

/// A problem of the directory.
fn everywhere(finding: Finding) -> FleetFinding {
    FleetFinding {
        finding,
        targets: Vec::new(),
    }
}

/// Adds what was found in targets, each problem once.
fn gather(
    fleet: &Fleet,
    voice: &Voice<'_>,
    found: Vec<(usize, Seen<Vec<Finding>>)>,
    findings: &mut Vec<FleetFinding>,
) -> Tally {
    let mut tally = Tally::default();
    let mut by_state: Vec<(Arc<Vec<Finding>>, Vec<usize>)> = Vec::new();
    let if_missing = match fleet.config.exists {
        Exists::Skip => Outcome::Skipped,
        Exists::Require => Outcome::Failed,
    };
    for (index, seen) in found {
        match seen {
            Seen::State(state) => match by_state.iter_mut().find(|it| Arc::ptr_eq(&it.0, &state)) {
                Some((_, targets)) => targets.push(index),
                None => by_state.push((state, vec![index])),
            },
            Seen::Missing(error) => tally.add(&unread(voice, index, error.into(), if_missing)),
            Seen::Failed(error) => tally.add(&unread(voice, index, error, Outcome::Failed)),
            Seen::Doubtful => {}
        }
    }
    for (state, targets) in by_state {
        for finding in state.iter() {
            match findings
                .iter_mut()
                .find(|known| !known.targets.is_empty() && known.finding == *finding)
            {
                Some(known) => known.targets.extend(&targets),
                None => findings.push(FleetFinding {
                    finding: finding.clone(),
                    targets: targets.clone(),
                }),
            }
        }
    }
    for finding in findings {
        finding.targets.sort_unstable();
    }
    tally
}
